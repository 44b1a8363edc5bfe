"""Writes docs/coverage/sklearn.md from the reports of fidelity.py and pipelines.py.

usage: coverage.py FIDELITY.json... [--pipelines PIPELINES.json...]
"""
import argparse, collections, json
from pathlib import Path
import sklearn

TARGET = Path(__file__).resolve().parents[2] / "docs" / "coverage" / "sklearn.md"
ENGINES = {"onnxruntime": "ONNX Runtime", "onward": "onward"}


def load(paths): return [case for path in paths for case in json.loads(Path(path).read_text())]


def worst(cases):
    d = max((c["max_difference"] for c in cases if c["max_difference"] is not None), default=0)
    return "equal" if d == 0 else f"{d:.1e}"


def table(cases, key, title, apart):
    engines = [e for e in ENGINES if any(c["engine"] == e for c in cases)]
    lines = [f"| {title} | " + " | ".join(f"{ENGINES[e]}: passed | largest difference | wrong labels" for e in engines) + " | rows apart |",
             "| --- | " + " | ".join("---: | ---: | ---:" for _ in engines) + " | ---: |"]
    groups = collections.defaultdict(list)
    for c in cases: groups[key(c)].append(c)
    for name in sorted(groups):
        row = [name]
        for e in engines:
            own = [c for c in groups[name] if c["engine"] == e]
            row += [f"{sum(c['verdict'] == 'passed' for c in own)} of {len(own)}", worst(own), str(sum(c["wrong_labels"] for c in own))]
        lines.append("| " + " | ".join(row + [str(max(c[apart] for c in groups[name]) or "")]) + " |")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("fidelity", nargs="+"), parser.add_argument("--pipelines", nargs="*", default=[])
    args = parser.parse_args()
    single, pipes = load(args.fidelity), load(args.pipelines)
    passed = sum(c["verdict"] == "passed" for c in single + pipes)
    lines = ["# scikit-learn", "",
             f"Written by `tests/fidelity/coverage.py`: every estimator is fitted by scikit-learn {sklearn.__version__} on several kinds of tables (gaussian, ratings in steps of 0.1,",
             "prices of two decimals, missing values, text, bools, categorical frames), read as float64 and float32 arrays and as a DataFrame, converted, run on 1500",
             "rows it was not fitted on, and compared with the library. Differences are relative beyond 1. A case passes with no wrong label and a difference of at most",
             "1e-12 (0 for trees and scalers); the rows of the families in `src/onward/estimators` say where another tolerance holds and why. Rows apart: for k nearest",
             "neighbours those whose k-th neighbour is tied, for pipelines also those whose number lies on a threshold within a rounding of a matrix product.",
             "",
             f"**{passed} of {len(single) + len(pipes)} cases pass.**", "", "## Estimators", ""]
    lines += table(single, lambda c: c["estimator"].removeprefix("sklearn."), "estimator", "tied_rows")
    if pipes: lines += ["", "## Pipelines of mixed frames", ""] + table(pipes, lambda c: f"{c['pipeline']}: {c['estimator']}", "pipeline", "rows_apart")
    TARGET.write_text("\n".join(lines) + "\n")
    print(f"{passed} of {len(single) + len(pipes)} cases pass; written to {TARGET.name}")
