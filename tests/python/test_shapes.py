"""onward.infer_shapes on models as exporters write them, with sizes that only the run knows; and what sessions say of undeclared outputs."""
import math

import numpy as np
import onnx
import onward
import pytest
from onnx import parser

HEADER = '<ir_version: 10, opset_import: ["" : 21]>\n'

TRANSFORMER = """
block (float[batch, seq, 32] x, float[32, 96] qkv_w, float[32, 32] out_w, float[32, 64] up, float[64, 32] down, float[32] gain) => (y, hidden)
{
  shape = Shape (x)
  zero = Constant <value_ints = [0]> ()
  one = Constant <value_ints = [1]> ()
  batch = Gather (shape, zero)
  seq = Gather (shape, one)
  heads = Constant <value_ints = [4]> ()
  minus = Constant <value_ints = [-1]> ()
  split = Concat <axis = 0> (batch, seq, heads, minus)
  joined = Concat <axis = 0> (batch, seq, minus)
  normed = LayerNormalization (x, gain)
  qkv = MatMul (normed, qkv_w)
  q, k, v = Split <axis = -1, num_outputs = 3> (qkv)
  q4 = Reshape (q, split)
  k4 = Reshape (k, split)
  v4 = Reshape (v, split)
  qh = Transpose <perm = [0, 2, 1, 3]> (q4)
  kh = Transpose <perm = [0, 2, 3, 1]> (k4)
  vh = Transpose <perm = [0, 2, 1, 3]> (v4)
  scores = MatMul (qh, kh)
  steps = Squeeze (seq)
  start = Constant <value_int = 0> ()
  step = Constant <value_int = 1> ()
  positions = Range (start, steps, step)
  column = Unsqueeze (positions, one)
  causal = LessOrEqual (positions, column)
  low = Constant <value_float = -1e9> ()
  masked = Where (causal, scores, low)
  weights = Softmax (masked)
  mixed = MatMul (weights, vh)
  back = Transpose <perm = [0, 2, 1, 3]> (mixed)
  flat = Reshape (back, joined)
  attended = MatMul (flat, out_w)
  residual = Add (x, attended)
  tokens = Mul (batch, seq)
  rows_shape = Concat <axis = 0> (tokens, minus)
  rows = Reshape (residual, rows_shape)
  wide = MatMul (rows, up)
  active = Relu (wide)
  hidden = MatMul (active, down)
  y = Reshape (hidden, shape)
}"""

IMAGES = """
net (float[n, 3, h, w] x, float[8, 3, 3, 3] k1, float[8, 8, 3, 3] k2, float[8, 4, 2, 2] k3) => (y, pooled, up, flat)
{
  a = Conv <pads = [1, 1, 1, 1], strides = [2, 2]> (x, k1)
  b = Conv <pads = [1, 1, 1, 1]> (a, k2)
  c = Add (a, b)
  pooled = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (c)
  up = ConvTranspose <strides = [2, 2]> (pooled, k3)
  scales = Constant <value_floats = [1.0, 1.0, 2.0, 2.0]> ()
  empty = Constant <value_floats = [1.0]> ()
  big = Resize <mode = "nearest"> (pooled, , scales)
  mean = GlobalAveragePool (big)
  flat = Flatten (mean)
  y = Pad (big, pads)
}
"""

CACHE = """
step (float[batch, 4, past, 8] past_key, float[batch, 4, seq, 8] key, float[batch, 4, seq, 8] query, float[batch, "past + seq"] mask) => (present, weights, last)
{
  present = Concat <axis = 2> (past_key, key)
  turned = Transpose <perm = [0, 1, 3, 2]> (present)
  scores = MatMul (query, turned)
  axes = Constant <value_ints = [1, 2]> ()
  wide = Unsqueeze (mask, axes)
  weights = Add (scores, wide)
  from = Constant <value_ints = [-1]> ()
  end = Constant <value_ints = [9223372036854775807]> ()
  two = Constant <value_ints = [2]> ()
  last = Slice (key, from, end, two)
}
"""


def parsed(text, **initializers):
    model = parser.parse_model(HEADER + text)
    for name, value in initializers.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    return model


def types_of(model, **options):
    """{name: "float [batch, 3]"} of every value that is not an input"""
    inferred = onnx.ModelProto.FromString(bytes(onward.infer_shapes(model, **options)))
    return {v.name: [d.dim_value if d.HasField("dim_value") else d.dim_param for d in v.type.tensor_type.shape.dim]
            for v in [*inferred.graph.value_info, *inferred.graph.output] if v.type.tensor_type.HasField("shape")}


def computed(expression, sizes):
    names = {**sizes, "floor": math.floor, "max": max, "min": min, "broadcast": lambda *all: next((n for n in all if n != 1), 1)}
    return expression if isinstance(expression, int) else eval(expression, {"__builtins__": {}}, names)


def check_against_runs(model, all_sizes):
    """Every value of the model: the shape as inferred, computed with the sizes, is the shape that a run gives it."""
    types = types_of(model, strict_mode=True)
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    del watched.graph.output[:]
    made = [name for node in model.graph.node for name in node.output if name]
    watched.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made)
    session = onward.InferenceSession(watched.SerializeToString())
    random = np.random.default_rng(0)
    for sizes in all_sizes:
        feeds = {i.name: random.normal(size=[computed(d, sizes) for d in i.shape]).astype(np.float32) for i in session.get_inputs()}
        for name, value in zip(made, session.run(made, feeds), strict=True):
            assert [computed(d, sizes) for d in types[name]] == list(value.shape), name
    return types


def test_a_transformer_block():
    types = check_against_runs(parsed(TRANSFORMER), [{"batch": 2, "seq": 5}, {"batch": 1, "seq": 1}, {"batch": 3, "seq": 8}])
    assert types["qh"] == ["batch", 4, "seq", 8]
    assert types["scores"] == types["weights"] == ["batch", 4, "seq", "seq"]
    assert types["rows"] == ["batch*seq", 32]
    assert types["y"] == ["batch", "seq", 32]


def test_images_of_any_size():
    types = check_against_runs(parsed(IMAGES, pads=np.array([0, 0, 1, 1, 0, 0, 2, 2])), [{"n": 1, "h": 16, "w": 24}, {"n": 2, "h": 17, "w": 31}])
    assert types["c"] == ["n", 8, "floor((h + 1)/2)", "floor((w + 1)/2)"]
    assert types["flat"] == ["n", 8]


def test_a_cache_that_grows():
    types = check_against_runs(parsed(CACHE), [{"batch": 2, "past": 3, "seq": 4}, {"batch": 1, "past": 0, "seq": 1}])
    assert types["present"] == ["batch", 4, "past + seq", 8]
    assert types["weights"] == ["batch", 4, "seq", "past + seq"]
    assert types["last"] == ["batch", 4, "min(seq, 1)", 8]


def test_contradictions_are_errors_only_when_strict():
    model = parsed("f (float[2, 3] x) => (float[4] y) { y = Flatten (x) }")
    assert types_of(model)["y"] == [4]
    with pytest.raises(onward.InvalidGraph, match=r"node 'y' \(Flatten\): output 'y' is declared as float \[4\], inferred as float \[2, 3\]"):
        onward.infer_shapes(model, strict_mode=True)


def test_sessions_tell_the_shapes_that_the_file_leaves_open():
    model = parsed("f (float[batch, 3] x, int64[k] i) => (y, z) { y = Concat <axis = 0> (x, x) \n z = Gather <axis = 1> (x, i) }")
    outputs = onward.InferenceSession(model.SerializeToString()).get_outputs()
    assert [(o.name, o.type, list(o.shape)) for o in outputs] == [("y", "tensor(float)", ["2*batch", 3]), ("z", "tensor(float)", ["batch", "k"])]


def test_paths_bytes_and_models(tmp_path):
    model = parsed("f (float[batch, 3] x) => (y) { y = Relu (x) }")
    onnx.save(model, tmp_path / "m.onnx")
    for source in (model, model.SerializeToString(), tmp_path / "m.onnx", onward.infer_shapes(model)):
        assert types_of(source)["y"] == ["batch", 3]
