#!/usr/bin/env python3
"""Tabular models beside ONNX Runtime and the fastest engines there are. Usage: build/venv/bin/python bench/tabular.py [--only w5,w3]
[--batches 1,256,10000] [--contenders onward,…] [--seconds S] [--json FILE] [--write]

`tools/setup.sh bench` makes the environments; the models of tabular_models.py are fitted once and kept in --folder. Every contender is a
process of its own (contenders.py) on one core that all share, with one thread; they take turns in random order, each call on the next rows.
One row of onward and ONNX Runtime is measured through their C interfaces (c_calls.c), all else through Python. Both engines run the file
that the model's exporter writes, in float32; "onward exact" runs ours, in the library's own precision. Times are medians in microseconds a
call ± half the span between quartiles. --write puts the tables and their picture into docs/performance.md.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import c_calls
import measuring
import tabular_document
import tabular_models
from contenders import CONTENDERS, feeds_of, float_file

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build"
TURN_SECONDS, MOST_IN_TURN, FEWEST_TIMES = 0.004, 50, 5


def main():
    options = arguments()
    chosen = [tabular_models.WORKLOADS[name] for name in options.only]
    make_models(options.folder, chosen)
    package = measured_package()
    if package:
        sys.path.insert(0, str(package))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # and with this process all that it starts
    measured = []
    for workload in chosen:
        measured.append(measure(workload, options, package))
        print(tabular_document.shown(measured[-1]), flush=True)
        if options.json:
            about = {"processor": measuring.processor(), "cores": os.cpu_count(), "load": os.getloadavg()[0], "command": sys.argv[1:]}
            options.json.write_text(json.dumps({**about, "workloads": measured}, indent=1))
    if options.write:
        tabular_document.write(measured, options.write)


def arguments():
    def names_of(known):
        def parse(text):
            names = [name.strip() for name in text.split(",")]
            if unknown := [name for name in names if name not in known]:
                raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: known are {', '.join(known)}")
            return names
        return parse

    parser = argparse.ArgumentParser(description=__doc__.split(" Usage")[0])
    parser.add_argument("--only", type=names_of(tabular_models.WORKLOADS), default=list(tabular_models.WORKLOADS), metavar="NAMES", help="workloads, commas between them")
    parser.add_argument("--contenders", type=names_of(CONTENDERS), default=list(CONTENDERS), metavar="NAMES", help="engines, commas between them")
    parser.add_argument("--batches", type=lambda text: [int(n) for n in text.split(",")], default=[1, 256, 10_000], metavar="N,…")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each contender and batch size")
    parser.add_argument("--folder", type=Path, default=BUILD / "bench", help="where the environments and, in tabular/, the models are")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write what was measured")
    parser.add_argument("--write", metavar="DOCUMENT", type=Path, nargs="?", const=tabular_document.DOCUMENT, help="put the tables into docs/performance.md")
    options = parser.parse_args()
    options.environments, options.folder = options.folder.resolve(), options.folder.resolve() / "tabular"
    return options


def make_models(folder, chosen):
    missing = [w for w in chosen if not tabular_models.is_made(folder, w)]
    if not missing:
        return
    python = folder.parent / "models/bin/python"
    if not python.exists():
        sys.exit(f"{python} is missing: `tools/setup.sh bench` makes it")
    for workload in missing:
        print(f"fitting {workload.name}: {workload.title}", flush=True)
        subprocess.run([python, HERE / "tabular_models.py", folder, workload.name], check=True)


def measured_package():
    """A folder to import onward from: the Python sources and what build/release holds. None, where no extension is built: then the
    installed package is measured."""
    built = [*(BUILD / "release/extension").glob("_core*.so"), BUILD / "release/libonward.so.0"]
    if len(built) < 2 or not all(path.exists() for path in built):
        print("build/release has no Python extension: measuring the installed package (tools/build.sh release onward_library onward_python)", flush=True)
        return None
    package = BUILD / "bench/package/onward"
    package.mkdir(parents=True, exist_ok=True)
    sources = [p for p in (HERE.parent / "python/onward").iterdir() if p.name != "__pycache__"]
    for path in (*sources, HERE.parent / "src/onward/validate/source.py", *built):
        link = package / ("_source.py" if path.name == "source.py" else path.name)
        link.unlink(missing_ok=True)
        link.symlink_to(path)
    return package.parent


def environment_of(package):
    return {**os.environ, "PYTHONPATH": str(package)} if package else None


def exact_file(folder, package):
    """Our own conversion of the library's file, by this checkout's package, in this checkout."""
    path = BUILD / "bench/exact" / f"{folder.name}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    code = "import sys, onward; onward.convert(sys.argv[1]).save(sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, tabular_models.source_of(folder), path], check=True, env=environment_of(package))
    return path


class Contender:
    """A contender's process, asked by a line and answering by a line."""

    def __init__(self, name, options, folder, exact, package):
        self.name, self.times = name, []
        environment = CONTENDERS[name][0]
        python = Path(sys.executable) if environment == "venv" else options.environments / environment / "bin/python"
        self.process = None
        if not python.exists():
            self.greeting = {"refusal": f"not installed: {python.parent.parent.name} is missing (tools/setup.sh bench)"}
            return
        self.process = subprocess.Popen([python, HERE / "contenders.py", name, folder, exact], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment_of(package))
        self.greeting = self.answer()

    def ask(self, **request):
        """Its answer; of one whose process has ended, now or before, none: its greeting says so from then on."""
        if "refusal" in self.greeting:
            return None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            answer = self.answer()
        except BrokenPipeError:
            answer = {"refusal": f"ended with exit code {self.process.wait()}"}
        if "refusal" in answer:
            self.greeting = answer
            return None
        return answer

    def answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"refusal": f"ended with exit code {self.process.wait()}"}

    def get_ready(self, batch):
        """On the next `batch` rows from now on; how many calls make a turn follows from how long one takes."""
        self.times = []
        if not (answer := self.ask(batch=batch)):
            return
        seconds = answer["microseconds"][0] / 1e6
        self.in_turn = 1 if seconds > 10 * TURN_SECONDS else max(2, min(MOST_IN_TURN, int(TURN_SECONDS / seconds)))

    def take_turn(self):
        """Where a turn is several calls the first is not counted: it pays for the caches that the engine before has emptied."""
        if answer := self.ask(calls=self.in_turn):
            self.times += answer["microseconds"][1:] if self.in_turn > 1 else answer["microseconds"]

    @property
    def able(self):
        return "refusal" not in self.greeting

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()


def measure(workload, options, package):
    folder = options.folder / workload.name
    exact = exact_file(folder, package)
    contenders = [Contender(name, options, folder, exact, package) for name in options.contenders]
    found = {"name": workload.name, "title": workload.title, "export": json.loads((folder / "export.json").read_text()), "differences": differences(contenders), "batches": []}
    for batch in options.batches:
        take_turns(contenders, batch, options.seconds)
        found["batches"].append({"rows": batch, "python": {c.name: summary(c.times) for c in contenders if c.able}})
    for contender in contenders:
        contender.close()
    found["contenders"] = {c.name: c.greeting for c in contenders}
    if 1 in options.batches:
        names = {c.name for c in contenders if c.able}
        next(b for b in found["batches"] if b["rows"] == 1).update(one_row_from_c(folder, exact, names, options.seconds))
    return found


def take_turns(contenders, batch, seconds):
    """Seconds for each."""
    for contender in contenders:
        contender.get_ready(batch)
    order, end = random.Random(0), time.perf_counter() + seconds * sum(c.able for c in contenders)
    while able := [c for c in contenders if c.able]:
        if time.perf_counter() > end and min(len(c.times) for c in able) >= FEWEST_TIMES:
            return
        for contender in order.sample(able, len(able)):
            contender.take_turn()


def summary(times):
    low, median, high = np.quantile(times, [0.25, 0.5, 0.75])
    return {"median": float(median), "low": float(low), "high": float(high), "calls": len(times)}


def differences(contenders):
    """{contender: its answers' largest distance from those of the library that the model is from, where that is measured too}."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for k, contender in enumerate(contenders):
            if contender.able and contender.greeting["same_model"] and contender.ask(answers=f"{folder}/{k}.npy") is not None:
                found[contender.name] = np.load(f"{folder}/{k}.npy")
    return distances(found)


def distances(answers):
    library = next((name for name in ("scikit-learn", "LightGBM", "XGBoost", "CatBoost", "onward exact") if name in answers), None)
    return {name: float(np.max(np.abs(given - answers[library]))) for name, given in answers.items() if name != library} if library else {}


def one_row_from_c(folder, exact, names, seconds):
    """Both engines on one file, then onward on its exact one, in the same turns with ONNX Runtime."""
    rows, found = tabular_models.load_rows(folder / "rows.npz")[0], {}
    calls = c_calls.CCalls()
    shared = float_file(folder, exact)
    both = (shared.read_bytes(), feeds(shared, rows))
    rival = both if "ONNX Runtime" in names else None
    if "onward" in names:
        times, found["differing"] = calls.times_and_differences(1, seconds * 2, both, rival)
        found["c"] = {name: summary(t) for name, t in times.items()}
    if "onward exact" in names:
        times = calls.times(1, seconds * 2, (exact.read_bytes(), feeds(exact, rows)), rival)
        found.setdefault("c", {})["onward exact"] = summary(times["onward"])
    calls.close()
    return found


def feeds(path, rows):
    import onward

    return feeds_of(onward.InferenceSession(str(path)))(rows)


if __name__ == "__main__":
    main()
