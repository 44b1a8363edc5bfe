"""How a model of the corpus is kept: a folder with the model, what goes in, what the source framework answered, and what made it.

model.onnx, input_K.pb (as the official suite names them), source_K.pb where the framework's own answer is known, about.json.
"""
import json
import zlib

import numpy as np
import onnx
from onnx import numpy_helper


def seed_of(name):
    return zlib.crc32(name.encode())


def write(folder, name, model, inputs, answers=None, **about):
    """inputs: by name, in any order; None leaves an optional one out. answers: the framework's outputs in the model's order.

    about: exporter (with its version), rtol and atol where the default of a type is too narrow, codes_apart for quantised integers."""
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    weights = {w.name for w in model.graph.initializer}
    wanted = [v.name for v in model.graph.input if v.name not in weights]
    unknown = set(inputs) - set(wanted)
    if unknown:
        raise ValueError(f"{name}: the model has no input {sorted(unknown)}, only {wanted}")
    for k, input_name in enumerate(wanted):
        if inputs[input_name] is not None:
            (folder / f"input_{k}.pb").write_bytes(proto(inputs[input_name]).SerializeToString())
    for k, value in enumerate(answers or []):
        (folder / f"source_{k}.pb").write_bytes(proto(value).SerializeToString())
    about = {**about, "opsets": {o.domain: o.version for o in model.opset_import}, "ir_version": model.ir_version}
    (folder / "about.json").write_text(json.dumps(about, indent=1) + "\n")


def proto(value):
    if isinstance(value, (list, tuple)):
        return numpy_helper.from_list([np.asarray(v) for v in value]) if len(value) else numpy_helper.from_list([], dtype=onnx.SequenceProto.TENSOR)
    value = np.asarray(value)
    return numpy_helper.from_array(value.astype(object) if value.dtype.kind in "US" else value)


def made(folder, name):
    return (folder / name / "about.json").exists()
