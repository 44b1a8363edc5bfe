#!/usr/bin/env python3
"""Converted pipelines beside scikit-learn and ONNX Runtime. Usage: pipelines.py [--only TEXT] [--seconds S] [--write] [--big-forest]

One run, one thread each, the engines taking turns call by call, each call on the next rows of the table; from Python, and from C through
c_calls.c. ONNX Runtime runs our file where it can load and hold it, else the one that skl2onnx writes (marked *). Times are medians in
microseconds a call, ± half the span between quartiles.
--big-forest also times the conversion of a forest of 2.5 million nodes. --write puts the tables into docs/performance.md.
"""
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is loaded

import argparse
import pickle
import time
import warnings
from pathlib import Path

import numpy as np
import onnxruntime

import measuring
import models
from c_calls import CCalls
import onward

BATCHES = (1, 100, 10_000)
DOCUMENT = Path(__file__).parents[1] / "docs/performance.md"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="pipelines with this text in their name")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each pipeline and batch size")
    parser.add_argument("--big-forest", action="store_true", help="convert a forest of 2.5 million nodes too")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    options = parser.parse_args()
    warnings.simplefilter("ignore")

    speeds, from_c, conversions = [], [], []
    c_calls = CCalls()
    for name, fitted, rows in models.pipelines():
        if options.only not in name:
            continue
        content, seconds = timed_conversion(fitted)
        conversions.append([name, seconds, skl2onnx_seconds(fitted, rows)])
        for batch in BATCHES:
            contest = Contest(name, fitted, rows, content)
            speeds.append(contest.python_row(batch, options.seconds))
            from_c.append(contest.c_row(c_calls, batch, options.seconds / 2))
            print("  ".join(speeds[-1]), "  from C: ", "  ".join(from_c[-1][2:]), flush=True)
    c_calls.close()
    if options.big_forest:
        name, fitted, rows = models.big_forest()
        conversions.append([name, timed_conversion(fitted)[1], skl2onnx_seconds(fitted, rows)])
    text = measuring.document(speeds, from_c, conversions)
    print(text)
    if options.write:
        measuring.put(DOCUMENT, measuring.SECTIONS[0], text)


def timed_conversion(fitted):
    """(the ONNX file, seconds from pickled bytes to it)."""
    pickled = pickle.dumps(fitted, protocol=5)
    start = time.perf_counter()
    content = bytes(onward.convert(pickled))
    return content, time.perf_counter() - start


def skl2onnx_seconds(fitted, rows):
    """Seconds that skl2onnx takes, or None where it refuses."""
    start = time.perf_counter()
    return time.perf_counter() - start if skl2onnx_file(fitted, rows) else None


def skl2onnx_file(fitted, rows):
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import BooleanTensorType, DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType

    options = {"zipmap": False} if hasattr(fitted, "classes_") else {}
    if hasattr(fitted, "n_neighbors") or hasattr(fitted, "kernel_"):
        options["optim"] = "cdist"                       # its own operator for distances: by far its fastest
    options = options or None
    try:
        if isinstance(rows, np.ndarray):
            return to_onnx(fitted, initial_types=[("X", FloatTensorType([None, rows.shape[1]]))], options=options, target_opset=21).SerializeToString()
        kinds = {"f": DoubleTensorType, "i": Int64TensorType, "b": BooleanTensorType}
        types = [(c, kinds.get(rows[c].dtype.kind, StringTensorType)([None, 1])) for c in rows]
        return to_onnx(fitted, initial_types=types, options=options, target_opset=21).SerializeToString()
    except Exception:
        return None


class Contest:
    """A fitted pipeline, its file in onward, and the file that ONNX Runtime does best with."""

    def __init__(self, name, fitted, rows, content):
        self.name, self.fitted, self.rows, self.content = name, fitted, rows, content
        self.ours = session_of(onward, content)
        self.their_content, self.mark = content, ""
        self.theirs = None if name in models.TOO_LARGE_FOR_ONNXRUNTIME else session_of(onnxruntime, content)
        if self.theirs is None and (other := skl2onnx_file(fitted, rows)):
            self.theirs, self.their_content, self.mark = session_of(onnxruntime, other), other, "*"

    def python_row(self, batch, seconds):
        calls = {"scikit-learn": measuring.rotating(sklearn_call(self.fitted), self.rows, batch),
                 "onward": measuring.rotating(session_call(self.ours), self.rows, batch, measuring.feeds_of(self.ours))}
        if self.theirs:
            calls["ONNX Runtime"] = measuring.rotating(session_call(self.theirs), self.rows, batch, measuring.feeds_of(self.theirs))
        return measuring.row(self.name, batch, measuring.taking_turns(calls, seconds), self.mark)

    def c_row(self, c_calls, batch, seconds):
        theirs = (self.their_content, measuring.feeds_of(self.theirs)(self.rows)) if self.theirs else None
        times = c_calls.times(batch, seconds, (self.content, measuring.feeds_of(self.ours)(self.rows)), theirs)
        return measuring.row(self.name, batch, times, self.mark, measuring.ENGINES[1:])


def session_of(engine, content):
    options = engine.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return engine.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception:
        if engine is onward:
            raise
        return None


def sklearn_call(fitted):
    """What the ONNX file gives in one call takes two in scikit-learn only for who asks for labels too: count the probabilities."""
    return fitted.predict_proba if hasattr(fitted, "predict_proba") else fitted.predict if hasattr(fitted, "predict") else fitted.transform


def session_call(session):
    return lambda feeds: session.run(None, feeds)


main()
