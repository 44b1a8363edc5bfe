"""Times ONNX Runtime on the same inputs. Usage: python -c THIS MODEL INPUTS.npz NAMES.json THREADS SECONDS"""
import json
import sys
import time

import numpy as np
import onnxruntime

model, inputs, names, threads, seconds = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
options.log_severity_level = 4
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
arrays = np.load(inputs)
with open(names) as f:
    feeds = {name: arrays[f"i{k}"] for k, name in enumerate(json.load(f))}
feeds = {name: a.astype(object) if a.dtype.kind == "U" else a for name, a in feeds.items()}
session.run(None, feeds)
times, end = [], time.perf_counter() + float(seconds)
while time.perf_counter() < end or len(times) < 3:
    start = time.perf_counter()
    session.run(None, feeds)
    times.append(time.perf_counter() - start)
quantiles = np.quantile(times, np.linspace(0, 1, min(len(times), 1001)))
print(json.dumps({"version": onnxruntime.__version__, "seconds": quantiles.tolist()}))
