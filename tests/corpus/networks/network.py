"""A small network in torch, with the inputs it is exported and run with."""
from dataclasses import dataclass
from typing import Callable

import torch

import case

SIZE, OTHER_SIZE = 2, 3  # the size that a model is exported with, and another that one with dynamic axes must also run with


@dataclass
class Network:
    name: str
    build: Callable              # () -> module
    inputs: Callable             # size -> the module's arguments
    dynamic: dict | None = None  # {argument: {axis: symbol}}; "batch" stands for size
    oldest: int = 7              # opset that the legacy exporter can write it for
    by: str = "legacy dynamo"    # exporters that can write it at all
    scripted: bool = False       # through torch.jit.script: control flow
    tolerance: float | None = None


class Formula(torch.nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *arguments):
        return self.function(*arguments)


def formula(name, function, *inputs, oldest=9, **more):
    """Inputs are shapes (of normally distributed float32) or tensors."""
    def values(size):
        return tuple(torch.randn(x) if isinstance(x, tuple) else x for x in inputs)
    return Network(name, lambda: Formula(function), values, oldest=oldest, **more)


def batch(*arguments, **axes):
    """The first axis of the named arguments is the batch, and more axes have names: batch("x", mask={1: "time"})."""
    return {**{a: {0: "batch"} for a in arguments}, **{a: {0: "batch", **names} for a, names in axes.items()}}


def seeded(network, size):
    """(the module, its arguments), the same at every call."""
    torch.manual_seed(case.seed_of(network.name))
    module = network.build().eval()
    torch.manual_seed(size)
    return module, network.inputs(size)


def flat(values):
    if isinstance(values, torch.Tensor):
        return [values]
    return [tensor for value in values for tensor in flat(value)]
