"""The closing table. Usage: compare.py FOLDER

Compares the predictions that `onward predict` wrote with scikit-learn's for the same rows, then measures scikit-learn, ONNX Runtime and
onward side by side: the same rows, the same model, one thread each, taking turns, medians.
"""
import statistics
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import onnxruntime
import pandas as pd

import onward

SECONDS_PER_BATCH_SIZE = 6
folder = Path(sys.argv[1])


def main():
    model = joblib.load(folder / "model.joblib")
    heldout = pd.read_csv(folder / "heldout.csv")
    same = compare_predictions(model, heldout)
    measure_throughput(model, heldout)
    sys.exit(not same)


def compare_predictions(model, heldout):
    written = pd.read_csv(folder / "predictions.csv")
    wanted = model.predict_proba(heldout)
    differing = int((written["label"].to_numpy() != model.predict(heldout)).sum())
    probabilities = written[[f"probability_{c}" for c in model.classes_]].to_numpy()
    largest = float(np.abs(probabilities - wanted).max())
    print(f"  rows compared           {len(written):>12,}")
    print(f"  labels that differ      {differing:>12,}")
    print(f"  largest difference      {largest:>12.1e}   (of a probability)")
    return len(written) == len(heldout) and differing == 0 and largest <= 1e-12


def measure_throughput(model, heldout):
    ours, theirs = session_of(onward), session_of(onnxruntime)
    print("\n  rows a second, one thread   scikit-learn   ONNX Runtime         onward")
    for rows in (1, len(heldout)):
        batch = heldout.head(rows)
        feeds = columns_as_tensors(batch, ours)
        ways = {"scikit-learn": lambda: model.predict_proba(batch),
                "ONNX Runtime": (lambda: theirs.run(None, feeds)) if theirs else None,
                "onward": lambda: ours.run(None, feeds)}
        seconds = medians_taking_turns({name: way for name, way in ways.items() if way}, calls=10 if rows == 1 else 1)
        speeds = [f"{rows / seconds[name]:>14,.0f}" if name in seconds else f"{'cannot load it':>14}" for name in ways]
        print(f"  {'one row at a time' if rows == 1 else f'batches of {rows:,}':<25} " + " ".join(speeds))


def session_of(engine):
    """A session on our file with one thread; None where an engine refuses the file."""
    options = engine.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        return engine.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    except Exception:
        if engine is onward:
            raise
        return None


def columns_as_tensors(batch, session):
    """What either session takes: per column an array of shape (rows, 1) of the type that the model declares."""
    types = {"tensor(double)": np.float64, "tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}
    feeds = {}
    for column in session.get_inputs():
        values = batch[column.name]
        if column.type == "tensor(string)":
            feeds[column.name] = values.fillna("").to_numpy(object).reshape(-1, 1)
        else:
            feeds[column.name] = values.to_numpy(types[column.type]).reshape(-1, 1)
    return feeds


def medians_taking_turns(ways, calls):
    """Seconds a call. In a turn of several calls the first is not counted: it pays for the caches that the engine before has emptied."""
    taken = {name: [] for name in ways}
    end = time.perf_counter() + SECONDS_PER_BATCH_SIZE
    while time.perf_counter() < end or min(map(len, taken.values())) < 3:
        for name, way in ways.items():
            times = [seconds_of(way) for _ in range(calls)]
            taken[name] += times[1:] or times
    return {name: statistics.median(times) for name, times in taken.items()}


def seconds_of(way):
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


main()
