"""Files and graphs made to do harm: bytes that lie, names without end, cycles, functions without bottom, data outside the folder."""
import os
import struct

import numpy as np
import onnx
import pytest
from conftest import run
from hostile import field, file, integer, model, nested, raw, refused, tensor, value, varint
from onnx import TensorProto, helper, numpy_helper

node = helper.make_node
X = [value("x")]
OWN = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]


def call(name, x, y, **more):
    return node(name, [x] if isinstance(x, str) else x, [y], domain="own", **more)


def function(name, *nodes, x=("x",), y=("y",)):
    return helper.make_function("own", name, list(x), list(y), list(nodes), OWN)


def calling(*functions, nodes=None):
    return model(nodes or [call(functions[0].name, "x", "y")], inputs=X, functions=functions)


RELU = node("Relu", ["x"], ["y"])
LONG = "n" * 10**6
GRAPHS = {
    "recursive function": (calling(function("F", call("F", "x", "y"))), 3, "function own.F calls itself"),
    "functions in a circle": (calling(function("F", call("G", "x", "y")), function("G", call("F", "x", "y"))), 3, "calls itself"),
    "missing function": (model([call("F", "x", "y")], inputs=X), 4, "there is no operator own.F"),
    "function defined twice": (calling(function("F", RELU), function("F", RELU)), 3, "function own.F is defined twice"),
    "function without a body": (calling(function("F")), 3, "output 'y' is made by nothing"),
    "function called with too much": (calling(function("F", RELU), nodes=[call("F", ["x", "x"], "y")]), 3, "2 inputs and 1 outputs for a function with 1 and 1"),
    "2^40 nodes once unfolded": (calling(*(function(f"F{k}", call(f"F{k + 1}", "x", "t"), call(f"F{k + 1}", "t", "y")) for k in range(40)), function("F40", RELU)), 5, "more than 16777216 nodes"),
    "functions 100 deep": (calling(*(function(f"F{k}", call(f"F{k + 1}", "x", "y")) for k in range(100)), function("F100", RELU)), 5, "more than 64 deep"),
    "made twice": (model([RELU, RELU], inputs=X), 3, "makes 'y', which is already made"),
    "made as an initializer": (model([RELU], {"y": np.ones(1)}, inputs=X), 3, "makes 'y', which is already made"),
    "cycle": (model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])], inputs=X), 3, "the graph has a cycle: 'a' -> 'b' -> 'a'"),
    "reads itself": (model([node("Relu", ["y"], ["y"])], inputs=X), 3, "the graph has a cycle: 'y' -> 'y'"),
    "reads nothing": (model([node("Relu", ["z"], ["y"])], inputs=X), 3, "reads 'z', which nothing makes"),
    "no operator": (model([node("", ["x"], ["y"])], inputs=X), 3, "has no operator"),
    "input declared twice": (model([RELU], inputs=X + X), 3, "input 'x' of graph 'g' is declared twice"),
    "opset of tomorrow": (model([RELU], inputs=X, opsets={"": 2**63 - 1}), 4, "the newest known is"),
    "opset below nought": (model([RELU], inputs=X, opsets={"": -1}), 3, "opset -1 of domain 'ai.onnx' is no version"),
    "long node name": (model([node("Nope", ["x"], ["y"], name=LONG)], inputs=X), 4, "bytes left out"),
    "long operator": (model([node(LONG, ["x"], ["y"])], inputs=X), 4, "bytes left out"),
    "long value": (model([node("Relu", [LONG], ["y"])], inputs=X), 3, "bytes left out"),
    "long domain": (model([node("F", ["x"], ["y"], domain=LONG)], inputs=X), 3, "bytes left out"),
    "long attribute": (model([node("Relu", ["x"], ["y"], **{LONG: 1})], inputs=X), 3, "bytes left out"),
    "shape of a million axes": (file(field(11, field(1, b"x") + field(2, field(1, integer(1, 1) + field(2, b"\n\0" * 2**20))))), 3, "bytes left out"),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_that_break_the_rules(tmp_path, name):
    data, code, part = GRAPHS[name]
    refused(tmp_path, data, code, part)


def sparse(indices, dims, values=1):
    content = field(1, integer(1, values) + integer(2, 1) + field(8, b"w") + raw(b"abcd" * values))
    return field(15, content + field(2, integer(1, len(indices)) + integer(2, 7) + raw(struct.pack(f"<{len(indices)}q", *indices))) + b"".join(integer(3, d) for d in dims))


NODE = field(2, b"y") + field(4, b"Relu")
BYTES = {
    "empty": (b"", 3, "it has no graph"),
    "one byte": (b"\x08", 3, "byte 1: a field of 1 bytes, but 0 are left"),
    "nothing but ones": (b"\xff" * 1000, 3, "an integer is longer than 64 bits"),
    "two gigabytes claimed": (integer(1, 10) + varint(7 << 3 | 2) + varint(2**31), 3, "a field of 2147483648 bytes, but 0 are left"),
    "2^64 bytes claimed": (b"\x3a" + b"\xff" * 9 + b"\x01", 3, "a field of 18446744073709551615 bytes"),
    "nested groups": (integer(1, 10) + b"\x3b" * 10000, 3, "3 is no protobuf wire type"),
    "nested graphs": (file(nested([1, 5, 6], 600)), 5, "nested too deeply"),
    "nested types": (file(field(11, field(1, b"x") + field(2, nested([4, 1], 2000)))), 5, "nested too deeply"),
    "operator not UTF-8": (file(field(1, field(2, b"y") + field(4, b"\xff\xfe"))), 3, "field 4 is not valid UTF-8"),
    "name not UTF-8": (file(field(1, field(2, b"\xc0\x80") + field(4, b"Relu"))), 3, "field 2 is not valid UTF-8"),
    "half a surrogate": (file(field(2, b"\xed\xa0\x80")), 3, "field 2 is not valid UTF-8"),
    "metadata not UTF-8": (file(rest=field(8, integer(2, 21)) + field(14, field(1, b"\xff"))), 3, "field 1 is not valid UTF-8"),
    "raw data cut short": (file(tensor([4], 1, raw(b"abc"))), 3, "tensor 'w': shape [4] needs 16 bytes of float, found 3"),
    "raw data too long": (file(tensor([1], 1, raw(b"abcdefgh"))), 3, "needs 4 bytes of float, found 8"),
    "negative size": (file(tensor([-1], 1, raw(b""))), 5, "a shape of [-1] has a negative size"),
    "sizes beyond 64 bits": (file(tensor([2**32, 2**32], 1, raw(b"abcd"))), 5, "has more than 2^62 elements"),
    "no elements, but bytes": (file(tensor([0], 1, raw(b"abcd"))), 3, "needs 0 bytes of float, found 4"),
    "elements, but no bytes": (file(tensor([4], 1)), 3, "needs 4 values, found 0"),
    "floats cut short": (file(tensor([4], 1, field(4, b"abcd"))), 3, "needs 4 values, found 1"),
    "integers where reals lie": (file(tensor([1], 6, field(4, b"abcd"))), 3, "needs 1 values, found 0"),
    "65 axes": (file(tensor([1] * 65, 1, raw(b"abcd"))), 5, "has 65 dimensions, more than 64"),
    "unknown type": (file(tensor([1], 99, raw(b"abcd"))), 3, "tensor 'w': element type 99 is not in the standard"),
    "no type": (file(tensor([1], 0, raw(b"abcd"))), 3, "has no element type"),
    "unknown type of an input": (file(field(11, field(1, b"x") + field(2, field(1, integer(1, 99))))), 3, "element type 99 is not in the standard"),
    "three int4 in one byte": (file(tensor([3], 22, raw(b"a"))), 3, "needs 2 bytes of int4, found 1"),
    "three int4 in three bytes": (file(tensor([3], 22, raw(b"abc"))), 3, "needs 2 bytes of int4, found 3"),
    "five uint2 in one byte": (file(tensor([5], 25, raw(b"a"))), 3, "needs 2 bytes of uint2, found 1"),
    "strings as raw data": (file(tensor([1], 8, raw(b"a"))), 3, "strings cannot be raw data"),
    "in segments": (file(tensor([1], 1, field(3, b""), raw(b"abcd"))), 4, "tensor 'w': is stored in segments"),
    "initializer twice": (file(tensor([1], 1, raw(b"abcd")) * 2), 3, "initializer 'w' is given twice"),
    "initializer without a name": (file(tensor([1], 1, raw(b"abcd"), name=b"")), 3, "an initializer has no name"),
    "sparse index outside": (file(sparse([4], [4])), 3, "index 4 is outside shape [4]"),
    "sparse index below": (file(sparse([-1], [4])), 3, "index -1 is outside shape [4]"),
    "sparse indices unsorted": (file(sparse([2, 1], [4], 2)), 3, "indices must ascend, found place 1 after 2"),
    "sparse index twice": (file(sparse([1, 1], [4], 2)), 3, "indices must ascend, found place 1 after 1"),
    "sparse of a terabyte": (file(sparse([0], [2**40])), 5, "sparse tensors become more than"),
    "attribute of another kind": (file(field(1, NODE + field(5, field(1, b"a") + integer(20, 5)))), 3, "attribute 'a' has kind 5, but no value of that kind"),
    "attribute of a caller there is not": (file(field(1, NODE + field(5, field(1, b"a") + field(21, b"q") + integer(20, 1)))), 3, "but this is no function's body"),
    "a million empty nodes": (file(b"\n\0" * 2**20), 5, "far more objects than its size allows"),
    "a million opsets": (file(rest=b"\x42\0" * 2**20), 5, "far more objects than its size allows"),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_lie(tmp_path, name):
    data, code, part = BYTES[name]
    refused(tmp_path, data, code, part)


@pytest.fixture
def folder(tmp_path):
    """A folder with weights, and around it what must not be read."""
    inside = tmp_path / "model"
    inside.mkdir()
    (tmp_path / "secret").write_bytes(b"12345678")
    (inside / "weights").write_bytes(b"xxxxabcdefgh")
    (inside / "link").symlink_to(tmp_path / "secret")
    (inside / "up").symlink_to(tmp_path)
    os.link(inside / "weights", inside / "hard")
    return inside


def external(**entries):
    """A model whose w, two floats, lies elsewhere, and which returns it."""
    t = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    for key, content in entries.items():
        t.external_data.add(key=key, value=str(content))
    m = model([node("Identity", ["w"], ["y"])])
    m.graph.initializer.append(t)
    return m


def test_external_data_is_read_from_inside_the_folder(folder):
    for location in "weights", "hard", "./weights":
        (folder / "in").mkdir(exist_ok=True), (folder / "out").mkdir(exist_ok=True)
        (folder / "m.onnx").write_bytes(external(location=location, offset=4, length=8).SerializeToString())
        assert run("run-case", folder / "m.onnx", folder / "in", folder / "out").code == 0
        assert numpy_helper.to_array(onnx.load_tensor(folder / "out/output_0.pb")).tobytes() == b"abcdefgh"


@pytest.mark.parametrize("entries, part", [
    ({}, "external data without a location"),
    ({"location": ""}, "is not a path inside the model's folder"),
    ({"location": "../secret"}, "is not a path inside the model's folder"),
    ({"location": "up/../../secret"}, "is not a path inside the model's folder"),
    ({"location": "/etc/passwd"}, "is not a path inside the model's folder"),
    ({"location": "weights\0/../secret"}, "is not a path inside the model's folder"),
    ({"location": "link"}, "is outside the model's folder"),
    ({"location": "up/secret"}, "is outside the model's folder"),
    ({"location": "missing"}, "cannot be opened"),
    ({"location": "."}, "is outside the model's folder"),
    ({"location": "weights", "offset": 13}, "offset 13 is behind the end of 'weights' (12 bytes)"),
    ({"location": "weights", "offset": 4, "length": 9}, "9 bytes at 4 are asked of 'weights', which has 12"),
    ({"location": "weights", "offset": 4, "length": 2**64 - 1}, "are asked of 'weights'"),
    ({"location": "weights", "offset": 2**64}, "expected a number"),
    ({"location": "weights", "offset": -4}, "offset is '-4', expected a number"),
    ({"location": "weights", "length": "8 "}, "length is '8 ', expected a number"),
    ({"location": "weights", "length": 4}, "needs 8 bytes of float, found 4"),
], ids=str)
def test_external_data_never_leaves_the_folder(folder, entries, part):
    assert "12345678" not in refused(folder, external(**entries), 3, part)


def test_nothing_is_written_where_a_model_says_its_data_lies(folder):
    """Once writers of other projects followed such a path out of the folder."""
    m = external(location="weights", offset=4, length=8)
    (folder / "m.onnx").write_bytes(m.SerializeToString())
    assert run("optimize", folder / "m.onnx", "-o", folder / "sub.onnx").code == 0
    assert (folder / "weights").read_bytes() == b"xxxxabcdefgh"
    written = onnx.load(folder / "sub.onnx", load_external_data=False)
    assert not any(t.external_data for t in written.graph.initializer)
    (folder / "m.onnx").write_bytes(external(location="../secret").SerializeToString())
    before = sorted(p.name for p in folder.iterdir())
    assert run("optimize", folder / "m.onnx", "-o", folder / "other.onnx").code == 3
    assert (folder.parent / "secret").read_bytes() == b"12345678" and sorted(p.name for p in folder.iterdir()) == before
