"""The cases of operators.txt: a model of one node, and what it is fed, at each of three sizes."""
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
from onnx import TensorProto, helper, numpy_helper

SIZES = ("small", "medium", "large")
MACROS = {"$r": "4/100/1000,8/100/1000", "$n": "8/10000/1000000"}
INTEGERS = {"i": np.int64, "j": np.int32, "w": np.uint32, "q": np.uint8, "c": np.int8, "h16": np.int16}
REALS = {"f": np.float32, "d": np.float64, "h": np.float16}
SPANS = {"p": (0.1, 1.1), "u": (0, 1), "g": (1, 2)}


@dataclass
class Line:
    domain: str
    opset: int
    name: str  # with its variant
    text: str
    reason: str

    @property
    def op(self):
        return self.name.partition(":")[0]


@dataclass
class Sized:
    model: bytes
    feeds: dict
    batch: int  # rows of a call; 0: the inputs whole


def lines(path=Path(__file__).with_name("operators.txt")):
    domain, newest = "", 0
    for text in path.read_text().splitlines():
        text, _, reason = (part.strip() for part in text.partition(";;"))
        if not text or text.startswith("#"):
            continue
        if text.startswith("["):
            domain, newest = text[1:-1].split()
            continue
        head = text.split(maxsplit=1)[0]
        graph = re.fullmatch(r"\w+:", head)
        for name in head.rstrip(":").split(","):
            name, _, opset = name.partition("@")
            yield Line("" if domain == "ai.onnx" else domain, int(opset or newest), name, text if graph else text[len(head):], reason)


def sized(line, size):
    """The case of a line at a size."""
    rng = np.random.default_rng(7)
    text = line.text
    for macro, meaning in MACROS.items():
        text = text.replace(macro, meaning)
    text = re.sub(r"(-?\d+)/(-?\d+)/(-?\d+)", lambda m: m[1 + SIZES.index(size)], text)
    return graph(line, text.partition(":")[2], rng) if text.startswith(f"{line.op}:") else node(line, text, rng)


def graph(line, text, rng):
    model = onnx.parser.parse_model(f'<ir_version: 10, opset_import: ["" : {line.opset}]> {text}')
    feeds = {}
    for value in model.graph.input:
        of = value.type.tensor_type
        shape = [d.dim_value for d in of.shape.dim]
        feeds[value.name] = np.array(True) if of.elem_type == TensorProto.BOOL else rng.standard_normal(shape).astype(np.float32)
    return Sized(model.SerializeToString(), feeds, 0)


def node(line, text, rng):
    words, _, inputs = text.partition("|")
    attributes, batch = attributes_of(words, rng, "class" if line.op == "TreeEnsembleClassifier" else "target")
    inputs, _, outputs = inputs.partition("->")
    names, nodes, feeds, constants = [], [], {}, []
    for k, word in enumerate(inputs.split()):
        name, many = f"x{k}", re.match(r"S(\d+)\*", word)
        names.append("" if word == "_" else name)
        if word == "_":
            continue
        parts = [f"{name}_{i}" for i in range(int(many[1]))] if many else [name]
        for part in parts:
            value = value_of(word[many.end():] if many else word.removeprefix("="), rng)
            if word.startswith("="):
                constants.append(numpy_helper.from_array(value, part))
            else:
                feeds[part] = value
        if many:
            nodes.append(helper.make_node("SequenceConstruct", parts, [name]))
    results = [f"y{k}" for k in range(int(outputs or 1))]
    nodes.append(helper.make_node(line.op, names, results, domain=line.domain, **attributes))
    types = {name: helper.np_dtype_to_tensor_dtype(x.dtype) if x.dtype != object else TensorProto.STRING for name, x in feeds.items()}
    shaped = [helper.make_tensor_value_info(name, types[name], [batch, *x.shape[1:]] if batch else x.shape) for name, x in feeds.items()]
    body = helper.make_graph(nodes, "case", shaped, [onnx.ValueInfoProto(name=r) for r in results], constants)
    opsets = {"": 21, line.domain: line.opset if line.domain != "com.microsoft" else 1}
    model = helper.make_model(body, opset_imports=[helper.make_opsetid(d, v) for d, v in opsets.items()], ir_version=10)
    return Sized(model.SerializeToString(), feeds, batch)


def attributes_of(words, rng, leaves):
    """(attributes, rows of a call)."""
    found, batch = {}, 0
    for word in shlex.split(words):
        key, _, value = word.partition("=")
        if key == "ROTATE":
            batch = int(value)
        elif key.startswith("forest("):
            found.update(forest(*map(int, key[len("forest("):-1].split(",")), rng, leaves))
        elif key in ("equation", "delimiter", "pattern", "pad_value"):
            found[key] = value
        elif key == "separators":
            found[key] = value.split(",")
        else:
            found[key] = attribute(value, rng)
    return found, batch


def attribute(text, rng):
    if re.fullmatch(r"f\[\d+\]", text):
        return value_of(text, rng).tolist()
    made = re.fullmatch(r"(range|texts)\((\d+)\)", text)
    if made:
        return list(range(int(made[2]))) if made[1] == "range" else [f"t{v}" for v in range(int(made[2]))]
    values = [number(v) for v in text.split(",") if v]
    return values if "," in text else values[0]


def number(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def value_of(text, rng):
    literal = re.fullmatch(r"(\w+):(.*)", text)
    if literal:
        kind, value = literal[1], literal[2]
        values = [float(v) if kind in REALS else int(v) for v in value.strip("[]").split(",")]
        return np.array(values if value.startswith("[") else values[0], {**REALS, **INTEGERS}[kind])
    kind, shape, bound = re.fullmatch(r"(\w+?)\[([\d,]*)\](?:<(.*))?", text).groups()
    shape = [int(v) for v in shape.split(",") if v]
    if kind in REALS:
        return rng.standard_normal(shape).astype(REALS[kind])
    if kind == "e":
        return (rng.standard_normal(shape) / 10).astype(np.float32)
    if kind in SPANS:
        return rng.uniform(*SPANS[kind], shape).astype(np.float32)
    if kind == "b":
        return rng.random(shape) < 0.5
    if kind == "s":
        return np.array([f"t{v}" for v in rng.integers(0, 50, shape).ravel()], object).reshape(shape)
    if kind == "c0":  # zero points of weights
        return np.zeros(shape, np.int8)
    if kind == "u4":  # corners between 0 and 1, the first before the last
        return np.concatenate([rng.uniform(0, 0.5, (shape[0], 2)), rng.uniform(0.5, 1, (shape[0], 2))], 1).astype(np.float32)
    if kind in ("rois", "boxes"):
        return boxes(kind, shape, rng)
    low, _, high = (bound or "").rpartition("..")
    spans = {"q": (0, 256), "c": (-64, 64), "h16": (-999, 999)}
    low, high = spans.get(kind, (0, 100)) if bound is None else (int(low or 0), int(high))
    return rng.integers(low, max(high, low + 1), shape).astype(INTEGERS[kind])


def boxes(kind, shape, rng):
    """Of a shape [..., n, size]: n boxes of corners in a picture of that many pixels each way; `rois` name an image before them."""
    *shape, size = shape
    first = rng.uniform(0, 0.6 * size, (*shape, 2))
    corners = np.concatenate([first, first + rng.uniform(0.1 * size, 0.4 * size, first.shape)], -1)
    return (np.concatenate([np.zeros((*shape, 1)), corners], -1) if kind == "rois" else corners).astype(np.float32)


def forest(trees, depth, features, targets, rng, leaves):
    """The attributes of full trees of a depth, their thresholds around 0."""
    inner, count = 2**depth - 1, 2**(depth + 1) - 1
    ids = np.tile(np.arange(count), trees)
    tree = np.repeat(np.arange(trees), count)
    is_leaf = ids >= inner
    n = len(ids)
    of_leaf, of_tree = ids[is_leaf], tree[is_leaf]
    made = {
        "nodes_treeids": tree, "nodes_nodeids": ids, "nodes_featureids": np.where(is_leaf, 0, rng.integers(0, features, n)),
        "nodes_values": np.where(is_leaf, 0, rng.standard_normal(n)).astype(np.float32), "nodes_truenodeids": np.where(is_leaf, 0, 2 * ids + 1),
        "nodes_falsenodeids": np.where(is_leaf, 0, 2 * ids + 2), f"{leaves}_treeids": of_tree, f"{leaves}_nodeids": of_leaf,
        f"{leaves}_ids": rng.integers(0, targets, len(of_leaf)), f"{leaves}_weights": rng.standard_normal(len(of_leaf)).astype(np.float32)}
    return {**{key: values.tolist() for key, values in made.items()}, "nodes_modes": ["LEAF" if leaf else "BRANCH_LEQ" for leaf in is_leaf],
            **({"classlabels_int64s": list(range(targets))} if leaves == "class" else {"n_targets": targets})}
