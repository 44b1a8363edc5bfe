"""Products with packed weights, and rows gathered from packed tables: every width of code, zero points in every form, odd sizes."""
import itertools

import ml_dtypes
import numpy as np
from case import Case

F = np.float32


def cases():
    yield from n_bits()
    yield from bnb4()
    yield from gathered()
    yield from experts()


def packed(codes, bits):
    """Along the last axis, the low bits of a byte first; the rest of the last byte is 0."""
    each = 8 // bits
    codes = np.pad(codes, [(0, 0)] * (codes.ndim - 1) + [(0, -codes.shape[-1] % each)]).astype(np.uint8)
    parts = codes.reshape(*codes.shape[:-1], -1, each)
    return sum((parts[..., i] << (i * bits) for i in range(each)), np.zeros(parts.shape[:-1], np.uint8)).astype(np.uint8)


def n_bits():
    sizes = ((1, 32, 3, 16), (2, 33, 5, 16), (5, 100, 7, 32), (1, 256, 4, 256), (3, 70, 2, 64), (17, 129, 9, 32))
    for bits, (m, k, n, block) in itertools.product((2, 4, 8), sizes):
        rng = np.random.default_rng(k * bits)
        blocks = -(-k // block)
        codes = rng.integers(0, 1 << bits, (n, blocks, block))
        codes[:, -1, k - (blocks - 1) * block:] = 0
        scales, x, bias = rng.standard_normal((n, blocks)).astype(F) * F(0.1), rng.standard_normal((m, k)).astype(F), rng.standard_normal(n).astype(F)
        b, attributes = packed(codes, bits), {"K": k, "N": n, "bits": bits, "block_size": block}
        zero_codes, zero_reals = rng.integers(0, 1 << bits, (n, blocks)), (rng.random((n, blocks)) * (1 << bits)).astype(F)
        for zeros, zero in ((None, np.full((n, blocks), 1 << (bits - 1))), (packed(zero_codes, bits), zero_codes), (zero_reals, zero_reals.astype(np.float64))):
            w = ((codes - zero[:, :, None]) * scales.astype(np.float64)[:, :, None]).reshape(n, -1)[:, :k]
            y = x.astype(np.float64) @ w.T
            engine = bits == 4 or zeros is None or zeros.dtype == np.uint8  # it takes zero points that are no codes for 4 bits alone
            yield Case("MatMulNBits", [x, b, scales, zeros], [y], attributes, types=[F], engine=engine, tolerance=1e-4)
            yield Case("MatMulNBits", [x.reshape(m, 1, k), b, scales, zeros, None, bias], [(y + bias)[:, None]], attributes, types=[F], engine=engine, tolerance=1e-4)
        for level in (1, 4):  # the answer is that of level 1 whatever is allowed; ONNX Runtime's of level 4 is less exact
            yield Case("MatMulNBits", [x, b, scales, packed(zero_codes, bits)], [x.astype(np.float64) @ ((codes - zero_codes[:, :, None]) * scales.astype(np.float64)[:, :, None]).reshape(n, -1)[:, :k].T],
                       {**attributes, "accuracy_level": level}, types=[F], engine=level == 1, tolerance=1e-4)
        for small, tolerance in ((np.float16, 1e-2), (ml_dtypes.bfloat16, 6e-2)):
            a, s, c = (v.astype(small) for v in (x, scales, bias))
            w = ((codes - (1 << (bits - 1))) * s.astype(np.float64)[:, :, None]).reshape(n, -1)[:, :k]
            y = a.astype(np.float64) @ w.T + c.astype(np.float64)
            yield Case("MatMulNBits", [a, b, s, None, None, c], [y], attributes, types=[small], engine=False, tolerance=tolerance)
        order = rng.integers(0, blocks, k).astype(np.int32)
        flat = codes.reshape(n, -1)[:, :k]
        w = (flat - zero_codes[:, order]) * scales.astype(np.float64)[:, order]
        yield Case("MatMulNBits", [x, b, scales, packed(zero_codes, bits), order], [x.astype(np.float64) @ w.T], attributes, types=[F], engine=False, tolerance=1e-4)
    x, bias = np.ones((2, 16), F), np.arange(3).astype(F)
    attributes = {"K": 16, "N": 3, "block_size": 16}
    yield Case("MatMulNBits", [x, np.zeros((3, 0, 8), np.uint8), np.zeros((3, 0), F), None, None, bias], [np.stack([bias, bias])], attributes, types=[F])


NF4 = (-1, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.09105004, 0, 0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1)
FP4 = (0, 0.005208333, 2 / 3, 1, 1 / 3, 0.5, 1 / 6, 0.25)


def bnb4():
    for kind, (m, k, n, block) in itertools.product((0, 1), ((1, 16, 3, 16), (3, 48, 5, 32), (2, 64, 7, 64), (5, 128, 4, 16))):
        rng = np.random.default_rng(k + kind)
        table = np.array(NF4 if kind else FP4 + tuple(-v for v in FP4))
        codes, x = rng.integers(0, 16, n * k), rng.standard_normal((2, m, k)).astype(F)
        absmax = (rng.random(-(-n * k // block)) + 0.1).astype(F)
        both = np.pad(codes, (0, n * k % 2)).reshape(-1, 2)
        b = (both[:, 0] << 4 | both[:, 1]).astype(np.uint8)
        w = (table[codes] * absmax.astype(np.float64)[np.arange(n * k) // block]).reshape(n, k)
        attributes = {"K": k, "N": n, "block_size": block, "quant_type": kind}
        yield Case("MatMulBnb4", [x, b, absmax], [x.astype(np.float64) @ w.T], attributes, types=[F], tolerance=1e-4)
        back = rng.standard_normal((m, n)).astype(F)
        yield Case("MatMulBnb4", [back, b, absmax], [back.astype(np.float64) @ w], {**attributes, "transB": 0}, types=[F], tolerance=1e-4, engine=False)


def gathered():
    rng = np.random.default_rng(5)
    for bits, (rows, inner, columns, block), real in itertools.product((2, 4, 8), ((7, 3, 32, 16), (4, 1, 48, 32), (5, 2, 16, 64)), (np.float32, np.float16, ml_dtypes.bfloat16)):
        codes, blocks = rng.integers(0, 1 << bits, (rows, inner, columns)), -(-columns // block)
        scales, zeros = rng.standard_normal((rows, inner, blocks)).astype(real), rng.integers(0, 1 << bits, (rows, inner, blocks))
        spread = lambda v: np.repeat(v, block, -1)[..., :columns].astype(np.float64)
        for kind, shape in ((np.int32, (3,)), (np.int64, (2, 2))):
            indices = rng.integers(-rows, rows, shape).astype(kind)
            attributes = {"bits": bits, "block_size": block, "quantize_axis": 2}
            w = (codes - spread(zeros)) * spread(scales)
            yield Case("GatherBlockQuantized", [packed(codes, bits), indices, scales, packed(zeros, bits)], [w[indices]], attributes, types=[real], constants=(0, 2, 3), engine=real != ml_dtypes.bfloat16)
            w = (codes - (1 << (bits - 1))) * spread(scales)
            yield Case("GatherBlockQuantized", [packed(codes, bits), indices, scales], [w[indices]], attributes, types=[real], constants=(0, 2), engine=real != ml_dtypes.bfloat16)
    for kind, low, gather, axis in itertools.product((ml_dtypes.int4, ml_dtypes.uint4), (0,), (0, 1, 2), (0, 1, 2)):
        shape, signed = [20, 18, 33], kind == ml_dtypes.int4
        codes = rng.integers(-8 if signed else 0, 8 if signed else 16, shape)
        blocks = [-(-s // 16) if i == axis else s for i, s in enumerate(shape)]
        scales, zeros = rng.standard_normal(blocks).astype(F), rng.integers(-8 if signed else 0, 8 if signed else 16, blocks)
        spread = lambda v: np.take(np.repeat(v, 16, axis), np.arange(shape[axis]), axis).astype(np.float64)
        indices = np.array([[3, -1], [0, 17]], np.int64)
        attributes = {"block_size": 16, "quantize_axis": axis, "gather_axis": gather}
        w = (codes - spread(zeros)) * spread(scales)
        yield Case("GatherBlockQuantized", [codes.astype(kind), indices, scales, zeros.astype(kind)], [np.take(w, indices, gather)], attributes, types=[F], constants=(0, 2, 3))
        w = codes * spread(scales)
        yield Case("GatherBlockQuantized", [codes.astype(kind), indices, scales], [np.take(w, indices, gather)], attributes, types=[F], constants=(0, 2))
    for kind in (ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, ml_dtypes.float4_e2m1fn):
        table = rng.standard_normal((6, 40)).astype(kind)
        values, indices = table.astype(np.float64), np.array([5, 0, -1, 9], np.int64)
        for scales, spread, block in (((rng.random((6, 3)) + 0.1).astype(F), lambda s: np.repeat(s, 16, 1)[:, :40], 16), (np.array([[0.5]], F), lambda s: s, 0), ((rng.random((6, 1)) + 0.1).astype(F), lambda s: s, 0)):
            w = values * spread(scales).astype(np.float64)
            y = np.concatenate([w[[5, 0, -1]], np.zeros((1, 40))])  # an index outside gives zeros
            yield Case("GatherBlockQuantized", [table, indices, scales], [y], {"block_size": block}, types=[F], constants=(0, 2))


def experts():
    """ONNX Runtime's kernel normalises the shares whether asked to or not: where that shows, the formula alone is the oracle."""
    rng, tokens, hidden, inner, n = np.random.default_rng(11), 5, 32, 64, 4
    x, router = rng.standard_normal((tokens, hidden)).astype(F), rng.standard_normal((tokens, n)).astype(F)
    shares_given = rng.random((tokens, n)).astype(F)
    for bits, block, kind, zeros in itertools.product((2, 4, 8), (None, 16, 32), ("relu", "silu", "swiglu", "identity"), (False, True)):
        outs = inner * (2 if kind == "swiglu" else 1)
        w1, w2 = expert_weights(rng, bits, n, outs, hidden, block, zeros), expert_weights(rng, bits, n, hidden, inner, block, zeros)
        b1, b2 = (rng.standard_normal((n, v)).astype(F) for v in (outs, hidden))

        def mixed(normalize, biased, k, given):
            y = np.zeros((tokens, hidden))
            for t, e in np.ndindex(tokens, n):
                best = np.argsort(-router[t], kind="stable")[:k]
                share = given[t].astype(np.float64) if given is not None else np.exp(router[t].astype(np.float64))
                whole = share[best].sum() if normalize else 1 if given is not None else share.sum()
                if e in best:
                    up = w1[-1][e] @ x[t] + (b1[e] if biased else 0)
                    if kind == "swiglu":
                        g, l = np.minimum(up[0::2], 2.5), np.clip(up[1::2], -2.5, 2.5)
                        middle = g / (1 + np.exp(-1.7 * g)) * (l + 1)
                    else:
                        middle = {"relu": np.maximum(up, 0), "silu": up / (1 + np.exp(-up)), "identity": up}[kind]
                    y[t] += share[e] / whole * (w2[-1][e] @ middle + (b2[e] if biased else 0))
            return y

        attributes = {"expert_weight_bits": bits, "activation_type": kind, "weights_prepacked": 0, **({"block_size": block} if block else {}),
                      **({"swiglu_fusion": 1, "activation_alpha": 1.7, "activation_beta": 1.0, "swiglu_limit": 2.5} if kind == "swiglu" else {})}
        inputs = [x, router, w1[0], w1[1], b1, w2[0], w2[1], b2, None, None, None, w1[2], w2[2], None]
        exact = {"types": [F], "tolerance": 1e-4}
        engine = (bits, block) not in ((8, 16), (8, 32), (2, 32))  # of these it quantizes the tokens too
        yield Case("QMoE", [*inputs, None], [mixed(True, True, 2, None)], {**attributes, "k": 2, "normalize_routing_weights": 1}, engine=engine, **exact)
        yield Case("QMoE", [*inputs, shares_given], [mixed(False, True, 3, shares_given)], {**attributes, "k": 3}, engine=engine, **exact)
        bare = [None if i in (4, 7) else v for i, v in enumerate(inputs)]
        yield Case("QMoE", [bare[0].reshape(1, tokens, hidden), *bare[1:], None], [mixed(False, False, 1, None)[None]], {**attributes, "k": 1}, engine=False, **exact)


def expert_weights(rng, bits, n, outs, ins, block, with_zeros):
    """(packed codes, scales, packed zero points or None, what they stand for)"""
    codes, blocks = rng.integers(0, 1 << bits, (n, outs, ins)), ins // block if block else 1
    scales, zeros = (rng.random((n, outs, blocks)) * 0.1).astype(F), rng.integers(0, 1 << bits, (n, outs, blocks))
    spread = lambda v: np.repeat(v, ins // blocks, 2)
    real = (codes - (spread(zeros) if with_zeros else 1 << (bits - 1))) * spread(scales).astype(np.float64)
    shaped = (lambda v: v) if block else (lambda v: v[..., 0])
    return packed(codes, bits), shaped(scales), packed(shaped(zeros), bits) if with_zeros else None, real
