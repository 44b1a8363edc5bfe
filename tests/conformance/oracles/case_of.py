"""One node, what a formula written out in NumPy says it answers, and which engines are known to say something else."""
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Case:
    op: str
    inputs: list  # arrays; lists of arrays are sequences, dicts are maps, None is left out
    expected: list  # what the formula says: values of the same kinds, of the outputs' types
    attributes: dict = field(default_factory=dict)
    domain: str = ""
    opset: int = 0  # of the operator's domain; 0: 21, of ai.onnx.ml 5
    tolerance: float = 0  # relative and absolute; 0: by the type
    check: object = None  # instead of equality: a function of the outputs that says what is wrong with them, or None (random draws)
    disputes: dict = field(default_factory=dict)  # {"onnxruntime" or "reference": why it answers otherwise}; "sometimes: …" where it may also agree
    then: tuple = ()  # operators of one input that follow, where the answer itself cannot be compared
    alone: bool = False  # no engine has a kernel for these types: the formula has no second
    note: str = ""  # what is special, shown with a failure

    def __post_init__(self):
        self.inputs = [np.asarray(x) if isinstance(x, np.generic) else x for x in self.inputs]

    def fed(self):
        return [(i, x) for i, x in enumerate(self.inputs) if x is not None]

    def opsets(self):
        return {"": 21, "ai.onnx.ml": self.opset or 5} if self.domain else {"": self.opset or 21, "ai.onnx.ml": 5}


NUMBERS = [np.float32, np.float64, np.int64, np.int32]  # what most operators of ai.onnx.ml take


def awkward(dtype, *shape, seed=0):
    """Draws of a type, with its awkward values among them."""
    draw = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        values = draw.standard_normal(shape).astype(dtype)
        special = [np.nan, np.inf, -np.inf, -0.0, 0.0, np.finfo(dtype).tiny / 4, 1e-30]
        flat = values.reshape(-1)
        for k, v in enumerate(special):
            if flat.size > 3 * k:
                flat[3 * k] = v
        return values
    if np.dtype(dtype).kind == "b":
        return draw.integers(0, 2, shape).astype(bool)
    if np.dtype(dtype).kind in "OU":
        return np.array([f"t{v}" if v else "" for v in draw.integers(0, 5, shape).reshape(-1)], object).reshape(shape)
    return draw.integers(-5, 6, shape).astype(dtype) if np.dtype(dtype).kind == "i" else draw.integers(0, 9, shape).astype(dtype)


def plain(dtype, *shape, seed=0, scale=2.0):
    """Draws of a type without awkward values."""
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(dtype)
