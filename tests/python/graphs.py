"""Small ONNX models for tests."""
from onnx import TensorProto, helper


def tensor(name, element, shape):
    return helper.make_tensor_value_info(name, getattr(TensorProto, element), shape)


def model_of(nodes, inputs, outputs, initializers=(), opset=21):
    """`nodes`: (op, inputs, outputs[, attributes])."""
    made = [helper.make_node(op, i, o, **(rest[0] if rest else {})) for op, i, o, *rest in nodes]
    graph = helper.make_graph(made, "test", list(inputs), list(outputs), list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 5)], ir_version=10, producer_name="tests").SerializeToString()


def identity(element, shape=("n",)):
    return model_of([("Identity", ["x"], ["y"])], [tensor("x", element, list(shape))], [tensor("y", element, list(shape))])


def endless():
    """Counts far; stops only when it is told to."""
    body = helper.make_graph([helper.make_node("Add", ["v", "v_one"], ["w"]), helper.make_node("Identity", ["c"], ["d"])], "body",
                             [tensor("i", "INT64", []), tensor("c", "BOOL", []), tensor("v", "FLOAT", [])], [tensor("d", "BOOL", []), tensor("w", "FLOAT", [])],
                             [helper.make_tensor("v_one", TensorProto.FLOAT, [], [1.0])])
    return model_of([("Loop", ["n", "go", "x"], ["y"], {"body": body})], [tensor("x", "FLOAT", [])], [tensor("y", "FLOAT", [])],
                    [helper.make_tensor("n", TensorProto.INT64, [], [1 << 60]), helper.make_tensor("go", TensorProto.BOOL, [], [True])])
