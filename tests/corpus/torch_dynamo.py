#!/usr/bin/env python3
"""Writes the networks as torch.onnx.export(dynamo=True) does. Usage: torch_dynamo.py FOLDER [--only TEXT]"""
import logging
import warnings

import torch

import case
from exporting import arguments, refused
from networks import networks
from networks.network import OTHER_SIZE, SIZE, flat, seeded

OPSETS = (18, 20, 23)
FORMULA_OPSETS = (20,)  # the exporter's own choice


def main():
    options = arguments(__doc__)
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    for network in networks():
        if "dynamo" not in network.by:
            continue
        for opset in OPSETS if network.dynamic else FORMULA_OPSETS:
            name = f"{network.name}-{opset}"
            if options.only not in name or case.made(options.folder, name):
                continue
            try:
                write(options.folder, name, network, opset)
            except Exception as e:
                refused(name, e)


def write(folder, name, network, opset):
    module, example = seeded(network, SIZE)
    shapes = tuple({axis: torch.export.Dim.DYNAMIC for axis in axes} for axes in network.dynamic.values()) if network.dynamic else None
    values = seeded(network, OTHER_SIZE if network.dynamic else SIZE)[1]
    try:
        program = torch.onnx.export(module, example, dynamo=True, opset_version=opset, dynamic_shapes=shapes, verbose=False)
    except torch.onnx.errors.OnnxExporterError:
        if not network.dynamic:
            raise
        program, values = torch.onnx.export(module, example, dynamo=True, opset_version=opset, verbose=False), example  # recurrent layers: one length only
    model = program.model_proto
    with torch.no_grad():
        answers = flat(module(*values))
    inputs = {v.name: x.numpy() for v, x in zip(model.graph.input, flat(values))}
    case.write(folder, name, model, inputs, [a.float().numpy() if a.dtype == torch.bfloat16 else a.numpy() for a in answers],
               exporter=f"torch.onnx (dynamo) {torch.__version__}", **({"rtol": network.tolerance, "atol": network.tolerance} if network.tolerance else {}))


if __name__ == "__main__":
    main()
