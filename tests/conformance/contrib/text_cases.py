"""Tokens and hashes of text; numbers that are no numbers."""
import itertools
import re
import struct

import ml_dtypes
import numpy as np
from case import Case

F = np.float32


def cases():
    yield from tokens()
    yield from hashes()
    yield from finite()


def tokens():
    texts = ["Hello World", "I love computer science !", "", "  two  spaces ", "a,b;c d,;e", "na\u00efve caf\u00e9 \u4e2d\u6587 \U0001f600x", "x", "line\nbreak\tTab", "aaaa-bb_c9"]
    for shape in ((9,), (3, 3), (1, 9), (1,)):
        x = np.array(texts[:int(np.prod(shape))], dtype=object).reshape(shape)
        for mark, least in itertools.product((0, 1), (1, 2, 4)):
            for separators in ([" "], ["[ ,;]"], [",", "[; ]", "\\s+"], ["a|aa"], ["x*"], ["\\b"], ["$"], ["ll", "o"]):
                yield tokenizer(x, split_by(separators, least), mark, least, separators=separators)
            for expression in ("\\w+", "[a-z]+|[A-Z]", "a|aa", "x*", "\\S+", "^.", "[^ ]{2}"):
                yield tokenizer(x, found_by(expression, least), mark, least, tokenexp=expression)
        for mark in (0, 1):
            yield tokenizer(x, list, mark, 1, separators=[""])
            yield tokenizer(x, list, mark, 1, tokenexp=".")
    for empty in (np.zeros((0,), object), np.zeros((2, 0), object)):
        yield Case("Tokenizer", [empty], [empty], {"mark": 0, "mincharnum": 1, "pad_value": "#", "separators": [" "]})


def longest(expression, s, at):
    """The first match from `at` on, as long as any alternative makes it: what RE2 gives for the expressions used here."""
    pattern = "|".join(sorted(expression.split("|"), key=len, reverse=True))
    return re.compile(pattern, re.ASCII).search(s, at)


def matches(expression, s):
    at = 0
    while at < len(s):
        m = longest(expression, s, at)
        if not m or m.start() >= len(s):
            return
        yield m.start(), m.end()
        at = m.end() if m.end() > m.start() else m.start() + 1


def found_by(expression, least):
    return lambda s: [s[a:b] for a, b in matches(expression, s) if b - a >= least]


def split_by(separators, least):
    def split(s):
        pieces = [s]
        for separator in separators:
            out = []
            for piece in pieces:
                start = 0
                for a, b in matches(separator, piece):
                    out.append(piece[start:a])
                    start = max(b, a + 1)
                out.append(piece[start:])
            pieces = out
        return [p for p in pieces if p and len(p) >= least]

    return split


def tokenizer(x, split, mark, least, **attributes):
    rows = [split(s) for s in x.ravel()]
    most = max(map(len, rows))
    rows = [(["\x02", *r, "\x03"] if mark else r) for r in rows] if most else [[] for _ in rows]
    width = most + 2 * mark if most else 0
    y = np.array([r + ["#"] * (width - len(r)) for r in rows], dtype=object).reshape(*x.shape, width)
    return Case("Tokenizer", [x], [y], {"mark": mark, "mincharnum": least, "pad_value": "#", **attributes})


def murmur(data, seed):
    mask, rotate = 0xFFFFFFFF, lambda v, n: (v << n | v >> (32 - n)) & 0xFFFFFFFF
    h = seed
    for i in range(0, len(data) // 4 * 4, 4):
        k = rotate(struct.unpack("<I", data[i:i + 4])[0] * 0xCC9E2D51 & mask, 15) * 0x1B873593 & mask
        h = (rotate(h ^ k, 13) * 5 + 0xE6546B64) & mask
    tail = data[len(data) // 4 * 4:]
    if tail:
        h ^= rotate(int.from_bytes(tail, "little") * 0xCC9E2D51 & mask, 15) * 0x1B873593 & mask
    h ^= len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h = (h ^ h >> shift) * factor & mask
    return h


def hashes():
    rng = np.random.default_rng(0)
    numbers = [rng.integers(0, 256, 8 * 30, dtype=np.uint8).view(t)[:30].reshape(2, 3, 5) for t in (np.int32, np.uint32, np.int64, np.uint64)]
    numbers += [rng.standard_normal((7,)).astype(t) for t in (np.float32, np.float64)] + [np.array([0.0, -0.0, np.inf], F), np.array(3, np.int32)]
    texts = np.array(["", "a", "ab", "abc", "abcd", "abcde", "caf\u00e9", "\u4e2d\u6587", "x" * 1000], dtype=object)
    for x, positive, seed in itertools.product([*numbers, texts], (0, 1), (0, 42, 2**31)):
        bytes_of = [v.encode() if isinstance(v, str) else v.tobytes() for v in x.ravel()]
        y = np.array([murmur(b, seed) for b in bytes_of], np.uint32).view(np.uint32 if positive else np.int32).reshape(x.shape)
        yield Case("MurmurHash3", [x], [y], {"positive": positive, "seed": seed})


def finite():
    for dtype in (F, np.float64, np.float16, ml_dtypes.bfloat16):
        good, endless, none = np.array([1, -2, 0], dtype), np.array([1, np.inf], dtype), np.array([[np.nan]], dtype)
        for inputs in ([good], [good, endless], [none, good], [good, endless, none], [np.zeros((0,), dtype), good]):
            inf, nan = (any(f(x.astype(np.float64)).any() for x in inputs) for f in (np.isinf, np.isnan))
            flat = " ".join(f"f{i} = Reshape(x{i}, all) " for i in range(len(inputs)))
            joined = f"all = Constant<value_ints=[-1]>() {flat} x = Concat<axis=0>({', '.join(f'f{i}' for i in range(len(inputs)))})"
            found = {"": "i = IsInf(x) n = IsNaN(x) bad = Or(i, n)", "isinf_only": "bad = IsInf(x)", "isnan_only": "bad = IsNaN(x)"}
            for attributes, y in (({}, not (inf or nan)), ({"isinf_only": 1}, not inf), ({"isnan_only": 1}, not nan)):
                standard = f"{joined} {found[next(iter(attributes), '')]} w = Cast<to=6>(bad) most = ReduceMax<keepdims=0>(w) any = Cast<to=9>(most) y0 = Not(any)"
                yield Case("IsAllFinite", inputs, [np.array(y)], attributes, types=[bool], engine=False, standard=standard if dtype in (F, np.float64) else "")
