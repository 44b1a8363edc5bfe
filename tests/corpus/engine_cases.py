#!/usr/bin/env python3
"""The Python package behind the lines that `onward run-cases` reads and writes, with no optimisation. Usage: engine_cases.py"""
import sys
from pathlib import Path

import numpy as np
import onnx
import onward

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))
from compare import read
from onnxruntime_cases import written


def main():
    options = onward.SessionOptions()
    options.graph_optimization_level = onward.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    for line in sys.stdin:
        model, inputs, outputs = map(Path, line.rstrip("\n").split("\t"))
        try:
            run(model, inputs, outputs, options)
            answer = "ok"
        except Exception as e:
            answer = f"error {type(e).__name__}: {' '.join(str(e).split())}"
        print(answer, flush=True)


def run(path, inputs, outputs, options):
    graph = onnx.load(path, load_external_data=False).graph
    weights = {w.name for w in graph.initializer}
    wanted = [v for v in graph.input if v.name not in weights]
    feeds = {v.name: read(inputs / f"input_{k}.pb", v.type.WhichOneof("value")) for k, v in enumerate(wanted) if (inputs / f"input_{k}.pb").exists()}
    for k, (value, info) in enumerate(zip(onward.InferenceSession(path, options).run(None, feeds), graph.output)):
        value = value if isinstance(value, list) else np.asarray(value)
        (outputs / f"output_{k}.pb").write_bytes(written(value, info.type).SerializeToString())


if __name__ == "__main__":
    main()
