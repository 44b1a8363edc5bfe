#!/usr/bin/env python3
"""Writes the official suite's cases for other opsets and runs what comes out. Usage: run_opsets.py ONWARD [--all] [--opset N …] ...

Each case is written by `onward optimize --opset`, must pass onnx.checker, and must answer as the suite expects when it runs here; with
--onnxruntime also there, where ONNX Runtime answers the case itself. A case without a form in an opset is refused by name, one whose older
form loses something is written with a warning: they count as skipped, and there may not be more refused than refused_max.txt says. Ends with `N passed, N failed, N skipped`.
"""
import argparse
import collections
import concurrent.futures
import queue
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx

import compare
import dump_suite
from worker import Worker

HERE = Path(__file__).parent
KNOWN, REFUSED_MAX = HERE / "known.txt", HERE / "refused_max.txt"
OPSETS = [7, 9, 11, 13, 15, 17, 18, 21, 28]
SAMPLE = 61  # of the pairs of case and opset


def main():
    options = arguments()
    known = {line.split()[0] for line in KNOWN.read_text().splitlines() if line.strip() and not line.startswith("#")}
    cases = [c for c in dump_suite.suite(options.suite) if c["name"] not in known and (not options.only or options.only in c["name"])]
    work = [(case, opset) for case in cases for opset in options.opset]
    whole = options.all and not options.only and options.opset == OPSETS
    results = run(work if options.all or options.only else work[::SAMPLE], options)
    counts = collections.Counter((opset, status) for _, opset, status, _ in results)
    for case, opset, status, reason in results:
        if status not in ("passed", "refused", "lossy") or (options.refused and status == "refused"):
            print(f"{status}: {case} at opset {opset}: {reason}")
    for opset in options.opset:
        print(f"opset {opset:2}: " + ", ".join(f"{counts[opset, s]} {s}" for s in ("passed", "refused", "lossy", "wrong", "invalid", "error", "crash", "hang") if counts[opset, s]))
    total = collections.Counter(status for _, _, status, _ in results)
    failed = sum(total.values()) - total["passed"] - total["refused"] - total["lossy"]
    if whole and options.write:
        REFUSED_MAX.write_text("".join(f"{opset} {counts[opset, 'refused']}\n" for opset in OPSETS))
    elif whole:
        most = dict(map(int, line.split()) for line in REFUSED_MAX.read_text().splitlines())
        for opset in OPSETS:
            if counts[opset, "refused"] > most[opset]:
                print(f"opset {opset}: {counts[opset, 'refused']} cases are refused, more than the {most[opset]} of {REFUSED_MAX.name}")
                failed += 1
    print(f"{total['passed']} passed, {failed} failed, {total['refused'] + total['lossy']} skipped")
    sys.exit(bool(failed))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the onward program")
    parser.add_argument("--suite", type=Path, default=dump_suite.DEFAULT_FOLDER, help="where the suite's files are kept")
    parser.add_argument("--all", action="store_true", help="every case at every opset, not a sample")
    parser.add_argument("--only", metavar="TEXT", help="cases with this text in their name, all of them")
    parser.add_argument("--opset", type=int, nargs="+", default=OPSETS, metavar="N")
    parser.add_argument("--onnxruntime", action="store_true", help="run what comes out in ONNX Runtime as well")
    parser.add_argument("--refused", action="store_true", help="say why cases are refused")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true", help=f"with --all: write {REFUSED_MAX.name}")
    return parser.parse_args()


def run(work, options):
    workers = queue.SimpleQueue()
    for _ in range(options.jobs):
        workers.put(Worker([options.program, "run-cases"], 60))

    def one(item):
        case, opset = item
        worker = workers.get()
        folder = Path(tempfile.mkdtemp(prefix="onward-opset-"))
        try:
            return case["name"], opset, *written_and_run(case, opset, worker, folder, options)
        finally:
            shutil.rmtree(folder)
            workers.put(worker)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(one, work))
    while not workers.empty():
        workers.get().stop()
    return results


def written_and_run(case, opset, worker, folder, options):
    source, target = with_constants(options.suite / case["folder"], folder / "case"), folder / "model.onnx"
    done = subprocess.run([options.program, "optimize", source / "model.onnx", "-o", target, "--opset", str(opset)], capture_output=True, text=True)
    said = done.stderr.strip().splitlines()
    if done.returncode:
        return "refused" if done.returncode == 4 else "error", " ".join(said[:2])
    try:
        onnx.checker.check_model(str(target), full_check=case["kind"] == "node" and passes_full_check(source / "model.onnx"))
    except Exception as e:  # whatever it says, a model that was written is invalid
        return "invalid", str(e).strip().replace("\n", " ")[:300]
    for data in sorted(source.glob("test_data_set_*")):
        outputs = folder / data.name
        outputs.mkdir()
        status, reason = worker.run(target, data, outputs)
        if status != "ok":
            return ("error" if status == "unsupported" else status), reason
        difference = compare.first_difference(outputs, data, case["types"], case["rtol"], case["atol"])
        if difference:
            return "lossy" if any(line.startswith("warning: ") for line in said) else "wrong", f"{data.name}: {difference}"
        reason = options.onnxruntime and differs_in_onnxruntime(source / "model.onnx", target, data, case)
        if reason:
            return "wrong", f"{data.name}: in ONNX Runtime {reason}"
    return "passed", ""


def passes_full_check(path):
    """A few cases declare other shapes than the checker infers."""
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception:
        return False
    return True


def with_constants(source, folder):
    """The case with small inputs that are axes, sizes and bounds as constants: so exporters write them, and only so can they become attributes."""
    model = onnx.load(source / "model.onnx")
    if model.ir_version < 4:  # every initializer is an input there
        return source
    data_sets = sorted(source.glob("test_data_set_*"))
    values = []
    for k, value in enumerate(model.graph.input):
        path = data_sets[0] / f"input_{k}.pb" if len(data_sets) == 1 else None
        constant = k > 0 and path and path.exists() and value.type.HasField("tensor_type") and onnx.load_tensor(path)
        small = constant and len(constant.dims) < 2 and (constant.data_type in (onnx.TensorProto.INT64, onnx.TensorProto.BOOL) or not constant.dims)
        values.append(constant if small and all(d <= 16 for d in constant.dims) else None)
    if not any(v is not None for v in values):
        return source
    shutil.copytree(source, folder)
    kept = [k for k, v in enumerate(values) if v is None]
    for k, value in enumerate(values):
        if value is not None:
            value.name = model.graph.input[k].name
            model.graph.initializer.append(value)
            (folder / data_sets[0].name / f"input_{k}.pb").unlink()
    inputs = [model.graph.input[k] for k in kept]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    for to, k in enumerate(kept):
        (folder / data_sets[0].name / f"input_{k}.pb").rename(folder / data_sets[0].name / f"input_{to}.pb")
    onnx.save(model, folder / "model.onnx")
    return folder


def differs_in_onnxruntime(before, after, data, case):
    """None where ONNX Runtime does not answer the case itself or answers alike."""
    import onnxruntime

    def answers(path):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        feeds = {}
        for k, value in enumerate(session.get_inputs()):
            kind = "sequence_type" if value.type.startswith("seq") else "optional_type" if value.type.startswith("optional") else "tensor_type"
            feeds[value.name] = compare.read(data / f"input_{k}.pb", kind)
        return session.run(None, feeds)

    try:
        expected = answers(before)
    except Exception:  # a case that it cannot answer
        return None
    try:
        given = answers(after)
    except Exception as e:
        text = str(e)
        return None if "NOT_IMPLEMENTED" in text else text.strip().replace("\n", " ")[:300]  # it has dropped kernels of old opsets
    for k, (g, e) in enumerate(zip(given, expected)):
        difference = compare.value_difference(g, e, max(case["rtol"], 1e-3), max(case["atol"], 1e-5))
        if difference:
            return f"output {k}: {difference}"
    return None


if __name__ == "__main__":
    main()
