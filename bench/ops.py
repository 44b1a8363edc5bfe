#!/usr/bin/env python3
"""Every operator beside ONNX Runtime's kernel. Usage: ops.py [--only NAME,NAME] [--seconds S] [--json FILE] [--write]

The cases stand in operators.txt: one node at three sizes. Both engines run it from C (c_calls.c) with one thread each, taking turns in one
process; a ratio is ONNX Runtime's median time over onward's: above 1, onward is faster. --only takes operators by name, with or without
their variant. --json writes every ratio and time; --write puts the table into docs/performance-ops.md.
"""
import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np

import measuring
import operator_cases
from c_calls import CCalls

DOCUMENT = Path(__file__).parents[1] / "docs/performance-ops.md"
PLAIN = {"MemcpyFromHost", "MemcpyToHost"}  # they are there for other processors' sake


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="NAMES", help="operators of these names, commas between them")
    parser.add_argument("--seconds", type=float, default=0.3, help="for each case")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write what was measured")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    options = parser.parse_args()
    names = set(filter(None, options.only.split(",")))
    c_calls, measured = CCalls(), []
    for line in operator_cases.lines():
        if not names or {line.name, line.op} & names:
            measured.append(Measured(line, c_calls, options.seconds))
            print(measured[-1].shown(), flush=True)
    c_calls.close()
    if options.json:
        options.json.write_text(json.dumps([m.record() for m in measured], indent=1))
    text = document(measured)
    print(text[text.index("\n**"):])
    if options.write:
        if names:
            sys.exit("--write takes all operators, not --only some")
        DOCUMENT.write_text(text)


class Measured:
    """A line of operators.txt at each size: medians in microseconds, or what kept it from being measured."""

    def __init__(self, line, c_calls, seconds):
        self.line, self.times, self.problems = line, {}, {}
        for size in operator_cases.SIZES:
            case = operator_cases.sized(line, size)
            try:
                both = (case.model, case.feeds)
                times, differences = c_calls.times_and_differences(case.batch, seconds, both, both, limit=120)
                self.times[size] = {engine: float(np.median(t)) for engine, t in times.items()}
                if differences and not line.op.startswith("Random"):
                    self.problems[size] = f"{differences} answers differ"
            except Exception as problem:  # what an engine says of a model that it does not take
                self.problems[size] = re.sub(r"^c_calls: |/\S*ours\.onnx: ", "", str(problem))[:300]

    def ratio(self, size):
        times = self.times.get(size)
        return times["ONNX Runtime"] / times["onward"] if times else None

    def ratios(self):
        return [r for r in map(self.ratio, operator_cases.SIZES) if r]

    def name(self):
        return f"{self.line.domain + ' ' if self.line.domain else ''}{self.line.name}"

    def shown(self):
        cells = [f"{self.ratio(s):6.2f} ({t['onward']:,.1f} µs)" if (t := self.times.get(s)) else "     -" for s in operator_cases.SIZES]
        return f"{self.name():44}" + "  ".join(f"{c:24}" for c in cells) + "; ".join(f"{s}: {p}" for s, p in self.problems.items())

    def record(self):
        return {"name": self.name(), "times": self.times, "problems": self.problems}


def document(measured):
    ratios = [r for m in measured for r in m.ratios()]
    by_size = ", ".join(f"{s} {np.median(found):.2f}" for s in operator_cases.SIZES if (found := [r for m in measured if (r := m.ratio(s))]))
    low = [m for m in measured if m.ratios() and min(m.ratios()) < 0.8]
    lines = ["# Operators beside ONNX Runtime", "",
             f"Written by `bench/ops.py --write` on {measuring.processor()}, one thread for each engine, from C, taking turns in one run{measuring.load()}. A number is",
             "ONNX Runtime's median time over onward's: above 1, onward is faster. The cases stand in `bench/operators.txt`: small ones measure the",
             "cost of a call, medium ones have about 10 thousand elements, large ones about a million or some milliseconds of work.", "",
             f"**{len(measured)} cases of {len({(m.line.domain, m.line.op) for m in measured})} operators; median {np.median(ratios):.2f}" if ratios else "**none",
             f"({by_size}); {sum(r < 0.8 for r in ratios)} of {len(ratios)} ratios below 0.8, {sum(r < 0.5 for r in ratios)} below 0.5.**", "",
             "| operator | small | medium | large |", "| --- | ---: | ---: | ---: |"]
    cell = lambda m, s: f"{m.ratio(s):.2f}" if m.ratio(s) else ""
    lines += ["| " + " | ".join([m.name(), *(cell(m, s) for s in operator_cases.SIZES)]) + " |" for m in measured if m.times]
    lines += ["", "## Below 0.8", "", "| operator | smallest ratio | reason |", "| --- | ---: | --- |"]
    lines += [f"| {m.name()} | {min(m.ratios()):.2f} | {m.line.reason or 'not known yet'} |" for m in sorted(low, key=lambda m: min(m.ratios()))]
    missing = without_case(measured)
    lines += ["", "## Not measured", "", "Operators for which ONNX Runtime has a kernel for processors and that have no case: " + (", ".join(missing) or "none") + "."]
    refused = [f"- {m.name()}: {next(iter(m.problems.values()))}" for m in measured if not m.times]
    return "\n".join(lines + ([""] + refused if refused else [])) + "\n"


def without_case(measured):
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    kernels = {(k.domain, k.op_name) for k in state.get_all_opkernel_def() if k.provider == "CPUExecutionProvider" and k.domain != "com.microsoft.nchwc"}
    have = {(m.line.domain, m.line.op) for m in measured if m.times}
    return [f"{domain} {op}".strip() for domain, op in sorted(kernels - have) if op not in PLAIN]


if __name__ == "__main__":
    main()
