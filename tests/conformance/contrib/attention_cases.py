"""The attention operators: masks in every form, biases, caches, groups, rotary positions, windows."""
import numpy as np
from case import Case, draw, f64, softmax

MASKED = -10000.0

SMALL_TYPES = True  # each case also with 16-bit numbers


def cases():
    yield from projected()
    yield from multi_head()
    yield from decoder()
    yield from grouped()
    yield from windowed()
    yield from sparse()
    yield from rotary()


def split(x, heads):
    """[batch, steps, heads * width] -> [batch, heads, steps, width]"""
    b, s, n = x.shape
    return x.reshape(b, s, heads, n // heads).transpose(0, 2, 1, 3)


def merge(x):
    b, h, s, w = x.shape
    return x.transpose(0, 2, 1, 3).reshape(b, s, h * w)


def attend(q, k, v, added=0, scale=None, causal_past=None, cap=0, sinks=None, window=None):
    """(output heads, scores before softmax) in double; `causal_past`: how many keys stand before the first query."""
    group = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, group, 1), np.repeat(v, group, 1)
    scores = q @ k.transpose(0, 1, 3, 2) * (1 / np.sqrt(q.shape[-1]) if scale is None else scale)
    if cap:
        scores = cap * np.tanh(scores / cap)
    scores = scores + added
    if causal_past is not None:
        i, j = np.arange(q.shape[2])[:, None] + causal_past, np.arange(k.shape[2])
        seen = j <= i
        if window:
            seen &= j > i - window
        scores = np.where(seen, scores, -np.inf)
    if sinks is None:
        return softmax(scores) @ v, scores
    with_sink = softmax(np.concatenate([scores, np.broadcast_to(np.asarray(sinks)[None, :, None, None], scores.shape[:-1] + (1,))], -1))
    return with_sink[..., :-1] @ v, scores


def masks(batch, queries, total):
    """(as the node takes it, what it adds to [batch, 1, queries, total])"""
    j = np.arange(total)
    hide = lambda hidden: np.where(hidden, MASKED, 0.0)
    ends = np.array([total, max(total - 2, 1)][:batch], np.int32)
    starts = np.array([1, 0][:batch], np.int32)
    yield None, 0.0
    yield ends, hide(j[None] >= ends[:, None])[:, None, None]
    yield np.concatenate([ends, starts]), hide((j[None] >= ends[:, None]) | (j[None] < starts[:, None]))[:, None, None]
    raw = (np.random.default_rng(0).random((batch, total)) < 0.7).astype(np.int32)
    raw[:, 0] = 1
    yield raw, hide(raw == 0)[:, None, None]
    each = (np.random.default_rng(1).random((batch, queries, total)) < 0.7).astype(np.int32)
    each[..., 0] = 1
    yield each, hide(each == 0)[:, None]


def projected():
    batch, steps, inner, heads, width = 2, 4, 5, 2, 3
    hidden = heads * width
    x, w, bias = draw(1, batch, steps, inner), draw(2, inner, 3 * hidden), draw(3, 3 * hidden)
    qkv = f64(x) @ f64(w) + f64(bias)
    q, k, v = (split(qkv[..., i * hidden:(i + 1) * hidden], heads) for i in range(3))
    past = draw(4, 2, batch, heads, 3, width)
    joined = [np.concatenate([f64(past)[i], (k, v)[i]], 2) for i in (0, 1)]
    for causal in (0, 1):
        for mask, hidden_by in masks(batch, steps, steps):
            y, _ = attend(q, k, v, hidden_by, causal_past=0 if causal else None)
            yield Case("Attention", [x, w, bias, mask], [merge(y)], {"num_heads": heads, "unidirectional": causal})
        for mask, hidden_by in masks(batch, steps, steps + 3):
            if mask is not None and mask.ndim == 1:
                continue
            y, _ = attend(q, *joined, hidden_by, causal_past=3 if causal else None)
            yield Case("Attention", [x, w, bias, mask, past], [merge(y), np.stack(joined)], {"num_heads": heads, "unidirectional": causal})
    added = draw(5, 1, heads, steps, steps)
    y, _ = attend(q, k, v, f64(added), scale=0.3)
    yield Case("Attention", [x, w, bias, None, None, added], [merge(y)], {"num_heads": heads, "scale": 0.3})
    plain = f64(x) @ f64(w)
    q, k, v = (split(plain[..., i * hidden:(i + 1) * hidden], heads) for i in range(3))
    yield Case("Attention", [x, w], [merge(attend(q, k, v)[0]), np.stack([k, v])], {"num_heads": heads})
    raw = np.array([[1, 1, 0, 0], [1, 0, 1, 1]], np.int32)
    y, _ = attend(q, k, v, np.where(raw == 0, -5.0, 0)[:, None, None])
    yield Case("Attention", [x, w, None, raw], [merge(y)], {"num_heads": heads, "mask_filter_value": -5.0})
    w = draw(6, inner, 2 * hidden + 8)
    plain = f64(x) @ f64(w)
    y, _ = attend(split(plain[..., :6], 2), split(plain[..., 6:12], 2), split(plain[..., 12:], 2))
    yield Case("Attention", [x, w, np.zeros(20, np.float32)], [merge(y)], {"num_heads": heads, "qkv_hidden_sizes": [6, 6, 8]})


def multi_head():
    batch, steps, keys, heads, width, v_width = 2, 3, 5, 2, 4, 6
    q, k, v = draw(10, batch, steps, heads * width), draw(11, batch, keys, heads * width), draw(12, batch, keys, heads * v_width)
    bias = draw(13, heads * (2 * width + v_width))
    parts = np.split(f64(bias), [heads * width, 2 * heads * width])
    for b in (None, bias):
        of = lambda x, i: split(f64(x) + (0 if b is None else parts[i]), heads)
        for mask, hidden_by in masks(batch, steps, keys):
            if mask is not None and (mask.ndim == 3 or mask.shape == (2 * batch,)):
                continue
            y, scores = attend(of(q, 0), of(k, 1), of(v, 2), hidden_by)
            yield Case("MultiHeadAttention", [q, k, v, b, mask], [merge(y), of(k, 1), of(v, 2)], {"num_heads": heads})
        added = draw(14, batch, 1, steps, keys)
        y, scores = attend(of(q, 0), of(k, 1), of(v, 2), f64(added), scale=0.7)
        yield Case("MultiHeadAttention", [q, k, v, b, None, added], [merge(y)], {"num_heads": heads, "scale": 0.7})
        yield Case("MultiHeadAttention", [q, k, v, b, None, added], [merge(y), of(k, 1), of(v, 2), scores], {"num_heads": heads, "scale": 0.7})
    k, v = draw(15, batch, steps, heads * width), draw(16, batch, steps, heads * width)
    past_k, past_v = draw(17, batch, heads, 2, width), draw(18, batch, heads, 2, width)
    all_k, all_v = (np.concatenate([f64(p), split(f64(n), heads)], 2) for p, n in ((past_k, k), (past_v, v)))
    for causal in (0, 1):
        y, _ = attend(split(f64(q), heads), all_k, all_v, causal_past=2 if causal else None)
        yield Case("MultiHeadAttention", [q, k, v, None, None, None, past_k, past_v], [merge(y), all_k, all_v], {"num_heads": heads, "unidirectional": causal})
    y, _ = attend(split(f64(q), heads), f64(past_k), f64(past_v))
    yield Case("MultiHeadAttention", [q, past_k, past_v], [merge(y)], {"num_heads": heads})
    packed = draw(19, batch, keys, heads, 2, width)
    kk, vv = (f64(packed)[:, :, :, i].transpose(0, 2, 1, 3) for i in (0, 1))
    yield Case("MultiHeadAttention", [q, packed], [merge(attend(split(f64(q), heads), kk, vv)[0])], {"num_heads": heads}, engine=False)
    packed = draw(20, batch, keys, heads, 3, width)
    qq, kk, vv = (f64(packed)[:, :, :, i].transpose(0, 2, 1, 3) for i in (0, 1, 2))
    yield Case("MultiHeadAttention", [packed], [merge(attend(qq, kk, vv)[0])], {"num_heads": heads}, engine=False)


def decoder():
    batch, heads, width, past = 2, 2, 4, 3
    q, k, v = (draw(30 + i, batch, 1, heads * width) for i in range(3))
    past_k, past_v = draw(33, batch, heads, past, width), draw(34, batch, heads, past, width)
    all_k, all_v = (np.concatenate([f64(p), split(f64(n), heads)], 2) for p, n in ((past_k, k), (past_v, v)))
    y, _ = attend(split(f64(q), heads), all_k, all_v)
    yield Case("DecoderMaskedMultiHeadAttention", [q, k, v, None, None, past_k, past_v], [merge(y), all_k, all_v], {"num_heads": heads}, engine=False)
    room = 6
    wide = [np.concatenate([p, np.zeros((batch, heads, room - past, width), np.float32)], 2) for p in (past_k, past_v)]
    present = [np.concatenate([a, np.zeros((batch, heads, room - past - 1, width))], 2) for a in (all_k, all_v)]
    mask = np.array([[1, 1, 0, 1], [1, 1, 1, 1]], np.int32)
    y, _ = attend(split(f64(q), heads), all_k, all_v, np.where(mask == 0, MASKED, 0)[:, None, None])
    length = np.array([past], np.int32)
    used = lambda output, x: np.broadcast_to((np.arange(x.shape[2]) <= past)[:, None], x.shape) if output else np.ones(x.shape, bool)
    yield Case("DecoderMaskedMultiHeadAttention", [q, k, v, mask, None, *wide, length], [merge(y), *present], {"num_heads": heads, "past_present_share_buffer": 1}, where=used)
    beams = np.zeros((1, 2, room), np.int32)
    beams[0, 0, :3], beams[0, 1, :3] = [0, 1, 1], [1, 0, 1]
    chosen = [np.concatenate([np.stack([np.stack([f64(p)[beams[0, b, j], :, j] for j in range(past)], 1) for b in range(2)]), split(f64(n), heads)], 2) for p, n in ((past_k, k), (past_v, v))]
    y, _ = attend(split(f64(q), heads), *chosen)
    yield Case("DecoderMaskedMultiHeadAttention", [q, k, v, None, None, *wide, length, np.array([2], np.int32), beams], [merge(y), *present], {"num_heads": heads, "past_present_share_buffer": 1}, where=used)
    y, _ = attend(split(f64(q), heads), f64(past_k), f64(past_v))
    yield Case("DecoderMaskedMultiHeadAttention", [q, past_k, past_v], [merge(y)], {"num_heads": heads})


def turn(x, cos, sin, positions, interleaved):
    """Rotary embedding of [batch, heads, steps, width] at positions [batch, steps]."""
    half = cos.shape[1]
    c, s = f64(cos)[positions][:, None], f64(sin)[positions][:, None]
    out = x.copy()
    a, b = (x[..., 0:2 * half:2], x[..., 1:2 * half:2]) if interleaved else (x[..., :half], x[..., half:2 * half])
    left, right = a * c - b * s, b * c + a * s
    if interleaved:
        out[..., 0:2 * half:2], out[..., 1:2 * half:2] = left, right
    else:
        out[..., :half], out[..., half:2 * half] = left, right
    return out


def angles(positions, half):
    t = np.arange(positions)[:, None] * 10000.0 ** (-np.arange(half) / half)
    return np.cos(t).astype(np.float32), np.sin(t).astype(np.float32)


def grouped():
    batch, heads, kv_heads, width = 2, 4, 2, 16
    cos, sin = angles(16, width // 2)
    plain = {"num_heads": heads, "kv_num_heads": kv_heads}
    variants = [({}, {}), ({"softcap": 1.5}, {"cap": 1.5}), ({"local_window_size": 2}, {"window": 2}), ({"scale": 0.2}, {"scale": 0.2}), ({"smooth_softmax": 1}, {"sinks": np.zeros(heads)}),
                ({"do_rotary": 1}, {}), ({"do_rotary": 1, "rotary_interleaved": 1, "local_window_size": 3}, {"window": 3})]
    for past, steps in ((0, 4), (3, 1), (0, 1)):
        q, k, v = draw(40, batch, steps, heads * width), draw(41, batch, steps, kv_heads * width), draw(42, batch, steps, kv_heads * width)
        past_k, past_v = draw(43, batch, kv_heads, past, width), draw(44, batch, kv_heads, past, width)
        total = past + steps
        lengths, longest = np.full(batch, total - 1, np.int32), np.array([total], np.int32)
        for attributes, formula in variants:
            rotary = "do_rotary" in attributes
            qq, kk, vv = split(f64(q), heads), split(f64(k), kv_heads), split(f64(v), kv_heads)
            if rotary:
                positions = np.broadcast_to(past + np.arange(steps), (batch, steps))
                qq, kk = (turn(x, cos, sin, positions, attributes.get("rotary_interleaved", 0)) for x in (qq, kk))
            all_k, all_v = np.concatenate([f64(past_k), kk], 2), np.concatenate([f64(past_v), vv], 2)
            y, _ = attend(qq, all_k, all_v, causal_past=past, **formula)
            caches = [past_k, past_v] if past else [None, None]
            rest = [lengths, longest, cos, sin] if rotary else [lengths, longest]
            yield Case("GroupQueryAttention", [q, k, v, *caches, *rest], [merge(y), all_k, all_v], {**plain, **attributes})
            packed = np.concatenate([q, k, v], -1)
            yield Case("GroupQueryAttention", [packed, None, None, *caches, *rest], [merge(y), all_k, all_v], {**plain, **attributes})
        added = draw(45, 1, heads, steps, total)
        qq, kk, vv = split(f64(q), heads), split(f64(k), kv_heads), split(f64(v), kv_heads)
        all_k, all_v = np.concatenate([f64(past_k), kk], 2), np.concatenate([f64(past_v), vv], 2)
        caches = [past_k, past_v] if past else [None, None]
        y, _ = attend(qq, all_k, all_v, f64(added), causal_past=past)
        yield Case("GroupQueryAttention", [q, k, v, *caches, lengths, longest, None, None, None, added], [merge(y), all_k, all_v], plain)
        sinks = draw(46, heads)
        y, scores = attend(qq, all_k, all_v, causal_past=past, sinks=f64(sinks))
        yield Case("GroupQueryAttention", [q, k, v, *caches, lengths, longest, None, None, None, None, sinks], [merge(y), all_k, all_v], plain)
    yield from lengths_of_their_own(plain, heads, kv_heads, width)
    norm_q, norm_k = draw(47, width), draw(48, width)
    q, k, v = draw(40, 1, 3, heads * width), draw(41, 1, 3, kv_heads * width), draw(42, 1, 3, kv_heads * width)
    rms = lambda x, w: x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * f64(w)
    kk = rms(split(f64(k), kv_heads), norm_k)
    y, _ = attend(rms(split(f64(q), heads), norm_q), kk, split(f64(v), kv_heads), causal_past=0)
    inputs = [q, k, v, None, None, np.array([2], np.int32), np.array([3], np.int32), None, None, None, None, None, None, None, norm_q, norm_k]
    yield Case("GroupQueryAttention", inputs, [merge(y), kk, split(f64(v), kv_heads)], plain, engine=False)


def lengths_of_their_own(plain, heads, kv_heads, width):
    """Entries of the batch with different pasts, in caches with room, as decoding with shared buffers has them."""
    room, pasts = 6, [2, 4]
    q, k, v = draw(50, 2, 1, heads * width), draw(51, 2, 1, kv_heads * width), draw(52, 2, 1, kv_heads * width)
    past_k, past_v = draw(53, 2, kv_heads, room, width), draw(54, 2, kv_heads, room, width)
    rows, keys, values = [], np.zeros(past_k.shape), np.zeros(past_k.shape)
    for b, past in enumerate(pasts):
        kk = np.concatenate([f64(past_k)[b:b + 1, :, :past], split(f64(k)[b:b + 1], kv_heads)], 2)
        vv = np.concatenate([f64(past_v)[b:b + 1, :, :past], split(f64(v)[b:b + 1], kv_heads)], 2)
        rows.append(merge(attend(split(f64(q)[b:b + 1], heads), kk, vv, causal_past=past)[0]))
        keys[b, :, :past + 1], values[b, :, :past + 1] = kk[0], vv[0]
    filled = np.array([np.arange(room) <= p for p in pasts])[:, None, :, None]
    where = lambda output, x: np.broadcast_to(filled, x.shape) if output else np.ones(x.shape, bool)
    yield Case("GroupQueryAttention", [q, k, v, past_k, past_v, np.array(pasts, np.int32), np.array([5], np.int32)], [np.concatenate(rows), keys, values], plain, where=where)


def windowed():
    """A cache of the window's size: what is too old goes, as many entries at once as exceed the window."""
    heads, kv_heads, width, window = 4, 2, 16, 3
    cos, sin = angles(32, width // 2)
    for room in (3, 5):
        def resident(total):
            each = room - window + 1
            return total if total <= room else total - each * -(-(total - room) // each)

        for past, steps in ((2, 1), (6, 1), (9, 1), (0, 2), (7, 4)):
            total, kept = past + steps, resident(past)
            q, k, v = draw(70, 1, steps, heads * width), draw(71, 1, steps, kv_heads * width), draw(72, 1, steps, kv_heads * width)
            whole_k, whole_v = draw(73, 1, kv_heads, past, width), draw(74, 1, kv_heads, past, width)
            caches = [np.concatenate([c[:, :, past - kept:], np.zeros((1, kv_heads, room - kept, width), np.float32)], 2) for c in (whole_k, whole_v)]
            added = draw(75, 1, 1, steps, total)
            positions = past + np.arange(steps)[None]
            qq, kk = (turn(split(f64(x), n), cos, sin, positions, 0) for x, n in ((q, heads), (k, kv_heads)))
            all_k, all_v = np.concatenate([f64(whole_k), kk], 2), np.concatenate([f64(whole_v), split(f64(v), kv_heads)], 2)
            y, _ = attend(qq, all_k, all_v, f64(added), causal_past=past, window=window)
            left = resident(total)
            present = [np.concatenate([c[:, :, total - left:], np.zeros((1, kv_heads, room - left, width))], 2) for c in (all_k, all_v)]
            where = lambda output, x, left=left: np.broadcast_to((np.arange(room) < left)[:, None], x.shape) if output else np.ones(x.shape, bool)
            attributes = {"num_heads": heads, "kv_num_heads": kv_heads, "local_window_size": window, "sliding_window_cache": 1, "do_rotary": 1}
            yield Case("GroupQueryAttention", [q, k, v, *caches, np.array([total - 1], np.int32), np.array([total], np.int32), cos, sin, None, added], [merge(y), *present], attributes, where=where)


def sparse():
    heads, kv_heads, width, block, room = 4, 2, 16, 16, 64
    cos, sin = angles(room, width // 2)
    layouts = np.array([[[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 1, 1, 1]], [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 1, 1]]])
    rows = np.array([[0, 1, 3, 5, 8], [0, 1, 3, 6, 9]], np.int32)
    columns = np.array([[0, 0, 1, 1, 2, 1, 2, 3, -1], [0, 0, 1, 0, 1, 2, 0, 2, 3]], np.int32)
    for past, steps in ((0, 50), (47, 1), (30, 1)):
        total = past + steps
        q, k, v = draw(80, 1, steps, heads * width), draw(81, 1, steps, kv_heads * width), draw(82, 1, steps, kv_heads * width)
        caches = [np.concatenate([draw(83 + i, 1, kv_heads, past, width), np.zeros((1, kv_heads, room - past, width), np.float32)], 2) for i in (0, 1)]
        i, j = past + np.arange(steps), np.arange(total)
        hidden = np.where(layouts[:, i[:, None] // block, j // block] > 0, 0, -np.inf)[np.arange(heads) % 2][None]
        for rotates in (0, 1):
            qq, kk, vv = split(f64(q), heads), split(f64(k), kv_heads), split(f64(v), kv_heads)
            if rotates:
                qq, kk = (turn(x, cos, sin, i[None], 0) for x in (qq, kk))
            all_k, all_v = (np.concatenate([f64(c)[:, :, :past], x], 2) for c, x in zip(caches, (kk, vv)))
            y, _ = attend(qq, all_k, all_v, hidden, causal_past=past)
            present = [np.concatenate([c, np.zeros((1, kv_heads, room - total, width))], 2) for c in (all_k, all_v)]
            where = lambda output, x, total=total: np.broadcast_to((np.arange(room) < total)[:, None], x.shape) if output else np.ones(x.shape, bool)
            inputs = [q, k, v, *caches, rows, columns, np.array([total], np.int32), np.array([total], np.int32), *([cos, sin] if rotates else [])]
            yield Case("SparseAttention", inputs, [merge(y), *present], {"num_heads": heads, "kv_num_heads": kv_heads, "sparse_block_size": block, "do_rotary": rotates}, shares={1: 3, 2: 4}, where=where)


def rotary():
    batch, heads, steps, width = 2, 3, 4, 8
    for half, attributes in ((4, {}), (4, {"interleaved": 1}), (2, {"rotary_embedding_dim": 4, "num_heads": heads}), (4, {"num_heads": heads, "interleaved": 1})):
        cos, sin = angles(9, half)
        x = draw(60, batch, steps, heads * width)
        positions = np.array([[0, 1, 2, 3], [5, 4, 8, 1]], np.int64)
        interleaved = attributes.get("interleaved", 0)
        for given in (positions, np.array([3], np.int64)):
            at = given if given.ndim == 2 else np.broadcast_to(3 + np.arange(steps), (batch, steps))
            y = turn(split(f64(x), heads), cos, sin, at, interleaved)
            yield Case("RotaryEmbedding", [x, given, cos, sin], [merge(y)], attributes)
            four = np.ascontiguousarray(split(x, heads))
            yield Case("RotaryEmbedding", [four, given, cos, sin], [y], attributes)
    for layout, sections in ((0, [2, 1, 1]), (1, [2, 1, 1]), (0, [4, 0, 0]), (1, [1, 2, 1])):
        cos, sin = angles(9, 4)
        streams = np.random.default_rng(2).integers(0, 9, (3, batch, steps))
        whose = np.repeat([0, 1, 2], sections)
        if layout:
            whose = np.zeros(4, int)
            for stream in (1, 2):
                whose[stream:3 * sections[stream]:3] = stream
        for interleaved in (0, 1):
            x = draw(61, batch, steps, heads * width)
            angle = streams[whose].transpose(1, 2, 0)  # [batch, steps, angle]
            c, s = (f64(t)[angle, np.arange(4)].reshape(-1, 4) for t in (cos, sin))
            y = turn(split(f64(x), heads), c, s, np.arange(batch * steps).reshape(batch, steps), interleaved)
            attributes = {"mrope_section": sections, "mrope_layout": layout, "interleaved": interleaved, "num_heads": heads}
            yield Case("MRotaryEmbedding", [x, streams, cos, sin], [merge(y)], attributes)
            yield Case("MRotaryEmbedding", [np.ascontiguousarray(split(x, heads)), streams, cos, sin], [y], attributes)
