#!/usr/bin/env python3
"""One thread and two, on a free machine and beside a busy process. Usage: build/venv/bin/python bench/threads.py [--only w5,w3]
[--batches 256,10000] [--calls N] [--json FILE] [--write]

The models are those of tabular.py, through both engines' Python interfaces. Beside a busy process means: another process computes without
pause on one of the two cores that all share. Calls with one thread and with two take turns, each on the next rows; a time is that on the
clock, for what other work costs is what is measured. Medians of at least --calls in microseconds, and how many times as long two threads
take as one. --write puts the table into docs/performance.md.
"""
import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import measuring
import tabular
import tabular_models

HEADING = "## Threads"
CORES = sorted(os.sched_getaffinity(0))[-2:]
BUSY = "while True: pass"
ENGINES = ("onward", "ONNX Runtime")
SETTLES_SECONDS, AT_LEAST_SECONDS = 0.1, 0.2


def main():
    options = arguments()
    chosen = [tabular_models.WORKLOADS[name] for name in options.only]
    tabular.make_models(options.folder, chosen)
    if package := tabular.measured_package():
        sys.path.insert(0, str(package))
    os.sched_setaffinity(0, CORES)
    measured = []
    for workload in chosen:
        measured += measure(workload, options, package)
        print("\n".join(measuring.table_rows(map(cells, measured[-len(options.batches):]))), flush=True)
        if options.json:
            options.json.write_text(json.dumps(measured, indent=1))
    if options.write:
        measuring.put(options.write, HEADING, section(measured, options))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split(" Usage")[0])
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(tabular_models.WORKLOADS), metavar="NAMES", help="workloads, commas between them")
    parser.add_argument("--batches", type=lambda text: [int(n) for n in text.split(",")], default=[256, 10_000], metavar="N,…")
    parser.add_argument("--calls", type=int, default=20, help="of each kind, at least")
    parser.add_argument("--folder", type=Path, default=tabular.BUILD / "bench", help="where the environments and, in tabular/, the models are")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write what was measured")
    parser.add_argument("--write", metavar="DOCUMENT", type=Path, nargs="?", const=tabular.HERE.parent / "docs/performance.md", help="put the table into docs/performance.md")
    options = parser.parse_args()
    options.folder = options.folder.resolve() / "tabular"
    return options


def measure(workload, options, package):
    """A dict for each batch size: of free and busy, of each engine and number of threads, all times in microseconds."""
    folder = options.folder / workload.name
    path = tabular.float_file(folder, tabular.exact_file(folder, package))
    rows = tabular_models.load_rows(folder / "rows.npz")[0]
    sessions = {(engine, threads): session(engine, path, threads) for engine in ENGINES for threads in (1, 2)}
    return [{"name": workload.name, "rows": batch, "free": times(sessions, rows, batch, options.calls), "busy": beside(lambda: times(sessions, rows, batch, options.calls))}
            for batch in options.batches]


def session(engine, path, threads):
    import onnxruntime
    import onward

    module = onward if engine == "onward" else onnxruntime
    options = module.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    return module.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def times(sessions, rows, batch, calls):
    """{"engine, threads": microseconds of each call}. An engine's numbers of threads take turns; the engines follow each other, for
    threads of one that wait for work without sleeping would slow the other."""
    taken = {}
    for engine in ENGINES:
        time.sleep(SETTLES_SECONDS)
        run = {threads: measuring.rotating(lambda feeds, s=sessions[engine, threads]: s.run(None, feeds), *pieces(sessions[engine, threads], rows, batch)) for threads in (1, 2)}
        for call in run.values():
            call()
        found, end = {threads: [] for threads in run}, time.perf_counter() + AT_LEAST_SECONDS
        for turn in itertools.count():
            if turn >= calls and time.perf_counter() > end:
                break
            for threads in (1, 2) if turn % 2 else (2, 1):
                found[threads].append(measuring.seconds_of(run[threads]) * 1e6)
        taken.update({f"{engine}, {threads}": t for threads, t in found.items()})
    return taken


def pieces(made, rows, batch):
    import pandas as pd

    table = pd.DataFrame(rows) if isinstance(rows, dict) else rows
    return table, batch, measuring.feeds_of(made)


def beside(measured):
    """Beside a process that is always busy, on the core where our second thread would like to be."""
    busy = subprocess.Popen([sys.executable, "-c", BUSY])
    os.sched_setaffinity(busy.pid, {CORES[-1]})
    try:
        return measured()
    finally:
        busy.kill()
        busy.wait()


def cells(found):
    shown = [found["name"], f"{found['rows']:,}"]
    for engine in ENGINES:
        for state in ("free", "busy"):
            one, two = (float(np.median(found[state][f"{engine}, {threads}"])) for threads in (1, 2))
            shown += [f"{one:,.0f}", f"{two:,.0f}", f"{two / one:.2f}"]
    return shown


def section(measured, options):
    kinds = " | ".join(f"{engine}, {threads}{state} | {threads + 1} | ×" for engine in ENGINES for state in ("", " (busy)") for threads in (1,))
    return "\n".join([HEADING, "", f"Written by `bench/threads.py --write` on {measuring.processor()}, {len(CORES)} cores: medians of at least {options.calls} calls in microseconds with one thread and with two, and",
                      "how many times as long two take. *busy*: another process computes without pause on one of the two cores.", "",
                      f"| model | rows | {kinds} |", "| --- |" + " ---: |" * 13, *measuring.table_rows(map(cells, measured))]) + "\n"


if __name__ == "__main__":
    main()
