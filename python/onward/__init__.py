"""Fitted scikit-learn models to ONNX, and ONNX models to answers.

    model = onward.convert(fitted)              # an estimator, or the path or bytes of its file
    model.save("model.onnx")
    session = onward.InferenceSession("model.onnx")
    session.predict(frame)                      # columns by name, under the model's schema
    session.run(None, {"X": array})             # as onnxruntime's; `import onward as ort` runs its users' code
"""
from onward import capi  # noqa: F401  ort.capi.onnxruntime_pybind11_state.Fail
from onward._core import version as __version__
from onward.capi import onnxruntime_pybind11_state  # noqa: F401
from onward.conversion import Model, convert, infer_shapes, model_schema
from onward.converters import register_converter
from onward.errors import (Cancelled, Error, Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NoSuchFile, NotImplemented, OutOfMemory, RuntimeException,
                           TimeLimit)
from onward.graphs import Expr, Graph
from onward.operators import Operator, custom_operator
from onward.options import ExecutionMode, ExecutionOrder, GraphOptimizationLevel, RunOptions, SessionOptions
from onward.runtime import (disable_telemetry_events, enable_telemetry_events, get_all_providers, get_available_providers, get_build_info, get_device,
                            get_version_string, set_default_logger_severity, set_default_logger_verbosity, set_seed)
from onward.session import InferenceSession, ModelMetadata, NodeArg
from onward.validation import validate
from onward.values import IOBinding, OrtDevice, OrtValue

__all__ = [
    "Cancelled", "Error", "ExecutionMode", "ExecutionOrder", "Expr", "Fail", "Graph", "GraphOptimizationLevel", "IOBinding", "InferenceSession", "InvalidArgument",
    "InvalidGraph", "InvalidProtobuf", "Model", "ModelMetadata", "NoSuchFile", "NodeArg", "NotImplemented", "Operator", "OrtDevice", "OrtValue", "OutOfMemory",
    "RunOptions", "RuntimeException", "SessionOptions", "TimeLimit", "__version__", "convert", "custom_operator", "disable_telemetry_events", "enable_telemetry_events",
    "get_all_providers", "get_available_providers", "get_build_info", "get_device", "get_version_string", "infer_shapes", "model_schema", "register_converter",
    "set_default_logger_severity", "set_default_logger_verbosity", "set_seed", "validate",
]

# Names of onnxruntime that this package does not have say so themselves, by name.
_NOT_OFFERED = {"AdapterFormat", "LoraAdapter", "ModelCompiler", "OrtAllocatorType", "OrtArenaCfg", "OrtCompileApiFlags", "OrtEpDevice",
                "OrtExternalInitializerInfo", "OrtHardwareDevice", "OrtMemType", "OrtMemoryInfo", "SparseTensor", "create_and_register_allocator",
                "create_and_register_allocator_v2", "get_ep_devices", "register_execution_provider_library",
                "set_global_thread_pool_sizes", "unregister_execution_provider_library", "preload_dlls"}


def __getattr__(name):
    if name in _NOT_OFFERED:
        raise AttributeError(f"onward does not offer onnxruntime's {name}")
    raise AttributeError(f"module 'onward' has no attribute '{name}'")
