#!/usr/bin/env python3
"""Runs the official ONNX backend suite through `onward run-cases`. Usage: run_suite.py ONWARD [--write] [--only TEXT] [--every N] ...

Ends with `N passed, N failed, N skipped`. Failed: a wrong answer, an error, a crash or a hang of a case that known.txt does not list, and
one more if fewer cases pass than passed_min.txt says. Skipped: cases the program says it does not support, and the known ones.
--write puts the table into docs/coverage/onnx.md, beside ONNX Runtime in the same run, and the count into passed_min.txt.
"""
import argparse
import importlib.metadata
import shutil
import sys
import tempfile
from pathlib import Path

import compare
import dump_suite
import tables
from worker import Worker

HERE = Path(__file__).parent
KNOWN, PASSED_MIN = HERE / "known.txt", HERE / "passed_min.txt"
DOCUMENT = HERE.parents[1] / "docs/coverage/onnx.md"


def main():
    options = arguments()
    engine = [sys.executable, str(HERE / "onnxruntime_cases.py")] if options.program == "onnxruntime" else [options.program, "run-cases"]
    cases = [c for c in dump_suite.suite(options.suite) if not options.only or options.only in c["name"]][::options.every]
    results = run(engine, cases, options)
    known = read_known()
    failed = [r for r in results if r["status"] not in ("passed", "unsupported") and r["name"] not in known]
    for r in failed:
        print(f"{r['status']}: {r['name']}: {r['reason']}")
    for r in results:
        if r["status"] == "passed" and r["name"] in known:
            print(f"now passes, take it out of {KNOWN.name}: {r['name']}")
    whole = not options.only and options.every == 1
    print(tables.by_operator(results) if options.table else tables.by_kind(results))
    passed = sum(r["status"] == "passed" for r in results)
    too_few = whole and not options.write and passed < int(PASSED_MIN.read_text())
    if too_few:
        print(f"{passed} cases pass, fewer than the {PASSED_MIN.read_text().strip()} of {PASSED_MIN.name}")
    if options.write and whole:
        DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
        rival = run([sys.executable, str(HERE / "onnxruntime_cases.py")], cases, options)
        versions = {name: importlib.metadata.version(name) for name in ("onnx", "onnxruntime")}
        DOCUMENT.write_text(tables.document(results, rival, known, versions))
        PASSED_MIN.write_text(f"{passed}\n")
    n_failed = len(failed) + too_few
    print(f"{passed} passed, {n_failed} failed, {len(results) - passed - len(failed)} skipped")
    sys.exit(bool(n_failed))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the onward program; or onnxruntime, to see how that fares")
    parser.add_argument("--suite", type=Path, default=dump_suite.DEFAULT_FOLDER, help="where the suite's files are kept")
    parser.add_argument("--only", metavar="TEXT", help="cases with this text in their name")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth case")
    parser.add_argument("--seconds", type=float, default=60, help="time for one case")
    parser.add_argument("--table", action="store_true", help="print the table by operator")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name} and {PASSED_MIN.name}")
    return parser.parse_args()


def run(engine, cases, options):
    worker = Worker(engine, options.seconds)
    try:
        return [{**case, **dict(zip(("status", "reason"), run_case(worker, case, options.suite)))} for case in cases]
    finally:
        worker.stop()


def run_case(worker, case, suite):
    folder = suite / case["folder"]
    data_sets = sorted(folder.glob("test_data_set_*"))
    for data in data_sets:
        outputs = Path(tempfile.mkdtemp(prefix="onward-case-"))
        try:
            status, reason = worker.run(folder / "model.onnx", data, outputs)
            if status != "ok":
                return status, reason
            difference = compare.first_difference(outputs, data, case["types"], case["rtol"], case["atol"])
            if difference:
                return "wrong", f"{data.name}: {difference}"
        finally:
            shutil.rmtree(outputs)
    return ("passed", "") if data_sets else ("error", "the case has no data")


def read_known():
    """{case: why}: lines `case why` of known.txt."""
    lines = (line.partition("#")[0].split(None, 1) for line in KNOWN.read_text().splitlines())
    return {fields[0]: fields[1] if len(fields) > 1 else "" for fields in lines if fields}


main()
