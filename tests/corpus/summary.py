"""docs/coverage/exporters.md: counts for each exporter, and what ONNX Runtime answered where it did not run or differed."""
import collections
import importlib.metadata
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/coverage/exporters.md"
TITLE = """# Models as exporters write them

Written by `tests/corpus/run_corpus.py ONWARD FOLDER --write`. The corpus is made from seeds by the scripts in `tests/corpus` (`tools/setup.sh corpus`,
`tests/corpus/make.sh FOLDER`): small networks, estimators and functions through every exporter, at every opset that it writes. Each model runs in onward as it
was written (no optimisation, through the Python package) and optimised (`onward run-cases`), and both answers are compared with ONNX Runtime {rival}, on one
thread; where that differs, with the same without its optimisations, and where that cannot run the model or is wrong, with the framework that the
model comes from. Models that the standard's checker or ONNX Runtime calls invalid are not counted: `make.sh` lists what it left out and why. Types and shapes must be equal, integers and text too,
float32 within 1e-4 relative or 3e-6 of the largest value of the output (float64 1e-9, float16 1e-2, bfloat16 2e-2; a model may state a wider one: quantised codes).
A part of the models is stored with recorded answers in `tests/corpus/stored` and runs in `./check`.
"""


def write_document(results):
    by = collections.defaultdict(dict)
    for name, result in results.items():
        exporter, _, model = name.partition("/")
        by[exporter][model] = result
    lines = [TITLE.format(rival=importlib.metadata.version("onnxruntime")),
             f"**{sum(not r.problem for r in results.values())} of {len(results)} models agree.**\n",
             "| exporter | by | opsets | models | as ONNX Runtime | as ONNX Runtime without optimisations | as the framework | differ or fail |", "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"]
    for exporter, models in sorted(by.items()):
        lines.append(row(exporter, list(models.values())))
    lines += ["", "## What ONNX Runtime did not answer, or answered otherwise than the framework", "", "There onward's answer is that of ONNX Runtime without its optimisations, or of the framework.", "",
              "| model | opsets | ONNX Runtime |", "| --- | --- | --- |"]
    lines += [f"| {model} | {spans(opsets)} | {reason} |" for (model, reason), opsets in sorted(grouped(results, lambda r: not r.problem and r.rival).items())]
    problems = grouped(results, lambda r: r.problem)
    if problems:
        lines += ["", "## What differs", ""] + [f"- {model} ({spans(opsets)}): {reason}" for (model, reason), opsets in sorted(problems.items())]
    DOCUMENT.write_text("\n".join(lines) + "\n")


def row(exporter, results):
    agreed = collections.Counter(r.against for r in results if not r.problem)
    made_by = sorted({r.about["exporter"] for r in results})
    opsets = [r.about["opsets"].get("", r.about["opsets"].get("ai.onnx", 0)) for r in results]
    counts = [len(results), agreed["ONNX Runtime"], agreed["ONNX Runtime as written"], agreed["the framework"], sum(bool(r.problem) for r in results)]
    return f"| {exporter} | {', '.join(made_by)} | {spans(o for o in opsets if o)} | {' | '.join(map(str, counts))} |"


def grouped(results, wanted):
    found = collections.defaultdict(list)
    for name, result in results.items():
        if reason := wanted(result):
            model, _, opset = name.rpartition("-")
            found[(model, shortened(reason)) if opset.isdigit() else (name, shortened(reason))].append(int(opset) if opset.isdigit() else 0)
    return found


def shortened(reason):
    for noise in ("[ONNXRuntimeError] : ", "Exception during initialization: ", "Non-zero status code returned while running "):
        reason = reason.replace(noise, "")
    reason = reason.replace("|", "/").replace("`", "'")
    return reason if len(reason) <= 160 else reason[:157] + "…"


def spans(numbers):
    """3, 7–9: runs of numbers that follow each other."""
    runs = []
    for n in sorted(set(numbers)):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in runs) if runs != [[0, 0]] else ""
