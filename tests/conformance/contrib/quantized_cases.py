"""The operators on 8-bit codes. Formulas are in float32 and in the order in which ONNX Runtime's processors compute them: answers are
equal, not near. Weights stay within 7 bits where codes are unsigned, because kernels for old processors saturate 16-bit sums otherwise.
"""
import itertools

import ml_dtypes
import numpy as np
from case import Case

F = np.float32
SCALES = (0.1, 0.5, 0.03, 1.0, 0.0078125)


def cases():
    yield from elementwise()
    yield from tables()
    yield from pools()
    yield from products()
    yield from convolutions()
    yield from recurrent()
    yield from embeddings()
    yield from attention()
    yield from linear()


def codes(rng, dtype, *shape, bits=8):
    i = np.iinfo(dtype)
    return rng.integers(i.min >> (8 - bits), (i.max >> (8 - bits)) + 1, shape).astype(dtype)


def a_scale(rng):
    return F(rng.choice(SCALES + (rng.random() * 0.1 + 0.001,)))


def real(x, scale, zero):
    return F(scale) * (x.astype(np.int32) - np.asarray(zero).astype(np.int32)).astype(F)


def saturated(v, dtype):
    i = np.iinfo(dtype)
    return np.clip(v, i.min, i.max).astype(dtype)


def quantized(v, scale, zero, dtype):
    return saturated(np.rint(np.asarray(v, F) / F(scale)) + int(zero), dtype)


def fma(a, b, c):
    return F(np.float64(a) * np.float64(b) + np.float64(c))


def draws(n):
    """(generator, type) for n cases of each type."""
    for seed, dtype in itertools.product(range(n), (np.uint8, np.int8)):
        yield np.random.default_rng(seed), dtype


def elementwise():
    shapes = (((3, 5, 7), (3, 5, 7)), ((2, 1, 33), (4, 1)), ((1,), (70,)), ((64,), ()), ((0, 3), (3,)), ((1000,), (1000,)))
    for rng, dtype in draws(12):
        for left, right in shapes:
            a, b = codes(rng, dtype, *left), codes(rng, dtype, *right)
            za, zb, zc = (codes(rng, dtype) for _ in range(3))
            sa, sb, sc = (a_scale(rng) for _ in range(3))
            ra, rb = sa / sc, sb / sc
            total = fma(a, ra, fma(b, rb, F(zc) - (ra * F(za) + rb * F(zb))))
            yield Case("QLinearAdd", [a, sa, za, b, sb, zb, sc, zc], [saturated(np.rint(total), dtype)])
            whole = (a.astype(np.int32) - int(za)) * (b.astype(np.int32) - int(zb))
            yield Case("QLinearMul", [a, sa, za, b, sb, zb, sc, zc], [saturated(np.rint(whole.astype(F) * (sa * sb / sc) + F(zc)), dtype)])
            widened = "".join(f"w{i} = Cast<to=6>(x{i}) " for i in range(4))
            yield Case("MulInteger", [a, za, b, zb], [whole.astype(np.int32)], engine=False, standard=widened + "a = Sub(w0, w1) b = Sub(w2, w3) y0 = Mul(a, b)")
            condition = rng.random(left) < 0.5
            z = np.where(condition, quantized(real(a, sa, za), sc, zc, dtype), quantized(real(b, sb, zb), sc, zc, dtype))
            yield Case("QLinearWhere", [condition, a, sa, za, b, sb, zb, sc, zc], [z], engine=bool(left[0]))
    a = np.array([0, 1, 255, 128], np.uint8)
    # ONNX Runtime's inference refuses a missing zero point, which its schema allows.
    yield Case("QLinearAdd", [a, F(2), None, a[::-1].copy(), F(1), None, F(1), None], [np.array([128, 255, 255, 255], np.uint8)], engine=False)
    yield Case("QLinearMul", [a, F(2), None, a[::-1].copy(), F(1), None, F(1), None], [np.array([0, 255, 255, 0], np.uint8)], engine=False)
    yield Case("MulInteger", [a, None, a, None], [a.astype(np.int32) ** 2], engine=False)


def tables():
    for rng, dtype in draws(10):
        x, y = codes(rng, dtype, 2, 33, 5), codes(rng, dtype, 2, 4, 5)
        zx, zy, zz = (codes(rng, dtype) for _ in range(3))
        sx, sy, sz = (a_scale(rng) for _ in range(3))
        v, step = real(x, sx, zx), F(1 / 256)
        yield Case("QLinearSigmoid", [x, sx, zx, step, zz], [quantized(F(1 / (1 + np.exp(-v.astype(np.float64)))), step, zz, dtype)])
        for alpha in (0.01, 0.3, 1.5):
            yield Case("QLinearLeakyRelu", [x, sx, zx, sz, zz], [quantized(np.where(v >= 0, v, F(alpha) * v), sz, zz, dtype)], {"alpha": alpha})
        yield Case("QLinearConcat", [sz, zz, x, sx, zx, y, sy, zy], [quantized(np.concatenate([v, real(y, sy, zy)], 1), sz, zz, dtype)], {"axis": 1})
        yield Case("QLinearConcat", [sz, zz, y, sz, zz], [y], {"axis": -1})
        for opset, axis in ((13, 1), (13, -1), (11, 1), (12, 2)):
            rows = x.astype(np.int32)
            if opset < 13:
                rows = rows.reshape(*x.shape[:axis], -1)
                axis_of_rows = -1
            else:
                axis_of_rows = axis
            e = np.exp(-np.float64(sx) * (rows.max(axis_of_rows, keepdims=True) - rows))
            p = F(e / e.sum(axis_of_rows, keepdims=True)).reshape(x.shape)
            yield Case("QLinearSoftmax", [x, sx, zx, step, zz], [quantized(p, step, zz, dtype)], {"opset": opset, "axis": axis})


def pooled(x, kernel, pads, strides, ceil, f):
    """f(the taps inside [N, C, taps], how many there are with the padding) for every window of two axes."""
    n, c, *size = x.shape
    out = [(s + pads[i] + pads[i + 2] - kernel[i] + (strides[i] - 1 if ceil else 0)) // strides[i] + 1 for i, s in enumerate(size)]
    for i in range(2):  # the last window must begin inside
        if ceil and (out[i] - 1) * strides[i] >= size[i] + pads[i]:
            out[i] -= 1
    y = None
    for at in np.ndindex(*out):
        first = [at[i] * strides[i] - pads[i] for i in range(2)]
        last = [min(first[i] + kernel[i], size[i] + pads[i + 2]) for i in range(2)]
        inside = x[:, :, max(first[0], 0):min(last[0], size[0]), max(first[1], 0):min(last[1], size[1])].reshape(n, c, -1)
        v = f(inside, (last[0] - first[0]) * (last[1] - first[1]))
        y = np.zeros((n, c, *out), v.dtype) if y is None else y
        y[:, :, at[0], at[1]] = v
    return y


def pools():
    last = lambda x: np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    for rng, dtype in draws(6):
        x = codes(rng, dtype, 2, 3, *rng.integers(4, 9, 2))
        zx, zy, sx, sy = codes(rng, dtype), codes(rng, dtype), a_scale(rng), a_scale(rng)
        for ceil, pads, strides, padded in ((0, [0, 0, 0, 0], [1, 1], 0), (0, [1, 1, 1, 0], [2, 1], 0), (0, [1, 0, 1, 1], [2, 2], 1), (1, [0, 1, 0, 1], [2, 2], 0)):
            def average(taps, with_padding):
                total = np.zeros(taps.shape[:2], F)
                for k in range(taps.shape[2]):
                    total = total + taps[:, :, k]
                return total / F(with_padding if padded else taps.shape[2])

            y = saturated(np.rint(pooled(real(x, sx, zx), (3, 2), pads, strides, ceil, average) / sy + F(zy)), dtype)
            attributes = {"kernel_shape": [3, 2], "pads": pads, "strides": strides, "ceil_mode": ceil, "count_include_pad": padded}
            yield Case("QLinearAveragePool", [x, sx, zx, sy, zy], [y], attributes)
            yield Case("QLinearAveragePool", [last(x), sx, zx, sy, zy], [last(y)], {**attributes, "channels_last": 1})
            y = pooled(x, (3, 2), pads, strides, ceil, lambda taps, _: taps.max(2))
            del attributes["count_include_pad"]
            yield Case("NhwcMaxPool", [last(x)], [last(y)], attributes)
        n = x.shape[2] * x.shape[3]
        total = x.astype(np.int64).sum((2, 3), keepdims=True) - n * int(zx)
        y = saturated(np.rint(total.astype(F) * (sx / (sy * F(n)))) + int(zy), dtype)
        yield Case("QLinearGlobalAveragePool", [x, sx, zx, sy, zy], [y])
        yield Case("QLinearGlobalAveragePool", [last(x), sx, zx, sy, zy], [last(y)], {"channels_last": 1})
        for axes, keep in (([1], 1), ([0, -1], 0), ([0, 1, 2, 3], 1), ([3], 0)):
            at, n = tuple(axes), np.prod([x.shape[a] for a in axes])
            total = x.astype(np.int64).sum(at, keepdims=bool(keep))
            mean = F((total - n * int(zx)) * np.float64(sx) / n)
            yield Case("QLinearReduceMean", [x, sx, zx, sy, zy], [quantized(mean, sy, zy, dtype)], {"axes": axes, "keepdims": keep}, engine=False,
                       standard=f"axes = Constant<value_ints={axes}>() real = DequantizeLinear(x0, x1, x2) mean = ReduceMean<keepdims={keep}>(real, axes) y0 = QuantizeLinear(mean, x3, x4)" if sx in (0.5, 1, 0.0078125) else "")
            wide = np.uint32 if dtype == np.uint8 else np.int32
            yield Case("ReduceSumInteger", [x], [total.astype(wide)], {"axes": axes, "keepdims": keep}, engine=False,
                       standard=f"axes = Constant<value_ints={axes}>() w = Cast<to=7>(x0) sum = ReduceSum<keepdims={keep}>(w, axes) y0 = Cast<to={12 if wide == np.uint32 else 6}>(sum)")


def whole(a, za, b, zb):
    return (a.astype(np.int32) - np.asarray(za).astype(np.int32)) @ (b.astype(np.int32) - np.asarray(zb).astype(np.int32))


def products():
    for seed, (m, k, n) in enumerate(((1, 1, 1), (3, 5, 7), (17, 33, 9), (2, 64, 40), (5, 300, 3))):
        rng = np.random.default_rng(seed)
        for a_type, b_type in ((np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.int8)):
            a, b = codes(rng, a_type, m, k), codes(rng, b_type, k, n, bits=7)
            za, sa, bias = codes(rng, a_type), a_scale(rng), rng.standard_normal(n).astype(F)
            for columns in (1, n):
                zb, sb = (codes(rng, b_type, n, bits=7), (rng.random(n) * 0.1).astype(F)) if columns == n else (codes(rng, b_type, bits=7), a_scale(rng))
                v = whole(a, za, b, zb).astype(F) * (sa * sb)
                yield Case("MatMulIntegerToFloat", [a, b, sa, sb, za, zb, bias], [v + bias], tolerance=1e-6, types=[F])
                yield Case("MatMulIntegerToFloat", [a, b, sa, sb, None, zb], [whole(a, 0, b, zb).astype(F) * (sa * sb)], tolerance=1e-6, types=[F])
                half = [np.asarray(v).astype(np.float16) for v in (sa, sb, bias)]
                v = whole(a, za, b, zb).astype(F) * (half[0].astype(F) * half[1].astype(F)) + half[2].astype(F)
                yield Case("MatMulIntegerToFloat", [a, b, *half[:2], za, zb, half[2]], [np.where(abs(v) < 65520, v, np.copysign(np.inf, v))], types=[np.float16], engine=False)
                yield from gemm(rng, a, sa, za, b, sb, zb)
                standard = {"domain": "", "types": [np.int32]}
                yield Case("MatMulInteger", [a, b, za, zb], [whole(a, za, b, zb)], **standard)
                stacked = codes(rng, a_type, 2, m, k)
                yield Case("MatMulInteger", [stacked, b, za, zb], [whole(stacked, za, b, zb)], **standard)
                rows = codes(rng, a_type, m)
                yield Case("MatMulInteger", [a, b, rows, zb], [whole(a, rows[:, None], b, zb)], engine=False, **standard)
            x = rng.standard_normal((2, m, k)).astype(F) * F(rng.choice([0.01, 1, 100]))
            step, zero = dynamic(x)
            v = whole(quantized(x, step, zero, np.uint8), zero, b, zb).astype(F) * (step * sb)
            yield Case("DynamicQuantizeMatMul", [x, b, sb, zb, bias], [v + bias], tolerance=1e-6, types=[F])
            v = whole(quantized(x, step, zero, np.uint8), zero, b, 0).astype(F) * (step * F(0.25))
            yield Case("DynamicQuantizeMatMul", [x, b, F(0.25)], [v], tolerance=1e-6, types=[F])
    yield Case("DynamicQuantizeMatMul", [np.zeros((2, 3), F), codes(np.random.default_rng(0), np.int8, 3, 2), F(1)], [np.zeros((2, 2))], types=[F])
    a, b = (np.random.default_rng(1).integers(-32768, 32768, s).astype(np.int16) for s in ((2, 3, 5), (5, 4)))
    yield Case("MatMulInteger16", [a, b], [(a.astype(np.int64) @ b.astype(np.int64)).astype(np.int32)])
    yield Case("MatMulInteger16", [a.view(np.uint16), b.view(np.uint16)], [(a.view(np.uint16).astype(np.int64) @ b.view(np.uint16).astype(np.int64)).astype(np.uint32)], engine=False)


def dynamic(x):
    low, high = min(x.min(), F(0)), max(x.max(), F(0))
    step = (high - low) / F(255) if high != low else F(1)
    return step, np.uint8(np.rint(np.clip(-low / step, 0, 255)))


def gemm(rng, a, sa, za, b, sb, zb):
    m, n = a.shape[0], b.shape[1]
    if a.dtype == np.int8 and b.dtype != np.int8:
        return
    for alpha, c in ((1.0, None), (0.3, rng.integers(-999, 999, n).astype(np.int32)), (2.0, rng.integers(-999, 999, (m, 1)).astype(np.int32))):
        for turn_a, turn_b in ((0, 0), (1, 1)):
            total = whole(a, za, b, zb) + (0 if c is None else c)
            left, right = (np.ascontiguousarray(x.T) if turn else x for x, turn in ((a, turn_a), (b, turn_b)))
            attributes = {"alpha": alpha, "transA": turn_a, "transB": turn_b}
            # ONNX Runtime takes columns of its own B alone: with several zero points only as it lies
            engine = not (turn_b and np.ndim(zb)) and not (c is not None and c.ndim == 2)
            ratio = F(alpha) * sa * sb
            yield Case("QGemm", [left, sa, za, right, sb, zb, c], [total.astype(F) * ratio], attributes, types=[F], tolerance=1e-6, engine=engine)
            sy, zy = F(rng.random() * 30 + 1), codes(rng, a.dtype)
            y = saturated(np.rint(total.astype(F) * (ratio / sy)) + int(zy), a.dtype)
            yield Case("QGemm", [left, sa, za, right, sb, zb, c, sy, zy], [y], attributes, engine=engine)


def convolved(x, w, strides, pads, dilations, group):
    n, c, h, v = x.shape
    m, each, p, q = w.shape
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    rows, columns = ((x.shape[2 + i] - (k - 1) * dilations[i] - 1) // strides[i] + 1 for i, k in enumerate((p, q)))
    y = np.zeros((n, m, rows, columns), x.dtype)
    for i, j in np.ndindex(p, q):
        part = x[:, :, i * dilations[0]:, j * dilations[1]:][:, :, :(rows - 1) * strides[0] + 1:strides[0], :(columns - 1) * strides[1] + 1:strides[1]]
        for g in range(group):
            f = slice(g * m // group, (g + 1) * m // group)
            y[:, f] += np.einsum("nchw,mc->nmhw", part[:, g * each:(g + 1) * each], w[f, :, i, j])
    return y


def convolutions():
    last = lambda x: np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    forms = (([1, 1], [0, 0, 0, 0], [1, 1], 1), ([2, 1], [1, 0, 1, 2], [1, 1], 1), ([1, 1], [1, 1, 1, 1], [2, 1], 2), ([1, 2], [1, 1, 1, 1], [1, 1], 4))
    for rng, dtype in draws(3):
        for strides, pads, dilations, group in forms:
            x, w = codes(rng, dtype, 2, 4, 7, 8), codes(rng, dtype, 8, 4 // group, 3, 2, bits=7)
            zx, zy, sx, sy = codes(rng, dtype), codes(rng, dtype), a_scale(rng), F(rng.random() * 20 + 0.5)
            bias = rng.integers(-999, 999, 8).astype(np.int32)
            attributes = {"strides": strides, "pads": pads, "dilations": dilations, "group": group}
            for each, b in ((True, bias), (False, None)):
                sw = (rng.random(8) * 0.1).astype(F) if each else a_scale(rng)
                zw = codes(rng, dtype, bits=7)
                total = convolved(x.astype(np.int32) - int(zx), w.astype(np.int32) - int(zw), strides, pads, dilations, group)
                total = total + (0 if b is None else b[:, None, None])
                ratio = np.broadcast_to(sx * sw / sy, (8,))[:, None, None]
                y = saturated(np.rint(total.astype(F) * ratio) + int(zy), dtype)
                yield Case("QLinearConv", [x, sx, zx, w, sw, zw, sy, zy, b], [y], attributes)
                yield Case("QLinearConv", [last(x), sx, zx, w, sw, zw, sy, zy, b], [last(y)], {**attributes, "channels_last": 1})
    rng = np.random.default_rng(9)
    for strides, pads, dilations, group in forms:
        attributes = {"strides": strides, "pads": pads, "dilations": dilations, "group": group}
        for dtype in (np.float32, np.float64, np.float16):
            x, w, b = (rng.standard_normal(s).astype(dtype) for s in ((2, 4, 7, 8), (8, 4 // group, 3, 2), (8,)))
            y = convolved(x.astype(np.float64), w.astype(np.float64), strides, pads, dilations, group)
            given = f"<strides={strides}, pads={pads}, dilations={dilations}, group={group}>"
            of = lambda conv, end="": "" if dtype != np.float32 else f"a = Transpose<perm=[0, 3, 1, 2]>(x0) b = Conv{given}({conv}) c = Transpose<perm=[0, 2, 3, 1]>(b) {end or 'y0 = Identity(c)'}"
            yield Case("NhwcConv", [last(x), w], [last(y)], attributes, engine=False, standard=of("a, x1"))
            y = y + b.astype(np.float64)[:, None, None]
            yield Case("NhwcConv", [last(x), w, b], [last(y)], attributes, engine=False, standard=of("a, x1, x2"))
            if dtype == np.float64:
                continue
            z = rng.standard_normal(y.shape).astype(dtype)
            yield Case("NhwcFusedConv", [last(x), w, b, last(z)], [last(np.maximum(y + z, 0))], {**attributes, "activation": "Relu"}, engine=False, standard=of("a, x1, x2", "d = Add(c, x3) y0 = Relu(d)"))
            yield Case("NhwcFusedConv", [last(x), w, b], [last(np.clip(y, -0.5, 2))], {**attributes, "activation": "Clip", "activation_params": [-0.5, 2.0]}, engine=False)
            yield Case("NhwcFusedConv", [last(x), w], [last(y - b.astype(np.float64)[:, None, None])], attributes, engine=False)
    x, w, b = (rng.standard_normal(s).astype(F) for s in ((2, 3, 4), (3, 2, 3), (2,)))
    for pads, stride in (([0, 0], 1), ([1, 0], 2), ([1, 2], 3)):
        y = np.zeros((2, 2, 3 * stride + 3))
        for i in range(4):
            y[:, :, i * stride:i * stride + 3] += np.einsum("nc,cmk->nmk", x[:, :, i].astype(np.float64), w.astype(np.float64))
        y = y[:, :, pads[0]:y.shape[2] - pads[1]]
        yield Case("ConvTransposeWithDynamicPads", [x, w, np.array(pads, np.int64), b], [y + b[:, None].astype(np.float64)], {"strides": [stride], "kernel_shape": [3]})


def recurrent():
    """Codes of the hidden state that a last bit moves differ by a step: the tolerance is that of 8 bits."""
    sigmoid = lambda v: 1 / (1 + np.exp(-v))
    for seed, (direction, each, peepholes, given) in enumerate(itertools.product(("forward", "reverse", "bidirectional"), (0, 1), (0, 1), (0, 1))):
        rng, d, steps, batch, inputs, hidden = np.random.default_rng(seed), 1 + (direction == "bidirectional"), 4, 2, 3, 5
        dtype = (np.uint8, np.int8)[seed % 2]
        x = rng.standard_normal((steps, batch, inputs)).astype(F)
        w, r = codes(rng, dtype, d, inputs, 4 * hidden, bits=7), codes(rng, dtype, d, hidden, 4 * hidden, bits=7)
        shape = (d, 4 * hidden) if each else (d,)
        sw, sr = ((rng.random(shape) * 0.02 + 0.001).astype(F) for _ in range(2))
        zw, zr = (codes(rng, dtype, *shape, bits=7) for _ in range(2))
        if each and given:
            zw, zr = 0 * zw, 0 * zr  # ONNX Runtime takes no other zero points of columns
        bias = rng.standard_normal((d, 8 * hidden)).astype(F) if given else None
        first = [rng.standard_normal((d, batch, hidden)).astype(F) for _ in range(2)] if given else [None, None]
        p = rng.standard_normal((d, 3 * hidden)).astype(F) if peepholes else None
        y, ends = np.zeros((steps, d, batch, hidden)), ([], [])
        for k in range(d):
            weights = [(v[k].astype(np.int32) - np.asarray(z[k]).astype(np.int32)) * np.float64(s[k]) for v, z, s in ((w, zw, sw), (r, zr, sr))]
            h, c = (np.zeros((batch, hidden)) if v is None else v[k].astype(np.float64) for v in first)
            times = range(steps) if direction == "forward" or (d == 2 and k == 0) else range(steps - 1, -1, -1)
            by_x = through_codes(x) @ weights[0]
            for t in times:
                gates = by_x[t] + through_codes(h.astype(F)) @ weights[1] + (0 if bias is None else bias[k][:4 * hidden] + bias[k][4 * hidden:].astype(np.float64))
                i, o, f, g = np.split(gates, 4, 1)
                pi, po, pf = (0, 0, 0) if p is None else np.split(p[k].astype(np.float64), 3)
                i, f = sigmoid(i + pi * c), sigmoid(f + pf * c)
                c = f * c + i * np.tanh(g)
                h = sigmoid(o + po * c) * np.tanh(c)
                y[t, k] = h
            ends[0].append(h), ends[1].append(c)
        inputs_of = [x, w, r, bias, None, *first, p, sw, zw, sr, zr]
        yield Case("DynamicQuantizeLSTM", inputs_of, [y, np.stack(ends[0]), np.stack(ends[1])], {"direction": direction, "hidden_size": hidden}, tolerance=8e-3, types=[F] * 3, engine=not each or bool(given))


def through_codes(x):
    step, zero = dynamic(x)
    return np.float64(step) * (quantized(x, step, zero, np.uint8).astype(np.int32) - int(zero))


def embeddings():
    for rng, dtype in draws(2):
        tables = [codes(rng, dtype, n, 6) for n in (9, 5, 2)] + [codes(rng, dtype, 6), codes(rng, dtype, 6)]
        scales, zeros = [a_scale(rng) for _ in range(5)], [codes(rng, dtype) for _ in range(5)]
        word, place, part, gamma, beta = (real(t, s, z).astype(np.float64) for t, s, z in zip(tables, scales, zeros))
        ids, parts = rng.integers(0, 9, (2, 4)).astype(np.int32), rng.integers(0, 2, (2, 4)).astype(np.int32)
        mask = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], np.int32)
        for segments, m in ((True, mask), (False, mask), (True, None)):
            v = word[ids] + place[:4] + (part[parts] if segments else 0)
            centred = v - v.mean(-1, keepdims=True)
            y = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * gamma + beta
            keep = lambda i, x: x if i != 2 or segments else None
            yield Case("QEmbedLayerNormalization", [ids, parts if segments else None, *(keep(i, t) for i, t in enumerate(tables)), m,
                                                    *(keep(i, s) for i, s in enumerate(scales)), *(keep(i, z) for i, z in enumerate(zeros))],
                       [y, np.zeros(2, np.int32) if m is None else m.sum(1).astype(np.int32)], types=[F, np.int32])


def attention():
    heads, hidden, inner = 2, 6, 5
    for rng, (a_type, b_type) in ((np.random.default_rng(s), t) for s, t in enumerate(((np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.int8)))):
        x, w, bias = codes(rng, a_type, 2, 4, inner), codes(rng, b_type, inner, 3 * hidden, bits=7), rng.standard_normal(3 * hidden).astype(F)
        zx, zw, sx = codes(rng, a_type), codes(rng, b_type, bits=7), F(0.02)
        for causal, columns in itertools.product((0, 1), (False, True)):
            sw = (rng.random(3 * hidden) * 0.05).astype(F) if columns else F(0.03)
            zs = codes(rng, b_type, 3 * hidden, bits=7) if columns else zw
            qkv = real(x, sx, zx).astype(np.float64) @ ((w.astype(np.int32) - zs.astype(np.int32)) * sw.astype(np.float64)) + bias
            q, k, v = (part.reshape(2, 4, heads, -1).transpose(0, 2, 1, 3) for part in np.split(qkv, 3, -1))
            scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(hidden / heads)
            if causal:
                scores = np.where(np.tri(4, dtype=bool), scores, -np.inf)
            e = np.exp(scores - scores.max(-1, keepdims=True))
            y = (e / e.sum(-1, keepdims=True) @ v).transpose(0, 2, 1, 3).reshape(2, 4, hidden)
            yield Case("QAttention", [x, w, bias, sx, sw, None, zx, zs], [y], {"num_heads": heads, "unidirectional": causal}, engine=a_type == np.uint8, types=[F], tolerance=1e-4)


def linear():
    rng = np.random.default_rng(3)
    x = (rng.standard_normal((3, 5, 4)) * 40).astype(F)
    for dtype in (np.uint8, np.int8, np.uint16, np.int16):
        i = np.iinfo(dtype)
        step, zero = F(0.01), np.array((i.max + i.min) // 2 + 3, dtype)
        q = saturated(np.rint(x / step) + int(zero), dtype)
        yield Case("QuantizeLinear", [x, step, zero], [q])
        yield Case("DequantizeLinear", [q, step, zero], [real(q, step, zero)], types=[F])
        steps, zeros = (rng.random(5) + 0.1).astype(F), rng.integers(i.min, i.max, 5).astype(dtype)
        q = saturated(np.rint(x / steps[:, None]) + zeros.astype(np.int32)[:, None], dtype)
        yield Case("QuantizeLinear", [x, steps, zeros], [q], {"axis": 1})
        yield Case("DequantizeLinear", [q, steps, zeros], [(q.astype(np.int32) - zeros.astype(np.int32)[:, None]).astype(F) * steps[:, None]], {"axis": 1}, types=[F])
    for dtype, low, high in ((ml_dtypes.int4, -8, 7), (ml_dtypes.uint4, 0, 15)):
        q = np.clip(np.rint(x / F(7)) + 3, low, high)
        yield Case("QuantizeLinear", [x, F(7), np.array(3, dtype)], [q.astype(dtype)], engine=False)
        yield Case("DequantizeLinear", [q.astype(dtype), F(7), np.array(3, dtype)], [(q - 3) * 7], types=[F], engine=False)
    half = (x / 8).astype(np.float16)
    yield Case("QuantizeLinear", [half, np.float16(0.25), np.uint8(100)], [saturated(np.rint(half.astype(F) / F(0.25)) + 100, np.uint8)], engine=False)
    yield Case("DequantizeLinear", [np.arange(9, dtype=np.uint8), np.float16(0.25), np.uint8(4)], [(np.arange(9) - 4) * 0.25], types=[np.float16], engine=False)
    yield Case("QuantizeLinear", [x, F(0.5), None], [saturated(np.rint(x / F(0.5)), np.uint8)])
    yield Case("DequantizeLinear", [x.astype(np.int32), F(0.5), None], [x.astype(np.int32) * 0.5], types=[F])
