"""Mixtures of experts, and the small integer operators of decoding."""
import numpy as np
from case import Case, draw, f64, gelu_tanh, sigmoid, softmax

SMALL_TYPES = True  # each case also with 16-bit numbers


def cases():
    yield from experts()
    yield from quantised_experts()
    yield from tokens()
    yield from unfolded()
    yield from gates()
    yield from recurrences()


def activated(kind, x):
    return {"relu": lambda: np.maximum(x, 0), "gelu": lambda: gelu_tanh(x), "silu": lambda: x * sigmoid(x), "identity": lambda: x}[kind]()


def experts():
    tokens, hidden, inner, number = 5, 4, 6, 3
    x, router = draw(1, tokens, hidden), draw(2, tokens, number, scale=2)

    def mixed(expert, k, normalise):
        y = np.zeros((tokens, hidden))
        p = softmax(f64(router))
        for t in range(tokens):
            best = np.argsort(-p[t], kind="stable")[:k]
            share = p[t, best] / (p[t, best].sum() if normalise else 1)
            y[t] = sum(s * expert(e, f64(x)[t]) for s, e in zip(share, best))
        return y

    for kind in ("relu", "gelu", "silu", "identity"):
        w1, b1, w2, b2 = draw(3, number, inner, hidden), draw(4, number, inner), draw(5, number, hidden, inner), draw(6, number, hidden)
        for k, normalise in ((1, 0), (2, 0), (2, 1)):
            attributes = {"k": k, "activation_type": kind, "normalize_routing_weights": normalise}
            biased = lambda e, v: f64(w2)[e] @ activated(kind, f64(w1)[e] @ v + f64(b1)[e]) + f64(b2)[e]
            yield Case("MoE", [x, router, w1, b1, w2, b2], [mixed(biased, k, normalise)], attributes)
            bare = lambda e, v: f64(w2)[e] @ activated(kind, f64(w1)[e] @ v)
            yield Case("MoE", [x, router, w1, None, w2], [mixed(bare, k, normalise)], attributes)
            yield Case("MoE", [x.reshape(1, tokens, hidden), router, w1, None, w2], [mixed(bare, k, normalise)[None]], attributes)
    w1, b1, w2, b2 = draw(7, number, 2 * inner, hidden), draw(8, number, 2 * inner), draw(9, number, hidden, inner), draw(10, number, hidden)
    for fusion in (1, 2):
        for limit in (None, 0.8):
            def swiglu(e, v):
                both = f64(w1)[e] @ v + f64(b1)[e]
                g, l = (both[0::2], both[1::2]) if fusion == 1 else (both[:inner], both[inner:])
                if limit is not None:
                    g, l = np.minimum(g, limit), np.clip(l, -limit, limit)
                return f64(w2)[e] @ (g * sigmoid(1.7 * g) * (l + 1)) + f64(b2)[e]

            attributes = {"k": 2, "activation_type": "swiglu", "swiglu_fusion": fusion, "normalize_routing_weights": 1, "activation_alpha": 1.7, "activation_beta": 1.0}
            yield Case("MoE", [x, router, w1, b1, w2, b2], [mixed(swiglu, 2, 1)], attributes if limit is None else {**attributes, "swiglu_limit": limit}, engine=fusion == 1)


def tokens():
    ids = np.array([[1, 2, 3, 1, 2], [4, 4, 4, 4, 4], [1, 2, 1, 3, 1]], np.int64)
    scores = draw(11, 3, 6)
    for n in (1, 2, 3):
        y = scores.copy()
        for b in range(3):
            tail = list(ids[b, 5 - (n - 1):])
            for i in range(5 - n + 1):
                if list(ids[b, i:i + n - 1]) == tail:
                    y[b, ids[b, i + n - 1]] = -np.inf
        yield Case("NGramRepeatBlock", [ids, scores], [y], {"ngram_size": n})
    for shape in ((4, 6), (1, 5, 3), (1, 1), (3, 1)):
        cost = np.abs(draw(12, *shape))
        yield Case("DynamicTimeWarping", [cost], [warped(cost.reshape(shape[-2:]))], types=[np.int32])


def warped(cost):
    """The cheapest path from corner to corner by the usual table; ties as Whisper's own code breaks them."""
    rows, columns = cost.shape
    total = np.full((rows + 1, columns + 1), np.inf, np.float32)
    move = np.full((rows + 1, columns + 1), -1)
    total[0, 0] = 0
    for j in range(1, columns + 1):
        for i in range(1, rows + 1):
            c = total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]
            best = 0 if c[0] < c[1] and c[0] < c[2] else 1 if c[1] < c[0] and c[1] < c[2] else 2
            total[i, j], move[i, j] = cost[i - 1, j - 1] + c[best], best
    i, j, path = rows, columns, []
    move[0, :], move[:, 0] = 2, 1
    while i > 0 or j > 0:
        path.append((i - 1, j - 1))
        i, j = {0: (i - 1, j - 1), 1: (i - 1, j), 2: (i, j - 1)}[int(move[i, j])]
    return np.array(path[::-1], np.int32).T


def unfolded():
    for dtype in (np.float32, np.int64):
        x = (draw(13, 3, 7, 2) * 10).astype(dtype)
        for dim, size, step in ((1, 3, 2), (-1, 2, 1), (0, 3, 5), (1, 1, 3)):
            y = np.moveaxis(np.lib.stride_tricks.sliding_window_view(x, size, axis=dim), dim % 3, 0)[::step]
            yield Case("UnfoldTensor", [x], [np.moveaxis(y, 0, dim % 3)], {"dim": dim, "size": size, "step": step})


def gates():
    x, y, gate = draw(14, 2, 3, 4), draw(15, 2, 3, 4), draw(16, 2, 3, 1)
    yield Case("GatedAdd", [x, y, gate], [f64(x) + f64(y) * f64(gate)])
    z = 0.5 * f64(x)
    yield Case("ScaledSiLU", [x], [z * sigmoid(z)], {"alpha": 0.5})
    z = 2 * f64(x)
    yield Case("ScaledSiLU", [x, np.array(2, np.float32)], [z * sigmoid(z)], {"alpha": 0.5})
    a, bias, scale, b = draw(17, 2, 3, 4), draw(18, 4), -np.abs(draw(19, 4)), draw(20, 2, 3, 4)
    decay = f64(scale) * np.logaddexp(0, f64(a) + f64(bias))
    yield Case("LinearAttentionGate", [a, bias, scale], [decay])
    yield Case("LinearAttentionGate", [a, bias, scale, b], [decay, sigmoid(f64(b))])
    gate, up = draw(21, 2, 3, 4), draw(22, 2, 3, 4)
    for limit in (0.0, 0.5):
        g, l = (np.minimum(f64(gate), limit), np.clip(f64(up), -limit, limit)) if limit else (f64(gate), f64(up))
        y = g * sigmoid(1.5 * g) * (l + 0.25)
        attributes = {"activation_alpha": 1.5, "activation_beta": 0.25, "limit": limit}
        yield Case("SwiGLU", [gate, up], [y], attributes, engine=False)
        yield Case("SwiGLU", [np.concatenate([gate, up], -1)], [y], attributes, engine=False)
    x, scale, gate = draw(23, 2, 3, 8), draw(24, 4), draw(25, 2, 3, 8)
    rms = lambda rows: rows / np.sqrt((rows**2).mean(-1, keepdims=True) + 1e-5)
    for kind, f in (("silu", lambda z: z * sigmoid(z)), ("swish", lambda z: z * sigmoid(z)), ("sigmoid", sigmoid)):
        y = (rms(f64(x).reshape(2, 3, 2, 4)) * f64(scale)).reshape(2, 3, 8) * f(f64(gate))
        yield Case("GatedRMSNorm", [x, scale, gate], [y], {"activation": kind})
    branches = rms(f64(x).reshape(2, 3, 2, 4))
    for scale in (draw(26, 4), draw(27, 2, 4), draw(28, 8), None):
        y = branches * (1 if scale is None else f64(scale).reshape(-1, 4) if scale.size == 8 else f64(scale))
        yield Case("BranchwiseRMSNorm", [x.reshape(2, 3, 2, 4), scale], [y])
        yield Case("BranchwiseRMSNorm", [x, scale], [y.reshape(2, 3, 8)], {"num_branches": 2})


def packed(values, bits):
    """Rows of small numbers in bytes, the first in the lowest bits."""
    n = 8 // bits
    padded = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, -values.shape[-1] % n)])
    return sum(padded[..., i::n].astype(np.uint8) << (i * bits) for i in range(n)).astype(np.uint8)


def quantised_experts():
    rng = np.random.default_rng(40)
    tokens, hidden, inner, number = 5, 32, 64, 3
    x, router = draw(41, tokens, hidden), draw(42, tokens, number, scale=2)
    for bits in (4, 8, 2):
        for block in (0, 16):
            for zeros in (False, True):
                def layer(seed, out, n):
                    q = rng.integers(0, 1 << bits, (number, out, n))
                    blocks = n // block if block else 1
                    scale = np.abs(draw(seed, number, out, blocks)) * 0.1
                    zero = rng.integers(0, 1 << bits, (number, out, blocks)) if zeros else np.full((number, out, blocks), 1 << (bits - 1))
                    w = (q - np.repeat(zero, n // blocks, -1)) * np.repeat(f64(scale), n // blocks, -1)
                    stored = None if not zeros else packed(zero if block else zero[..., 0], bits)
                    return packed(q, bits), (scale if block else scale[..., 0]).astype(np.float32), stored, w

                swiglu = bits == 4
                w1, s1, z1, m1 = layer(43, 2 * inner if swiglu else inner, hidden)
                w2, s2, z2, m2 = layer(44, hidden, inner)
                b1, b2 = draw(45, number, w1.shape[1]), draw(46, number, hidden)

                def expert(e, v):
                    h = m1[e] @ v + f64(b1)[e]
                    h = h[0::2] * sigmoid(1.7 * h[0::2]) * (h[1::2] + 1) if swiglu else np.maximum(h, 0)
                    return m2[e] @ h + f64(b2)[e]

                p, y = softmax(f64(router)), np.zeros((tokens, hidden))
                for t in range(tokens):
                    best = np.argsort(-p[t])[:2]
                    y[t] = sum(p[t, e] / p[t, best].sum() * expert(e, f64(x)[t]) for e in best)
                attributes = {"k": 2, "normalize_routing_weights": 1, "expert_weight_bits": bits, "weights_prepacked": 0, **({"block_size": block} if block else {}),
                              **({"activation_type": "swiglu", "swiglu_fusion": 1, "activation_alpha": 1.7, "activation_beta": 1.0} if swiglu else {"activation_type": "relu"})}
                yield Case("QMoE", [x, router, w1, s1, b1, w2, s2, b2, None, None, None, z1, z2], [y], attributes, tolerance=1e-3)


def recurrences():
    x, w, bias, past = draw(50, 2, 3, 5), draw(51, 3, 1, 4), draw(52, 3), draw(53, 2, 3, 3)
    for b in (bias, None):
        for p in (past, None):
            whole = np.concatenate([np.zeros((2, 3, 3)) if p is None else f64(p), f64(x)], 2)
            y = np.stack([(whole[:, :, t:t + 4] * f64(w)[:, 0]).sum(-1) for t in range(5)], -1) + (0 if b is None else f64(b)[:, None])
            yield Case("CausalConvWithState", [x, w, b, p], [y, whole[:, :, -3:]])
            yield Case("CausalConvWithState", [x, w, b, p], [y * sigmoid(y), whole[:, :, -3:]], {"activation": "silu"})
    batch, steps, heads, kv_heads, dk, dv = 2, 4, 4, 2, 3, 5
    q, k, v = draw(54, batch, steps, heads * dk), draw(55, batch, steps, kv_heads * dk, scale=0.5), draw(56, batch, steps, kv_heads * dv)
    state, decay, beta = draw(57, batch, kv_heads, dk, dv), -np.abs(draw(58, batch, steps, kv_heads)), sigmoid(draw(59, batch, steps, kv_heads)).astype(np.float32)
    for rule in ("linear", "gated", "delta", "gated_delta"):
        for past in (state, None):
            s = np.zeros(state.shape) if past is None else f64(past)
            y = np.zeros((batch, steps, heads, dv))
            for t in range(steps):
                kt, vt = (f64(a)[:, t].reshape(batch, kv_heads, -1) for a in (k, v))
                if "gated" in rule:
                    s = s * np.exp(f64(decay)[:, t])[..., None, None]
                new = f64(beta)[:, t][..., None] * (vt - np.einsum("bhkv,bhk->bhv", s, kt)) if "delta" in rule else vt
                s = s + kt[..., :, None] * new[..., None, :]
                y[:, t] = np.einsum("bhk,bhkv->bhv", f64(q)[:, t].reshape(batch, heads, dk), np.repeat(s, heads // kv_heads, 1)) / np.sqrt(dk)
            inputs = [q, k, v, past, decay if "gated" in rule else None, beta if "delta" in rule else None]
            yield Case("LinearAttention", inputs, [y.reshape(batch, steps, -1), s], {"q_num_heads": heads, "kv_num_heads": kv_heads, "update_rule": rule})
