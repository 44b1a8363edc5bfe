#!/usr/bin/env python3
"""Writes the networks as torch.onnx.export(dynamo=False) does, from the oldest opset that each can have. Usage: torch_legacy.py FOLDER [--only TEXT]"""
import io
import warnings

import onnx
import torch

import case
from exporting import arguments, refused
from networks import networks
from networks.network import OTHER_SIZE, SIZE, flat, seeded

OPSETS = (7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)
FORMULA_OPSETS = {9, 11, 13, 17, 20}  # of a formula: its oldest and these; the larger networks have all


def main():
    options = arguments(__doc__)
    warnings.filterwarnings("ignore")
    for network in networks():
        if "legacy" not in network.by:
            continue
        whole = network.dynamic is not None or network.scripted
        for opset in OPSETS:
            name = f"{network.name}-{opset}"
            if opset < network.oldest or (not whole and opset != network.oldest and opset not in FORMULA_OPSETS):
                continue
            if options.only not in name or case.made(options.folder, name):
                continue
            try:
                write(options.folder, name, network, opset)
            except Exception as e:
                refused(name, e)


def write(folder, name, network, opset):
    module, example = seeded(network, SIZE)
    file = io.BytesIO()
    names = list(network.dynamic) if network.dynamic else [f"x{k}" for k in range(len(flat(example)))]
    torch.onnx.export(torch.jit.script(module) if network.scripted else module, example, file, dynamo=False, opset_version=opset, input_names=names,
                      dynamic_axes=network.dynamic, verbose=False)
    model = onnx.load_from_string(file.getvalue())
    _, values = seeded(network, OTHER_SIZE if network.dynamic else SIZE)
    with torch.no_grad():
        answers = flat(module(*values))
    inputs = {n: v.numpy() for n, v in zip(names, flat(values))}
    kept = {v.name for v in model.graph.input}
    case.write(folder, name, model, {n: v for n, v in inputs.items() if n in kept}, [a.float().numpy() if a.dtype == torch.bfloat16 else a.numpy() for a in answers],
               exporter=f"torch.onnx (legacy) {torch.__version__}", **({"rtol": network.tolerance, "atol": network.tolerance} if network.tolerance else {}))


if __name__ == "__main__":
    main()
