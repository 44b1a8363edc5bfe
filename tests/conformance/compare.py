"""Are the values that an engine wrote those that the suite expects? The official rules, and the length of sequences too.

dtype and shape must be equal, text equal, numbers within the case's tolerance (bfloat16 within two of its units in the last place).
"""
import numpy as np
import onnx
from onnx import numpy_helper

BFLOAT16_RTOL = 2.0**-6


def first_difference(written, expected, types, rtol, atol):
    """None, or what differs between two folders of output_K.pb."""
    for k, kind in enumerate(types):
        path = written / f"output_{k}.pb"
        if not path.exists():
            return f"output {k} was not written"
        try:
            actual = read(path, kind)
        except Exception as e:  # whatever the bytes hold, the case has a wrong answer
            return f"output {k} cannot be read: {e}"
        difference = value_difference(actual, read(expected / f"output_{k}.pb", kind), rtol, atol)
        if difference:
            return f"output {k}: {difference}"
    return None


def read(path, kind):
    proto = {"sequence_type": onnx.SequenceProto, "optional_type": onnx.OptionalProto}.get(kind, onnx.TensorProto)()
    proto.ParseFromString(path.read_bytes())
    if kind == "sequence_type":
        return numpy_helper.to_list(proto)
    if kind == "optional_type":
        return numpy_helper.to_optional(proto)
    return numpy_helper.to_array(proto)


def value_difference(actual, expected, rtol, atol):
    if expected is None or actual is None:
        return None if actual is None and expected is None else "one of the two is an empty optional"
    if isinstance(expected, list) or isinstance(actual, list):
        return list_difference(actual, expected, rtol, atol)
    if actual.dtype != expected.dtype:
        return f"dtype {actual.dtype}, expected {expected.dtype}"
    if actual.shape != expected.shape:
        return f"shape {actual.shape}, expected {expected.shape}"
    if actual.dtype == object:
        return None if np.array_equal(actual, expected) else f"text {actual.ravel()[:4]}, expected {expected.ravel()[:4]}"
    return number_difference(actual, expected, rtol, atol)


def list_difference(actual, expected, rtol, atol):
    if not (isinstance(expected, list) and isinstance(actual, list)):
        return "one of the two is not a sequence"
    if len(actual) != len(expected):
        return f"{len(actual)} items, expected {len(expected)}"
    for i, (a, e) in enumerate(zip(actual, expected)):
        difference = value_difference(a, e, rtol, atol)
        if difference:
            return f"item {i}: {difference}"
    return None


def number_difference(actual, expected, rtol, atol):
    if actual.dtype.name == "bfloat16":
        rtol = max(rtol, BFLOAT16_RTOL)
    if actual.dtype.kind not in "biufc":  # the small floats and integers of ml_dtypes
        actual, expected = actual.astype(np.float32), expected.astype(np.float32)
    with np.errstate(all="ignore"):
        equal = np.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=True)
    if equal.all():
        return None
    at = tuple(int(i) for i in np.argwhere(~equal)[0]) if equal.ndim else ()
    return f"{int((~equal).sum())} of {equal.size} elements differ, first at {list(at)}: {actual[at]}, expected {expected[at]}"
