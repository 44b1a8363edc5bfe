#!/usr/bin/env python3
"""Writes functions of onnxscript, at the opsets that it has words for. Usage: onnxscript_models.py FOLDER [--only TEXT]"""
import importlib.metadata

import numpy as np
import onnx
import onnxscript
from onnxscript import BOOL, FLOAT, INT64, onnx_opset, script

import case
from exporting import arguments, refused

OPSETS = (13, 15, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28)
F = lambda *shape: np.random.default_rng(7).normal(size=shape).astype(np.float32)


def main():
    options = arguments(__doc__)
    for opset in OPSETS:
        op = getattr(onnx_opset, f"opset{opset}", None)
        if op is None:
            refused(f"opset {opset}", ValueError(f"onnxscript {onnxscript.__version__} has no opset{opset}"))
            continue
        for name, (function, inputs) in functions(op, opset).items():
            if options.only not in name or case.made(options.folder, f"{name}-{opset}"):
                continue
            try:
                model = function.to_model_proto()
                onnx.checker.check_model(model, full_check=True)  # literals become CastLike, which older opsets do not have
                names = [v.name for v in model.graph.input]
                case.write(options.folder, f"{name}-{opset}", model, dict(zip(names, inputs)), exporter=f"onnxscript {importlib.metadata.version('onnxscript')}")
            except Exception as e:
                refused(f"{name}-{opset}", e)


def functions(op, opset):
    """name → (the function, its inputs)."""
    own = onnxscript.values.Opset("corpus", 1)

    @script(own, default_opset=op)
    def softplus_gate(x):
        return x * op.Sigmoid(op.Softplus(x))

    @script(default_opset=op)
    def calls(x: FLOAT["N", 4]) -> FLOAT["N", 4]:
        return softplus_gate(softplus_gate(x) + 1.0)

    @script(default_opset=op)
    def branches(x: FLOAT["N", 4]) -> FLOAT["N", 4]:
        if op.ReduceSum(x) > 0.0:
            y = x * 2.0
        else:
            y = op.Neg(x)
        return y

    @script(default_opset=op)
    def counts(x: FLOAT["N", 4], n: INT64) -> FLOAT["N", 4]:
        y = x
        for k in range(n):
            y = op.Tanh(y) + op.Cast(k, to=1)
        return y

    @script(default_opset=op)
    def until(x: FLOAT["N", 4]) -> FLOAT["N", 4]:
        y = x * 100.0
        going = op.ReduceMax(op.Abs(y), keepdims=0) > 1.0
        while going:
            y = y / 2.0
            going = op.ReduceMax(op.Abs(y), keepdims=0) > 1.0
        return y

    @script(default_opset=op)
    def sequences(x: FLOAT["N", 4]) -> FLOAT["M", 4]:
        items = op.SequenceInsert(op.SequenceConstruct(x, x + 1.0), x * 3.0, op.Constant(value_int=0))
        return op.ConcatFromSequence(items, axis=0)

    @script(default_opset=op)
    def words(x: FLOAT["N", 4]) -> BOOL["N", 4]:
        return op.And(op.Not(op.IsNaN(x)), op.Less(x, op.Constant(value_float=0.5)))

    @script(default_opset=op)
    def slices(x: FLOAT["N", 4]) -> FLOAT["N", 2]:
        return x[:, 1:3] + x[0, 0:2]

    x = F(3, 4)
    return {"calls": (calls, [x]), "branches": (branches, [x]), "counts": (counts, [x, np.int64(3)]), "counts_zero": (counts, [x, np.int64(0)]), "until": (until, [x]), "sequences": (sequences, [x]),
            "logic": (words, [x]), "slices": (slices, [x])}


if __name__ == "__main__":
    main()
