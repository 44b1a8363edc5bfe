"""Models whose operators are asked for what cannot be: indices outside, attributes that disagree, answers larger than any memory."""
import numpy as np
import pytest
from hostile import model, nothing_known, operator, refused, value
from onnx import TensorProto, helper

node = helper.make_node


def f(*v):
    return np.array(v, np.float32)


def i(*v):
    return np.array(v, np.int64)


def ones(*shape, type=np.float32):
    return np.ones(shape, type)


def ids(cases):
    return [f"{k}-{case[0].rpartition(':')[2]}" for k, case in enumerate(cases)]


X, X23, IMAGE, TEXT = f(0, 1, 2, 3), np.arange(6, dtype=np.float32).reshape(2, 3), ones(1, 1, 4, 4), np.array(["a"], object)
CACHE = ones(1, 1, 4, 8)

# operator, inputs, attributes, a part of the text
OUTSIDE = [
    ("Gather", [X, i(4)], {}, "index 4 is outside an axis of 4"),
    ("Gather", [X, i(-5)], {}, "index -5 is outside an axis of 4"),
    ("GatherElements", [X, i(4)], {}, "index 4 is outside an axis of 4"),
    ("GatherElements", [X23, np.zeros((3, 3), np.int64)], {"axis": 1}, "indices of shape [3, 3] reach outside data of shape [2, 3]"),
    ("GatherND", [X23, i([0, 3])], {}, "index 3 is outside an axis of 3"),
    ("GatherND", [X23, i([-3, 0])], {}, "index -3 is outside an axis of 2"),
    ("GatherND", [X23, i([0, 0])], {"batch_dims": 3}, "batch_dims is 3"),
    ("ScatterElements", [X, i(4), f(1)], {}, "index 4 is outside an axis of 4"),
    ("ScatterND", [X, i([-5]), f(1)], {}, "index -5 is outside an axis of 4"),
    ("Scatter", [X, i(9), f(1)], {"opset": 10}, "index 9 is outside an axis of 4"),
    ("Slice", [X, i(0), i(2), i(1)], {}, "axis 1 is outside rank 1"),
    ("Slice", [X, i(0), i(2), i(0), i(0)], {}, "step 0 along axis 0"),
    ("Slice", [X, i(0, 0), i(2, 2), i(0, 0)], {}, "starts, ends, axes and steps have 2, 2, 2 and 0 elements"),
    ("OneHot", [i(5), np.array(-3), f(0, 1)], {}, "depth is -3"),
    ("TopK", [X, i(5)], {"outputs": 2}, "k is 5 but the axis has 4 elements"),
    ("TopK", [X, i(-1)], {"outputs": 2}, "k is -1"),
    ("ReverseSequence", [X23, i(3, 1, 1)], {}, "a length of 3 in 2 time steps"),
    ("ReverseSequence", [X23, i(-1, 1, 1)], {}, "a length of -1"),
    ("ai.onnx.ml:ArrayFeatureExtractor", [X23, i(3)], {}, "index 3 is outside 3 columns"),
    ("Compress", [X, np.array([True] * 5)], {}, "the condition holds at 4, the axis has 4 elements"),
    ("Transpose", [X23], {"perm": [0, 0]}, "perm names axis 0 twice"),
    ("Unsqueeze", [X, i(0, 0)], {}, "axis 0 is named twice"),
    ("CumSum", [X, np.array(3)], {}, "axis 3 is outside rank 1"),
    ("Reshape", [X, i(-1, -1)], {}, "two sizes are -1"),
    ("Pad", [X, i(-3, -3)], {}, "pads of -3 and -3 for an axis of 4"),
    ("Pad", [f(), i(1, 0)], {"mode": "reflect"}, "axis 0 has no element to pad with"),
    ("Tile", [X, i(-1)], {}, "axis 0 repeated -1 times"),
    ("RoiAlign", [IMAGE, f([0, 0, 1, 1]), i(1)], {}, "batch index 1 of 1"),
    ("RoiAlign", [IMAGE, f([np.nan, 0, 1, 1]), i(0)], {}, "a region at nan"),
    ("MaxRoiPool", [IMAGE, f([0, -1e30, 0, 1e30, 1])], {"pooled_shape": [2, 2]}, "a region at -1"),
    ("MaxUnpool", [IMAGE, np.full((1, 1, 4, 4), 64)], {"kernel_shape": [2, 2], "strides": [2, 2]}, "index 64 in a tensor of shape [1, 1, 8, 8]"),
    ("NegativeLogLikelihoodLoss", [X23, i(0, 3)], {"reduction": "none"}, "label 3 of 3 classes"),
    ("LSTM", [ones(2, 1, 3), ones(1, 8, 3), ones(1, 8, 2), None, np.array([5], np.int32)], {"hidden_size": 2}, "a sequence length of 5 in 2 steps"),
    ("STFT", [ones(1, 4, 1), np.array(0), None, np.array(2)], {}, "frames of 2 every 0"),
    ("RotaryEmbedding", [ones(1, 1, 2, 4), ones(3, 2), ones(3, 2), i([0, 3])], {"opset": 23}, "position 3 in a cache of 3"),
    ("TensorScatter", [ones(1, 2, 4, 2), ones(1, 2, 3, 2), i(2)], {"opset": 24}, "write index 2 for 3 entries in a cache of 4"),
    ("Resize", [IMAGE, None, f(1, 1, np.nan, 1)], {}, "a scale of nan"),
    ("Range", [np.float32(0), np.float32(1), np.float32(0)], {}, "delta is 0"),
    ("Einsum", [X], {"equation": "a->b"}, "the output names 'b', which no operand has"),
    ("RegexFullMatch", [TEXT], {"pattern": "((a{100}){100}){100}"}, "invalid repetition size"),
    ("com.microsoft:GroupQueryAttention", [ones(1, 1, 16), ones(1, 1, 8), ones(1, 1, 8), CACHE, CACHE, np.array([99], np.int32), np.array(100, np.int32)],
     {"num_heads": 2, "kv_num_heads": 1, "outputs": 3}, "(com.microsoft.GroupQueryAttention)"),
    ("com.microsoft:RotaryEmbedding", [ones(1, 2, 8), i([0, 9]), ones(4, 2), ones(4, 2)], {"num_heads": 2}, "(com.microsoft.RotaryEmbedding)"),
    ("com.microsoft:CropAndResize", [IMAGE, f([0, 0, 1, 1]), np.array([5], np.int32), np.array([2, 2], np.int32)], {}, "(com.microsoft.CropAndResize)"),
    ("com.microsoft:WordConvEmbedding", [np.array([[9]], np.int32), ones(4, 1, 1, 2), ones(4), ones(3, 2)], {}, "(com.microsoft.WordConvEmbedding)"),
    ("com.microsoft:GatherND", [X23, i([0, 3])], {}, "index 3 is outside an axis of 3"),
    ("com.microsoft:MatMulNBits", [ones(2, 32), np.zeros((4, 1, 16), np.uint8), ones(4), None, np.full(32, 7, np.int32)], {"K": 32, "N": 4, "bits": 4, "block_size": 32},
     "(com.microsoft.MatMulNBits)"),
]


@pytest.mark.parametrize("name, inputs, attributes, part", OUTSIDE, ids=ids(OUTSIDE))
def test_what_is_outside_is_refused(tmp_path, name, inputs, attributes, part):
    said = refused(tmp_path, operator(name, inputs, **attributes), 3, part)
    assert f"{name.rpartition(':')[2]})" in said


WINDOWS = [
    ("MaxPool", [IMAGE], {"kernel_shape": [5, 5]}, "over spatial axis 0 reaches over 5 elements (kernel 5, dilation 1), expected at most the 4 that are there"),
    ("MaxPool", [IMAGE], {"kernel_shape": [1, 3], "dilations": [1, 2]}, "over spatial axis 1 reaches over 5 elements (kernel 3, dilation 2)"),
    ("AveragePool", [IMAGE], {"kernel_shape": [1, 7], "pads": [0, 1, 0, 1]}, "at most the 6 that are there (4, with padding 1 before and 1 after)"),
    ("LpPool", [IMAGE], {"kernel_shape": [5, 1]}, "reaches over 5 elements"),
    ("Conv", [IMAGE, ones(1, 1, 5, 1)], {}, "over spatial axis 0 reaches over 5 elements"),
    ("ConvInteger", [ones(1, 1, 2, type=np.uint8), ones(1, 1, 3, type=np.uint8)], {}, "over spatial axis 0 reaches over 3 elements"),
    ("com.microsoft:NhwcMaxPool", [ones(1, 2, 2, 1, type=np.uint8)], {"kernel_shape": [3, 1]}, "over spatial axis 0 reaches over 3 elements"),
    ("MaxPool", [IMAGE], {"kernel_shape": [2, 2], "pads": [2**40] * 4}, "pads has 1099511627776, expected 0 to 16777216"),
    ("MaxPool", [IMAGE], {"kernel_shape": [2, 2], "strides": [0, 1]}, "strides has 0, expected 1 to 16777216"),
    ("ConvTranspose", [IMAGE, ones(1, 1, 1, 1)], {"pads": [3, 3, 3, 3]}, "pads take away all that the input makes of spatial axis 0"),
]


@pytest.mark.parametrize("name, inputs, attributes, part", WINDOWS, ids=ids(WINDOWS))
def test_windows_fit_into_what_they_slide_over(tmp_path, name, inputs, attributes, part):
    said = refused(tmp_path, operator(name, inputs, **attributes), 3, part)
    assert f"({name.replace(':', '.')})" in said


TREE = {"nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [0, 0, 0], "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"], "nodes_values": [0.5, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0], "nodes_falsenodeids": [2, 0, 0]}
REGRESSOR = {**TREE, "target_treeids": [0, 0], "target_nodeids": [1, 2], "target_ids": [0, 0], "target_weights": [1.0, 2.0], "n_targets": 1}
ENSEMBLE = {"tree_roots": [0], "nodes_modes": np.array([0], np.uint8), "nodes_featureids": [0], "nodes_splits": f(0.5), "nodes_truenodeids": [0], "nodes_trueleafs": [1],
            "nodes_falsenodeids": [1], "nodes_falseleafs": [1], "leaf_targetids": [0, 0], "leaf_weights": f(1, 2), "n_targets": 1, "aggregate_function": 1, "post_transform": 0}
MACHINE = {"kernel_type": "RBF", "kernel_params": [0.5, 0.0, 3.0], "support_vectors": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "coefficients": [1.0, -1.0], "rho": [0.5]}
CLASSES = {**MACHINE, "vectors_per_class": [1, 1], "classlabels_ints": [0, 1], "outputs": 2}
WORDS = {"mode": "TF", "min_gram_length": 1, "max_gram_length": 2, "max_skip_count": 0, "ngram_counts": [0, 2], "ngram_indexes": [0, 1, 2], "pool_int64s": [1, 2, 3, 4]}
DEEP = 60                                                 # branches, both of whose children are the next one: 2^60 ways through


def fitted(op, base, *changes):
    """Cases that change some attributes of a good node."""
    return [(op, change) for change in ({**base, **c} for c in changes)]


LEARNED = [
    *fitted("ai.onnx.ml:TreeEnsembleRegressor", REGRESSOR, {"nodes_truenodeids": [9, 0, 0]}, {"nodes_truenodeids": [0, 0, 0]}, {"nodes_truenodeids": [-1, 0, 0]},
            {"nodes_truenodeids": [2**62, 0, 0]}, {"nodes_truenodeids": [1, 0]}, {"nodes_values": [0.5]}, {"nodes_featureids": [9, 0, 0]}, {"nodes_featureids": [-1, 0, 0]},
            {"nodes_featureids": [2**40, 0, 0]}, {"nodes_nodeids": [0, 1, 1]}, {"nodes_treeids": [0, 0, 1]}, {"nodes_modes": ["X", "LEAF", "LEAF"]}, {"target_ids": [0, 5]},
            {"target_ids": [-1, 0]}, {"target_nodeids": [1, 9]}, {"target_nodeids": [1, 0]}, {"target_treeids": [0, 7]}, {"target_weights": [1.0]}, {"n_targets": -1},
            {"n_targets": 2**40}, {"base_values": [1.0, 2.0, 3.0]}, {"post_transform": "X"}, {"nodes_missing_value_tracks_true": [1]}),
    *fitted("ai.onnx.ml:TreeEnsemble", ENSEMBLE, {"tree_roots": [7]}, {"tree_roots": [-1]}, {"nodes_trueleafs": [0]}, {"nodes_falsenodeids": [9]}, {"nodes_truenodeids": [-1]},
            {"leaf_targetids": [0, 3]}, {"leaf_weights": f(1)}, {"nodes_splits": f(1, 2)}, {"nodes_modes": np.array([9], np.uint8)}, {"nodes_featureids": [99]},
            {"nodes_modes": np.array([0, 0], np.uint8)}, {"aggregate_function": 9}, {"n_targets": 2**40}, {"nodes_splits": i(1)},
            {"nodes_modes": np.zeros(DEEP, np.uint8), "nodes_featureids": [0] * DEEP, "nodes_splits": np.zeros(DEEP, np.float32), "nodes_truenodeids": [*range(1, DEEP), 0],
             "nodes_falsenodeids": [*range(1, DEEP), 0], "nodes_trueleafs": [0] * (DEEP - 1) + [1], "nodes_falseleafs": [0] * (DEEP - 1) + [1]}),
    *fitted("ai.onnx.ml:SVMRegressor", {**MACHINE, "n_supports": 2}, {"n_supports": 3}, {"n_supports": -1}, {"n_supports": 2**40}, {"n_supports": 2**62}, {"coefficients": [1.0]},
            {"kernel_params": [1.0]}, {"kernel_type": "X"}, {"support_vectors": [1.0]}),
    *fitted("ai.onnx.ml:SVMClassifier", CLASSES, {"vectors_per_class": [1, 5]}, {"vectors_per_class": [-1, 3]}, {"vectors_per_class": [2**62, 2**62]}, {"prob_a": [1.0]},
            {"coefficients": [1.0] * 5}, {"vectors_per_class": [1, 1, 0, 0]}),
    *fitted("TfIdfVectorizer", WORDS, {"ngram_counts": [0, 9]}, {"ngram_counts": [2, 0]}, {"ngram_counts": [-1, 2]}, {"ngram_indexes": [0, 1]}, {"ngram_indexes": [0, 1, -2]},
            {"weights": [1.0]}, {"pool_int64s": [1]}, {"mode": "X"}, {"max_gram_length": 2**40}, {"min_gram_length": 0}, {"max_skip_count": -1}),
    *fitted("ai.onnx.ml:LabelEncoder", {}, {"keys_int64s": [1, 2], "values_strings": ["a"]}, {"keys_int64s": [1]}, {"keys_strings": ["a"], "values_strings": ["b"]},
            {"keys_int64s": [1], "values_int64s": [1], "default_tensor": i()}, {"keys_int64s": [1], "values_int64s": [1], "default_tensor": i(1, 2)}),
    *fitted("ai.onnx.ml:LinearRegressor", {"coefficients": [1.0]}, {"targets": 2**40}, {"targets": -1}, {"targets": 0}),
    *fitted("ai.onnx.ml:Scaler", {}, {"offset": [1.0, 2.0], "scale": [1.0]}),
]


@pytest.mark.parametrize("name, attributes", LEARNED, ids=ids(LEARNED))
def test_what_was_learned_agrees_with_itself(tmp_path, name, attributes):
    x = i(1, 2) if name in ("TfIdfVectorizer", "ai.onnx.ml:LabelEncoder") else X23
    refused(tmp_path, operator(name, [x], **attributes), 3, f"node 'y' ({name.replace(':', '.')}): ")


BOMBS = [
    ("Expand", [f(1), i(2**33)], {}),
    ("Tile", [ones(1000), i(2**24)], {}),
    ("ConstantOfShape", [i(2**30)], {}),
    ("ConstantOfShape", [i(2**62, 2**62)], {}),
    ("Pad", [f(1), i(0, 2**31)], {}),
    ("Resize", [ones(1, 1, 2, 2), None, None, i(1, 1, 2**16, 2**16)], {}),
    ("Resize", [ones(1, 1, 2, 2), None, f(1, 1, np.inf, 1)], {}),
    ("Upsample", [ones(1, 1, 2, 2), f(1, 1, 30000, 30000)], {"opset": 9}),
    ("Range", [np.int64(-(2**63)), np.int64(2**63 - 1), np.int64(1)], {}),
    ("Range", [np.int64(0), np.int64(2**29), np.int64(1)], {}),
    ("Range", [np.float32(0), np.float32(np.inf), np.float32(1)], {}),
    ("OneHot", [np.zeros(2**16, np.int64), np.array(2**20), f(0, 1)], {}),
    ("RandomNormal", [], {"shape": [2**16, 2**15]}),
    ("RandomUniform", [], {"shape": [2**31, 2**31]}),
    ("Gather", [ones(1, 2**20), np.zeros(2**12, np.int64)], {}),
    ("MatMul", [ones(2**18, 1), ones(1, 2**18)], {}),
    ("Add", [ones(2**18, 1), ones(1, 2**18)], {}),
    ("Einsum", [ones(2**18), ones(2**18)], {"equation": "a,b->ab"}),
    ("Split", [f(1)], {"num_outputs": 2**40}),
    ("ConvTranspose", [ones(1, 1, 4), ones(1, 1, 1)], {"output_shape": [2**40]}),
    ("MaxUnpool", [ones(1, 1, 1), np.zeros((1, 1, 1), np.int64), i(1, 1, 2**32)], {"kernel_shape": [1]}),
    ("AffineGrid", [ones(1, 2, 3), i(1, 1, 2**16, 2**16)], {}),
    ("CenterCropPad", [X, i(2**31)], {}),
    ("Multinomial", [X23], {"sample_size": 2**31}),
    ("HannWindow", [np.array(2**31)], {}),
    ("DFT", [ones(1, 4, 1), np.array(2**40)], {}),
    ("MelWeightMatrix", [np.array(2**20), np.array(2**20), np.array(8000), np.float32(0), np.float32(4000)], {}),
    ("com.microsoft:CropAndResize", [IMAGE, f([0, 0, 1, 1]), np.array([0], np.int32), np.array([2**20, 2**20], np.int32)], {}),
]


@pytest.mark.parametrize("options", [(), ("--memory-limit", "200MB")], ids=["free", "limited"])
@pytest.mark.parametrize("name, inputs, attributes", BOMBS, ids=ids(BOMBS))
def test_answers_larger_than_memory_are_refused_before_they_are_begun(tmp_path, name, inputs, attributes, options):
    code = 3 if name == "Split" else 5
    refused(tmp_path, operator(name, inputs, **attributes), code, "node 'y", *options, most_memory=3 << 29)


def loop(step, start, **constants):
    """2^40 rounds of `step`, which makes b of a."""
    body = helper.make_graph([node("Identity", ["go"], ["again"]), *step], "body", [value("i", [], TensorProto.INT64), value("go", [], TensorProto.BOOL), nothing_known("a")],
                             [value("again", [], TensorProto.BOOL), nothing_known("b")])
    before = [node("SequenceConstruct", ["one"], ["start"])] if start is None else []
    return model([*before, node("Loop", ["rounds", "go", "start"], ["y"], body=body)],
                 {"rounds": np.array(2**40), "go": np.array(True), **({} if start is None else {"start": start}), **constants})


def map_each(op, **more):
    body = helper.make_graph([node("Expand", ["e", "shape"], ["o"])], "body", [nothing_known("e")], [nothing_known("o")])
    before = [node("SplitToSequence", ["x"], ["s"], axis=0)] if op == "SequenceMap" else []
    return model([*before, node(op, ["s" if before else "x"], ["y"], body=body, **more)], {"x": ones(2**12), "shape": i(2**20)})


GROWING = {
    "doubling tensor": loop([node("Concat", ["a", "a"], ["b"], axis=0)], X),
    "doubling text": loop([node("StringConcat", ["a", "a"], ["b"])], TEXT),
    "sequence of fresh tensors": loop([node("Add", ["large", "one"], ["t"]), node("SequenceInsert", ["a", "t"], ["b"])], None, large=ones(2**22), one=f(1)),
    "SequenceMap": map_each("SequenceMap"),
    "Scan": map_each("Scan", num_scan_inputs=1),
    "text that is expanded": model([node("Expand", ["x", "shape"], ["y"])], {"x": np.array(["a" * 10**6], object), "shape": i(2**14)}),
    "text that is gathered": model([node("Gather", ["x", "at"], ["y"])], {"x": np.array(["a" * 10**6], object), "at": np.zeros(2**14, np.int64)}),
    "text in a row of nodes": model([node("StringConcat", [f"s{k}"] * 2, [f"s{k + 1}" if k < 49 else "y"]) for k in range(50)], {"s0": TEXT}),
    "tensors in a row of nodes": model([node("Concat", [f"s{k}"] * 2, [f"s{k + 1}" if k < 49 else "y"], axis=0) for k in range(50)], {"s0": X}),
    "many constants": model([*(node("ConstantOfShape", ["shape"], [f"v{k}"]) for k in range(200)), node("Sum", [f"v{k}" for k in range(200)], ["y"])], {"shape": i(2**23)}),
}


@pytest.mark.parametrize("options", [(), ("--memory-limit", "200MB")], ids=["free", "limited"])
@pytest.mark.parametrize("name", GROWING)
def test_what_grows_ends_at_the_limit(tmp_path, name, options):
    refused(tmp_path, GROWING[name], 5, "node '", *options, most_memory=1 << 30)


def test_what_only_takes_time_ends_at_its_limit(tmp_path):
    endless = loop([node("SequenceInsert", ["a", "one"], ["b"])], None, one=f(1))
    refused(tmp_path, endless, 5, "the time limit was reached", "--time-limit", "1")
