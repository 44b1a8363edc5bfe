"""Normalisation with what is fused to it: skips, biases, embeddings, groups."""
import numpy as np
from case import Case, draw, f64, sigmoid

SMALL_TYPES = True  # each case also with 16-bit numbers


def cases():
    for dtype in (np.float32, np.float16):
        yield from skipped(dtype)
        yield from simplified(dtype)
        yield from embedded(dtype)
        yield from grouped(dtype)


def normal(x, epsilon, centred=True, axis=-1):
    mean = x.mean(axis, keepdims=True) if centred else 0 * x.mean(axis, keepdims=True)
    inverse = 1 / np.sqrt(((x - mean) ** 2).mean(axis, keepdims=True) + epsilon)
    return (x - mean) * inverse, mean, inverse


def skipped(dtype):
    for shape, skip_shape in (((2, 3, 5), (2, 3, 5)), ((2, 3, 5), (1, 3, 5)), ((2, 3, 5), (3, 5)), ((4, 7), (4, 7)), ((1, 1, 33), (1, 1, 33))):
        x, skip, gamma, beta, bias = draw(1, *shape, dtype=dtype), draw(2, *skip_shape, dtype=dtype), draw(3, shape[-1], dtype=dtype), draw(4, shape[-1], dtype=dtype), draw(5, shape[-1], dtype=dtype)
        for b in (bias, None):
            s = f64(x) + f64(skip) + (0 if b is None else f64(b))
            for epsilon in (1e-12, 0.1):
                y, mean, inverse = normal(s, epsilon)
                attributes = {"epsilon": epsilon}
                yield Case("SkipLayerNormalization", [x, skip, gamma, beta, b], [y * f64(gamma) + f64(beta), None, None, s], attributes)
                yield Case("SkipLayerNormalization", [x, skip, gamma, None, b], [y * f64(gamma)], attributes)
                yield Case("SkipLayerNormalization", [x, skip, gamma, beta, b], [y * f64(gamma) + f64(beta), mean, inverse, s], attributes, types=[dtype, np.float32, np.float32, dtype], tolerance=6e-3 if dtype == np.float16 else 0)
                plain, _, inverse = normal(s, epsilon, centred=False)
                yield Case("SkipSimplifiedLayerNormalization", [x, skip, gamma, b], [plain * f64(gamma), None, None, s], attributes)


def simplified(dtype):
    x = draw(6, 2, 3, 4, dtype=dtype)
    for axis in (-1, 1, 2):
        scale = draw(7, *x.shape[axis:], dtype=dtype)
        plain, _, inverse = normal(f64(x), 1e-5, centred=False, axis=tuple(range(axis % 3, 3)))
        yield Case("SimplifiedLayerNormalization", [x, scale], [plain * f64(scale)], {"axis": axis}, domain="")
        yield Case("SimplifiedLayerNormalization", [x, scale], [plain * f64(scale), inverse], {"axis": axis}, domain="", types=[dtype, np.float32])


def embedded(dtype):
    if dtype != np.float32:
        return
    rng = np.random.default_rng(8)
    ids, segments, positions = rng.integers(0, 9, (2, 3)).astype(np.int32), rng.integers(0, 2, (2, 3)).astype(np.int32), rng.integers(0, 5, (2, 3)).astype(np.int32)
    words, places, parts, gamma, beta = draw(9, 9, 4), draw(10, 5, 4), draw(11, 2, 4), draw(12, 4), draw(13, 4)
    mask = np.array([[1, 1, 0], [1, 1, 1]], np.int32)
    for s, p, m in ((segments, None, None), (None, None, mask), (segments, positions, mask), (segments, positions[:1], None)):
        total = f64(words)[ids] + f64(places)[np.arange(3) if p is None else p] + (0 if s is None else f64(parts)[s])
        y = normal(total, 1e-12)[0] * f64(gamma) + f64(beta)
        kept = np.zeros(2, np.int32) if m is None else m.sum(1).astype(np.int32)
        yield Case("EmbedLayerNormalization", [ids, s, words, places, None if s is None else parts, gamma, beta, m, p], [y, kept, total])


def grouped(dtype):
    for last in (1, 0):
        x, skip, bias, gamma, beta = (draw(14 + i, *shape, dtype=dtype) for i, shape in enumerate(((2, 3, 2, 6), (2, 3, 2, 6), (6,), (6,), (6,))))
        per_channel = draw(20, 2, 6, dtype=dtype)
        for activation in (0, 1):
            def answer(image):
                n, _, _, c = image.shape
                rows = image.reshape(n, -1, 3, c // 3).transpose(0, 2, 1, 3).reshape(n, 3, -1)
                y = normal(rows, 1e-5)[0].reshape(n, 3, -1, c // 3).transpose(0, 2, 1, 3).reshape(image.shape) * f64(gamma) + f64(beta)
                y = y * sigmoid(y) if activation else y
                return y if last else y.transpose(0, 3, 1, 2)

            laid = lambda a: np.ascontiguousarray(a if last else a.transpose(0, 3, 1, 2))
            attributes = {"groups": 3, "activation": activation, "channels_last": last, "epsilon": 1e-5}
            yield Case("GroupNorm", [laid(x), gamma, beta], [answer(f64(x))], attributes, engine=False)
            s = f64(x) + f64(skip) + f64(bias)
            yield Case("SkipGroupNorm", [laid(x), gamma, beta, laid(skip), bias], [answer(s), laid(s)], attributes, engine=False)
            s = f64(x) + f64(per_channel)[:, None, None]
            yield Case("SkipGroupNorm", [laid(x), gamma, beta, per_channel], [answer(s)], attributes, engine=False)
