"""Timing calls fairly, and the tables of what was measured."""
import itertools
import os
import platform
import time

import numpy as np

ENGINES = ("scikit-learn", "ONNX Runtime", "onward")
TURN_SECONDS = 0.001
MOST_PIECES = 4096  # a row that comes again soon has trained the branch predictor
SECTIONS = ("# Performance", "## Tabular models", "## Threads", "## One row of a table")  # of docs/performance.md, each written by a program of its own


def feeds_of(session):
    """A function that makes rows, an array or a frame, what the inputs of a session take."""
    types = {"tensor(double)": np.float64, "tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_, "tensor(string)": object}
    inputs = [(i.name, types[i.type]) for i in session.get_inputs()]

    def feeds(rows):
        if isinstance(rows, np.ndarray):
            return {inputs[0][0]: rows.astype(inputs[0][1])}
        return {name: np.asarray(rows[name]).astype(kind).reshape(-1, 1) for name, kind in inputs}

    return feeds


def rotating(call, rows, batch, prepared=lambda rows: rows):
    """A function that calls on the next `batch` rows each time; what it is called with is made before any clock runs."""
    starts = range(0, len(rows) - batch + 1, batch) if batch < len(rows) else [0]
    pieces = [prepared(rows[s:s + batch] if isinstance(rows, np.ndarray) else rows.iloc[s:s + batch]) for s in itertools.islice(starts, MOST_PIECES)]
    turn = itertools.cycle(pieces)
    return lambda: call(next(turn))


def taking_turns(calls, seconds):
    """{name: microseconds of each call}. Every order of the engines comes equally often. A turn is some calls in a row, and where they are
    many the first is not counted: it pays for the caches that the engine before has emptied."""
    per_turn = {name: max(1, min(50, int(TURN_SECONDS / seconds_of(call)))) for name, call in calls.items()}
    taken = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    for order in itertools.cycle(itertools.permutations(calls)):
        for name in order:
            times = [seconds_of(calls[name]) * 1e6 for _ in range(per_turn[name])]
            taken[name] += times[1:] if len(times) > 2 else times
        if time.perf_counter() > end and min(map(len, taken.values())) >= 5:
            return taken


def seconds_of(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def row(name, batch, times, mark, engines=ENGINES):
    """Cells: pipeline, batch, each engine's median and spread, and how many times faster than each rival onward is."""
    medians = {engine: float(np.median(t)) for engine, t in times.items()}
    shown = [f"{medians[e]:,.1f} ±{(np.quantile(times[e], 0.75) - np.quantile(times[e], 0.25)) / 2:,.1f}" + (mark if e == "ONNX Runtime" else "")
             if e in times else "cannot" for e in engines]
    ratios = [f"{medians[e] / medians['onward']:.2f}" if e in medians else "" for e in engines if e != "onward"]
    return [name, f"{batch:,}", *shown, *ratios]


def document(speeds, from_c, conversions):
    lines = ["# Performance", "", f"Written by `bench/pipelines.py --write` on {processor()}, one thread for each engine, in one run{load()}.",
             "Microseconds a call, median ± half the span between quartiles; the last columns say how many times faster onward is.", "", "## From Python", "",
             "| pipeline | rows | scikit-learn | ONNX Runtime | onward | × scikit-learn | × ONNX Runtime |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    lines += table_rows(speeds)
    lines += ["", "\\* on the file that skl2onnx writes (for neighbours and Gaussian processes with its operator CDist), where ONNX Runtime cannot",
              "load ours, or not hold it: our distances are standard operators over a tensor of all differences, which onward never makes.", "", "## From C", "",
              "Through `onward.h` and ONNX Runtime's own C interface (`bench/c_calls.c`): a run, and the release of what it gave.", "",
              "| pipeline | rows | ONNX Runtime | onward | × ONNX Runtime |", "| --- | ---: | ---: | ---: | ---: |"]
    lines += table_rows(from_c)
    lines += ["", "## Conversion, seconds", "", "| pipeline | onward | skl2onnx |", "| --- | ---: | ---: |"]
    lines += [f"| {name} | {ours:.3f} | {'cannot' if theirs is None else f'{theirs:.3f}'} |" for name, ours, theirs in conversions]
    return "\n".join(lines) + "\n"


def table_rows(cells):
    return ["| " + " | ".join(c) + " |" for c in cells]


def put(document, heading, text):
    """Puts a section in the place of the one with its heading; each runs to the next of SECTIONS. A new one goes to the end."""
    old = document.read_text() if document.exists() else ""
    lines = old.splitlines(keepends=True)
    start = next((k for k, line in enumerate(lines) if line.rstrip() == heading), len(lines))
    end = next((k for k, line in enumerate(lines) if k > start and line.rstrip() in SECTIONS), len(lines))
    before, after = "".join(lines[:start]), "".join(lines[end:])
    document.write_text(before + ("\n" if before and not before.endswith("\n\n") else "") + text + ("\n" if after else "") + after)


def load():
    """Other work on the machine slows all engines alike, for they take turns; but who reads the times should know."""
    busy = os.getloadavg()[0]
    return "" if busy < 1.5 else f", while the machine's load was {busy:.0f} on {os.cpu_count()} cores"


def processor():
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()
