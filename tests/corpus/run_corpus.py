#!/usr/bin/env python3
"""Runs every model of a corpus in onward, as written and optimised, and compares. Usage: run_corpus.py ONWARD [FOLDER] [--only TEXT] [--write] [--store]

FOLDER has a folder for each exporter (tools/setup.sh corpus, then tests/corpus/make.sh); without it the stored part beside this file is run,
against recorded answers. An answer must be that of ONNX Runtime, or of ONNX Runtime without its optimisations where those change it, or,
where that cannot run the model or is wrong, of the framework that the model comes from. Ends with `N passed, N failed`. --write puts the
counts into docs/coverage/exporters.md.
"""
import argparse
import json
import sys
import tempfile
from pathlib import Path

import stored
from agreement import difference, output_kinds
from summary import write_document

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "conformance"))
from worker import Worker

SECONDS = 60


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the onward program")
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--only", metavar="TEXT", default="", help="models with this text in EXPORTER/NAME")
    parser.add_argument("--verbose", action="store_true", help="print every model")
    parser.add_argument("--program-only", action="store_true", help="leave out the Python package, and with it the run without optimisations")
    parser.add_argument("--write", action="store_true", help="write docs/coverage/exporters.md")
    parser.add_argument("--store", action="store_true", help="choose again what is kept in tests/corpus/stored")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onward-stored-") as scratch:
        run_all(options, options.folder or stored.unpack(Path(scratch)))


def run_all(options, corpus):
    engines = {"optimised": Worker([options.program, "run-cases"], SECONDS, {"ONWARD_THREADS": "1"})}
    if not options.program_only:
        engines["as written"] = Worker([sys.executable, str(HERE / "engine_cases.py")], SECONDS)
    rival_command = [sys.executable, str(HERE.parent / "conformance/onnxruntime_cases.py")]
    rivals = {} if not options.folder else {"ONNX Runtime": Worker(rival_command, SECONDS), "ONNX Runtime as written": Worker([*rival_command, "--as-written"], SECONDS)}
    results = {}
    for folder in sorted(p.parent for p in corpus.glob("*/*/about.json")):
        name = f"{folder.parent.name}/{folder.name}"
        if options.only in name:
            results[name] = compare(folder, engines, rivals)
            if options.verbose or results[name].problem:
                print(f"{name}: {results[name]}", flush=True)
    for worker in (*engines.values(), *rivals.values()):
        worker.stop()
    failed = sum(bool(r.problem) for r in results.values())
    if options.folder and not options.only:
        if options.write:
            write_document(results)
        if options.store:
            stored.pack(options.folder, results)
    print(f"{len(results) - failed} passed, {failed} failed")
    sys.exit(bool(failed) or not results)


class Result:
    """What was found of a model: `against` is whose answer ours is, `problem` the first failure, `rival` what ONNX Runtime said or how it differs."""

    def __init__(self, about):
        self.about, self.against, self.problem, self.rival, self.record = about, None, None, None, {}

    def __str__(self):
        return "; ".join(filter(None, [self.problem or f"as {self.against}", self.rival and f"ONNX Runtime: {self.rival}"]))


def compare(folder, engines, rivals):
    """An engine's answers are the same as those of one oracle, the first that agrees; another runs only where those before it did not."""
    result, kinds = Result(json.loads((folder / "about.json").read_text())), output_kinds(folder / "model.onnx")
    with tempfile.TemporaryDirectory(prefix="onward-corpus-") as scratch:
        answers, differences = {}, {}
        for name, worker in engines.items():
            answers[name], said = answered(worker, folder, Path(scratch) / name.replace(" ", "-"))
            if said:
                result.problem = f"{name}: {said}"
                result.rival = answered(rivals["ONNX Runtime"], folder, Path(scratch) / "rival")[1] if rivals else None
                return result
        for name, oracle in oracles(folder, rivals, Path(scratch), result):
            differences[name] = next((f"{engine}: {d}" for engine, mine in answers.items() if (d := difference(mine, oracle[0], kinds, result.about, oracle[1]))), None)
            if differences[name] is None:
                result.against = name
                result.record = {f"output_{k}.pb": (oracle[0] / f"{oracle[1]}_{k}.pb").read_bytes() for k in range(len(kinds))}
                break
    if not result.against:
        result.problem = "; ".join(f"{name} differs: {d}" for name, d in differences.items()) or "no oracle"
    elif differences.get("ONNX Runtime"):
        result.rival = "differs: " + differences["ONNX Runtime"]
    return result


def oracles(folder, rivals, scratch, result):
    """(name, (folder, what its files are called)): ONNX Runtime, the same without its optimisations, the framework, the record."""
    for name, worker in rivals.items():
        theirs, said = answered(worker, folder, scratch / name.replace(" ", "-"))
        if said:
            result.rival = result.rival or said
        else:
            yield name, (theirs, "output")
    for name, stem in (("the framework", "source"), ("the record", "output")):
        if (folder / f"{stem}_0.pb").exists():
            yield name, (folder, stem)


def answered(worker, folder, into):
    """(where the answers are, None) or (…, what was said instead)."""
    into.mkdir()
    status, reason = worker.run(folder / "model.onnx", folder, into)
    return into, None if status == "ok" else f"{status} {reason}"


if __name__ == "__main__":
    main()
