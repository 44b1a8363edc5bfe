"""Standard graphs as ONNX Runtime's optimizer rewrites and saves them, its own operators inside: (name, model, rewritten, inputs, operators wanted)."""
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper


def draw(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def models():
    x = {"x": draw(1, 2, 5, 8)}
    yield optimised("gelu_and_layer_norm", gelu_and_norm(), x, {"Gelu", "LayerNormalization"})
    yield optimised("quick_gelu", [("Mul", ["x", "factor"], ["scaled"]), ("Sigmoid", ["scaled"], ["s"]), ("Mul", ["x", "s"], ["y"])], x, {"QuickGelu"}, factor=np.float32(1.702))
    yield optimised("transposed_product", [("Transpose", ["x"], ["t"], {"perm": [0, 2, 1]}), ("MatMul", ["x", "t"], ["p"]), ("Mul", ["p", "factor"], ["y"])], x, {"FusedMatMul"}, factor=np.float32(0.25))
    yield optimised("gemm_and_activation", [("Gemm", ["x", "w", "b"], ["g"], {"transB": 1}), ("LeakyRelu", ["g"], ["y"], {"alpha": 0.2})], {"x": draw(2, 3, 8)}, {"FusedGemm"}, w=draw(3, 4, 8), b=draw(4, 4))
    image = {"x": draw(5, 1, 3, 8, 8)}
    yield optimised("conv_and_relu", [("Conv", ["x", "w", "b"], ["c"], {"pads": [1, 1, 1, 1]}), ("Relu", ["c"], ["y"])], image, {"FusedConv"}, w=draw(6, 4, 3, 3, 3), b=draw(7, 4))
    yield optimised("skip_layer_norm", [("Add", ["x", "skip"], ["s"]), ("LayerNormalization", ["s", "g", "b"], ["y"], {"epsilon": 1e-5})], x, {"SkipLayerNormalization"}, skip=draw(9, 2, 5, 8), g=draw(10, 8), b=draw(11, 8))


def gelu_and_norm():
    """Gelu and LayerNormalization as exporters spelled them out before the standard had them."""
    return [("MatMul", ["x", "w"], ["m"]), ("Add", ["m", "b"], ["h"]), ("Div", ["h", "root"], ["d"]), ("Erf", ["d"], ["e"]), ("Add", ["e", "one"], ["f"]), ("Mul", ["h", "f"], ["g"]), ("Mul", ["g", "half"], ["gelu"]),
            ("ReduceMean", ["gelu"], ["mean"], {"axes": [-1]}), ("Sub", ["gelu", "mean"], ["centred"]), ("Pow", ["centred", "two"], ["squares"]), ("ReduceMean", ["squares"], ["variance"], {"axes": [-1]}),
            ("Add", ["variance", "epsilon"], ["shifted"]), ("Sqrt", ["shifted"], ["deviation"]), ("Div", ["centred", "deviation"], ["normal"]), ("Mul", ["normal", "scale"], ["scaled"]), ("Add", ["scaled", "shift"], ["y"])]


CONSTANTS = {"root": np.float32(np.sqrt(2)), "one": np.float32(1), "half": np.float32(0.5), "two": np.float32(2), "epsilon": np.float32(1e-5),
             "w": draw(20, 8, 8), "b": draw(21, 8), "scale": draw(22, 8), "shift": draw(23, 8)}


def optimised(name, nodes, inputs, wanted, **constants):
    used = {i for _, reads, *_ in nodes for i in reads}
    values = {k: v for k, v in {**CONSTANTS, **constants}.items() if k in used and k not in inputs}
    made = [helper.make_node(op, reads, writes, **(rest[0] if rest else {})) for op, reads, writes, *rest in nodes]
    opset = 17 if any(op == "LayerNormalization" for op, *_ in nodes) else 13
    graph = helper.make_graph(made, name, [helper.make_tensor_value_info(k, onnx.TensorProto.FLOAT, v.shape) for k, v in inputs.items()],
                              [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)], [numpy_helper.from_array(np.asarray(v), k) for k, v in values.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(Path(folder) / "optimised.onnx")
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        saved = onnx.load(options.optimized_model_filepath)
    return name, model, saved, inputs, wanted
