"""Is an answer of the engine that of ONNX Runtime, or of the framework that the model comes from?

Types and shapes are equal, text and integers too; floats agree to what their type leaves after the sums of a small network, relative to
each value and to the largest of the output. A model may state wider ones: half precision, and quantised codes, where another order of sums
moves a value over a rounding boundary.
"""
import sys
from pathlib import Path

import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))
from compare import read, value_difference

RELATIVE = {"float64": 1e-9, "float32": 1e-4, "float16": 1e-2, "bfloat16": 2e-2, "complex64": 1e-4}
OF_LARGEST = {"float64": 1e-12, "float32": 3e-6, "float16": 2e-3, "bfloat16": 8e-3, "complex64": 3e-6}


def difference(actual, expected, kinds, about, name="output"):
    """None, or what differs between two folders of output_K.pb (or source_K.pb in the second)."""
    for k, kind in enumerate(kinds):
        if not (actual / f"output_{k}.pb").exists():
            return f"output {k} was not written"
        mine, theirs = read(actual / f"output_{k}.pb", kind), read(expected / f"{name}_{k}.pb", kind)
        found = value_different(mine, theirs, about)
        if found:
            return f"output {k}: {found}"
    return None


def value_different(mine, theirs, about):
    if isinstance(theirs, list) and theirs and isinstance(theirs[0], dict):
        return maps_different(mine, theirs, about)
    if isinstance(theirs, list) or theirs is None or theirs.dtype == object:
        return value_difference(mine, theirs, *(tolerances(theirs[0], about) if isinstance(theirs, list) and theirs and theirs[0].dtype != object else (0, 0)))
    if about.get("codes_apart") and mine.dtype == theirs.dtype and mine.shape == theirs.shape and theirs.dtype.kind in "iu":
        apart = int(np.abs(mine.astype(np.int64) - theirs.astype(np.int64)).max(initial=0))
        return None if apart <= about["codes_apart"] else f"codes are {apart} apart, {about['codes_apart']} allowed"
    return value_difference(mine, theirs, *tolerances(theirs, about))


def maps_different(mine, theirs, about):
    if len(mine) != len(theirs) or any(list(a) != list(b) for a, b in zip(mine, theirs)):
        return "other rows or keys"
    together = lambda maps: np.stack([np.stack(list(m.values())) for m in maps])
    return value_different(together(mine), together(theirs), about)


def tolerances(expected, about):
    name = expected.dtype.name
    relative = max(RELATIVE.get(name, 0), about.get("rtol", 0) if name in RELATIVE else 0)
    values = np.abs(expected.astype(np.float64)) if name in RELATIVE and expected.dtype.kind != "c" else np.abs(expected) if name in RELATIVE else np.zeros(0)
    largest = float(np.max(values, where=np.isfinite(values), initial=0))
    return relative, max(OF_LARGEST.get(name, 0), about.get("atol", 0) if name in RELATIVE else 0) * max(largest, 1e-3)


def output_kinds(path):
    return [v.type.WhichOneof("value") for v in onnx.load(path, load_external_data=False).graph.output]
