"""Gelu and its kin, products with what is fused to them, and other operators that are few formulas."""
import numpy as np
from case import Case, draw, f64, gelu, gelu_tanh, sigmoid, softmax

SMALL_TYPES = True  # each case also with 16-bit numbers


def cases():
    yield from activations()
    yield from products()
    yield from sums()
    yield from moved()
    yield from complex_numbers()


def activations():
    for dtype in (np.float32, np.float64, np.float16):
        for shape in ((3, 5, 7), (1,), (0, 4), (2, 33)):
            x, bias = draw(1, *shape, dtype=dtype, scale=2), draw(2, shape[-1], dtype=dtype)
            theirs = dtype != np.float64
            alpha = float(np.float32(1.702))
            loose = {"tolerance": 1e-6} if dtype == np.float64 else {}  # its constants are of single precision there
            yield Case("Gelu", [x], [gelu(f64(x))], engine=theirs)
            yield Case("QuickGelu", [x], [f64(x) * sigmoid(alpha * f64(x))])
            yield Case("QuickGelu", [x], [f64(x) * sigmoid(0.5 * f64(x))], {"alpha": 0.5})
            yield Case("BiasGelu", [x, bias], [gelu(f64(x) + f64(bias))], engine=theirs)
            yield Case("FastGelu", [x], [gelu_tanh(f64(x))], **loose)
            yield Case("FastGelu", [x, bias], [gelu_tanh(f64(x) + f64(bias))], **loose)
    x, bias = draw(3, 2, 5, 8), draw(4, 8)
    s = f64(x) + f64(bias)
    yield Case("BiasSplitGelu", [x, bias], [s[..., :4] * gelu(s[..., 4:])], engine=False)


def fused(kind, x, p):
    return {"": lambda: x, "Relu": lambda: np.maximum(x, 0), "Tanh": lambda: np.tanh(x), "Sigmoid": lambda: sigmoid(x),
            "LeakyRelu": lambda: np.where(x < 0, p[0] * x, x), "Clip": lambda: np.clip(x, p[0], p[1]),
            "HardSigmoid": lambda: np.clip(p[0] * x + p[1], 0, 1), "Elu": lambda: np.where(x < 0, p[0] * np.expm1(x), x),
            "Softplus": lambda: np.logaddexp(0, x), "ScaledTanh": lambda: p[0] * np.tanh(p[1] * x), "ThresholdedRelu": lambda: np.where(x > p[0], x, 0)}[kind]()


def products():
    for dtype in (np.float32, np.float64):
        for (a, b), attributes in matmul_forms():
            a, b = draw(5, *a, dtype=dtype), draw(6, *b, dtype=dtype)
            left, right = f64(a), f64(b)
            if attributes.get("transBatchA"):
                left = np.moveaxis(left, 0, -2)
            if attributes.get("transBatchB"):
                right = np.moveaxis(right, 0, -2)
            if attributes.get("transA") and a.ndim > 1:
                left = np.swapaxes(left, -1, -2)
            if attributes.get("transB") and b.ndim > 1:
                right = np.swapaxes(right, -1, -2)
            yield Case("FusedMatMul", [a, b], [attributes.get("alpha", 1.0) * (left @ right)], attributes)
            if not any(k.startswith("transBatch") for k in attributes):
                yield Case("TransposeMatMul", [a, b], [attributes.get("alpha", 1.0) * (left @ right)], attributes, engine=dtype == np.float32)
    a, b, c = draw(7, 3, 4), draw(8, 5, 4), draw(9, 5)
    for kind, p in (("Relu", []), ("Tanh", []), ("Sigmoid", []), ("LeakyRelu", [0.2]), ("HardSigmoid", [0.3, 0.4]), ("Elu", [0.5]), ("Softplus", []), ("ScaledTanh", [0.5, 2.0]),
                    ("ThresholdedRelu", [0.5])):
        named = {"activation": kind, "alpha": 0.5, "transB": 1, **dict(zip(("activation_alpha", "activation_beta"), p))}
        yield Case("FusedGemm", [a, b, c], [fused(kind, 0.5 * (f64(a) @ f64(b).T) + f64(c), p)], named)
        yield Case("FusedGemm", [a, b], [fused(kind, 0.5 * (f64(a) @ f64(b).T), p)], named)
    x, w, bias = draw(10, 2, 3, 5, 6), draw(11, 4, 3, 2, 3), draw(12, 4)
    plain = np.stack([[[[(f64(x)[n, :, i:i + 2, j:j + 3] * f64(w)[f]).sum() for j in range(4)] for i in range(4)] for f in range(4)] for n in range(2)])
    z = draw(13, *plain.shape)
    for kind, p in (("Relu", []), ("Tanh", []), ("Sigmoid", []), ("LeakyRelu", [0.2]), ("Clip", [-1.0, 1.5]), ("HardSigmoid", [0.3, 0.4])):
        attributes = {"activation": kind, "kernel_shape": [2, 3], **({"activation_params": p} if p else {})}
        yield Case("FusedConv", [x, w], [fused(kind, plain, p)], attributes)
        yield Case("FusedConv", [x, w, bias], [fused(kind, plain + f64(bias)[:, None, None], p)], attributes)
    yield Case("FusedConv", [x, w, bias, z], [fused("Relu", plain + f64(bias)[:, None, None] + f64(z), [])], {"activation": "Relu", "kernel_shape": [2, 3]})
    x, w, bias = draw(14, 2, 3, 4), draw(15, 4, 5), draw(16, 5)
    yield Case("GemmFastGelu", [x, w, bias], [gelu_tanh(f64(x) @ f64(w) + f64(bias))], engine=False)
    yield Case("GemmFastGelu", [x, w], [gelu_tanh(f64(x) @ f64(w))], engine=False)


def matmul_forms():
    yield ((3, 4), (4, 5)), {}
    yield ((3, 4), (5, 4)), {"transB": 1, "alpha": 0.25}
    yield ((4, 3), (4, 5)), {"transA": 1}
    yield ((2, 4, 3), (2, 5, 4)), {"transA": 1, "transB": 1, "alpha": 2.0}
    yield ((2, 1, 3, 4), (3, 4, 5)), {}
    yield ((4,), (4, 5)), {"alpha": 3.0}
    yield ((3, 4), (4,)), {"transA": 0}
    yield ((3, 2, 4), (2, 4, 5)), {"transBatchA": 1}
    yield ((2, 3, 4), (5, 2, 4)), {"transBatchB": 1, "transB": 1}
    yield ((4, 2, 3), (2, 4, 5)), {"transBatchA": 1, "transA": 1, "alpha": 0.5}
    yield ((0, 4), (4, 5)), {}


def sums():
    x, bias, skip = draw(20, 2, 5, 4), draw(21, 4), draw(22, 2, 5, 4)
    yield Case("BiasAdd", [x, bias, skip], [f64(x) + f64(bias) + f64(skip)], engine=False)
    data, inner, outer = draw(23, 2, 3, 4, 5), draw(24, 2, 1, 1, 5), draw(25, 1, 1, 4, 5)
    yield Case("BiasSoftmax", [data, inner], [softmax(f64(data) + f64(inner))], {"axis": 3, "is_inner_broadcast": 1}, engine=False)
    yield Case("BiasSoftmax", [data, outer], [softmax(f64(data) + f64(outer))], {"axis": 3, "is_inner_broadcast": 0}, engine=False)
    flat = softmax((f64(data) + f64(outer)).reshape(6, 20)).reshape(data.shape)
    yield Case("BiasSoftmax", [data, outer], [flat], {"axis": 2, "is_inner_broadcast": 0}, engine=False)
    yield Case("BiasDropout", [x, bias, skip], [f64(x) + f64(bias) + f64(skip), np.ones(x.shape, bool)], engine=False)
    yield Case("BiasDropout", [x, bias], [f64(x) + f64(bias)], engine=False)


def moved():
    x = draw(30, 3, 4)
    pads = np.array([1, 0, 0, 2], np.int64)
    yield Case("Pad", [x, pads], [np.pad(x, ((1, 0), (0, 2)))])
    yield Case("Pad", [x, pads[None], np.array([7], np.float32)], [np.pad(x, ((1, 0), (0, 2)), constant_values=7)])
    yield Case("Pad", [x.astype(np.float64), pads], [np.pad(x.astype(np.float64), ((1, 0), (0, 2)), mode="edge")], {"mode": "edge"}, engine=False)
    yield Case("Pad", [x, pads], [np.pad(x, ((1, 0), (0, 2)), mode="reflect")], {"mode": "reflect"})
    for dtype in (np.float32, np.float64, np.int16, np.int32, np.int64):
        start, limit, delta = (np.array(v, dtype) for v in (2, 11, 3))
        yield Case("Range", [start, limit, delta], [np.arange(2, 11, 3).astype(dtype)])
        yield Case("Range", [start[None], limit[None]], [np.arange(2, 11).astype(dtype)])
    square = draw(31, 2, 3, 4)
    for upper in (0, 1):
        for k in (-1, 0, 2):
            yield Case("Trilu", [square, np.array(k, np.int64)], [(np.triu if upper else np.tril)(square, k)], {"upper": upper})
    yield Case("Trilu", [np.arange(12).reshape(3, 4)], [np.triu(np.arange(12).reshape(3, 4))])
    for dtype in (np.int32, np.int64):
        yield Case("GatherND", [draw(32, 2, 3, 4), np.array([[0, 1], [1, 2]], dtype)], [draw(32, 2, 3, 4)[[0, 1], [1, 2]]])
    yield Case("GatherND", [draw(32, 2, 3, 4), np.array([[[1]], [[0]]], np.int64)], [draw(32, 2, 3, 4)[[[1], [0]]]])
    for axis in (0, 1, 2, -1):
        yield Case("ExpandDims", [x, np.array(axis, np.int32)], [np.expand_dims(x, axis)])
    ids = np.array([2, 1, 1, 3, 4, 3], np.float32)
    yield Case("Unique", [ids], [np.array([2, 1, 3, 4], np.float32), np.array([0, 1, 1, 2, 3, 2]), np.array([1, 2, 2, 1])])
    yield Case("SampleOp", [x], [x])
    table, rows = draw(33, 5, 3), np.array([[4, 0], [1, 1]], np.int64)
    yield Case("TorchEmbedding", [table, rows], [table[rows]], engine=False)
    yield Case("TorchEmbedding", [table, rows, np.array(1, np.int64)], [table[rows]], engine=False)
    image, grid = draw(34, 1, 2, 3, 4), np.clip(draw(35, 1, 2, 2, 2), -0.9, 0.9)
    px, py = (grid[..., 0].astype(float) + 1) * 4 / 2 - 0.5, (grid[..., 1].astype(float) + 1) * 3 / 2 - 0.5

    def pixel(i, j):
        inside = (i >= 0) & (i < 3) & (j >= 0) & (j < 4)
        return np.where(inside, f64(image)[0][:, np.clip(i, 0, 2), np.clip(j, 0, 3)], 0)

    i0, j0 = np.floor(py).astype(int)[0], np.floor(px).astype(int)[0]
    di, dj = py[0] - i0, px[0] - j0
    sampled = pixel(i0, j0) * (1 - di) * (1 - dj) + pixel(i0 + 1, j0) * di * (1 - dj) + pixel(i0, j0 + 1) * (1 - di) * dj + pixel(i0 + 1, j0 + 1) * di * dj
    yield Case("GridSample", [image, grid], [sampled[None]])


def complex_numbers():
    for dtype in (np.float32, np.float64):
        a, b = draw(40, 2, 3, 2, dtype=dtype), draw(41, 1, 3, 2, dtype=dtype)
        left, right = f64(a) @ [1, 1j], f64(b) @ [1, 1j]
        pair = lambda z: np.stack([z.real, z.imag], -1)
        yield Case("ComplexMul", [a, b], [pair(left * right)], engine=False)
        yield Case("ComplexMulConj", [a, b], [pair(left * right.conj())], engine=False)
        for n in (8, 6):
            signal = draw(42, 2, 3, n, dtype=dtype)
            spectrum = np.fft.rfft(f64(signal))
            yield Case("Rfft", [signal], [pair(spectrum)], {"normalized": 0, "onesided": 1, "signal_ndim": 1}, engine=False)
            yield Case("Irfft", [pair(spectrum).astype(dtype)], [f64(signal)], {"normalized": 0, "onesided": 1, "signal_ndim": 1}, engine=False)
