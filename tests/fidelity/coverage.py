#!/usr/bin/env python3
"""Writes docs/coverage/sklearn.md from what fidelity.py --json recorded. Usage: coverage.py ONWARD.json ONNXRUNTIME.json

The first is a run on this engine, the second one of the same files on ONNX Runtime.
"""
import collections
import json
import sys
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs/coverage/sklearn.md"


def main():
    ours, theirs = (by_estimator(json.loads(Path(p).read_text())) for p in sys.argv[1:3])
    cases = sum(len(r) for r in ours.values())
    DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
    DOCUMENT.write_text("\n".join([
        "# scikit-learn, estimator by estimator", "",
        "Written by `tests/fidelity/coverage.py` from runs of `tests/fidelity/fidelity.py`: each case is a real fit by scikit-learn, converted by the",
        "program and compared with the library on rows that it was not fitted on. Labels must be equal on every row; numbers must agree, relative or",
        "absolute, within the tolerance of the estimator, which is 1e-12 unless the column says otherwise. Rows whose k-th and next neighbour are",
        "equally far are counted as tied and not compared: the library's own answer for them depends on how it searched.", "",
        f"**{sum(passed(r) for r in ours.values())} of {cases} cases pass on onward; {sum(passed(r) for r in theirs.values())} of "
        f"{sum(len(r) for r in theirs.values())} on ONNX Runtime, from the same files.**", "",
        "| estimator | cases | pass | labels that differ | largest difference | tolerance | tied rows | pass on ONNX Runtime |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(line(name, ours[name], theirs.get(name, [])) for name in sorted(ours)), "",
        "## Cases that do not pass on onward", "",
        "\n".join(f"- {r['estimator']}{r['case']} on {r['data']}, {r['input']}" for rs in ours.values() for r in rs if r["verdict"] != "passed") or "None."]) + "\n")


def by_estimator(report):
    groups = collections.defaultdict(list)
    for result in report:
        groups[result["estimator"].rsplit(".", 1)[1]].append(result)
    return groups


def passed(results):
    return sum(r["verdict"] == "passed" for r in results)


def line(name, ours, theirs):
    worst = max((r["max_difference"] for r in ours if r["max_difference"] is not None), default=0)
    tolerance = max(r.get("tolerance", 1e-12) for r in ours)
    ties = sum(r["tied_rows"] for r in ours)
    cells = [name, len(ours), passed(ours), sum(r["wrong_labels"] for r in ours), f"{worst:.1e}" if worst else "0", f"{tolerance:.0e}".replace("e-0", "e-"),
             ties or "", f"{passed(theirs)} of {len(theirs)}" if theirs else ""]
    return "| " + " | ".join(map(str, cells)) + " |"


main()
