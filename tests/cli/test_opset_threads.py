"""What the official version converter answered "No Adapter" to, thread by thread: each kind of model goes to the opset that was asked
for, passes onnx.checker there, and answers the same in ONNX Runtime as before (whose kernels and fusions differ by opset in the last bits)."""
import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import run
from onnx import TensorProto, helper, numpy_helper

IR_VERSIONS = {7: 3, 8: 3, 9: 4, 10: 5, 11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10}


class Network:
    """Nodes after one another on `x`, float[1, 3, 16, 16], with weights drawn from one seed. Older IR versions list weights among the inputs."""

    def __init__(self):
        self.random = np.random.default_rng(0)
        self.nodes, self.weights, self.value = [], [], "x"

    def weight(self, values):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def normal(self, *shape):
        return self.weight(self.random.normal(size=shape).astype(np.float32) * 0.3)

    def add(self, op, *inputs, **attributes):
        result = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [self.value, *inputs], [result], **attributes))
        self.value = result
        return self

    def save(self, path, opset):
        ir_version = IR_VERSIONS[opset]
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 16, 16])]
        if ir_version < 4:
            inputs += [helper.make_tensor_value_info(w.name, w.data_type, w.dims) for w in self.weights]
        outputs = [helper.make_tensor_value_info(self.value, TensorProto.FLOAT, None)]
        graph = helper.make_graph(self.nodes, "g", inputs, outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)
        onnx.save(model, path)
        return path


def check(model):
    """The checker wants the shapes of outputs, which the older shape inference does not know behind every operator."""
    onnx.shape_inference.infer_shapes(model, strict_mode=True)
    checked = onnx.ModelProto()
    checked.CopyFrom(model)
    checked.graph.output[0].type.tensor_type.shape.SetInParent()
    onnx.checker.check_model(checked)


def convolution():
    """onnx#2673 (11 to 9) and onnx#2414 (9 to 11): Conv, whose later version changed words only, as torch exported it with its neighbours."""
    net = Network()
    net.add("Conv", net.normal(8, 3, 3, 3), net.normal(8), kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]).add("Relu")
    net.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    net.add("ConvTranspose", net.normal(8, 4, 2, 2), kernel_shape=[2, 2], strides=[2, 2])
    return net.add("AveragePool", kernel_shape=[2, 2]).add("Concat", net.value, axis=1).add("Flatten", axis=1).add("Softmax", axis=1)


def mobilenet():
    """onnx#3050 (7 to 12): the blocks of MobileNetV2."""
    net = Network()
    for channels, groups, kernel in ((8, 1, 3), (8, 8, 3), (16, 1, 1)):
        before = 3 if len(net.nodes) == 0 else 8
        net.add("Conv", net.normal(channels, before // groups, kernel, kernel), kernel_shape=[kernel, kernel], group=groups, pads=[kernel // 2] * 4)
        net.add("BatchNormalization", net.weight(np.ones(channels, np.float32)), net.normal(channels), net.normal(channels), net.weight(np.full(channels, 0.7, np.float32)), epsilon=1e-5)
        net.add("Clip", min=0.0, max=6.0) if channels == 8 else net.add("Relu")
    net.add("GlobalAveragePool").add("Reshape", net.weight(np.array([1, -1], np.int64))).add("Gemm", net.normal(5, 16), net.normal(5), transB=1)
    return net.add("Dropout").add("Softmax", axis=1)


def alexnet():
    """onnx#3362 (9 to 10 and 11): MaxPool in a classifier with LRN and Dropout."""
    net = Network()
    net.add("Conv", net.normal(8, 3, 5, 5), net.normal(8), kernel_shape=[5, 5]).add("Relu").add("LRN", size=5, alpha=1e-4, beta=0.75)
    net.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1]).add("Flatten").add("Dropout", ratio=0.5)
    return net.add("Gemm", net.normal(8 * 6 * 6, 5), net.normal(5)).add("Softmax")


def resize(mode="nearest", transform="asymmetric", **attributes):
    """onnx#3805 (11 to 9): Resize becomes Upsample, which knows the asymmetric transform and rounding down only."""
    net = Network()
    roi, scales = net.weight(np.zeros(0, np.float32)), net.weight(np.array([1, 1, 2, 2], np.float32))
    return net.add("Relu").add("Resize", roi, scales, mode=mode, coordinate_transformation_mode=transform, **attributes)


def gather():
    """onnx#5290 (11 to 10): Gather."""
    net = Network()
    return net.add("Gather", net.weight(np.array([2, 0], np.int64)), axis=1).add("Sigmoid")


def identity():
    """onnx#5988 (16 to 15): Identity, which took optionals from 16 on."""
    return Network().add("Identity").add("LeakyRelu", alpha=0.1)


def grid_sample(mode="bilinear"):
    """onnxruntime#23112 (20 to 16): GridSample, whose modes were renamed in opset 20."""
    net = Network()
    return net.add("GridSample", net.weight(net.random.uniform(-1.1, 1.1, (1, 5, 4, 2)).astype(np.float32)), mode={"bilinear": "linear", "bicubic": "cubic"}.get(mode, mode), align_corners=1)


def group_normalization():
    """onnx#6561 (18 to 21): GroupNormalization, whose scale and bias went from one a group to one a channel."""
    net = Network()
    net.add("Conv", net.normal(8, 3, 1, 1))
    return net.add("GroupNormalization", net.weight(np.array([0.5, 2], np.float32)), net.weight(np.array([1, -1], np.float32)), num_groups=2)


THREADS = [(convolution, 11, 9), (convolution, 9, 11), (convolution, 9, 13), (convolution, 9, 21), (mobilenet, 7, 12), (mobilenet, 7, 21), (alexnet, 9, 10), (alexnet, 9, 11), (alexnet, 9, 8),
           (lambda: resize(nearest_mode="floor"), 11, 9), (lambda: resize("linear"), 11, 9), (lambda: resize(nearest_mode="floor"), 11, 10), (gather, 11, 10), (identity, 16, 15),
           (grid_sample, 20, 16), (lambda: grid_sample("bicubic"), 20, 16), (lambda: grid_sample("nearest"), 20, 16), (group_normalization, 18, 21)]
NAMES = [f"{(make.__name__ if make.__name__ != '<lambda>' else 'variant')}-{place}-{before}-to-{after}" for place, (make, before, after) in enumerate(THREADS)]


def answers(path, x):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize(("make", "before", "after"), THREADS, ids=NAMES)
def test_thread(tmp_path, make, before, after):
    source, target = make().save(tmp_path / "source.onnx", before), tmp_path / "target.onnx"
    result = run("optimize", source, "--opset", after, "-o", target)
    assert result.code == 0, result.err
    model = onnx.load(target)
    assert [o.version for o in model.opset_import if o.domain == ""] == [after]
    check(model)
    x = np.random.default_rng(1).normal(size=(1, 3, 16, 16)).astype(np.float32)
    want = answers(source, x)
    np.testing.assert_allclose(answers(target, x), want, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("attributes", [{"mode": "linear", "transform": "align_corners"}, {"nearest_mode": "ceil"}, {"mode": "cubic"}], ids=["align_corners", "ceil", "cubic"])
def test_a_resize_that_no_upsample_does_is_named(tmp_path, attributes):
    result = run("optimize", resize(**attributes).save(tmp_path / "source.onnx", 11), "--opset", 9, "-o", tmp_path / "target.onnx")
    assert result.code != 0 and "Resize" in result.err and "9" in result.err
    assert not (tmp_path / "target.onnx").exists()
