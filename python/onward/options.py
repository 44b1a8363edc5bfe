"""SessionOptions, RunOptions and their enumerations, with onnxruntime's names. What is not offered or not known is refused by name."""
import enum
import os

from onward import _core
from onward.errors import suggestion, usage
from onward.operators import registered


class GraphOptimizationLevel(enum.IntEnum):
    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(enum.IntEnum):
    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class ExecutionOrder(enum.IntEnum):
    DEFAULT = 0
    PRIORITY_BASED = 1
    MEMORY_EFFICIENT = 2


# Config entries whose meaning holds here: the value "0"/"1"/… that is what this engine does anyway, or None where any value may be given.
_CONFIG = {
    "session.intra_op.allow_spinning": None, "session.inter_op.allow_spinning": None, "session.force_spinning_stop": None,    # nothing spins
    "session.intra_op_thread_affinities": None, "session.dynamic_block_base": None,
    "session.use_env_allocators": None, "session.use_device_allocator_for_initializers": None, "session.disable_prepacking": None,
    "session.load_model_format": "ONNX", "session.save_model_format": "ONNX", "session.use_ort_model_bytes_directly": None,
    "session.set_denormal_as_zero": "0", "session.disable_quant_qdq": None, "session.enable_quant_qdq_cleanup": None,
    "session.qdqisint8allowed": None, "session.disable_double_qdq_remover": None, "session.disable_cpu_ep_fallback": None,
    "session.disable_aot_function_inlining": None, "session.strict_shape_type_inference": None, "session.allow_released_opsets_only": None,
    "session.use_memory_mapped_ort_model": None, "session.graph_optimizations_loop_level": None,
    "optimization.enable_gelu_approximation": "0", "optimization.enable_cast_chain_elimination": None,
    "optimization.disable_specified_optimizers": None,                        # names of our optimisations, ; between them
    "onward.memory_limit": None,                                              # bytes alive in tensors of all runs
}
_RUN_CONFIG = {"memory.enable_memory_arena_shrinkage", "disable_synchronize_execution_providers", "onward.time_limit"}

_DEFAULTS = {
    "intra_op_num_threads": 0, "inter_op_num_threads": 0, "graph_optimization_level": GraphOptimizationLevel.ORT_ENABLE_ALL,
    "enable_profiling": False, "profile_file_prefix": "onward_profile_", "optimized_model_filepath": "",
    "execution_mode": ExecutionMode.ORT_SEQUENTIAL, "execution_order": ExecutionOrder.DEFAULT, "enable_cpu_mem_arena": True,
    "enable_mem_pattern": True, "enable_mem_reuse": True, "use_deterministic_compute": True, "use_per_session_threads": True,
    "logid": "", "log_severity_level": 2, "log_verbosity_level": 0,
}


class SessionOptions:
    """As onnxruntime's. The arena, memory pattern and thread pool options need no choice here and are accepted; answers are always
    deterministic. `intra_op_num_threads` 0 means all that the process may use."""

    def __init__(self):
        self.__dict__.update(_DEFAULTS, _config={}, _dims={}, _initializers={}, _operators=[])

    def __setattr__(self, name, value):
        if name not in _DEFAULTS:
            raise AttributeError(f"SessionOptions has no option '{name}'{suggestion(name, _DEFAULTS)}")
        if name in ("intra_op_num_threads", "inter_op_num_threads") and (not isinstance(value, int) or value < 0):
            raise usage(f"SessionOptions.{name}: expected 0 (all) or more, given {value!r}")
        self.__dict__[name] = value

    def add_session_config_entry(self, key, value):
        if key not in _CONFIG:
            raise usage(f"there is no session config entry '{key}'{suggestion(key, _CONFIG)}")
        if _CONFIG[key] is not None and str(value) != _CONFIG[key]:
            raise usage(f"session config entry '{key}': only '{_CONFIG[key]}' is offered, given '{value}'")
        self._config[key] = str(value)

    def get_session_config_entry(self, key):
        if key not in self._config:
            raise usage(f"the session config entry '{key}' was not added{suggestion(key, self._config)}")
        return self._config[key]

    def _refuse(self, what):
        raise usage(f"SessionOptions.{what} is not offered")

    def add_free_dimension_override_by_name(self, name, size):
        self._dims[name] = int(size)

    def add_free_dimension_override_by_denotation(self, denotation, size):
        self._refuse("add_free_dimension_override_by_denotation")

    def add_initializer(self, name, value):
        """An OrtValue of the type and shape of the model's own initializer; sessions may share it."""
        self._initializers[name] = value._value

    def add_external_initializers(self, names, values):
        self._initializers.update({name: value._value for name, value in zip(names, values)})

    def register_custom_ops_library(self, path):
        """A shared library that exports onward_register_operators (include/onward/operators.hpp). Its code runs."""
        registered([os.fspath(path)])
        self._operators.append(os.path.abspath(path))

    def register_custom_ops(self, *operators):
        """Operators that onward.custom_operator made of Python functions."""
        registered([*self._operators, *operators])
        self._operators.extend(operators)

    def add_provider(self, provider, options=None):
        self._refuse("add_provider")

    def has_providers(self):
        return False

    def _copy(self):
        made = SessionOptions()
        made.__dict__.update(self.__dict__, _config=dict(self._config), _dims=dict(self._dims), _initializers=dict(self._initializers), _operators=list(self._operators))
        return made

    def _core_arguments(self):
        """(threads, optimisation, memory limit, profiling, disabled, dims, initializers, operators) of onward._core.Session."""
        level = int(self.graph_optimization_level)
        limit = self._config.get("onward.memory_limit", "0")
        if not limit.isdigit():
            raise usage(f"session config entry 'onward.memory_limit': expected a number of bytes, given '{limit}'")
        disabled = [name for name in self._config.get("optimization.disable_specified_optimizers", "").split(";") if name]
        return int(self.intra_op_num_threads), 0 if level == 0 else 1 if level == 1 else 2, int(limit), bool(self.enable_profiling), disabled, self._dims, self._initializers, registered(self._operators)


class RunOptions(_core.RunOptions):
    """`terminate` stops the runs that use it, from any thread; `time_limit` is in seconds (0: none)."""

    def __init__(self):
        super().__init__()
        self.__dict__.update(logid="", log_severity_level=2, log_verbosity_level=0, only_execute_path_to_fetches=False, training_mode=False, _config={})

    def __setattr__(self, name, value):
        if name not in self.__dict__ and name not in ("terminate", "time_limit"):
            known = [k for k in self.__dict__ if not k.startswith("_")] + ["terminate", "time_limit"]
            raise AttributeError(f"RunOptions has no option '{name}'{suggestion(name, known)}")
        super().__setattr__(name, value)

    def add_run_config_entry(self, key, value):
        if key not in _RUN_CONFIG:
            raise usage(f"there is no run config entry '{key}'{suggestion(key, _RUN_CONFIG)}")
        if key == "onward.time_limit":
            self.time_limit = float(value)
        self._config[key] = str(value)

    def get_run_config_entry(self, key):
        return self._config.get(key, "")

    def add_active_adapter(self, adapter):
        raise usage("RunOptions.add_active_adapter is not offered")
