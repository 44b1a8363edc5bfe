#!/usr/bin/env python3
"""Runs nodes of ONNX Runtime's own operators through `onward run-cases`. Usage: run_contrib.py ONWARD [--only TEXT] [--verbose] [--write]

The cases stand in contrib/*.py. Every answer is compared with a formula written out in NumPy and, where ONNX Runtime has a kernel for
processors (or the standard's words for it), with what that answers; then come graphs that ONNX Runtime rewrote and saved. Ends with
`N passed, N failed`. --write puts the table of all operators into docs/coverage/onnxruntime.md.
"""
import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import onnxruntime
from onnx import helper, numpy_helper

import optimised
import small_types
from worker import Worker

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs/coverage/onnxruntime.md"
TOLERANCE = {"float64": 1e-9, "float32": 3e-5, "float16": 4e-3, "bfloat16": 3e-2}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the onward program")
    parser.add_argument("--only", metavar="TEXT", default="", help="operators with this text in their name")
    parser.add_argument("--verbose", action="store_true", help="print every case")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    options = parser.parse_args()
    onnxruntime.set_default_logger_severity(4)
    worker, passed, failed, counts = Worker([options.program, "run-cases"], 60), 0, 0, {}
    for number, case in enumerate(all_cases(options.only)):
        problem = run(worker, case)
        passed, failed = passed + (problem is None), failed + (problem is not None)
        n, by_engine = counts.get(case.op, (0, 0))
        counts[case.op] = (n + 1, by_engine + bool(case.engine or case.standard))
        if problem or options.verbose:
            print(f"{'failed' if problem else 'ok'}: {case.op} #{number} {shown(case)}: {problem or ''}")
    for problem in () if options.only else saved_models(worker):
        passed, failed = passed + (problem is None), failed + (problem is not None)
        if problem:
            print(f"failed: {problem}")
    worker.stop()
    print("; ".join(f"{op} {n} ({e} with ONNX Runtime)" for op, (n, e) in sorted(counts.items())))
    if options.write and not options.only:
        DOCUMENT.write_text(document(options.program, counts))
    print(f"{passed} passed, {failed} failed")
    sys.exit(bool(failed))


def all_cases(only):
    sys.path.insert(0, str(HERE / "contrib"))
    for path in sorted((HERE / "contrib").glob("*_cases.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for case in (c for c in module.cases() if only in c.op):
            yield case
            if getattr(module, "SMALL_TYPES", False):
                yield from small_types.variants(case)


def shown(case):
    inputs = ", ".join("-" if x is None else f"{x.dtype}{list(x.shape)}" for x in case.inputs)
    return f"({inputs}; {case.attributes})"


def answers_of(worker, model, inputs):
    """(the outputs, "") or (None, what the program said)."""
    with tempfile.TemporaryDirectory(prefix="onward-contrib-") as folder:
        folder = Path(folder)
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        for k, x in enumerate(inputs):
            (folder / f"input_{k}.pb").write_bytes(numpy_helper.from_array(x).SerializeToString())
        status, reason = worker.run(folder / "model.onnx", folder, folder)
        if status != "ok":
            return None, f"{status}: {reason}"
        return [numpy_helper.to_array(onnx.load_tensor(str(folder / f"output_{k}.pb"))) for k in range(len(model.graph.output))], ""


def saved_models(worker):
    """None, or what is wrong, of every graph that ONNX Runtime rewrote and saved: the rewritten one answers as the plain one does there."""
    for name, plain, saved, inputs, wanted in optimised.models():
        found = {node.op_type for node in saved.graph.node}
        answers, said = answers_of(worker, saved, inputs.values())
        if not wanted <= found:
            yield f"{name}: ONNX Runtime wrote {sorted(found)}, expected {sorted(wanted)} among them"
        elif answers is None:
            yield f"{name}: {said}"
        else:
            theirs = onnxruntime.InferenceSession(plain.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, inputs)
            close = answers[0].shape == theirs[0].shape and np.allclose(answers[0], theirs[0], rtol=1e-4, atol=1e-5)
            yield None if close else f"{name}: answers differ by {np.abs(answers[0] - theirs[0]).max()}"


def run(worker, case):
    """None, or what is wrong."""
    model = model_of(case)
    answers, said = answers_of(worker, model, [x for _, x in case.fed()])
    if answers is None:
        return said
    problem = difference(case, answers, [e for e in case.expected if e is not None], "the formula")
    if problem or not (case.engine or case.standard):
        return problem
    try:
        theirs = engine_answers(case, standard_model(case) if case.standard else model)
    except Exception as e:
        return f"ONNX Runtime: {str(e).splitlines()[0][:300]}"
    return difference(case, answers, theirs, "ONNX Runtime")


def engine_answers(case, model):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    if not case.shares:
        return session.run(None, {f"x{i}": x for i, x in case.fed()})
    binding, values = session.io_binding(), {i: onnxruntime.OrtValue.ortvalue_from_numpy(x) for i, x in case.fed()}
    for i, value in values.items():
        binding.bind_ortvalue_input(f"x{i}", value)
    for k, output in enumerate(session.get_outputs()):
        binding.bind_ortvalue_output(output.name, values[case.shares[k]]) if k in case.shares else binding.bind_output(output.name)
    session.run_with_iobinding(binding)
    return [value.numpy() for value in binding.get_outputs()]


def model_of(case):
    ort_type = lambda dtype: helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    inputs = [helper.make_tensor_value_info(f"x{i}", ort_type(x.dtype), x.shape) for i, x in case.fed()]
    constants = [numpy_helper.from_array(case.inputs[i], f"x{i}") for i in case.constants]
    outputs = [helper.make_tensor_value_info(f"y{i}", ort_type(t), None) for i, t in enumerate(case.output_types()) if t is not None]
    names = ["" if e is None else f"y{i}" for i, e in enumerate(case.expected)]
    node = helper.make_node(case.op, ["" if x is None else f"x{i}" for i, x in enumerate(case.inputs)], names, domain=case.domain, **case.attributes)
    graph = helper.make_graph([node], "case", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)], ir_version=10)


def standard_model(case):
    name = lambda dtype: onnx.TensorProto.DataType.Name(helper.np_dtype_to_tensor_dtype(np.dtype(dtype))).lower()
    inputs = ", ".join(f"{name(x.dtype)}{list(x.shape) or ''} x{i}" for i, x in case.fed())
    outputs = ", ".join(f"{name(t)} y{i}" for i, t in enumerate(case.output_types()))
    return onnx.parser.parse_model(f"<ir_version: 10, opset_import: [\"\" : 21]> standard ({inputs}) => ({outputs}) {{ {case.standard} }}")


def difference(case, answers, expected, whose):
    for k, (a, e) in enumerate(zip(answers, expected)):
        e = np.asarray(e)
        if a.shape != e.shape:
            return f"output {k}: shape {a.shape}, {whose} has {e.shape}"
        if whose != "the formula" and a.dtype != e.dtype:
            return f"output {k}: {a.dtype}, {whose} has {e.dtype}"
        kept = case.where(k, a) if case.where else np.ones(a.shape, bool)
        if a.dtype.kind not in "f" and a.dtype.name != "bfloat16":
            if not np.array_equal(a[kept], e[kept]):
                return f"output {k}: {a.tolist()}, {whose} has {e.tolist()}"
            continue
        tolerance = case.tolerance or TOLERANCE[a.dtype.name]
        x, y = a.astype(np.float64), e.astype(np.float64)
        with np.errstate(invalid="ignore"):
            close = np.isclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True) | ~kept
        if not close.all():
            at = tuple(int(i) for i in np.argwhere(~close)[0])
            return f"output {k}: {int((~close).sum())} of {close.size} differ from {whose}, first at {list(at)}: {a[at]}, expected {e[at]}"
    return None


def document(program, counts):
    """Which operators of ONNX Runtime's own table run, by asking the program for what a model of all of them misses."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = sorted({s.name for s in state.get_all_operator_schema() if s.domain == "com.microsoft"})
    kernels = {k.op_name for k in state.get_all_opkernel_def() if k.domain == "com.microsoft" and k.provider == "CPUExecutionProvider"}
    nodes = [helper.make_node(name, [], [f"y{i}"], domain="com.microsoft") for i, name in enumerate(names)]
    graph = helper.make_graph(nodes, "all", [], [helper.make_tensor_value_info("y0", onnx.TensorProto.FLOAT, None)])
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)], ir_version=10).SerializeToString())
        file.flush()
        answer = json.loads(subprocess.run([program, "inspect", "--why", "--json", file.name], capture_output=True, text=True).stdout)
    missing = {reason.split()[1].rstrip(":") for reason in answer["why_not"] if reason.startswith("com.microsoft ")}
    row = lambda name: f"| {name} | {'' if name in missing else 'yes'} | {'yes' if name in kernels else ''} | {counts.get(name, ('', ''))[0]} | {counts.get(name, ('', ''))[1] or ''} |"
    return "\n".join([
        "# ONNX Runtime's own operators", "",
        f"Written by `tests/conformance/run_contrib.py ONWARD --write` from the table of ONNX Runtime {onnxruntime.__version__}: domain com.microsoft, beside which kernels for",
        "processors ONNX Runtime itself has. Cases are compared with a formula written out in NumPy, and where it has a kernel with ONNX Runtime.",
        "What does not run is refused by name. Operators of com.microsoft.nchwc are laid out for one processor and refused with a hint.", "",
        f"**{len(names) - len(missing)} of {len(names)} operators run; of the {len(kernels)} for which ONNX Runtime has a kernel for processors, {len(kernels - missing)}.**", "",
        "| operator | runs here | ONNX Runtime, processor | cases | of them with ONNX Runtime |", "| --- | --- | --- | ---: | ---: |",
        *map(row, names)]) + "\n"


main()
