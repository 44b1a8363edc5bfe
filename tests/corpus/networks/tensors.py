"""Formulas: what torch's functions become, one by one: indexing, reductions, norms, padding, resizing, pooling, sorting, types."""
import torch
from torch.nn import functional as F

from networks.network import formula

X = (2, 3, 6, 5)
WHOLE = torch.tensor([[3, -2, 7, 0], [5, 1, -9, 4]])
TRUTH = torch.tensor([[True, False, True, True], [False, False, True, False]])


def networks():
    yield from indexing()
    yield from reductions()
    yield from norms()
    yield from pads_and_sizes()
    yield from pools()
    yield from order()
    yield from algebra()
    yield from types()
    yield from activations()


def indexing():
    rows, columns = torch.tensor([2, 0, 1]), torch.tensor([4, 4, 0])
    yield formula("gather", lambda x, i: torch.gather(x, 1, i), (2, 5), torch.tensor([[0, 4, 2], [1, 1, 3]]))
    yield formula("index_pair", lambda x: x[:, rows, columns], (2, 3, 5), oldest=11)
    yield formula("index_apart", lambda x: x[rows, :, columns], (3, 4, 5), oldest=11)
    yield formula("index_mask", lambda x: x[x > 0.2], (4, 5), oldest=11)
    yield formula("index_put", lambda x, v: x.clone().index_put((rows, columns), v), (3, 5), (3,), oldest=11)
    yield formula("index_add", lambda x, v: x.index_add(0, torch.tensor([1, 1, 0]), v), (4, 3), (3, 3), oldest=16)
    yield formula("scatter", lambda x, v: x.scatter(1, torch.tensor([[0, 2], [3, 1]]), v), (2, 4), (2, 2))
    yield formula("scatter_add", lambda x, v: x.scatter_add(1, torch.tensor([[0, 0], [3, 3]]), v), (2, 4), (2, 2), oldest=16)
    yield formula("scatter_reduce", lambda x, v: x.scatter_reduce(1, torch.tensor([[0, 0], [3, 3]]), v, "amax"), (2, 4), (2, 2), oldest=16)
    yield formula("masked_scatter", lambda x, v: x.masked_scatter(TRUTH, v), (2, 4), (8,), oldest=11)
    yield formula("slice_steps", lambda x: x[:, ::2, -3:, 1:-1], X)
    yield formula("slice_assign", lambda x: F.pad(x[:, 1:], (0, 1)), (3, 5), oldest=9)
    yield formula("flip_roll", lambda x: torch.roll(torch.flip(x, (1, 2)), (1, 2), (0, 3)), X)
    yield formula("take_along", lambda x: torch.take_along_dim(x, torch.tensor([[2, 0]]), 1), (3, 4), oldest=11)
    yield formula("repeat_interleave", lambda x: x.repeat_interleave(2, 1).repeat(1, 2), (2, 3), oldest=11)
    yield formula("split_stack", lambda x: torch.stack(x.split([1, 2, 3], 2)[0::1][1].unbind(2) + (x[:, :, 0],), 1), X, oldest=9)
    yield formula("one_hot", lambda i: F.one_hot(i, 6), torch.tensor([[0, 5], [3, 2]]))
    yield formula("where_broadcast", lambda x, y: torch.where(x > y, x, y * 2), (2, 3, 1), (4,))
    yield formula("nonzero", lambda x: torch.nonzero(x > 0), (3, 4))
    yield formula("triangles", lambda x: torch.tril(x) + torch.triu(x, 1) * 2, (2, 4, 4), oldest=14)
    yield formula("bucketize", lambda x: torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0])), (3, 4), oldest=9)
    yield formula("as_dynamic_shape", lambda x: x.reshape(x.shape[0] * x.shape[1], -1).unsqueeze(0).squeeze(0), X)
    yield formula("unfold_window", lambda x: x.unfold(1, 3, 2), (2, 9), oldest=9)
    yield formula("meshgrid", lambda a, b: torch.meshgrid(a, b, indexing="ij"), (3,), (4,), oldest=9)


def reductions():
    for name in ("sum", "mean", "amax", "amin", "logsumexp"):
        yield formula(f"reduce_{name}", lambda x, name=name: getattr(torch, name)(x, (1, 3)), X, oldest=7)
    yield formula("reduce_keep", lambda x: x.sum(2, keepdim=True) + x.mean(-1, keepdim=True), X, oldest=7)
    yield formula("prod", lambda x: x.prod(1), X, oldest=7)
    yield formula("norms", lambda x: (x.norm(2, 1), x.norm(1, 1), torch.linalg.vector_norm(x, float("inf"), 1)), (3, 5))
    yield formula("var_std", lambda x: torch.cat([x.var(1), x.std(1, unbiased=False)]), X)
    yield formula("cumsum", lambda x: x.cumsum(1), X, oldest=11)
    yield formula("argmax_argmin", lambda x: (x.argmax(1), x.argmin(-1, keepdim=True), x.argmax()), X, oldest=9)
    yield formula("max_with_index", lambda x: x.max(2), X)
    yield formula("any_all", lambda x: ((x > 1).any(1), (x > -2).all(1)), X)
    yield formula("count_nonzero", lambda x: (x > 0).sum((1, 2)), X)
    yield formula("diff_dot", lambda x: (x[:, 1:] - x[:, :-1]).mul(x[:, 1:]).sum(-1), (3, 6))


def norms():
    weight, bias = torch.rand(3) + 0.5, torch.randn(3)
    yield formula("layer_norm", lambda x: F.layer_norm(x, (6, 5)), X)
    yield formula("layer_norm_weight", lambda x: F.layer_norm(x, (3,), weight, bias), (2, 4, 3))
    yield formula("group_norm", lambda x: F.group_norm(x, 3, weight, bias), X)
    yield formula("instance_norm", lambda x: F.instance_norm(x, weight=weight, bias=bias), X)
    yield formula("batch_norm_2d", lambda x: F.batch_norm(x, bias, weight, weight, bias), X)
    yield formula("batch_norm_1d", lambda x: F.batch_norm(x, bias, weight), (4, 3))
    yield formula("local_response", lambda x: F.local_response_norm(x, 3), X)
    yield formula("rms_norm", lambda x: F.rms_norm(x, (5,)), X, oldest=9)
    yield formula("normalize", lambda x: F.normalize(x, dim=1), X)
    yield formula("cosine", lambda x, y: F.cosine_similarity(x, y, 1), (2, 5), (2, 5))
    yield formula("pairwise", lambda x, y: torch.cdist(x, y), (3, 4), (5, 4), by="legacy")


def pads_and_sizes():
    for mode in ("constant", "reflect", "replicate"):
        yield formula(f"pad_{mode}", lambda x, mode=mode: F.pad(x, (1, 2, 3, 0), mode), X, oldest=9)
    yield formula("pad_circular", lambda x: F.pad(x, (1, 2, 1, 1), "circular"), X, oldest=9)
    yield formula("pad_crop", lambda x: F.pad(x, (-1, 2, 1, -2), value=0.5), X, oldest=9)
    sizes = {"nearest": {}, "bilinear": {"align_corners": False}, "bilinear_corners": {"align_corners": True}, "bicubic": {"align_corners": False}, "area": {}}
    for name, more in sizes.items():
        mode = name.split("_")[0]
        yield formula(f"resize_{name}", lambda x, mode=mode, more=more: F.interpolate(x, (9, 8), mode=mode, **more), X, oldest=11)
        yield formula(f"scale_{name}", lambda x, mode=mode, more=more: F.interpolate(x, scale_factor=(1.5, 2.0), mode=mode, **more), X,
                      oldest=11, by="legacy dynamo")
    yield formula("scale_nearest_2", lambda x: F.interpolate(x, scale_factor=2), X, oldest=7)
    yield formula("resize_down", lambda x: F.interpolate(x, (3, 2), mode="bilinear"), X, oldest=11)
    yield formula("resize_antialias", lambda x: F.interpolate(x, (3, 2), mode="bilinear", antialias=True), X, oldest=18)
    yield formula("resize_linear_1d", lambda x: F.interpolate(x, 7, mode="linear"), (2, 3, 5), oldest=11)
    yield formula("resize_trilinear", lambda x: F.interpolate(x, (3, 4, 5), mode="trilinear"), (1, 2, 4, 4, 4), oldest=11)
    yield formula("pixel_shuffle", lambda x: F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2), (2, 8, 3, 3), oldest=9)


def pools():
    for ceil in (False, True):
        tail = "_ceil" if ceil else ""
        yield formula(f"max_pool{tail}", lambda x, ceil=ceil: F.max_pool2d(x, 3, 2, 1, ceil_mode=ceil), X, oldest=7 if not ceil else 10)
        yield formula(f"avg_pool{tail}", lambda x, ceil=ceil: F.avg_pool2d(x, 3, 2, 1, ceil_mode=ceil), X, oldest=7 if not ceil else 10)
        yield formula(f"avg_pool_exclude{tail}", lambda x, ceil=ceil: F.avg_pool2d(x, (2, 3), 2, (1, 1), ceil_mode=ceil, count_include_pad=False), X, oldest=10)
    yield formula("max_pool_dilated", lambda x: F.max_pool2d(x, 2, 1, dilation=2), X, oldest=10)
    yield formula("max_pool_indices", lambda x: F.max_pool2d(x, 2, return_indices=True), X, oldest=9)
    yield formula("pool_1d_3d", lambda x: F.max_pool1d(x.flatten(2), 4).sum() + F.avg_pool3d(x.unsqueeze(1), 2).sum(), X, oldest=10)
    yield formula("adaptive_avg", lambda x: F.adaptive_avg_pool2d(x, (3, 5)), X, oldest=9)
    yield formula("adaptive_max", lambda x: F.adaptive_max_pool2d(x, (3, 1)), X, oldest=9, by="legacy")
    yield formula("lp_pool", lambda x: F.lp_pool2d(x.abs(), 2, 2), X, oldest=10)


def order():
    yield formula("topk", lambda x: torch.topk(x, 3, 1), (3, 6), oldest=9)
    yield formula("topk_smallest", lambda x: torch.topk(x, 2, 0, largest=False), (5, 4), oldest=11)
    yield formula("sort", lambda x: torch.sort(x, 1, descending=True), (3, 6), oldest=10)
    yield formula("argsort", lambda x: x.argsort(-1), (3, 6), oldest=11)
    yield formula("unique", lambda x: torch.unique(x, return_inverse=True, return_counts=True), torch.tensor([3, 1, 3, 2, 1, 1]), oldest=11)
    yield formula("unique_rows", lambda x: torch.unique(x, dim=0), torch.tensor([[3, 1], [0, 2], [3, 1]]), oldest=11)
    yield formula("multinomial_free", lambda x: (x.softmax(-1).cumsum(-1) < 0.5).sum(-1), (3, 5), oldest=11)
    yield formula("searchsorted", lambda x: torch.searchsorted(torch.tensor([-1.0, 0.0, 1.0]), x), (2, 3), oldest=11, by="dynamo")


def algebra():
    for equation, shapes in {"bij,bjk->bik": ((2, 3, 4), (2, 4, 5)), "bhqd,bhkd->bhqk": ((2, 2, 3, 4), (2, 2, 5, 4)), "ii->i": ((4, 4),), "ij,kj->ik": ((2, 3), (4, 3)),
                             "abc->ca": ((2, 3, 4),), "i,j->ij": ((3,), (4,)), "bi,ij,bj->b": ((2, 3), (3, 4), (2, 4))}.items():
        yield formula("einsum_" + equation.replace(",", "_").replace("->", "_to_"), lambda *x, e=equation: torch.einsum(e, *x), *shapes, oldest=12)
    yield formula("matmul_broadcast", lambda x, y: x @ y, (2, 1, 3, 4), (5, 4, 2), oldest=7)
    yield formula("matmul_vectors", lambda x, y: (x @ y, x @ y.T[0]), (3, 4), (4, 4), oldest=9)
    yield formula("addmm", lambda a, x, y: torch.addmm(a, x, y, beta=0.5, alpha=2.0), (2, 5), (2, 3), (3, 5), oldest=7)
    yield formula("baddbmm", lambda a, x, y: torch.baddbmm(a, x, y), (2, 2, 4), (2, 2, 3), (2, 3, 4), oldest=9)
    yield formula("outer_cross", lambda x, y: (torch.outer(x, y), torch.linalg.cross(x, y)), (3,), (3,), oldest=11)
    yield formula("determinant", lambda x: torch.linalg.det(x), (2, 3, 3), oldest=11)
    yield formula("fft", lambda x: torch.view_as_real(torch.fft.fft(x)), (2, 8), by="dynamo")
    yield formula("rfft_irfft", lambda x: torch.fft.irfft(torch.fft.rfft(x)), (2, 8), by="dynamo")
    yield formula("fft_2d", lambda x: torch.view_as_real(torch.fft.fft2(x)).pow(2).sum(-1), (2, 4, 6), by="dynamo")
    yield formula("stft", lambda x: torch.view_as_real(torch.stft(x, 8, 4, window=torch.hann_window(8), center=False, return_complex=True)), (2, 32), oldest=17)
    yield formula("complex_multiply", lambda x, y: torch.view_as_real(torch.view_as_complex(x) * torch.view_as_complex(y)), (3, 2), (3, 2), by="dynamo")


def types():
    yield formula("casts", lambda x: (x.to(torch.int32), x.half().float(), x.double(), x.bool(), x.to(torch.uint8).float()), (torch.arange(12.0) / 3).reshape(3, 4), oldest=9)
    yield formula("float_to_int8", lambda x: x.to(torch.int8).to(torch.int64), torch.tensor([[3.7, -2.2], [100.5, -0.4]]))
    yield formula("integer_arithmetic", lambda x: (x // 3, x % 3, x * x - 7, -x.abs()), WHOLE, oldest=9)
    yield formula("integer_remainders", lambda x: (torch.fmod(x, 3), torch.remainder(x, -3), torch.div(x, 3, rounding_mode="trunc")), WHOLE, oldest=10)
    yield formula("float_remainders", lambda x, y: (torch.fmod(x, y), torch.remainder(x, y)), (3, 4), (3, 4), oldest=10)
    yield formula("division_true", lambda x: x / 4, WHOLE, oldest=9)
    yield formula("bitwise", lambda x: (x & 3, x | 8, x ^ 5, ~x), WHOLE, oldest=18, by="dynamo")
    yield formula("bitwise_and", lambda x: x & 3, WHOLE, oldest=18)
    yield formula("shifts", lambda x: (x << 2, x >> 1), torch.tensor([[3, 8], [5, 0]]), oldest=11)
    yield formula("logic", lambda x: (x & ~x.flip(0), x | x.flip(1), x ^ x.flip(0)), TRUTH, oldest=9)
    yield formula("double_math", lambda x: torch.sin(x) * torch.exp(-x.abs()) + x.sqrt().nan_to_num(0.0), torch.randn(3, 4, dtype=torch.float64), oldest=10)
    yield formula("half_matmul", lambda x, y: (x @ y).softmax(-1), torch.randn(3, 8).half(), torch.randn(8, 4).half(), oldest=13, tolerance=1e-2)
    yield formula("bfloat16_linear", lambda x: (x.bfloat16() @ torch.ones(4, 3).bfloat16() + 0.5).float(), (2, 4), oldest=14, tolerance=2e-2)
    yield formula("int32_index", lambda i: torch.arange(10.0)[i.long()], torch.tensor([[1, 2], [-1, 9]], dtype=torch.int32))
    yield formula("arange_full", lambda x: torch.arange(x.shape[1]) + torch.full((x.shape[1],), 3) + torch.zeros_like(x[0]).long(), (2, 5), oldest=11)
    yield formula("rounding", lambda x: (x.round(), x.floor(), x.ceil(), x.sign()), torch.tensor([0.5, 1.5, -0.5, 2.5, -1.2, 3.7]), oldest=11)
    yield formula("trunc_frac", lambda x: (x.trunc(), x.frac()), torch.tensor([0.5, 1.5, -0.5, 2.5, -1.2, 3.7]))
    yield formula("nan_infinite", lambda x: (x.isnan(), x.isinf(), torch.nan_to_num(x, 1.0, 2.0, -2.0)), torch.tensor([0.5, float("nan"), float("inf"), -float("inf")]), oldest=10)
    yield formula("comparisons", lambda x, y: (x == y, x != y, x <= y, x >= y, x < y), torch.tensor([1.0, 2.0, float("nan")]), torch.tensor([1.0, 3.0, float("nan")]), oldest=12)
    yield formula("scalar_shapes", lambda x: (x.sum(), x.sum() * 2 + x.numel(), x.mean().reshape(1)), X, oldest=9)
    yield formula("zero_rows", lambda x: (x[x[:, 0] > 100] @ torch.ones(4, 2)).sum(0), (3, 4), oldest=11)


def activations():
    every = {"gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "mish": F.mish, "elu": F.elu, "celu": lambda x: F.celu(x, 0.5), "selu": F.selu,
             "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid, "hardshrink": F.hardshrink, "softshrink": F.softshrink, "softsign": F.softsign,
             "softplus": lambda x: F.softplus(x, 2.0), "logsigmoid": F.logsigmoid, "threshold": lambda x: F.threshold(x, 0.1, 20.0), "glu": lambda x: F.glu(x, 1),
             "relu6": F.relu6, "tanhshrink": F.tanhshrink, "softmin": lambda x: F.softmin(x, 1), "log_softmax": lambda x: F.log_softmax(x, 2)}
    for name, function in every.items():
        yield formula(f"act_{name}", function, (2, 4, 3), oldest=9)
    functions = {"expm1": torch.expm1, "hypot": lambda x: torch.hypot(x, x + 1), "erfc": torch.special.erfc, "sinh_cosh": lambda x: (x.sinh(), x.cosh()),
                 "trigonometry": lambda x: (x.sin(), x.cos(), x.tan(), x.atan(), x.clamp(-0.9, 0.9).asin(), x.clamp(-0.9, 0.9).acos()),
                 "hyperbolic": lambda x: (x.tanh(), x.asinh(), (x.abs() + 1).acosh(), x.clamp(-0.9, 0.9).atanh()),
                 "exponential": lambda x: (x.exp(), x.abs().log(), x.abs().log1p(), x.abs().sqrt(), (x.abs() + 1).rsqrt(), x.abs().log2()),
                 "powers": lambda x: (x.pow(2), x.pow(3.0), x.abs().pow(0.5), 2.0 ** x, x.reciprocal(), x.square()),
                 "erf": torch.erf, "atan2": lambda x: torch.atan2(x, x * x - 0.5),
                 "clamps": lambda x: (x.clamp(min=0.1), x.clamp(max=0.2), x.clamp(-0.3, 0.4), torch.maximum(x, 0.5 - x), torch.minimum(x, x * 0)), "logit": lambda x: torch.logit(x.sigmoid(), 1e-6)}
    for name, function in functions.items():
        yield formula(f"math_{name}", function, (3, 4), oldest=9)
    losses = {"cross_entropy": lambda x: F.cross_entropy(x, torch.tensor([1, 0, 3])), "nll_ignore": lambda x: F.nll_loss(x.log_softmax(1), torch.tensor([1, -100, 3]), reduction="none"),
              "smooth_l1": lambda x: F.smooth_l1_loss(x, x * 0), "bce_logits": lambda x: F.binary_cross_entropy_with_logits(x, (x > 0).float()), "kl": lambda x: F.kl_div(x, x.softmax(1), reduction="batchmean")}
    for name, function in losses.items():
        yield formula(f"loss_{name}", function, (3, 4), oldest=12)
