"""Distances, inverses, crops, embeddings of words, padding taken away and put back, relative positions."""
import numpy as np
from case import Case, draw, f64


def cases():
    yield from distances()
    for dtype in (np.float32, np.float64, np.float16):
        for shape in ((3, 3), (2, 4, 4), (1, 1), (2, 2, 5, 5), (0, 3, 3)):
            x = draw(1, *shape, dtype=dtype) + 3 * np.eye(shape[-1], dtype=dtype)
            yield Case("Inverse", [x], [np.linalg.inv(f64(x))], tolerance=1e-4 if dtype == np.float32 else 0)
    yield from crops()
    yield from padding()
    yield from relative_positions()
    yield from gated_positions()
    yield from words()


def distances():
    def each(a, b, f):
        return np.array([[f(x, y) for y in b] for x in a]).reshape(len(a), len(b))

    formulas = {"euclidean": lambda x, y: np.sqrt(((x - y) ** 2).sum()), "sqeuclidean": lambda x, y: ((x - y) ** 2).sum(), "cityblock": lambda x, y: abs(x - y).sum(),
                "chebyshev": lambda x, y: abs(x - y).max(), "canberra": lambda x, y: (abs(x - y) / (abs(x) + abs(y))).sum(), "braycurtis": lambda x, y: abs(x - y).sum() / abs(x + y).sum(),
                "hamming": lambda x, y: (x != y).mean(), "cosine": lambda x, y: 1 - x @ y / np.sqrt(x @ x * (y @ y))}
    for dtype in (np.float32, np.float64):
        for m, k, n in ((4, 3, 5), (1, 7, 33), (9, 1, 2)):
            a, b = draw(2, m, n, dtype=dtype), draw(3, k, n, dtype=dtype)
            for metric, f in formulas.items():
                theirs = metric.endswith("euclidean")
                yield Case("CDist", [a, b], [each(f64(a), f64(b), f)], {"metric": metric}, engine=theirs, tolerance=1e-4 if dtype == np.float32 else 0)


def crops():
    x = draw(4, 2, 3, 5, 6)
    boxes = np.array([[0, 0, 1, 1], [0.1, 0.2, 0.8, 0.6], [-0.2, 0.3, 0.5, 1.3], [0.9, 0.8, 0.1, 0.2]], np.float32)
    images = np.array([0, 1, 1, 0], np.int32)
    for mode in ("bilinear", "nearest"):
        for size in ((3, 4), (1, 1), (7, 2)):
            y = np.full((4, 3, *size), -2.0)
            for r, (y1, x1, y2, x2) in enumerate(f64(boxes)):
                rows = [y1 * 4 + i * (y2 - y1) * 4 / (size[0] - 1) for i in range(size[0])] if size[0] > 1 else [0.5 * (y1 + y2) * 4]
                columns = [x1 * 5 + j * (x2 - x1) * 5 / (size[1] - 1) for j in range(size[1])] if size[1] > 1 else [0.5 * (x1 + x2) * 5]
                for i, p in enumerate(rows):
                    for j, q in enumerate(columns):
                        if not (0 <= p <= 4 and 0 <= q <= 5):
                            continue
                        plane = f64(x)[images[r]]
                        if mode == "nearest":
                            y[r, :, i, j] = plane[:, int(np.floor(p + 0.5)), int(np.floor(q + 0.5))]
                        else:
                            t, l, b, g = int(np.floor(p)), int(np.floor(q)), int(np.ceil(p)), int(np.ceil(q))
                            above, below = (plane[:, k, l] + (plane[:, k, g] - plane[:, k, l]) * (q - l) for k in (t, b))
                            y[r, :, i, j] = above + (below - above) * (p - t)
            yield Case("CropAndResize", [x, boxes, images, np.array(size, np.int32)], [y], {"mode": mode, "extrapolation_value": -2.0})


def padding():
    x, counts = draw(5, 3, 4, 2), np.array([2, 4, 0], np.int32)
    kept = [b * 4 + t for b in range(3) for t in range(counts[b])]
    offsets = np.array(kept + [i for i in range(12) if i not in kept], np.int32).reshape(3, 4)
    rows = x.reshape(12, 2)[kept]
    yield Case("RemovePadding", [x, counts], [rows, offsets, np.array([0, 2, 6, 6], np.int32), np.array([4], np.int32)], engine=False)
    back = np.zeros((12, 2))
    back[kept] = rows
    yield Case("RestorePadding", [rows, offsets], [back.reshape(3, 4, 2)], engine=False)


def relative_positions():
    """The buckets as T5 computes them."""
    for both, queries, keys in ((1, 5, 5), (0, 6, 6), (1, 1, 1), (0, 40, 40)):
        for most in (128, 20):
            table = draw(6, 8, 3)
            distance = np.arange(keys)[None] - np.arange(queries)[:, None]
            buckets, bucket = 8, np.zeros_like(distance)
            if both:
                buckets //= 2
                bucket = bucket + (distance > 0) * buckets
                distance = abs(distance)
            else:
                distance = -np.minimum(distance, 0)
            exact = buckets // 2
            with np.errstate(divide="ignore"):
                far = exact + (np.log(distance.astype(np.float32) / exact) / np.log(most / exact) * (buckets - exact)).astype(np.float32)
            far = np.minimum(np.where(distance < exact, 0, far).astype(int), buckets - 1)
            bucket = bucket + np.where(distance < exact, distance, far)
            yield Case("RelativePositionBias", [table, np.array([queries], np.int64), np.array([keys], np.int64)], [table[bucket].transpose(2, 0, 1)[None]],
                       {"max_distance": most, "is_bidirectional": both}, engine=False)


def gated_positions():
    batch, steps, heads, width, gates = 2, 3, 2, 4, 8
    q, bias, positions = draw(30, batch, steps, heads * width), draw(31, heads * width), draw(32, 1, heads, steps, steps)
    w, b, eco = draw(33, width, gates), draw(34, gates), draw(35, 1, heads, 1, 1)
    rows = (f64(q) + f64(bias)).reshape(batch, steps, heads, width).transpose(0, 2, 1, 3)
    u, r = np.split(1 / (1 + np.exp(-(rows @ f64(w) + f64(b)).reshape(batch, heads, steps, 2, gates // 2).sum(-1))), 2, -1)
    yield Case("GatedRelativePositionBias", [q, bias, positions, w, b, eco], [(u * (r * f64(eco) - 1) + 2) * f64(positions)], {"num_heads": heads}, engine=False)


def words():
    """One word a row, its characters from the left, 0 behind its end."""
    rng = np.random.default_rng(7)
    lengths = [6, 3, 2, 4, 5, 6, 1]
    chars, weights, bias, table = np.zeros((7, 6), np.int32), draw(8, 4, 1, 2, 5), draw(9, 4), draw(10, 9, 5)
    y = np.zeros((7, 4))
    for i, n in enumerate(lengths):
        chars[i, :n] = rng.integers(1, 9, n)
        rows = f64(table)[chars[i]]
        y[i] = np.max([np.tanh((rows[p:p + 2] * f64(weights)[:, 0]).sum((1, 2)) + f64(bias)) for p in range(max(n - 1, 1))], 0)
    yield Case("WordConvEmbedding", [chars, weights, bias, table], [y], types=[np.float32])
