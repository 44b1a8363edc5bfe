#!/usr/bin/env python3
"""Writes the backend suite of the installed onnx package as files. Usage: dump_suite.py [FOLDER]

Of the 2033 cases the 1884 node cases exist only as Python that builds them in memory; this gives each of them, and the cases that the
package ships as files, the same form: FOLDER/<kind>/<case>/{model.onnx, test_data_set_K/{input_K.pb, output_K.pb}} and one index.json.
A folder whose index was written by the same onnx version is left as it is.
"""
import fcntl
import json
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test.loader as loader
from onnx import numpy_helper

DEFAULT_FOLDER = Path(__file__).parents[2] / "build/conformance"
FORM = 2  # of the index: another number and the suite is written again
KINDS = ["node", "simple", "pytorch-converted", "pytorch-operator", "real"]


def suite(folder=DEFAULT_FOLDER):
    """The cases as [{"name", "kind", "folder", "operator", "opset", "elements", "types", "rtol", "atol"}], written to the folder if they are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:  # ./check runs two suites that read it side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        return dumped(folder)


def dumped(folder):
    index = folder / "index.json"
    if index.exists():
        written = json.loads(index.read_text())
        if written["onnx"] == onnx.__version__ and written.get("form") == FORM:
            return written["cases"]
        shutil.rmtree(folder)
    warnings.simplefilter("ignore")  # some cases overflow on purpose while they are built
    cases = [write(case, folder / kind / case.name, folder) for kind in KINDS for case in sorted(loader.load_model_tests(kind=kind), key=name_of)]
    name_expanded_after_their_function(cases)
    partial = index.with_suffix(".part")
    partial.write_text(json.dumps({"onnx": onnx.__version__, "form": FORM, "cases": cases}))
    partial.rename(index)
    return cases


def name_of(case):
    return case.name


def write(case, target, root):
    target.mkdir(parents=True, exist_ok=True)
    if case.model is not None:
        model = case.model
        (target / "model.onnx").write_bytes(model.SerializeToString())
        for k, (inputs, outputs) in enumerate(case.data_sets):
            data = target / f"test_data_set_{k}"
            data.mkdir(exist_ok=True)
            write_values(data, "input", inputs, model.graph.input)
            write_values(data, "output", outputs, model.graph.output)
    elif case.model_dir:
        shutil.copytree(case.model_dir, target, dirs_exist_ok=True)
        model = onnx.load(target / "model.onnx", load_external_data=False)
    else:
        model = write_light_model(Path(onnx.__file__).parent.parent / case.url, target)
    return {"name": case.name, "kind": case.kind, "folder": str(target.relative_to(root)), "operator": operator_of(model, case.kind),
            "opset": opset_of(model), "elements": elements_of(model), "types": [v.type.WhichOneof("value") for v in model.graph.output], "rtol": case.rtol, "atol": case.atol}


def write_values(folder, prefix, values, declared):
    for k, (value, info) in enumerate(zip(values, declared, strict=True)):
        (folder / f"{prefix}_{k}.pb").write_bytes(proto_of(value, info.type).SerializeToString())


def proto_of(value, type_proto):
    kind = type_proto.WhichOneof("value")
    if kind == "sequence_type":
        dtype = None if len(value) else onnx.SequenceProto.TENSOR
        return numpy_helper.from_list(list(value), dtype=dtype)
    if kind == "optional_type":
        inner = type_proto.optional_type.elem_type.WhichOneof("value")
        empty = onnx.OptionalProto.SEQUENCE if inner == "sequence_type" else onnx.OptionalProto.TENSOR
        return numpy_helper.from_optional(value, dtype=empty if value is None else None)
    return value if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(np.asarray(value))


def write_light_model(source, target):
    """The real networks come without inputs: the suite's runner feeds a ramp from 0 to 1."""
    shutil.copy(source, target / "model.onnx")
    model = onnx.load(source)
    data = target / "test_data_set_0"
    data.mkdir(exist_ok=True)
    weights = {w.name for w in model.graph.initializer}
    for k, info in enumerate(v for v in model.graph.input if v.name not in weights):
        shape = [d.dim_value or 1 for d in info.type.tensor_type.shape.dim]
        ramp = (np.arange(np.prod(shape)).reshape(shape) / np.prod(shape)).astype(np.float32)
        (data / f"input_{k}.pb").write_bytes(numpy_helper.from_array(ramp).SerializeToString())
    for k in range(len(model.graph.output)):
        shutil.copy(source.with_name(f"{source.stem}_output_{k}.pb"), data / f"output_{k}.pb")
    return model


def operator_of(model, kind):
    """What a row of the table is about: the operator of a node case, else the kind of the case."""
    if kind != "node":
        return f"({kind})"
    tested = [n for n in model.graph.node if n.op_type != "Constant"] or list(model.graph.node)
    return (tested[0].domain + "." if tested[0].domain else "") + tested[0].op_type


def opset_of(model):
    """Of ai.onnx; of the operator's own domain where the model has no other."""
    versions = {o.domain: o.version for o in model.opset_import}
    return f"ai.onnx {versions['']}" if "" in versions else next((f"{d} {v}" for d, v in versions.items()), "none")


def elements_of(model):
    """The element types of a model's inputs and outputs, as the standard spells them."""
    found = set()

    def visit(kind):
        which = kind.WhichOneof("value")
        if which == "tensor_type":
            found.add(onnx.TensorProto.DataType.Name(kind.tensor_type.elem_type).lower())
        elif which in ("sequence_type", "optional_type"):
            found.add(which.removesuffix("_type"))
            visit(getattr(kind, which).elem_type)

    for value in [*model.graph.input, *model.graph.output]:
        visit(value.type)
    return sorted(found)


def name_expanded_after_their_function(cases):
    """An _expanded case holds the body of the function that the case of the same name tests."""
    operators = {c["name"]: c["operator"] for c in cases}
    for case in cases:
        base = case["name"].split("_expanded")[0]
        if base != case["name"] and base in operators:
            case["operator"] = operators[base]


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER
    print(f"{len(suite(folder))} cases in {folder}")
