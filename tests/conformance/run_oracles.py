#!/usr/bin/env python3
"""Operators without official cases, and all of ai.onnx.ml, against at least two oracles. Usage: run_oracles.py ONWARD [--only TEXT] [--verbose]

The cases stand in oracles/*_cases.py. Each answer is compared with a formula written out in NumPy, with ONNX Runtime and with the
reference evaluator of the onnx package. An engine that has no kernel is no oracle; one that answers otherwise must be named in the case's
disputes with the reason (and must really do so). Beside the formula one engine has to agree, or be disputed. Ends with `N passed, N failed`.
"""
import argparse
import collections
import importlib.util
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from worker import Worker

HERE = Path(__file__).parent
TOLERANCE = {"float64": 1e-9, "float32": 2e-5, "float16": 2e-3, "bfloat16": 2e-2}
NO_KERNEL = ("NOT_IMPLEMENTED", "Could not find an implementation", "not supported", "Type Error: Type 'tensor(", "is not a registered", "is invalid", "not implemented",
             "Unsupported", "No registered implementation", "must have same type as input", "cannot be linked to C type", "Unexpected input data type. Actual: ((map(")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the onward program")
    parser.add_argument("--only", metavar="TEXT", default="", help="operators with this text in their name")
    parser.add_argument("--verbose", action="store_true", help="print every case")
    options = parser.parse_args()
    onnxruntime.set_default_logger_severity(4)
    warnings.simplefilter("ignore")
    worker, passed, failed, counts = Worker([options.program, "run-cases"], 60), 0, 0, collections.defaultdict(collections.Counter)
    for number, case in enumerate(all_cases(options.only)):
        problem, agreed = run(worker, case)
        passed, failed = passed + (problem is None), failed + (problem is not None)
        counts[case.op].update(["cases", *agreed])
        if problem or options.verbose:
            print(f"{'failed' if problem else 'ok'}: {case.op} #{number} {shown(case)}: {problem or ', '.join(agreed)}")
    worker.stop()
    for op, n in sorted(counts.items()):
        print(f"{op}: {n['cases']} cases; agreeing: formula {n['formula']}, ONNX Runtime {n['onnxruntime']}, reference {n['reference']}; disputed: {n['disputed']}")
    for op in sorted(wanted_operators() - set(counts)) if not options.only else ():
        failed += 1
        print(f"failed: {op} has no case")
    print(f"{passed} passed, {failed} failed")
    sys.exit(bool(failed))


def wanted_operators():
    """All of ai.onnx.ml, and what the official suite has no case of. Gradient is compared with differences (tests/runtime/gradient_test.cc)."""
    ml = {s.name for s in onnx.defs.get_all_schemas() if s.domain == "ai.onnx.ml"}
    return ml | {"ConcatFromSequence", "GlobalLpPool", "MaxRoiPool", "Multinomial", "Optional", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "SequenceAt",
                 "SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceLength"}


def all_cases(only):
    sys.path.insert(0, str(HERE / "oracles"))
    for path in sorted((HERE / "oracles").glob("*_cases.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield from (c for c in module.cases() if only in c.op)


def run(worker, case):
    """(None or what is wrong, the oracles that agree)."""
    try:
        answers = run_onward(worker, case)
    except Exception as e:
        return str(e), []
    problem = difference(case, answers, case.expected, "the formula")
    if problem:
        return problem, []
    agreed = ["formula"]
    for name, engine in (("onnxruntime", run_onnxruntime), ("reference", run_reference)):
        if case.disputes.get(name) == "ends the process":
            agreed.append("disputed")
            continue
        try:
            theirs = engine(case)
            problem = difference(case, answers, theirs, name) or (case.check and (case.check(theirs) and f"{name}: {case.check(theirs)}"))
        except Exception as e:
            reason = " ".join(str(e).split())
            problem = None if any(word in reason for word in NO_KERNEL) else f"{name}: {reason[:300] or type(e).__name__}"
            theirs = None
        if name in case.disputes:
            if theirs is not None and not problem and not case.disputes[name].startswith("sometimes: "):
                return f"{name} agrees: the dispute ({case.disputes[name]}) is over", agreed
            agreed.append("disputed")
        elif problem:
            return problem, agreed
        elif theirs is not None:
            agreed.append(name)
    if case.alone:
        agreed = [a for a in agreed if a != "disputed"]
        return (f"there is a second oracle: {agreed}, and the case says that there is none" if len(agreed) > 1 else None), agreed
    return ("only the formula answers: there is no second oracle" if len(agreed) < 2 else None), agreed


def run_onward(worker, case):
    if any(isinstance(v, dict) or (isinstance(v, list) and v and isinstance(v[0], dict)) for v in [*case.inputs, *case.expected]):
        import onward  # maps have no form as files

        return onward.InferenceSession(model_of(case).SerializeToString()).run(None, feeds(case))
    with tempfile.TemporaryDirectory(prefix="onward-oracles-") as folder:
        folder = Path(folder)
        (folder / "model.onnx").write_bytes(model_of(case).SerializeToString())
        for k, (_, x) in enumerate(case.fed()):
            (folder / f"input_{k}.pb").write_bytes(proto(x).SerializeToString())
        status, reason = worker.run(folder / "model.onnx", folder, folder)
        if status != "ok":
            raise RuntimeError(f"{status}: {reason}")
        return [read(folder / f"output_{k}.pb", e) for k, e in enumerate(case.expected)]


def run_onnxruntime(case):
    session = onnxruntime.InferenceSession(model_of(case).SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feeds(case))


def run_reference(case):
    return ReferenceEvaluator(model_of(case)).run(None, feeds(case))


def feeds(case):
    plain = lambda x: {k: getattr(v, "item", lambda: v)() for k, v in x.items()} if isinstance(x, dict) else x
    return {f"x{i}": plain(x) for i, x in case.fed()}


def proto(value):
    return numpy_helper.from_list(value, dtype=None if value else onnx.SequenceProto.TENSOR) if isinstance(value, list) else numpy_helper.from_array(value)


def read(path, like):
    if isinstance(like, list):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(path.read_bytes()))
    return numpy_helper.to_array(onnx.load_tensor(str(path)))


def model_of(case):
    inputs = [helper.make_value_info(f"x{i}", type_of(x)) for i, x in case.fed()]
    outputs = [helper.make_value_info(f"y{i}", type_of(e)) for i, e in enumerate(case.expected)]
    names = [o.name for o in outputs] if not case.then else ["first"]
    nodes = [helper.make_node(case.op, ["" if x is None else f"x{i}" for i, x in enumerate(case.inputs)], names, domain=case.domain, **case.attributes)]
    for k, op in enumerate(case.then):
        nodes.append(helper.make_node(op, nodes[-1].output, ["y0" if k + 1 == len(case.then) else f"then{k}"]))
    opsets = [helper.make_opsetid(domain, version) for domain, version in case.opsets().items()]
    return helper.make_model(helper.make_graph(nodes, "case", inputs, outputs), opset_imports=opsets, ir_version=10)


def type_of(value):
    if isinstance(value, dict):
        key = TensorProto.STRING if isinstance(next(iter(value)), str) else TensorProto.INT64
        return helper.make_map_type_proto(key, type_of(np.asarray(next(iter(value.values())))))
    if isinstance(value, list):
        return helper.make_sequence_type_proto(type_of(value[0]) if value else helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    element = TensorProto.STRING if value.dtype.kind in "OU" else helper.np_dtype_to_tensor_dtype(value.dtype)
    return helper.make_tensor_type_proto(element, [None] * value.ndim)


def difference(case, answers, expected, whose):
    if len(answers) != len(expected):
        return f"{len(answers)} outputs, {whose} has {len(expected)}"
    if case.check:
        return next((p for a, e in zip(answers, expected) if (p := unlike(a, e, whose))), None) or (whose == "the formula" and case.check(answers)) or None
    for k, (a, e) in enumerate(zip(answers, expected)):
        problem = value_difference(case, a, e, whose)
        if problem:
            return f"output {k}: {problem}"
    return None


def unlike(a, e, whose):
    a, e = np.asarray(a), np.asarray(e)
    return None if a.dtype == e.dtype and a.shape == e.shape else f"{a.dtype}{list(a.shape)}, {whose} has {e.dtype}{list(e.shape)}"


def value_difference(case, a, e, whose):
    if isinstance(e, dict):
        if set(a) != set(e):
            return f"keys {list(a)}, {whose} has {list(e)}"
        return next((f"at {k!r}: {p}" for k in e if (p := value_difference(case, np.asarray(a[k], np.float64), np.asarray(e[k], np.float64), whose))), None)
    if isinstance(e, list):
        if not isinstance(a, (list, tuple)) or len(a) != len(e):
            return f"{len(a)} items, {whose} has {len(e)}"
        return next((f"item {i}: {p}" for i, (x, y) in enumerate(zip(a, e)) if (p := value_difference(case, x, y, whose))), None)
    a, e = np.asarray(a), np.asarray(e)
    if a.shape != e.shape or (a.dtype != e.dtype and not (a.dtype.kind in "OU" and e.dtype.kind in "OU")):
        return f"{a.dtype}{list(a.shape)}, {whose} has {e.dtype}{list(e.shape)}"
    if a.dtype.name not in TOLERANCE:
        return None if np.array_equal(a, e) else f"{a.ravel()[:8]}, {whose} has {e.ravel()[:8]}"
    tolerance = case.tolerance or TOLERANCE[a.dtype.name]
    with np.errstate(all="ignore"):
        close = np.isclose(a.astype(np.float64), e.astype(np.float64), rtol=tolerance, atol=tolerance, equal_nan=True)
    if close.all():
        return None
    at = tuple(int(i) for i in np.argwhere(~close)[0])
    return f"{int((~close).sum())} of {close.size} differ from {whose}, first at {list(at)}: {a[at]}, expected {e[at]}"


def shown(case):
    kind = lambda x: "-" if x is None else f"{len(x)} of {type(x).__name__}" if isinstance(x, (list, dict)) else f"{x.dtype}{list(x.shape)}"
    return f"({', '.join(map(kind, case.inputs))}; {str(case.attributes)[:200]}){' ' + case.note if case.note else ''}"


if __name__ == "__main__":
    main()
