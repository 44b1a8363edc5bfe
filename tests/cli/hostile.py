"""How hostile models are written, and what the program owes whoever runs one: an error that says what is wrong, soon, and nothing else."""
import numpy as np
from conftest import run
from onnx import TensorProto, helper, numpy_helper

ADDRESS_SPACE = 4 << 30
OPSETS = {"": 21, "ai.onnx.ml": 5, "com.microsoft": 1, "own": 1}


def nothing_known(name):
    return helper.make_empty_tensor_value_info(name)


def value(name, shape=(1,), type=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, type, shape)


def model(nodes, constants=None, inputs=(), outputs=("y",), functions=(), opsets=None):
    initializers = [numpy_helper.from_array(np.asarray(v), name) for name, v in (constants or {}).items()]
    outputs = [nothing_known(o) if isinstance(o, str) else o for o in outputs]
    graph = helper.make_graph(list(nodes), "g", list(inputs), outputs, initializers)
    imports = [helper.make_opsetid(domain, version) for domain, version in {**OPSETS, **(opsets or {})}.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=10, functions=list(functions))


def operator(name, inputs, opset=21, outputs=1, **attributes):
    """One node, all of whose inputs are constants; "domain:Name" for those of other domains."""
    domain, _, op = name.rpartition(":")
    given = {f"x{k}": v for k, v in enumerate(inputs) if v is not None}
    attributes = {k: numpy_helper.from_array(v, k) if isinstance(v, np.ndarray) else v for k, v in attributes.items()}
    made = ["y", *(f"y{k}" for k in range(1, outputs))]
    node = helper.make_node(op, [f"x{k}" if v is not None else "" for k, v in enumerate(inputs)], made, domain=domain, **attributes)
    return model([node], given, outputs=made, opsets={"": opset})


def refused(folder, model, code, part, *options, seconds=20, most_memory=ADDRESS_SPACE):
    """The program ends by itself with this exit code and text, and writes no answer."""
    for name in "in", "out":
        (folder / name).mkdir(exist_ok=True)
    (folder / "m.onnx").write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    result = run("run-case", folder / "m.onnx", folder / "in", folder / "out", *options, timeout=seconds, most_memory=most_memory)
    said = result.out + result.err
    assert result.code == code, said[:2000]
    assert part in said.replace(f"{folder}/", ""), said[:2000]
    assert len(said) < 9000, "nobody reads that"
    assert not list((folder / "out").iterdir()), "half an answer was left"
    return said


# Protobuf by hand, for what no library writes.
def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def integer(number, value):
    return varint(number << 3) + varint(value % 2**64)


def file(graph=b"", rest=field(8, integer(2, 21))):
    return integer(1, 10) + field(7, graph) + rest


def nested(numbers, levels):
    content = b""
    for k in reversed(range(levels)):
        content = field(numbers[k % len(numbers)], content)
    return content


def tensor(dims, type, *more, name=b"w"):
    return field(5, b"".join(integer(1, d) for d in dims) + integer(2, type) + field(8, name) + b"".join(more))


def raw(content):
    return field(9, content)
