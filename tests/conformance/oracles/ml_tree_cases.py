"""ai.onnx.ml: trees, walked one row at a time. Thresholds and inputs are multiples of 1/4, so that ties are met."""
import itertools

import numpy as np
from case_of import NUMBERS, Case
from ml_linear_cases import transformed
from onnx import helper

ML = {"domain": "ai.onnx.ml"}
TESTS = {"BRANCH_LEQ": np.less_equal, "BRANCH_LT": np.less, "BRANCH_GTE": np.greater_equal, "BRANCH_GT": np.greater, "BRANCH_EQ": np.equal, "BRANCH_NEQ": np.not_equal}
MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER"]


def cases():
    for dtype in NUMBERS:
        for modes in (("BRANCH_LEQ",), ("BRANCH_LT",), ("BRANCH_GT",), ("BRANCH_EQ", "BRANCH_NEQ"), tuple(TESTS)):
            yield from regressors(dtype, modes)
            yield from classifiers(dtype, modes)
    for dtype in (np.float32, np.float64, np.float16):
        for modes in (("BRANCH_LEQ",), ("BRANCH_GTE", "BRANCH_EQ"), ("BRANCH_LEQ", "BRANCH_MEMBER"), tuple(MODES)):
            yield from ensembles(dtype, modes)


class Tree:
    """A random tree: nodes are (feature, mode, threshold or members, missing goes left, left, right), leaves (target, weight)."""

    def __init__(self, draw, modes, depth, targets):
        if depth == 0 or draw.random() < 0.15:
            self.leaf = (int(draw.integers(targets)), float(draw.integers(-20, 21)) / 4)
            return
        self.leaf = None
        self.feature, self.mode, self.missing_left = int(draw.integers(3)), str(draw.choice(modes)), int(draw.integers(2))
        self.value = float(draw.integers(-6, 7)) / 4
        self.members = sorted({float(v) for v in draw.integers(0, 4, 2)})  # ONNX Runtime takes small whole numbers only
        self.left, self.right = Tree(draw, modes, depth - 1, targets), Tree(draw, modes, depth - 1, targets)

    def leaf_of(self, row):
        if self.leaf:
            return self.leaf
        x = row[self.feature]
        if self.mode == "BRANCH_MEMBER":
            left = x in self.members
        else:
            left = bool(TESTS[self.mode](x, self.value))
        if np.isnan(x) and self.missing_left:
            left = True
        return (self.left if left else self.right).leaf_of(row)


def forest(seed, modes, targets, trees=4, depth=4):
    draw = np.random.default_rng(seed)
    return [Tree(draw, modes, depth, targets) for _ in range(trees)]


def rows_of(dtype, rows, seed=0):
    draw = np.random.default_rng(seed)
    x = (draw.integers(-8, 9, (rows, 3)) / (4 if np.dtype(dtype).kind == "f" else 1)).astype(dtype)
    if np.dtype(dtype).kind == "f" and rows > 4:
        x[0, 0], x[1, 1], x[2, :], x[3, 2] = np.nan, np.inf, np.nan, -np.inf
    return x


def aggregated(trees, x, targets, how, base=None):
    out = np.zeros((len(x), targets))
    for r, row in enumerate(x.astype(np.float64)):
        found = [t.leaf_of(row) for t in trees]
        for k in range(targets):
            weights = [w for of, w in found if of == k]
            value = {"SUM": lambda: sum(weights), "AVERAGE": lambda: sum(weights) / len(trees), "MIN": lambda: min(weights, default=0), "MAX": lambda: max(weights, default=0)}[how]()
            out[r, k] = value + (base[k] if base is not None else 0)
    return out


def old_form(trees, prefix):
    """The attributes of opsets 1 to 3: nodes named by tree and number."""
    names = ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids", "missing_value_tracks_true")
    nodes, leaves = {n: [] for n in names}, {n: [] for n in ("treeids", "nodeids", "ids", "weights")}
    for t, root in enumerate(trees):
        numbers, order = {}, [root]
        for node in order:
            numbers[id(node)] = len(numbers)
            order += [] if node.leaf else [node.left, node.right]
        for node in order:
            row = (t, numbers[id(node)], 0, "LEAF", 0.0, 0, 0, 0) if node.leaf else (
                t, numbers[id(node)], node.feature, node.mode, node.value, numbers[id(node.left)], numbers[id(node.right)], node.missing_left)
            for name, value in zip(names, row):
                nodes[name].append(value)
            if node.leaf:
                for name, value in zip(leaves, (t, numbers[id(node)], *node.leaf)):
                    leaves[name].append(value)
    return {f"nodes_{n}": v for n, v in nodes.items()} | {f"{prefix}_{n}": v for n, v in leaves.items()}


def regressors(dtype, modes):
    for rows, targets, how, base in itertools.product((9, 1, 0), (1, 3), ("SUM", "AVERAGE", "MIN", "MAX"), (None, True)):
        trees, x = forest(targets, modes, targets), rows_of(dtype, rows)
        if how in ("MIN", "MAX") and targets > 1:
            continue  # of a target that no leaf names the standard says nothing
        base_values = [0.5, -1.0, 2.0][:targets] if base else None
        yield Case("TreeEnsembleRegressor", [x], [aggregated(trees, x, targets, how, base_values).astype(np.float32)],
                   {**old_form(trees, "target"), "n_targets": targets, "aggregate_function": how, **({"base_values": base_values} if base else {})}, **ML, opset=3,
                   disputes=disputes_of_regressor(trees, x, targets, base_values))


def named_targets(trees, x, targets):
    """Which targets the leaves of each row name."""
    return np.array([[any(t.leaf_of(row)[0] == k for t in trees) for k in range(targets)] for row in x.astype(np.float64)]).reshape(len(x), targets)


def disputes_of_regressor(trees, x, targets, base_values):
    disputes = {}
    if targets > 1 and base_values and not named_targets(trees, x, targets).all():
        disputes["onnxruntime"] = "leaves out the base value of a target that no leaf of the row names"
    if x.dtype != np.float32:
        disputes["reference"] = "answers in the input's type, the standard in float"
    elif misses_a_difference(trees, x):
        disputes["reference"] = MISSED
    return disputes


MISSED = "sometimes: finds that NaN does not differ from a number"


def misses_a_difference(trees, x):
    """Does a row meet a test for being different with NaN, which no flag sends to the left?"""
    def meets(node, row):
        if node.leaf:
            return False
        value = row[node.feature]
        if np.isnan(value) and node.mode == "BRANCH_NEQ" and not node.missing_left:
            return True
        left = value in node.members if node.mode == "BRANCH_MEMBER" else bool(TESTS[node.mode](value, node.value))
        return meets(node.left if left or (np.isnan(value) and node.missing_left) else node.right, row)

    return any(meets(tree, row) for tree in trees for row in x.astype(np.float64))


def classifiers(dtype, modes):
    for rows, classes, kind, texts in itertools.product((9, 1), (3, 2), ("NONE", "SOFTMAX", "LOGISTIC"), (False, True)):
        trees, x = forest(classes + 10, modes, classes), rows_of(dtype, rows)
        scores = aggregated(trees, x, classes, "SUM")
        named = named_targets(trees, x, classes)
        labels = [f"c{k}" for k in range(classes)] if texts else [7 * k - 3 for k in range(classes)]
        chosen = np.array([labels[k] for k in np.where(named, scores, -np.inf).argmax(1)], object if texts else np.int64)
        yield Case("TreeEnsembleClassifier", [x], [chosen, transformed(scores, kind).astype(np.float32)],
                   {**old_form(trees, "class"), "post_transform": kind, ("classlabels_strings" if texts else "classlabels_int64s"): labels}, **ML, opset=3,
                   disputes=disputes_of_classifier(trees, x, scores, named, texts))


def signs_agree(scores, named, texts):
    second = np.where(named[:, 1], scores[:, 1], scores[:, 0]) > 0
    return texts and named.all() and (second == (np.where(named, scores, -np.inf).argmax(1) == 1)).all()


def disputes_of_classifier(trees, x, scores, named, texts):
    disputes = {}
    if scores.shape[1] == 2 and not signs_agree(scores, named, texts):
        disputes["onnxruntime"] = "sometimes: decides by the sign of the second class's score, calls the classes 0 and 1, mirrors the score of one that no leaf names"
    if misses_a_difference(trees, x):
        disputes["reference"] = MISSED
    elif (scores.argmax(1) != np.where(named, scores, -np.inf).argmax(1)).any():
        disputes["reference"] = "chooses classes that no leaf votes for"
    return disputes


def new_form(trees, dtype):
    """The attributes of opset 5: inner nodes and leaves apart."""
    numbers, inner, leaves = {}, [], []

    def visit(node):
        if node.leaf:
            numbers[id(node)] = len(leaves)
            leaves.append(node)
        else:
            numbers[id(node)] = len(inner)
            inner.append(node)
            visit(node.left), visit(node.right)

    for root in trees:
        visit(root)
    tensor = lambda values, element: helper.make_tensor("t", element, [len(values)], values)
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    members = [v for node in inner if node.mode == "BRANCH_MEMBER" for v in [*node.members, np.nan]]
    return {"nodes_featureids": [n.feature for n in inner], "nodes_modes": tensor([MODES.index(n.mode) for n in inner], 2), "nodes_splits": tensor([n.value for n in inner], element),
            "nodes_truenodeids": [numbers[id(n.left)] for n in inner], "nodes_trueleafs": [int(bool(n.left.leaf)) for n in inner],
            "nodes_falsenodeids": [numbers[id(n.right)] for n in inner], "nodes_falseleafs": [int(bool(n.right.leaf)) for n in inner],
            "nodes_missing_value_tracks_true": [n.missing_left for n in inner], "leaf_targetids": [n.leaf[0] for n in leaves], "leaf_weights": tensor([n.leaf[1] for n in leaves], element),
            "tree_roots": [numbers[id(t)] for t in trees], **({"membership_values": tensor(members, element)} if members else {})}


def ensembles(dtype, modes):
    for rows, targets, how, kind in itertools.product((9, 1, 0), (1, 3), (1, 0, 2, 3), (0, 1, 2)):
        trees, x = [t for t in forest(targets + 20, modes, targets, 6) if not t.leaf], rows_of(dtype, rows)
        name = ("AVERAGE", "SUM", "MIN", "MAX")[how]
        if (how > 1 and targets > 1) or (kind and how != 1):
            continue
        scores = transformed(aggregated(trees, x, targets, name), ("NONE", "SOFTMAX", "LOGISTIC")[kind])
        yield Case("TreeEnsemble", [x], [scores.astype(dtype)], {**new_form(trees, dtype), "n_targets": targets, "aggregate_function": how, "post_transform": kind}, **ML, opset=5,
                   disputes=disputes_of_ensemble(trees, x, modes, kind))


def disputes_of_ensemble(trees, x, modes, kind):
    disputes = {}
    if kind and len(x):
        disputes["onnxruntime"] = "numbers the post transforms otherwise"
    if kind and len(x):
        disputes["reference"] = "has no post transforms here"
    elif "BRANCH_MEMBER" in modes and len(x):
        disputes["reference"] = "sometimes: takes other ways through trees with tests for members"
    elif not len(x):
        disputes["reference"] = "fails on no rows"
    elif misses_a_difference(trees, x):
        disputes["reference"] = MISSED
    return disputes
