"""ai.onnx.ml: simple work on columns, and tables of keys."""
import itertools

import numpy as np
from case_of import NUMBERS, Case, awkward, plain

ML = {"domain": "ai.onnx.ml"}
SHAPES = [(4, 6), (1, 6), (0, 6), (6,), (7, 1)]


def cases():
    for dtype in NUMBERS:
        yield from on_numbers(dtype)
    yield from extractors()
    yield from one_hot()
    yield from category_mappers()
    yield from label_encoders()
    yield from maps()


def on_numbers(dtype):
    for shape in SHAPES:
        x, width = awkward(dtype, *shape), shape[-1]
        for threshold in (0.0, 1.5, -2.0):
            disputes = {"onnxruntime": "refuses NaN"} if dtype is np.float32 and np.isnan(x).any() else {}
            yield Case("Binarizer", [x], [(x > threshold).astype(dtype)], {"threshold": threshold}, **ML, disputes=disputes)
        if len(shape) == 2:
            offsets, scales = plain(np.float32, width, seed=1), plain(np.float32, width, seed=2)
            for offset, scale in ((offsets, scales), (offsets[:1], scales[:1])):
                yield Case("Scaler", [x], [((x.astype(np.float32) - offset) * scale).astype(np.float32)], {"offset": offset.tolist(), "scale": scale.tolist()}, **ML,
                           disputes={"reference": "answers in the input's type, the standard in float"} if dtype != np.float32 else {})
        if len(shape) == 2:
            yield from normalizers(dtype, shape)
            yield from imputers(dtype, x)
            other = awkward(dtype, shape[0], 2, seed=5)
            yield Case("FeatureVectorizer", [x, other], [np.concatenate([x, other], 1).astype(np.float32)], {"inputdimensions": [width, 2]}, **ML,
                       disputes=({"reference": "answers in the input's type, the standard in float"} if dtype != np.float32 else {})
                       | ({"onnxruntime": "ends the process"} if not len(x) else {}))


def normalizers(dtype, shape):
    x = plain(dtype, *shape, scale=3)
    if shape[0] > 1:
        x[1] = 0
    with np.errstate(all="ignore"):
        y = x.astype(np.float64)
        by = {"MAX": y.max(1, keepdims=True) if y.size else y[:, :1], "L1": np.abs(y).sum(1, keepdims=True), "L2": np.sqrt((y * y).sum(1, keepdims=True))}
    for norm, divisor in by.items():
        expected = np.where(divisor == 0, y, y / np.where(divisor == 0, 1, divisor)).astype(np.float32)
        disputes = {}
        if dtype != np.float32:
            disputes["reference"] = "answers in the input's type, the standard in float"
        elif not len(y):
            disputes["reference"] = "fails on empty tensors"
        elif norm == "MAX" and (y.max(1) != np.abs(y).max(1)).any():
            disputes["reference"] = "divides by the largest magnitude, the standard by the largest"
        yield Case("Normalizer", [x], [expected], {"norm": norm}, **ML, disputes=disputes)


def imputers(dtype, x):
    for values, one in itertools.product(([7.0, 8, 9, 10, 11, 12][:x.shape[1]], [5.0]), (True,)):
        if np.dtype(dtype).kind == "f":
            for replaced in (np.nan, float(x.reshape(-1)[1]) if x.size else 0.0, np.inf):
                hit = np.isnan(x) if np.isnan(replaced) else x == dtype(np.float32(replaced))
                yield Case("Imputer", [x], [np.where(hit, np.asarray(values, dtype), x)], {"imputed_value_floats": values, "replaced_value_float": replaced}, **ML)
        else:
            integers = [int(v) for v in values]
            yield Case("Imputer", [x], [np.where(x == 2, np.asarray(integers, dtype), x)], {"imputed_value_int64s": integers, "replaced_value_int64": 2}, **ML)


def extractors():
    for dtype in (np.float32, np.float64, np.int64, np.int32, object):
        for shape in ((3, 4), (4,), (2, 3, 4), (0, 4)):
            x = awkward(dtype, *shape)
            for index in ([0], [3, 1, 1], [2, 0, 3, 1]):
                expected = x[..., index]
                yield Case("ArrayFeatureExtractor", [x, np.array(index)], [expected if x.ndim > 1 else expected.reshape(1, -1)], {}, **ML)


def one_hot():
    for dtype in (object, np.int64, np.int32, np.float32, np.float64):
        texts = dtype is object
        for shape in ((5,), (3, 2), (0,), (1, 1)):
            flat = np.random.default_rng(3).integers(0, 4, int(np.prod(shape)))
            x = np.array([f"c{v}" for v in flat], object).reshape(shape) if texts else flat.astype(dtype).reshape(shape)
            for known in (4, 2):
                names = {"cats_strings": [f"c{k}" for k in range(known)]} if texts else {"cats_int64s": list(range(known))}
                expected = (flat.reshape(shape)[..., None] == np.arange(known)).astype(np.float32)
                yield Case("OneHotEncoder", [x], [expected], {**names, "zeros": 1}, **ML)


def category_mappers():
    names, numbers = ["a", "b", "", "\u00e4"], [5, -1, 0, 1 << 40]
    for shape in ((6,), (2, 3), (0,), (1, 2, 3)):
        n = int(np.prod(shape))
        x = np.array((["a", "\u00e4", "?", "", "b", "A"] * 2)[:n], object).reshape(shape)
        y = np.array(([5, 1 << 40, 7, 0, -1, 6] * 2)[:n], np.int64).reshape(shape)
        to_number, to_name = dict(zip(names, numbers)), dict(zip(numbers, names))
        both = {"cats_strings": names, "cats_int64s": numbers}
        for default, attribute in ((-1, {}), (-7, {"default_int64": -7})):
            yield Case("CategoryMapper", [x], [np.array([to_number.get(v, default) for v in x.reshape(-1)], np.int64).reshape(shape)], {**both, **attribute}, **ML)
        for default, attribute in (("_Unused", {}), ("none", {"default_string": "none"})):
            yield Case("CategoryMapper", [y], [np.array([to_name.get(v, default) for v in y.reshape(-1)], object).reshape(shape)], {**both, **attribute}, **ML)


def label_encoders():
    from onnx import helper

    def tensor(values, dtype):
        array = np.array(values, dtype)
        return helper.make_tensor("t", 8 if dtype is object else helper.np_dtype_to_tensor_dtype(array.dtype), array.shape, [v.encode() for v in values] if dtype is object else array)

    keys = {object: ["a", "", "b"], np.int64: [3, -1, 1 << 40], np.float32: [1.5, np.nan, 0.0], np.int32: [3, -1, 7], np.int16: [3, -1, 7], np.float64: [0.1, np.nan, 1e300]}
    values = {object: ["x", "y", "z"], np.int64: [10, 20, 1 << 50], np.float32: [0.5, 1.5, 2.5], np.int32: [10, 20, 30], np.int16: [10, 20, 30], np.float64: [0.1, 0.2, 0.3]}
    words = {object: "strings", np.int64: "int64s", np.float32: "floats"}
    for of, to in itertools.product(keys, values):
        x = np.array([*keys[of], *(["?", "a"] if of is object else [99, keys[of][0]])], of)
        found = [0, 1, 2, None, 0]
        disputes = {"reference": "finds no NaN among the keys"} if of in (np.float32, np.float64) else {}
        lists = of in words and to in words
        for default in ({object: "_Unused", np.int64: -1, np.float32: -0.0, np.int32: -1, np.int16: -1, np.float64: -0.0}[to], {object: "d", np.float32: 9.5, np.float64: 9.5}.get(to, 9)):
            expected = np.array([default if k is None else values[to][k] for k in found], to)
            if lists:
                attributes = {f"keys_{words[of]}": keys[of], f"values_{words[to]}": values[to], {object: "default_string", np.int64: "default_int64", np.float32: "default_float"}[to]: default}
                yield Case("LabelEncoder", [x], [expected], attributes, **ML, disputes=disputes)
            attributes = {"keys_tensor": tensor(keys[of], of), "values_tensor": tensor(values[to], to), "default_tensor": tensor([default], to)}
            yield Case("LabelEncoder", [x], [expected], attributes, **ML, disputes=disputes)
            yield Case("LabelEncoder", [x[:0].reshape(0, 2)], [expected[:0].reshape(0, 2)], attributes, **ML)


def maps():
    for names in ({"classlabels_strings": ["a", "b", ""]}, {"classlabels_int64s": [3, -1, 0]}):
        labels = next(iter(names.values()))
        for rows in (1, 3):
            x = awkward(np.float32, rows, 3)
            yield Case("ZipMap", [x], [[dict(zip(labels, row)) for row in x]], names, **ML)
    for value in (np.float32, object):
        given = {4: np.float32(1.5), 1: np.float32(-2), 7: np.float32(0.25)} if value is np.float32 else {4: "1.5", 1: "-2", 7: "0.25"}
        in_order = [given[k] for k in sorted(given)]
        numbers = [float(v) for v in in_order]
        for cast_to, dtype in (("TO_FLOAT", np.float32), ("TO_INT64", np.int64), ("TO_STRING", object)):
            if dtype is object and value is np.float32:
                continue  # how a number is written as text is nowhere defined
            dense = np.array(in_order if dtype is object else numbers if dtype is np.float32 else [int(v) for v in numbers]).astype(dtype)
            if value is object and dtype is np.int64:
                continue  # "1.5" is no integer
            sparse = np.array(["" if dtype is object else 0] * 9, dtype)
            sparse[sorted(given)] = dense
            for attributes, expected in (({"map_form": "DENSE"}, dense), ({"map_form": "SPARSE", "max_map": 9}, sparse)):
                yield Case("CastMap", [given], [expected.reshape(1, -1)], {"cast_to": cast_to, **attributes}, **ML, alone=value is object)
    for keys, attribute in ((["b", "a", "c"], "string_vocabulary"), ([5, 1, 9], "int64_vocabulary")):
        for dtype in (np.float32, np.float64, np.int64, object):
            if dtype is (np.int64 if isinstance(keys[0], int) else object):
                continue  # no such map in the standard's list
            given = dict(zip([keys[2], keys[0]], ["p", "q"] if dtype is object else [dtype(3), dtype(-2)]))
            expected = np.array([given.get(k, "" if dtype is object else 0) for k in keys], dtype)
            yield Case("DictVectorizer", [given], [expected.reshape(1, -1)], {attribute: keys}, **ML, alone=dtype is not np.float32,
                       disputes={"reference": "answers one axis of its own type"})
