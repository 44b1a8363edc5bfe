"""Sequences, optionals, pools of regions, random draws: what the official suite has no case of."""
import itertools

import ml_dtypes
import numpy as np
from case_of import Case, awkward
from onnx import helper

TYPES = [np.float32, np.float64, np.float16, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.bool_, object]


def cases():
    for dtype in TYPES:
        yield from sequences(dtype)
    yield from concatenations()
    yield from optionals()
    yield from lp_pools()
    yield from roi_pools()
    yield from draws()
    yield from multinomials()


def sequences(dtype):
    a, b, c = awkward(dtype, 2, 3), awkward(dtype, 2, 3, seed=1), awkward(dtype, 0, 3)
    items = [a, b, c]
    yield Case("SequenceConstruct", items, [items])
    yield Case("SequenceConstruct", [a], [[a]])
    yield Case("SequenceLength", [items], [np.array(3, np.int64)])
    for k, index in itertools.product((0, 2, -1, -3), (np.int64, np.int32)):
        yield Case("SequenceAt", [items, np.array(k, index)], [items[k]])
        yield Case("SequenceErase", [items, np.array(k, index)], [[x for i, x in enumerate(items) if i != k % 3]])
    yield Case("SequenceErase", [items], [items[:2]])
    element = 8 if dtype is object else helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    yield Case("SequenceEmpty", [], [np.array(0, np.int64)], {"dtype": element}, then=("SequenceLength",))
    if dtype is np.float32:
        yield Case("SequenceEmpty", [], [np.array(0, np.int64)], then=("SequenceLength",))


def concatenations():
    for dtype in TYPES:
        a, b, c = awkward(dtype, 2, 3), awkward(dtype, 2, 3, seed=1), awkward(dtype, 2, 3, seed=2)
        for axis in (0, 1, -1, -2):
            yield Case("ConcatFromSequence", [[a, b, c]], [np.concatenate([a, b, c], axis)], {"axis": axis})
        for axis in (0, 2, -1, -3):
            yield Case("ConcatFromSequence", [[a, b, c]], [np.stack([a, b, c], axis)], {"axis": axis, "new_axis": 1})
    lengths = [awkward(np.float32, n, 2, seed=n) for n in (1, 0, 3)]
    yield Case("ConcatFromSequence", [lengths], [np.concatenate(lengths)], {"axis": 0})
    yield Case("ConcatFromSequence", [lengths[:1]], [lengths[0]], {"axis": 1})


def optionals():
    for dtype in (np.float32, np.int64, np.bool_, object):
        x = awkward(dtype, 2, 2)
        wraps = {"disputes": {"reference": "puts what is given into a list"}}
        yield Case("Optional", [x], [x], then=("OptionalGetElement",), opset=18, **wraps)
        yield Case("Optional", [x], [np.array(True)], then=("OptionalHasElement",), opset=18)
        yield Case("Optional", [[x, x]], [[x, x]], then=("OptionalGetElement",), opset=18, **wraps)
        element = 8 if dtype is object else helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        for of in (helper.make_tensor_type_proto(element, None), helper.make_sequence_type_proto(helper.make_tensor_type_proto(element, None))):
            yield Case("Optional", [], [np.array(False)], {"type": of}, then=("OptionalHasElement",), opset=18, disputes={"reference": "says that nothing is something"})


def lp_pools():
    for dtype, shape, p in itertools.product((np.float32, np.float64, np.float16, ml_dtypes.bfloat16), ((2, 3, 4), (1, 2, 3, 5), (2, 1, 2, 3, 2), (1, 1, 1, 1), (0, 2, 3, 3)), (None, 1, 2, 3)):
        x = np.random.default_rng(p or 0).standard_normal(shape).astype(dtype)
        if x.size > 8:
            x[0, 0].reshape(-1)[0] = np.inf if p == 1 else -0.0
        y = np.abs(x.astype(np.float64)).reshape(*shape[:2], int(np.prod(shape[2:])))
        expected = ((y ** (p or 2)).sum(-1) ** (1 / (p or 2))).astype(dtype).reshape(*shape[:2], *[1] * (len(shape) - 2))
        yield Case("GlobalLpPool", [x], [expected], {} if p is None else {"p": p}, opset=22 if dtype is ml_dtypes.bfloat16 else 21, alone=dtype in (np.float64, ml_dtypes.bfloat16))


def roi_pools():
    for dtype, (shape, pooled), scale in itertools.product((np.float32, np.float64, np.float16), (((2, 3, 6, 7), (2, 2)), ((1, 1, 5, 5), (3, 1)), ((1, 2, 4, 4), (1, 6))), (1.0, 0.5)):
        x = awkward(np.float32, *shape).astype(dtype) if dtype is np.float32 else np.random.default_rng(1).standard_normal(shape).astype(dtype)
        x = np.nan_to_num(x, nan=0.5)
        rois = np.array([[0, 0, 0, 3, 3], [shape[0] - 1, 1, 2, 6, 4], [0, 3, 3, 3, 3], [0, 2, 2, 1, 1], [0, -2, -2, 20, 20]], dtype)
        yield Case("MaxRoiPool", [x, rois], [roi_pool(x, rois, pooled, scale)], {"pooled_shape": list(pooled), "spatial_scale": scale}, alone=dtype in (np.float64, ml_dtypes.bfloat16))


def roi_pool(x, rois, pooled, scale):
    """Girshick's Fast R-CNN: corners rounded, at least one pixel, bins from floor to ceiling, empty ones 0."""
    out = np.zeros((len(rois), x.shape[1], *pooled), x.dtype)
    rounded = lambda v: int(np.floor(abs(v) + 0.5) * np.sign(v))
    for n, (image, *corners) in enumerate(rois.astype(np.float64)):
        left, top, right, bottom = (rounded(c * scale) for c in corners)
        high, wide = max(bottom - top + 1, 1) / pooled[0], max(right - left + 1, 1) / pooled[1]
        for i, j in np.ndindex(*pooled):
            y0, y1 = (int(np.clip(v + top, 0, x.shape[2])) for v in (np.floor(i * high), np.ceil((i + 1) * high)))
            x0, x1 = (int(np.clip(v + left, 0, x.shape[3])) for v in (np.floor(j * wide), np.ceil((j + 1) * wide)))
            if y1 > y0 and x1 > x0:
                out[n, :, i, j] = x[int(image), :, y0:y1, x0:x1].max((1, 2))
    return out


def draws():
    """Draws differ between engines; types, shapes, moments and ranges do not."""
    n = (50, 400)
    for dtype, element in ((np.float32, 1), (np.float64, 11), (np.float16, 10), (ml_dtypes.bfloat16, 16)):
        for seed in ({}, {"seed": 7.0}):
            like = np.zeros(n, np.int32)
            opset = 22 if dtype is ml_dtypes.bfloat16 else 1
            normal, uniform = {"check": moments(3, 2, None), "opset": opset}, {"check": moments(1, 6 / 12**0.5, (-2, 4)), "opset": opset}
            yield Case("RandomNormal", [], [np.zeros(n, dtype)], {"shape": list(n), "dtype": element, "mean": 3.0, "scale": 2.0, **seed}, **normal)
            yield Case("RandomUniform", [], [np.zeros(n, dtype)], {"shape": list(n), "dtype": element, "low": -2.0, "high": 4.0, **seed}, **uniform)
            yield Case("RandomNormalLike", [like], [np.zeros(n, dtype)], {"dtype": element, "mean": 3.0, "scale": 2.0, **seed}, **normal)
            yield Case("RandomUniformLike", [like], [np.zeros(n, dtype)], {"dtype": element, "low": -2.0, "high": 4.0, **seed}, **uniform)
    yield Case("RandomNormalLike", [np.zeros(n, np.float64)], [np.zeros(n, np.float64)], check=moments(0, 1, None), opset=1)
    yield Case("RandomUniformLike", [np.zeros(n, np.float32)], [np.zeros(n, np.float32)], check=moments(0.5, 12**-0.5, (0, 1)), opset=1)
    yield Case("RandomUniform", [], [np.zeros((0, 3), np.float32)], {"shape": [0, 3]}, check=lambda outputs: None, opset=1)


def moments(mean, deviation, bounds):
    def check(outputs):
        x = np.asarray(outputs[0]).astype(np.float64).reshape(-1)
        if abs(x.mean() - mean) > 6 * deviation / len(x) ** 0.5 + 0.01 * deviation or abs(x.std() / deviation - 1) > 0.03:
            return f"mean {x.mean()} and deviation {x.std()}, expected {mean} and {deviation}"
        if bounds and (x.min() < bounds[0] or x.max() > bounds[1]):
            return f"from {x.min()} to {x.max()}, expected {bounds}"
        return None

    return check


def multinomials():
    weights = np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]])
    for dtype, element, seed in itertools.product((np.float32, np.float64, np.float16), (6, 7), ({}, {"seed": 3.0})):
        def check(outputs):
            x = np.asarray(outputs[0])
            found = np.stack([(x == k).mean(1) for k in range(3)], 1)
            return None if np.abs(found - weights).max() < 0.03 else f"frequencies {found.tolist()}, expected {weights.tolist()}"

        drawn = np.zeros((2, 5000), np.int32 if element == 6 else np.int64)
        with np.errstate(divide="ignore"):
            logits = np.log(weights).astype(dtype)
        yield Case("Multinomial", [logits], [drawn], {"sample_size": 5000, "dtype": element, **seed}, check=check, opset=7, alone=dtype is np.float64)
    yield Case("Multinomial", [np.zeros((2, 1), np.float32)], [np.zeros((2, 1), np.int32)], check=lambda outputs: None if not outputs[0].any() else "another class than the only one", opset=7)
