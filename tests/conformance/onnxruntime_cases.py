#!/usr/bin/env python3
"""ONNX Runtime behind the lines that `onward run-cases` reads and writes: MODEL, INPUT_DIR, OUTPUT_DIR with tabs between them.

What is measured is the engine and not its Python binding: inputs of types that the binding does not take become constants of the
model, and outputs of such types are cast to float on their way out (and back to the type that the model declares, which is exact).
With the argument --as-written nothing is optimised.
"""
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

CARRIED = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BOOL, TensorProto.STRING, TensorProto.INT8, TensorProto.INT16, TensorProto.INT32,
           TensorProto.INT64, TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64}
UNSUPPORTED = ("NOT_IMPLEMENTED", "NOT_IMPLEMENT", "is not a registered function/op", "No opset import", "Type Error: Type 'tensor(", "Could not find an implementation", "not supported",
               "Unrecognized attribute", "Unsupported")


def main():
    onnxruntime.set_default_logger_severity(4)
    for line in sys.stdin:
        model, inputs, outputs = map(Path, line.rstrip("\n").split("\t"))
        try:
            run(model, inputs, outputs)
            answer = "ok"
        except Exception as e:
            reason = " ".join(str(e).split())
            answer = f"{'unsupported' if any(word in reason for word in UNSUPPORTED) else 'error'} {reason}"
        print(answer, flush=True)


def run(path, inputs, outputs):
    model = onnx.load(path)
    feeds, constants = {}, []
    weights = {w.name for w in model.graph.initializer}
    for k, info in enumerate(v for v in model.graph.input if v.name not in weights):
        file = inputs / f"input_{k}.pb"
        if not file.exists():
            continue
        kind = info.type.WhichOneof("value")
        value = proto(kind, file)
        if kind != "tensor_type":
            feeds[info.name] = numpy_helper.to_list(value) if kind == "sequence_type" else numpy_helper.to_optional(value)
        elif value.data_type in CARRIED:
            feeds[info.name] = numpy_helper.to_array(value)
        else:
            value.name = info.name
            constants.append(value)
    for value in constants:
        model.graph.initializer.append(value)
        model.graph.input.remove(next(v for v in model.graph.input if v.name == value.name))
    declared = [onnx.TypeProto.FromString(v.type.SerializeToString()) for v in model.graph.output]
    casts = [k for k, t in enumerate(declared) if t.WhichOneof("value") == "tensor_type" and t.tensor_type.elem_type not in CARRIED]
    for k in casts:
        name = model.graph.output[k].name
        model.graph.node.append(helper.make_node("Cast", [name], [f"{name}/float"], to=TensorProto.FLOAT))
        model.graph.output[k].CopyFrom(helper.make_tensor_value_info(f"{name}/float", TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    if "--as-written" in sys.argv:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString() if constants or casts else str(path), options, providers=["CPUExecutionProvider"])
    for k, (value, kind) in enumerate(zip(session.run(None, feeds), declared)):
        (outputs / f"output_{k}.pb").write_bytes(written(value, kind).SerializeToString())


def proto(kind, file):
    message = {"sequence_type": onnx.SequenceProto, "optional_type": onnx.OptionalProto}.get(kind, onnx.TensorProto)()
    message.ParseFromString(file.read_bytes())
    return message


def written(value, declared):
    kind = declared.WhichOneof("value")
    if kind == "sequence_type" and len(value) and isinstance(value[0], dict):
        return onnx.SequenceProto(elem_type=onnx.SequenceProto.MAP, map_values=[map_of(v) for v in value])
    if kind == "sequence_type":
        return numpy_helper.from_list([np.asarray(v) for v in value], dtype=None if len(value) else onnx.SequenceProto.TENSOR)
    if kind == "optional_type":
        return numpy_helper.from_optional(value)
    value = np.asarray(value)
    if declared.tensor_type.elem_type not in CARRIED:
        value = value.astype(helper.tensor_dtype_to_np_dtype(declared.tensor_type.elem_type))
    return numpy_helper.from_array(value)


def map_of(value):
    """Keys in order, so that files of equal maps are equal."""
    keys = sorted(value)
    values = onnx.SequenceProto(elem_type=onnx.SequenceProto.TENSOR, tensor_values=[numpy_helper.from_array(np.asarray(value[k], np.float32)) for k in keys])
    if isinstance(keys[0], str):
        return onnx.MapProto(key_type=TensorProto.STRING, string_keys=[k.encode() for k in keys], values=values)
    return onnx.MapProto(key_type=TensorProto.INT64, keys=[int(k) for k in keys], values=values)


if __name__ == "__main__":
    main()
