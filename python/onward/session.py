"""InferenceSession, with onnxruntime's names."""
import json
import os
import warnings

from onward import _core
from onward.columns import Inputs
from onward.errors import error_of, suggestion, usage
from onward.frames import predictions_like, table_of
from onward.options import RunOptions, SessionOptions
from onward.values import IOBinding, OrtValue

_ELSEWHERE = ["CUDAExecutionProvider", "TensorrtExecutionProvider", "NvTensorRTRTXExecutionProvider", "OpenVINOExecutionProvider", "DnnlExecutionProvider",
              "CoreMLExecutionProvider", "DmlExecutionProvider", "ROCMExecutionProvider", "MIGraphXExecutionProvider", "XnnpackExecutionProvider",
              "NnapiExecutionProvider", "QNNExecutionProvider", "VitisAIExecutionProvider", "WebGpuExecutionProvider", "WebNNExecutionProvider",
              "JsExecutionProvider", "AzureExecutionProvider", "ACLExecutionProvider", "ArmNNExecutionProvider", "RknpuExecutionProvider",
              "VSINPUExecutionProvider", "CANNExecutionProvider", "SNPEExecutionProvider", "TvmExecutionProvider"]


class NodeArg:
    """An input or output: `shape` has a number, a name or None for each axis."""

    __slots__ = ("name", "type", "shape")

    def __init__(self, name, type, shape):
        self.name, self.type, self.shape = name, type, shape

    def __repr__(self):
        return f"NodeArg(name='{self.name}', type='{self.type}', shape={self.shape})"


class ModelMetadata:
    def __init__(self, texts, metadata):
        self.producer_name, self.domain, self.description = texts["producer_name"], texts["domain"], texts["description"]
        self.graph_name, self.graph_description, self.version = texts["graph_name"], texts["graph_description"], texts["version"]
        self.custom_metadata_map = metadata


class InferenceSession(_core.Session):
    """A model ready to run: from any number of threads at once, before and after a fork, and across a pickle."""

    def __init__(self, path_or_bytes, sess_options=None, providers=None, provider_options=None, **kwargs):
        for name in kwargs:
            if name not in ("disabled_optimizers", "enable_fallback"):
                raise TypeError(f"InferenceSession() has no argument '{name}'{suggestion(name, ['sess_options', 'providers', 'provider_options', 'disabled_optimizers'])}")
        if sess_options is not None and not isinstance(sess_options, SessionOptions):
            raise TypeError(f"sess_options: expected onward.SessionOptions, given {type(sess_options).__name__}")
        _check_providers(providers)
        self._options = SessionOptions() if sess_options is None else sess_options._copy()
        self._providers, self._inputs = ["CPUExecutionProvider"], None
        if isinstance(path_or_bytes, (str, os.PathLike)):
            self._model, self._stamp = os.fspath(path_or_bytes), _stamp(path_or_bytes)
        elif isinstance(path_or_bytes, (bytes, bytearray, memoryview)) or hasattr(path_or_bytes, "__bytes__"):
            self._model, self._stamp = bytes(path_or_bytes), None
        else:
            raise TypeError(f"path_or_bytes: expected a path, bytes or an onward.Model, given {type(path_or_bytes).__name__}")
        threads, level, limit, profiling, disabled, dims, initializers, operators = self._options._core_arguments()
        disabled += list(kwargs.get("disabled_optimizers") or [])
        super().__init__(self._model, threads, level, limit, profiling, disabled, dims, initializers, operators)
        if self._options.optimized_model_filepath:
            with open(self._options.optimized_model_filepath, "wb") as out:
                out.write(self.optimized_model())

    def get_inputs(self):
        return [NodeArg(*port) for port in self.ports(True)]

    def get_outputs(self):
        return [NodeArg(*port) for port in self.ports(False)]

    def get_overridable_initializers(self):
        """None: an initializer that is also an input keeps its value."""
        return []

    def get_modelmeta(self):
        return ModelMetadata(self.model_texts(), self.metadata())

    def get_providers(self):
        return list(self._providers)

    def get_provider_options(self):
        return {"CPUExecutionProvider": {}}

    def set_providers(self, providers=None, provider_options=None):
        _check_providers(providers)

    def get_session_options(self):
        return self._options

    def enable_fallback(self):
        """There is one provider: nothing to fall back to."""

    def disable_fallback(self):
        """There is one provider: nothing to fall back to."""

    @property
    def schema(self):
        """What the model takes and gives, by column; a dict."""
        return json.loads(self.schema_json())

    def io_binding(self):
        return IOBinding(self)

    def run_with_iobinding(self, iobinding, run_options=None):
        iobinding._run(run_options)

    def run_with_ort_values(self, output_names, input_dict_ort_values, run_options=None):
        feed = {name: value._value if isinstance(value, OrtValue) else value for name, value in input_dict_ort_values.items()}
        return [OrtValue(value) for value in self.run_values(output_names, feed, run_options)]

    def run_async(self, output_names, input_feed, callback, user_data=None, run_options=None):
        """Runs in a thread and calls back with (results, user_data, error), as onnxruntime does."""
        import threading

        def work():
            try:
                results, error = self.run(output_names, input_feed, run_options), ""
            except Exception as e:  # noqa: BLE001  handed to the callback
                results, error = [], str(e)
            callback(results, user_data, error)

        threading.Thread(target=work, daemon=True).start()

    def predict(self, table, run_options=None):
        """Columns by name to predictions, under the model's schema. Takes frames of pandas and polars, Arrow tables, anything with the
        Arrow stream protocol, a dict of columns or a matrix; gives a frame of the same kind, or a dict of columns."""
        if self._inputs is None:
            self._inputs = Inputs(self.schema["inputs"])
        return predictions_like(table, _core.predict(self, table_of(table, self._inputs), run_options))

    def end_profiling(self):
        """Writes the trace of the runs so far and returns its file's name."""
        if not self._options.enable_profiling:
            raise usage("this session does not profile", "set SessionOptions.enable_profiling before creating it")
        import time

        path = f"{self._options.profile_file_prefix}{time.strftime('%Y-%m-%d_%H-%M-%S')}_{os.getpid()}.json"
        with open(path, "w", encoding="utf-8") as out:
            out.write(self.profile_json())
        return path

    def __reduce__(self):
        model = self._model
        if self._stamp is not None:
            if _stamp(model) != self._stamp:
                raise error_of(301, "io", f"{model} changed after the session was created, so the session cannot be pickled", "create it from bytes")
            with open(model, "rb") as file:
                model = file.read()
        options = dict(self._options.__dict__, optimized_model_filepath="")
        options["_initializers"] = {name: value.to_python() for name, value in self._options._initializers.items()}
        return _unpickled, (model, options)


def _unpickled(model, options):
    made = SessionOptions()
    made.__dict__.update(options, _initializers={name: _core.value_of(array) for name, array in options["_initializers"].items()})
    return InferenceSession(model, made)


def _stamp(path):
    try:
        facts = os.stat(path)
    except OSError:
        return ()
    return facts.st_size, facts.st_mtime_ns, facts.st_ino


def _check_providers(providers):
    for provider in providers or []:
        name = provider[0] if isinstance(provider, (tuple, list)) else provider
        if name == "CPUExecutionProvider":
            continue
        if name not in _ELSEWHERE:
            raise usage(f"there is no execution provider '{name}'{suggestion(name, ['CPUExecutionProvider', *_ELSEWHERE])}")
        warnings.warn(f"{name} is not offered; the session runs on the CPU", UserWarning, stacklevel=3)


__all__ = ["InferenceSession", "ModelMetadata", "NodeArg", "RunOptions"]
