#!/usr/bin/env python3
"""Changes the kept fixtures of every format and converts them: a model that runs, or an error that says what is wrong; nothing else.

Usage: hostile_sources.py PROGRAM [--cases N] [--seed S] [--kind KIND] [--keep FOLDER] [--sanitizer]
       hostile_sources.py PROGRAM --file FILE

The tests do this a thousand times (test_hostile_sources.py); by hand it goes on for as long as one likes. What fails is kept in FOLDER.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mutations as m

DATA = Path(__file__).resolve().parents[1] / "data"
SECONDS, RESIDENT, ERROR_BYTES = 10, 1 << 30, 9000
LARGEST = 60_000                                           # bytes of a fixture: larger ones only take time
PATTERNS = {"pickle": "sklearn/*/*.pkl", "joblib": "sklearn/*/*.joblib", "skops": "sklearn/*/*.skops", "booster pickle": "boosters/*/*.pkl",
            "booster joblib": "boosters/*/*.joblib", "xgboost json": "boosters/xgboost*/*.json", "xgboost ubj": "boosters/*/*.ubj", "lightgbm": "boosters/*/*.txt",
            "catboost": "boosters/*/*.cbm", "catboost json": "boosters/catboost*/*.model.json"}
INSIDE = {"pickle": m.change_pickle, "booster pickle": m.change_pickle, "xgboost json": m.change_json, "catboost json": m.change_json, "lightgbm": m.change_lines,
          "skops": m.change_skops, "joblib": m.change_joblib, "booster joblib": m.change_joblib}
KINDS = [*PATTERNS, *m.CODECS, "onnx"]


class Changes:
    """The K-th changed file of a seed, whichever others are made."""

    def __init__(self, seed, onnx_models, kinds=KINDS):
        self.seed, self.kinds = seed, kinds
        self.files = {kind: [p for p in sorted(DATA.glob(pattern)) if p.stat().st_size < LARGEST] for kind, pattern in PATTERNS.items()}
        self.files["onnx"] = onnx_models

    def file(self, number):
        """(kind, the fixture's name, the changed bytes)."""
        chance = random.Random(f"{self.seed} {number}")
        kind = self.kinds[number % len(self.kinds)]
        source = chance.choice(self.files["pickle" if kind in m.CODECS else kind])
        data = source.read_bytes()
        if kind in m.CODECS:
            if chance.random() < 0.9:
                return kind, source, m.CODECS[kind](m.change_pickle(chance, data))
            return kind, source, m.change_bytes(chance, m.CODECS[kind](data))
        if kind == "xgboost ubj" and chance.random() < 0.6:
            return kind, source, m.ubjson(json.loads(m.change_json(chance, chance.choice(self.files["xgboost json"]).read_bytes())))
        change = INSIDE.get(kind, m.change_bytes) if chance.random() < 0.8 else m.change_bytes
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            data = change(chance, data)
        return kind, source, data


class Ended:
    """A process of the program that has ended: its exit code, what it said, and what it took."""

    def __init__(self, words, environment=None):
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment)
            alarm = threading.Timer(6 * SECONDS, process.kill)            # of the clock: other processes run too
            alarm.start()
            _, status, used = os.wait4(process.pid, 0)
            alarm.cancel()
            process.returncode = self.code = os.waitstatus_to_exitcode(status)
            said.seek(0)
            self.said = said.read().decode(errors="replace")
        self.seconds, self.resident = used.ru_utime + used.ru_stime, used.ru_maxrss * 1024

    def problem(self, sanitizer=False):
        """None where the program kept what it owes."""
        if "Sanitizer" in self.said or "runtime error:" in self.said:
            return "a sanitizer's report"
        if self.code not in (0, 3, 4, 5):
            return f"exit code {self.code}"
        if self.code and not ("error[E" in self.said and "internal" not in self.said):
            return "no error that says what is wrong"
        if len(self.said) > ERROR_BYTES:
            return f"an error of {len(self.said)} bytes"
        if self.seconds > SECONDS * (10 if sanitizer else 1):
            return f"{self.seconds:.0f} s"
        if self.resident > RESIDENT * (4 if sanitizer else 1):
            return f"{self.resident >> 20} MB"
        return None


def judge(program, source, is_onnx, folder, sanitizer=False):
    """None, or what is wrong with the program's answer to this file."""
    out = folder / "out"
    out.mkdir()
    model = out / "model.onnx"
    ended = Ended([program, "optimize" if is_onnx else "convert", source, "-o", model])
    problem = ended.problem(sanitizer)
    left = sorted(p.name for p in out.iterdir())
    if not problem and left != (["model.onnx"] if ended.code == 0 else []):
        problem = f"exit code {ended.code} leaves {left}"
    if not problem and ended.code == 0 and not is_onnx:
        ended = Ended([program, "bench", model, "--batch", "3", "--seconds", "0.0001", "--quiet"])
        problem = ended.problem(sanitizer) or (f"what was written does not run: exit code {ended.code}" if ended.code else None)
    shutil.rmtree(out)
    return f"{problem}\n{ended.said[-3000:]}" if problem else None


def judge_all(program, changes, numbers, folder, keep=None, sanitizer=False, threads=None):
    """The problems, one text each. What fails is kept."""
    def one(number):
        kind, source, data = changes.file(number)
        place = folder / f"{number}"
        place.mkdir()
        path = place / f"changed{source.suffix}"
        path.write_bytes(data)
        problem = judge(program, path, kind == "onnx", place, sanitizer)
        if problem and keep:
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, keep / f"{changes.seed}-{number}-{source.parent.name}-{source.name}")
        shutil.rmtree(place)
        return f"seed {changes.seed}, number {number}, {kind} {source.parent.name}/{source.name}: {problem}" if problem else None

    with ThreadPoolExecutor(threads or len(os.sched_getaffinity(0))) as pool:
        return [p for p in pool.map(one, numbers) if p]


def onnx_models(program, folder):
    """A few converted fixtures."""
    made = []
    for k, source in enumerate(sorted((DATA / "sklearn/1.9.1").glob("*.pkl"))[::6]):
        path = folder / f"{source.stem}.onnx"
        if Ended([program, "convert", source, "-o", path]).code == 0:
            made.append(path)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--file", type=Path, help="this one, as it is")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--sanitizer", action="store_true", help="the program is of the sanitizers' build, which takes more time and memory")
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if options.file:
            problem = judge(options.program, options.file, False, folder, options.sanitizer)
            sys.exit(problem)
        changes = Changes(options.seed, onnx_models(options.program, folder), [options.kind] if options.kind else KINDS)
        failed = 0
        for first in range(options.first, options.first + options.cases, 500):
            numbers = range(first, min(first + 500, options.first + options.cases))
            for problem in judge_all(options.program, changes, numbers, folder, options.keep, options.sanitizer, options.threads):
                failed += 1
                print(problem, flush=True)
            print(f"{numbers[-1] + 1} files, {failed} failed, {time.monotonic() - start:.0f} s", flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
