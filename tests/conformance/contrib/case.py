"""One node of ONNX Runtime's own operators: its inputs, and what a formula written out in NumPy says it answers."""
from dataclasses import dataclass, field

import ml_dtypes
import numpy as np


@dataclass
class Case:
    op: str
    inputs: list  # arrays; None where an optional input is left out
    expected: list  # of every output: an array (of real numbers: compared in the output's type), or None where it is not asked for
    attributes: dict = field(default_factory=dict)
    engine: bool = True  # ONNX Runtime's kernel for processors answers it too, and must agree
    tolerance: float = 0  # relative and absolute; 0: by the type
    domain: str = "com.microsoft"
    types: list = None  # of the outputs; by default that of the first input for real numbers
    standard: str = ""  # what is asked of ONNX Runtime where it has no kernel: standard nodes from x0, x1, … to y0, …, as onnx.parser reads them
    constants: tuple = ()  # which inputs stand in the model
    shares: dict = field(default_factory=dict)  # {output: input} that ONNX Runtime wants in one buffer
    where: object = None  # a function of the outputs: only what it leaves is compared (where the rest is unspecified)

    def __post_init__(self):
        self.inputs = [None if x is None else np.asarray(x) for x in self.inputs]

    def fed(self):
        return [(i, x) for i, x in enumerate(self.inputs) if x is not None and i not in self.constants]

    def output_types(self):
        if self.types:
            return [None if e is None else np.dtype(t) for e, t in zip(self.expected, self.types)]
        own = next(x.dtype for x in self.inputs if x is not None and x.dtype.kind == "f") if any(x is not None and x.dtype.kind == "f" for x in self.inputs) else None
        return [None if e is None else (own if np.asarray(e).dtype.kind == "f" and own else np.asarray(e).dtype) for e in self.expected]


def draw(seed, *shape, dtype=np.float32, scale=1.0):
    """Numbers that bfloat16 and float16 hold exactly, so that one expected answer serves every type."""
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(ml_dtypes.bfloat16).astype(dtype)


def softmax(x, axis=-1):
    with np.errstate(invalid="ignore"):
        e = np.exp(x - np.max(x, axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gelu(x):
    from math import erf

    return x * 0.5 * (1 + np.vectorize(erf, otypes=[float])(x / np.sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def f64(*arrays):
    out = [None if a is None else np.asarray(a).astype(np.float64) for a in arrays]
    return out[0] if len(out) == 1 else out
