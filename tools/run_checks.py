#!/usr/bin/env python3
"""Runs every suite on what ./check built and counts. Usage: run_checks.py [--asan | --arm64] [--fast]

Each suite's output goes to build/check/<suite>.log; of one that fails the end is shown. Ends with `N passed, N failed`.
"""
import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build/check"
SHOWN_OF_A_FAILURE = 80  # lines
JOBS = os.environ.get("ONWARD_JOBS") or str(len(os.sched_getaffinity(0)))


@dataclass
class Suite:
    name: str
    command: list
    slow: bool = False  # left out by --fast
    environment: dict = field(default_factory=dict)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    builds = parser.add_mutually_exclusive_group()
    builds.add_argument("--asan", dest="build", action="store_const", const="asan", help="the sanitizer build")
    builds.add_argument("--arm64", dest="build", action="store_const", const="arm64", help="the build for arm64, under qemu")
    parser.add_argument("--fast", action="store_true", help="leave out what takes minutes")
    options = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    suites_of = {None: release_suites, "asan": sanitizer_suites, "arm64": arm64_suites}
    suites = [s for s in suites_of[options.build]() if not (s.slow and options.fast)]
    with ThreadPoolExecutor(min(2, int(JOBS))) as pool:  # most suites keep one core busy
        results = list(pool.map(lambda suite: run(suite, f"{options.build}-" if options.build else ""), suites))
    passed, failed = (sum(counts) for counts in zip(*results))
    print(f"{passed} passed, {failed} failed")
    sys.exit(bool(failed))


def release_suites():
    onward = str(ROOT / "build/release/onward")
    python = sys.executable
    suites = [Suite("cpp", ["ctest", "--test-dir", "build/release", "-V", "-j", JOBS]),
              Suite("python", [python, "-m", "pytest", "-q", *existing("tests/tools", "tests/python", "tests/cli", "tests/docs")]),
              Suite("conformance", [python, "tests/conformance/run_suite.py", onward]),
              Suite("opsets", [python, "tests/conformance/run_opsets.py", onward]),
              Suite("contrib", [python, "tests/conformance/run_contrib.py", onward]),
              Suite("oracles", [python, "tests/conformance/run_oracles.py", onward]),
              Suite("exporters", [python, "tests/corpus/run_corpus.py", onward]),
              Suite("compositions", [python, "tests/fidelity/compositions.py", onward]),
              Suite("boosters", [python, "tests/fidelity/booster_files.py", onward]),
              Suite("friends", [python, "tests/fidelity/friends.py", onward], slow=True),
              Suite("boosters-onnxruntime", [python, "tests/fidelity/booster_files.py", onward, "--engine", "onnxruntime"], slow=True),
              Suite("shapes", [python, "tests/conformance/run_shapes.py", str(ROOT / "build/release/libonward.so")])]
    rows = "build/release/onward_estimator_rows"
    suites += [Suite("opsets-fidelity", [python, "tests/fidelity/opsets.py", onward], slow=True),
               Suite("consumers", [python, "tests/fidelity/consumers.py", onward, rows], slow=True),
               Suite("random-pipelines", [python, "tests/fidelity/random_pipelines.py", onward, "--count", "24", "--engine", "onward", "onnxruntime"], slow=True),
               Suite("inputs", [python, "tests/fidelity/inputs.py", onward, "--every", "6"], slow=True),
               Suite("refusals", [python, "tests/fidelity/refusals.py", onward, rows], slow=True),
               Suite("old-families", [python, "tests/fidelity/old_families.py", onward, rows], slow=True)]
    for engine in ("onward", "onnxruntime"):
        end = ["--engine", engine, "--json"]
        suites += [Suite(f"fidelity-{engine}", [python, "tests/fidelity/fidelity.py", onward, rows, *end,
                                               f"build/check/fidelity-{engine}.json"], slow=True),
                   Suite(f"pipelines-{engine}", [python, "tests/fidelity/pipelines.py", onward, *end, f"build/check/pipelines-{engine}.json"], slow=True)]
    return suites


def sanitizer_suites():
    onward = str(ROOT / "build/asan/onward")
    return [Suite("cpp", ["ctest", "--test-dir", "build/asan", "-V", "-j", JOBS]),
            Suite("conformance", [sys.executable, "tests/conformance/run_suite.py", onward, "--seconds", "900"]),
            Suite("contrib", [sys.executable, "tests/conformance/run_contrib.py", onward]),
            Suite("exporters", [sys.executable, "tests/corpus/run_corpus.py", onward, "--program-only"]),
            Suite("fixtures", [sys.executable, "tests/fixtures/read_all.py", onward])]


def arm64_suites():
    onward = str(ROOT / "tools/onward_arm64.sh")
    return [Suite("cpp", ["ctest", "--test-dir", "build/arm64", "-V", "-j", JOBS]),
            Suite("conformance", [sys.executable, "tests/conformance/run_suite.py", onward, "--seconds", "900"], slow=True)]


def existing(*folders):
    return [f for f in folders if (ROOT / f).exists()]


def run(suite, prefix):
    """(passed, failed) of a suite. One that ends badly, or that ran nothing, has at least one failure."""
    log = LOGS / f"{prefix}{suite.name}.log"
    start = time.monotonic()
    with log.open("wb") as out:
        code = subprocess.run(suite.command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              env={**os.environ, **suite.environment}).returncode
    text = log.read_text(errors="replace")
    passed, failed = count(text)
    if (code or not passed) and not failed:
        failed = 1
    lines = [f"{suite.name:<22} {passed:>6} passed {failed:>4} failed  {time.monotonic() - start:6.0f} s"]
    if failed:
        lines += ["    " + line for line in worth_showing(text.splitlines())]
        lines += [f"    (exit code {code}; all of it: {log.relative_to(ROOT)})"]
    print("\n".join(lines), flush=True)
    return passed, failed


def worth_showing(lines):
    """The lines after each failure that GoogleTest or a sanitizer reports, then the end."""
    shown = []
    for k, line in enumerate(lines):
        if re.search(r": Failure$|ERROR: \w+Sanitizer|runtime error:", line):
            shown += lines[k:k + 8]
    return shown[:SHOWN_OF_A_FAILURE] + lines[-SHOWN_OF_A_FAILURE // 2:]


def count(text):
    """What a log says of itself: ctest with GoogleTest programs in it, else the last line with `N passed` or `N failed`."""
    ctest = re.search(r"(\d+) tests? failed out of (\d+)", text)
    if ctest:
        programs_failed, programs = map(int, ctest.groups())
        whole = [int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", text)]
        broken = sum(int(n) for n in re.findall(r"\[  FAILED  \] (\d+) test", text))
        return sum(whole) + programs - programs_failed - min(len(whole), programs - programs_failed), max(broken, programs_failed)
    for line in reversed(text.splitlines()):
        found = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error)", line)}
        if found:
            return found.get("passed", 0), found.get("failed", 0) + found.get("error", 0)
    return 0, 0


if __name__ == "__main__":
    main()
