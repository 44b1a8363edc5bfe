#!/usr/bin/env python3
"""Infers the types and shapes of the official suite's outputs and holds them against the real ones. Usage: run_shapes.py LIBRARY [--only TEXT]

LIBRARY is libonward.so. Each case is asked four times, with what it declares of its outputs taken away:
  declared   input shapes as the case declares them
  constant   and the values of small integer inputs, as a model has them that was exported with fixed sizes
  named      every input size a name of its own
  by size    equal sizes one name, and the values of small integer inputs

Ends with `N passed, N failed`. Failed: an inferred type or size that the real output contradicts (expressions are computed with the sizes
that the names stand for), a contradiction that is none, and a case of which onnx's own inference (data_prop, strict_mode) knows more sizes
than ours, unless LESS_KNOWN says why.
"""
import argparse
import collections
import ctypes
import math
import re
import sys
from pathlib import Path

import onnx
from onnx import numpy_helper, shape_inference

import dump_suite

# Case: why less is known here.
STATES = "onnx takes for granted that the state of a Scan keeps the shape it starts with; with a name for each size it may be broadcast"
LESS_KNOWN = {"test_linear_attention_decode_step_expanded": STATES, "test_linear_attention_no_past_explicit_zeros_expanded": STATES,
              "test_linear_attention_prefill_with_past_expanded": STATES, "test_scan9_multi_state": STATES, "test_scan9_sum": STATES, "test_scan_sum": STATES}
TYPE_UNKNOWN = {"test_loop16_seq_none": "the state of the loop is an absent optional at first, then a sequence"}
NOTHING = "nothing is known, not even the type"
MADE_UP = re.compile(r"\b(unk|item|trip)_\d+\b")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("--suite", type=Path, default=dump_suite.DEFAULT_FOLDER)
    parser.add_argument("--only", metavar="TEXT", default="")
    options = parser.parse_args()
    infer = Inference(options.library)
    counts, failed, passed = collections.defaultdict(collections.Counter), [], 0
    for case in dump_suite.suite(options.suite):
        if options.only not in case["name"] or case["kind"] == "real":
            continue
        model = onnx.load(options.suite / case["folder"] / "model.onnx")
        data = sorted((options.suite / case["folder"]).glob("test_data_set_*"))
        if not data:
            continue
        reasons = check_case(case["name"], model, data[0], infer, counts)
        failed += reasons
        passed += not reasons
    for reason in failed:
        print(reason)
    for way, count in counts.items():
        print(f"{way:<9} {count['cases']:>5} cases, {count['sizes']:>6} sizes of outputs: {count['ours']:>6} known here, {count['onnx']:>6} by onnx; "
              f"{count['ranks']:>5} of {count['outputs']} ranks here, {count['onnx_ranks']:>5} by onnx; "
              f"more sizes here in {count['more']}, fewer in {count['fewer']} cases")
    print(f"{passed} passed, {len(failed)} failed")
    sys.exit(bool(failed))


class Inference:
    def __init__(self, library):
        self.api = ctypes.CDLL(library)
        for name, result, arguments in [("onward_infer_types", ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p)]),
                                        ("onward_status_message", ctypes.c_char_p, [ctypes.c_void_p]), ("onward_status_release", None, [ctypes.c_void_p]),
                                        ("onward_buffer_data", ctypes.c_void_p, [ctypes.c_void_p]), ("onward_buffer_size", ctypes.c_size_t, [ctypes.c_void_p]),
                                        ("onward_buffer_release", None, [ctypes.c_void_p])]:
            function = getattr(self.api, name)
            function.restype, function.argtypes = result, arguments

    def __call__(self, model):
        content, made = model.SerializeToString(), ctypes.c_void_p()
        status = self.api.onward_infer_types(content, len(content), 1, ctypes.byref(made))
        if status:
            message = self.api.onward_status_message(status).decode()
            self.api.onward_status_release(status)
            raise ValueError(message)
        inferred = onnx.ModelProto.FromString(ctypes.string_at(self.api.onward_buffer_data(made), self.api.onward_buffer_size(made)))
        self.api.onward_buffer_release(made)
        return {v.name: v.type for v in inferred.graph.output}


def check_case(name, model, data, infer, counts):
    inputs, outputs = values(data, "input", model.graph.input), values(data, "output", model.graph.output)
    reasons = []
    for way, constants, naming in [("declared", False, None), ("constant", True, None), ("named", False, "own"), ("by size", True, "size")]:
        open_model, sizes = opened(model, inputs, constants, naming)
        count = counts[way]
        count["cases"] += 1
        try:
            ours = infer(without_types(open_model))
        except ValueError as error:
            reasons.append(f"{name}: {way}: refused: {error}")
            continue
        known = known_by_onnx = 0
        theirs = by_onnx(open_model)
        for declared, real in zip(model.graph.output, outputs, strict=True):
            wrong, n, rank = compare(ours[declared.name], real, sizes)
            if wrong and not (wrong == NOTHING and name in TYPE_UNKNOWN):
                reasons.append(f"{name}: {way}: output '{declared.name}': {wrong}")
            _, m, their_rank = compare(theirs.get(declared.name, onnx.TypeProto()), real, {**sizes})
            known, known_by_onnx = known + n, known_by_onnx + m
            count["sizes"] += len(real.shape) if hasattr(real, "shape") else 0
            count["outputs"] += 1
            count["ranks"] += rank
            count["onnx_ranks"] += their_rank
        count["ours"] += known
        count["onnx"] += known_by_onnx
        count["more"] += known > known_by_onnx
        count["fewer"] += known < known_by_onnx
        if known < known_by_onnx and name not in LESS_KNOWN:
            reasons.append(f"{name}: {way}: {known} sizes known, onnx knows {known_by_onnx}")
    return reasons


def values(folder, prefix, declared):
    out = []
    for k, info in enumerate(declared):
        file = folder / f"{prefix}_{k}.pb"
        if not file.exists():
            out.append(None)
            continue
        content, kind = file.read_bytes(), info.type.WhichOneof("value")
        if kind == "sequence_type":
            out.append(numpy_helper.to_list(onnx.SequenceProto.FromString(content)))
        elif kind == "optional_type":
            optional = onnx.OptionalProto.FromString(content)
            filled = optional.HasField("tensor_value") and optional.tensor_value.data_type or optional.HasField("sequence_value")
            out.append(numpy_helper.to_optional(optional) if filled else None)
        elif kind == "map_type":
            out.append(None)
        else:
            out.append(numpy_helper.to_array(onnx.TensorProto.FromString(content)))
    return out


def opened(model, inputs, constants, naming):
    """The model without what it declares of its own values; {name: size} of the names that it now has for the sizes of its inputs."""
    made, sizes = onnx.ModelProto(), {}
    made.CopyFrom(model)
    del made.graph.value_info[:]
    for output in made.graph.output:
        forget_shape(output.type)
    initializers = {t.name for t in made.graph.initializer}
    for k, (info, value) in enumerate(zip(list(made.graph.input), inputs)):
        if info.type.WhichOneof("value") != "tensor_type" or info.name in initializers or value is None:
            continue
        if constants and value.dtype.name in ("int64", "int32", "bool") and value.size <= 16 and value.ndim <= 1:
            made.graph.initializer.append(numpy_helper.from_array(value, info.name))
            made.graph.input.remove(info)
            continue
        shape = info.type.tensor_type.shape
        if naming:
            del shape.dim[:]
            shape.SetInParent()
            for axis, size in enumerate(value.shape):
                label = f"d{k}_{axis}" if naming == "own" else f"n{size}"
                shape.dim.add().dim_param = label
                sizes[label] = size
        else:
            for axis, d in enumerate(shape.dim):
                if d.dim_param:
                    sizes[d.dim_param] = value.shape[axis]
    return made, sizes


def forget_shape(type_proto):
    kind = type_proto.WhichOneof("value")
    if kind in ("tensor_type", "sparse_tensor_type"):
        getattr(type_proto, kind).ClearField("shape")
    elif kind in ("sequence_type", "optional_type"):
        forget_shape(getattr(type_proto, kind).elem_type)


def without_types(model):
    made = onnx.ModelProto()
    made.CopyFrom(model)
    for output in made.graph.output:
        output.ClearField("type")
    return made


def by_onnx(model):
    try:
        inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    except Exception:  # some cases are refused; what is known without strictness still counts
        inferred = shape_inference.infer_shapes(model, data_prop=True)
    return {v.name: v.type for v in inferred.graph.output}


def compare(found, real, sizes):
    """(what is wrong or "", sizes known, whether the rank is known)"""
    kind = found.WhichOneof("value")
    if kind is None:
        return NOTHING, 0, False
    if kind == "optional_type":
        return compare(found.optional_type.elem_type, real, sizes) if real is not None else ("", 0, False)
    if kind == "map_type" or real is None:
        return "", 0, False
    if kind == "sequence_type":
        if not isinstance(real, list):
            return "a sequence was inferred", 0, False
        wrong = [compare(found.sequence_type.elem_type, item, sizes)[0] for item in real if not isinstance(item, dict)]
        return next(filter(None, wrong), ""), 0, False
    if isinstance(real, (list, dict)):
        return "a tensor was inferred, it is a sequence", 0, False
    element = onnx.helper.np_dtype_to_tensor_dtype(real.dtype)
    if found.tensor_type.elem_type != element:
        return f"element type {found.tensor_type.elem_type} inferred, really {element}", 0, False
    if not found.tensor_type.HasField("shape"):
        return "", 0, False
    dims = found.tensor_type.shape.dim
    if len(dims) != real.ndim:
        return f"rank {len(dims)} inferred, really {real.ndim}", 0, False
    known = 0
    for d, size in zip(dims, real.shape):
        value = d.dim_value if d.HasField("dim_value") else value_of(d.dim_param, sizes)
        if value is None:
            continue
        if value != size:
            return f"size {d.dim_value if d.HasField('dim_value') else d.dim_param} inferred, really {size} of {real.shape}", known, True
        known += 1
    return "", known, True


def value_of(expression, sizes):
    if not expression or MADE_UP.search(expression):
        return None
    names = {**sizes, "floor": math.floor, "max": max, "min": min, "broadcast": lambda *all: next((n for n in all if n != 1), 1)}
    try:
        return eval(expression, {"__builtins__": {}}, names)
    except (NameError, SyntaxError):
        return None


main()
