"""Fitted models to ONNX models."""
import json
import os
import tempfile
import warnings

from onward import _core
from onward.converters import Converters
from onward.errors import suggestion, usage
from onward.frames import types_of
from onward.values import element_number

_COLUMN_ELEMENTS = {"float64": 11, "float32": 1, "int64": 7, "bool": 9, "string": 8, "datetime": 7}
_INPUT_DTYPES = {"auto": 0, "float32": 1, "float64": 11}
_INPUTS = {None: 0, "auto": 0, "matrix": 1, "columns": 2}


class Model:
    """An ONNX model: `bytes(model)` is its file, `schema` what it takes and gives, `report` how it was made."""

    def __init__(self, content, report=None):
        self._content, self.report = bytes(content), report or {}

    def __bytes__(self):
        return self._content

    def __len__(self):
        return len(self._content)

    @property
    def schema(self):
        return model_schema(self._content)

    def save(self, path):
        """The file appears whole or not at all."""
        path = os.fspath(path)
        handle, unfinished = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".onward-")
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(self._content)
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(unfinished, 0o666 & ~mask)
            os.replace(unfinished, path)
        except BaseException:
            os.unlink(unfinished)
            raise

    def session(self, sess_options=None):
        from onward.session import InferenceSession

        return InferenceSession(self, sess_options)

    def __repr__(self):
        source = self.report.get("source", {})
        return f"onward.Model({source.get('class', 'ONNX')}, {len(self._content)} bytes)"


def convert(fitted, example=None, schema=None, target_opset=None, input_dtype="auto", outputs=None, inputs=None, steps=None,
            operators=None, converters=None, own_ops=False):
    """The ONNX model of a fitted estimator: the object itself, or the path or bytes of its file (pickle, joblib, skops, or a
    boosting library's own). What stands in the way is an exception that lists all of it: `problems`, with places and hints.

    example        rows whose columns' types the inputs take: a frame, an Arrow table, a dict of columns, a matrix
    schema         types and policies of the inputs: a dict or JSON as `onward schema` writes it
    target_opset   the version of ai.onnx to write, or a dict of domain to version as {"": 15, "ai.onnx.ml": 3}; ai.onnx.ml follows to
                   the version of the same release. Without it ai.onnx 21 and ai.onnx.ml 5. What an older version cannot say is warned of
                   (`report["lost"]`; `report["notes"]` says what it costs), and what has no form there is refused by name. An ONNX model's path
                   or bytes is written for the opsets as it stands
    input_dtype    "auto", "float32" or "float64", of numeric inputs
    outputs        of label, probabilities, log_probabilities, scores, variable, transformed, leaf, score_samples, distances, neighbors, std
    inputs         "matrix" or "columns"; as the model was fitted where it is not given
    steps          columns computed from others before the model: a dict of name to expression, {"fare_log": "log1p(fare)"}
    operators      custom operators (onward.custom_operator, or paths of libraries) that converters put into the graph
    converters     a dict of class, or its name, to converter, beside those of onward.register_converter
    own_ops        operators of our own domain, com.onward, may be used where standard ones cannot say what a model computes (hashing words);
                   only onward runs such a file
    """
    column_types, input_type = {}, _choice(input_dtype, _INPUT_DTYPES, "input_dtype")
    if example is not None:
        column_types, input_type = _types_of_example(example, input_type)
    if isinstance(outputs, str):
        outputs = [outputs]
    opsets = {} if target_opset is None else {"": target_opset} if isinstance(target_opset, int) else dict(target_opset)
    opsets = {"" if domain == "ai.onnx" else domain: version for domain, version in opsets.items()}
    arguments = list(outputs or []), _choice(inputs, _INPUTS, "inputs"), input_type, column_types, _schema_json(schema), opsets
    own = Converters(converters, operators)
    columns = [] if example is None else _columns_of_example(example)
    steps = [f"{name}={text}" for name, text in steps.items()] if isinstance(steps, dict) else list(steps or [])
    content, report = _core.convert(_source(fitted, own), *arguments, steps, columns, own.operators, own.core(), bool(own_ops))
    report = json.loads(report)
    for warning in report["warnings"] + report["lost"]:
        warnings.warn(warning, stacklevel=2)
    return Model(content, report)


def infer_shapes(model, strict_mode=False):
    """The ONNX model (a Model, bytes, an onnx.ModelProto, or the path of a file) with the type and shape of every value written into it.

    Sizes are expressions over the names that the inputs declare: "2*batch*seq". Shapes are followed through Shape, Gather, Concat, Reshape
    and the arithmetic between them. strict_mode: types and shapes that contradict each other are an error that names the node.
    """
    if hasattr(model, "SerializeToString"):
        content = model.SerializeToString()
    elif isinstance(model, (bytes, bytearray, memoryview, Model)):
        content = bytes(model)
    else:
        with open(model, "rb") as file:
            content = file.read()
    return Model(_core.infer_types(content, bool(strict_mode)))


def model_schema(model):
    """The schema of an ONNX model's bytes, as a dict."""
    return json.loads(_core.model_schema(bytes(model)))


def _source(fitted, converters):
    if isinstance(fitted, (str, os.PathLike)):
        return os.fspath(fitted)
    if isinstance(fitted, (bytes, bytearray, memoryview)):
        return bytes(fitted)
    return converters.pickled(fitted)


def _choice(value, choices, name):
    value = str(value) if value is not None and not isinstance(value, str) and hasattr(value, "kind") else value
    if value not in choices:
        raise usage(f"{name}: expected {', '.join(str(c) for c in choices if c)}, given {value!r}{suggestion(value, [c for c in choices if c])}")
    return choices[value]


def _types_of_example(example, input_type):
    dtype = getattr(example, "dtype", None)
    if dtype is not None and not hasattr(dtype, "names") or getattr(dtype, "names", None) is None and dtype is not None:
        if input_type == 0 and dtype.kind == "f":
            return {}, element_number("float32" if dtype.itemsize <= 4 else "float64")
        return {}, input_type
    return {name: _COLUMN_ELEMENTS[kind] for name, kind in types_of(example)}, input_type


def _columns_of_example(example):
    """Names in order: of a matrix x0, x1 …, as the engine calls them."""
    if hasattr(example, "dtype") and hasattr(example, "shape") and len(example.shape) == 2:
        return [f"x{i}" for i in range(example.shape[1])]
    try:
        return [name for name, _ in types_of(example)]
    except (TypeError, AttributeError):
        return []


def _schema_json(schema):
    if schema is None:
        return ""
    if isinstance(schema, (str, bytes)) and not str(schema).lstrip().startswith("{") or isinstance(schema, os.PathLike):
        with open(schema, encoding="utf-8") as file:
            return file.read()
    return schema if isinstance(schema, str) else json.dumps(schema)
