"""What onnxruntime's module-level functions tell about the build."""
from onward import _core


def get_available_providers():
    return ["CPUExecutionProvider"]


def get_all_providers():
    return ["CPUExecutionProvider"]


def get_device():
    return "CPU"


def get_version_string():
    return _core.version


def get_build_info():
    return f"onward {_core.version}"


def set_default_logger_severity(severity):
    """Accepted: the engine does not log."""


def set_default_logger_verbosity(verbosity):
    """Accepted: the engine does not log."""


def set_seed(seed):
    """Accepted: an operator that draws numbers takes its seed from the model."""


def disable_telemetry_events():
    """Nothing is ever sent."""


def enable_telemetry_events():
    """Nothing is ever sent."""
