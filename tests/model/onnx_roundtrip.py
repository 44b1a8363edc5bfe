"""Models made by the `onnx` package, read and written by us, compared with the package again.

    python tests/model/onnx_roundtrip.py build/release/onward_model_test

Needs `onnx` and `numpy`. Exits 1 and names the model where something differs.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper


def value(name, kind=T.FLOAT, shape=("n",)):
    return h.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs, opsets=(("", 21),), ir=10, initializers=(), **more):
    graph = h.make_graph(nodes, "g", inputs, outputs, list(initializers))
    out = h.make_model(graph, opset_imports=[h.make_opsetid(d, v) for d, v in opsets], **more)
    out.ir_version = ir
    return out


def every_type():
    kinds = [k for k in T.DataType.values() if k not in (T.UNDEFINED, T.STRING) and not T.DataType.Name(k).startswith("FLOAT6")]  # float6 is refused by name
    raw = []
    for k in kinds:
        bits = {T.UINT4: 4, T.INT4: 4, T.FLOAT4E2M1: 4}.get(k, 2 if T.DataType.Name(k) in ("UINT2", "INT2") else 8 * np.dtype(h.tensor_dtype_to_np_dtype(k)).itemsize)
        n = 3
        data = bytes(range(1, (n * bits + 7) // 8 + 1)) if k != T.BOOL else b"\1\0\1"
        if bits < 8:
            data = data[:-1] + bytes([data[-1] & ((1 << (n * bits % 8 or 8)) - 1)])
        raw.append(h.make_tensor(f"raw{k}", k, [n], data, raw=True))
    typed = [h.make_tensor(f"typed{k}", k, [3], [1, 0, 1]) for k in kinds]
    text = h.make_tensor("text", T.STRING, [2], ["a", "ü"])
    return model([h.make_node("Identity", [t.name], [f"y{i}"]) for i, t in enumerate(raw + typed + [text])], [],
                 [h.make_tensor_value_info(f"y{i}", t.data_type, list(t.dims)) for i, t in enumerate(raw + typed + [text])], (("", 28),), 14, raw + typed + [text])


def subgraphs():
    then = h.make_graph([h.make_node("Relu", ["x"], ["t"])], "then", [], [value("t")])
    other = h.make_graph([h.make_node("Add", ["x", "one"], ["e"])], "else", [], [value("e")], [h.make_tensor("one", T.FLOAT, [1], [1.0])])
    step = h.make_graph([h.make_node("Add", ["v", "x"], ["w"]), h.make_node("Identity", ["keep"], ["keep2"])], "step",
                        [value("i", T.INT64, []), value("keep", T.BOOL, []), value("v")], [value("keep2", T.BOOL, []), value("w")])
    return model([h.make_node("If", ["c"], ["a"], then_branch=then, else_branch=other, name="choose"), h.make_node("Loop", ["m", "c", "a"], ["y"], body=step)],
                 [value("x"), value("c", T.BOOL, []), value("m", T.INT64, [])], [value("y")])


def functions():
    node = h.make_node("LeakyRelu", ["x"], ["y"])
    reference = onnx.AttributeProto(name="alpha", type=onnx.AttributeProto.FLOAT, ref_attr_name="slope")
    node.attribute.append(reference)
    f = h.make_function("own", "F", ["x"], ["y"], [node], [h.make_opsetid("", 21)], attributes=["needed"], attribute_protos=[h.make_attribute("slope", 0.5)],
                        doc_string="about", overload="v2", value_info=[value("y")])
    f.metadata_props.add(key="k", value="v")
    return model([h.make_node("F", ["x"], ["y"], domain="own", overload="v2", needed=1, doc_string="d")], [value("x")], [value("y")], (("", 21), ("own", 1)), functions=[f])


def attributes():
    nodes = [h.make_node("Op", ["x", "", "x"], ["y", "", "z"], domain="own", i=-1, f=0.0, s="text", b=b"\xff\x00", ints=[1, -2, 2**62], floats=[1.5, float("inf")], strings=["a", ""],
                         t=numpy_helper.from_array(np.arange(6).reshape(2, 3)), tp=h.make_tensor_type_proto(T.FLOAT, [None, "n"]))]
    nodes[0].attribute.append(h.make_attribute("tensors", [numpy_helper.from_array(np.float32(2))]))
    nodes[0].attribute.append(h.make_attribute("none", [], attr_type=onnx.AttributeProto.INTS))
    nodes[0].attribute.append(h.make_attribute("type_protos", [h.make_tensor_type_proto(T.INT8, [])]))
    nodes[0].metadata_props.add(key="from", value="here")
    m = model(nodes, [value("x", T.FLOAT, ["n", 3])], [value("y"), value("z")], (("own", 3), ("", 21)), producer_name="p", producer_version="2", doc_string="doc", model_version=4, domain="d")
    h.set_model_props(m, {"b": "2", "a": "1"})
    m.graph.metadata_props.add(key="g", value="h")
    m.graph.value_info.append(value("y", T.FLOAT, None))
    return m


def types():
    tensor = h.make_tensor_type_proto(T.FLOAT, ["n", 3, None])
    sequence, optional = h.make_sequence_type_proto(tensor), h.make_optional_type_proto(h.make_sequence_type_proto(tensor))
    mapping = h.make_sequence_type_proto(h.make_map_type_proto(T.STRING, h.make_tensor_type_proto(T.FLOAT, None)))
    kinds = [sequence, optional, mapping, tensor, h.make_sparse_tensor_type_proto(T.FLOAT, [3, 4])]
    inputs = [h.make_value_info(f"x{i}", t, doc_string="doc") for i, t in enumerate(kinds)]
    return model([h.make_node("Identity", ["x0"], ["y"])], inputs, [h.make_value_info("y", sequence)])


def machine_learning():
    return model([h.make_node("Scaler", ["x"], ["s"], domain="ai.onnx.ml", offset=[1.0, 2.0], scale=[0.5, 0.25]),
                  h.make_node("LabelEncoder", ["t"], ["l"], domain="ai.onnx.ml", keys_strings=["a", "b"], values_int64s=[1, 2])],
                 [value("x", T.FLOAT, ["n", 2]), value("t", T.STRING, ["n"])], [value("s", T.FLOAT, ["n", 2]), value("l", T.INT64, ["n"])], (("", 17), ("ai.onnx.ml", 3)), 8)


def old():
    m = model([h.make_node("Add", ["x", "w"], ["y"])], [value("x", T.FLOAT, [2]), value("w", T.FLOAT, [2])], [value("y", T.FLOAT, [2])], (("", 7),), 3,
              [numpy_helper.from_array(np.float32([1, 2]), "w")])
    return m


def domain_by_its_long_name():
    return model([h.make_node("Relu", ["x"], ["y"], domain="ai.onnx")], [value("x")], [value("y")], (("ai.onnx", 21),))


def sparse():
    w = h.make_sparse_tensor(h.make_tensor("w", T.FLOAT, [2], [1.0, 2.0]), h.make_tensor("", T.INT64, [2], [1, 5]), [2, 3])
    m = model([h.make_node("Identity", ["w"], ["y"])], [], [value("y", T.FLOAT, [2, 3])])
    m.graph.sparse_initializer.append(w)
    return m


def external():
    return model([h.make_node("Add", ["x", "w"], ["a"]), h.make_node("Add", ["a", "v"], ["y"])], [value("x", T.FLOAT, [4])], [value("y", T.FLOAT, [4])],
                 initializers=[numpy_helper.from_array(np.arange(4, dtype=np.float32), "w"), numpy_helper.from_array(np.arange(4, dtype=np.float32) * 3, "v")])


MODELS = [every_type, subgraphs, functions, attributes, types, machine_learning, old, domain_by_its_long_name, sparse, external]


def plain_tensor(t):
    """One way of storing each tensor: bytes in the array's own type, name and dims."""
    if t.data_type == T.STRING:
        return (t.name, T.STRING, tuple(t.dims), tuple(t.string_data))
    return (t.name, t.data_type, tuple(t.dims), numpy_helper.to_array(t).tobytes())


def plain(message):
    """A message as nested values in which only the meaning is left: order of maps, packing and the long name of the domain are not."""
    if isinstance(message, onnx.TensorProto):
        return plain_tensor(message)
    out = {}
    for field, v in message.ListFields():
        items = [plain(x) if hasattr(x, "ListFields") else x for x in v] if field.is_repeated else plain(v) if hasattr(v, "ListFields") else v
        if field.name in ("domain",) and v in ("ai.onnx", ""):
            continue
        if field.name in ("initializer", "opset_import", "metadata_props", "attribute_proto") or (field.name == "attribute" and message.DESCRIPTOR.name == "NodeProto"):
            items = sorted(items, key=repr)
        out[field.name] = items
    if message.DESCRIPTOR.name == "GraphProto" and message.sparse_initializer:
        dense = []
        for s in message.sparse_initializer:
            array = np.zeros(list(s.dims), numpy_helper.to_array(s.values).dtype)
            array.reshape(-1)[numpy_helper.to_array(s.indices)] = numpy_helper.to_array(s.values)
            dense.append(plain_tensor(numpy_helper.from_array(array, s.values.name)))
        out["initializer"] = sorted(out.get("initializer", []) + dense, key=repr)
        del out["sparse_initializer"]
    return {k: v for k, v in out.items() if v not in ("", [])}     # an empty message stays: a shape of no dimensions is a scalar


def main(program):
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        before, after = pathlib.Path(folder, "before"), pathlib.Path(folder, "after")
        before.mkdir(), after.mkdir()
        for make in MODELS:
            m = make()
            external_data = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0} if make is external else {}
            onnx.save(m, before / f"{make.__name__}.onnx", **external_data)
        run = subprocess.run([program, "--gtest_filter=OnnxFile.FolderForComparison"], env={**os.environ, "ONWARD_ROUNDTRIP_FROM": str(before), "ONWARD_ROUNDTRIP_TO": str(after)},
                             capture_output=True, text=True, check=False)
        if run.returncode:
            print(run.stdout, run.stderr)
            return 1
        for make in MODELS:
            file = f"{make.__name__}.onnx"
            ours, theirs = onnx.load(after / file), onnx.load(before / file)
            found, expected = plain(ours), plain(theirs)
            if make is not attributes:                    # its operator is nobody's
                onnx.checker.check_model(ours, full_check=make not in (types, every_type))
            if found != expected:
                failed += 1
                print(f"{file}: differs\n  expected {expected}\n  found    {found}")
            else:
                print(f"{file}: the same")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
