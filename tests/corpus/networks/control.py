"""Networks with control flow: scripted branches, loops and lists for the legacy exporter, torch.cond and scan for the other."""
from typing import List

import torch
from torch import nn

from networks.network import Network


def networks():
    for sign, name in ((1.0, "positive"), (-1.0, "negative")):
        yield scripted(f"if_{name}", Branch, lambda size, sign=sign: (torch.rand(3, 4) * sign,))
        yield Network(f"cond_{name}", Cond, lambda size, sign=sign: (torch.rand(3, 4) * sign,), by="dynamo")
    yield scripted("nested_if", Nested, lambda size: (torch.randn(3, 4), torch.tensor(2)))
    yield scripted("for_count", Repeat, lambda size: (torch.randn(3, 4), torch.tensor(4)))
    yield scripted("for_zero", Repeat, lambda size: (torch.randn(3, 4), torch.tensor(0)))
    yield scripted("while_norm", Halve, lambda size: (torch.randn(3, 4) * 10,))
    yield scripted("list_append", Collect, lambda size: (torch.randn(4, 3),), oldest=13)
    yield scripted("early_return", Early, lambda size: (torch.randn(3, 4),))
    yield scripted("beam", Beam, lambda size: (torch.randn(2, 6),))
    yield scripted("recurrence", Recurrence, lambda size: (torch.randn(5, 2, 3),))


def scripted(name, build, inputs, oldest=11):
    return Network(name, build, inputs, oldest=oldest, scripted=True, by="legacy")


class Branch(nn.Module):
    def forward(self, x):
        if bool(x.sum() > 0):
            y = x * 2
        else:
            y = x - 1
        return y.mean(0)


class Cond(nn.Module):
    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda x: x * 2, lambda x: x - 1, (x,))


class Nested(nn.Module):
    def forward(self, x, k: torch.Tensor):
        y = x
        if bool(k > 0):
            if bool(k > 1):
                y = x.tanh() + k
            else:
                y = x.exp()
            y = y * 2
        return y


class Repeat(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x, n: torch.Tensor):
        for k in range(int(n)):
            x = torch.tanh(self.layer(x)) + k
        return x


class Halve(nn.Module):
    def forward(self, x):
        steps = torch.zeros(1, dtype=torch.int64)
        while bool(x.abs().max() > 1):
            x = x / 2
            steps = steps + 1
        return x, steps


class Collect(nn.Module):
    def forward(self, x):
        rows: List[torch.Tensor] = []
        for k in range(x.size(0)):
            rows.append(x[k] * k)
        return torch.stack(rows, 1)


class Early(nn.Module):
    def forward(self, x):
        if bool(x.min() < -100):
            return x.zero_() if x.dim() == 0 else x * 0
        return x + 1


class Beam(nn.Module):
    """Greedy picks until the one chosen first comes again or six are taken."""

    def forward(self, scores):
        chosen = torch.zeros(2, 0, dtype=torch.int64)
        k = 0
        going = True
        while going and k < 6:
            best = scores.argmax(1, keepdim=True)
            chosen = torch.cat([chosen, best], 1)
            scores = scores.scatter(1, best, torch.full([2, 1], -1e9))
            going = bool((best > 0).any())
            k += 1
        return chosen


class Recurrence(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.Linear(6, 3)

    def forward(self, x):
        h = torch.zeros(x.size(1), 3)
        for t in range(x.size(0)):
            if t % 2 == 0:
                h = torch.tanh(self.cell(torch.cat([x[t], h], 1)))
            else:
                h = h * 0.5 + x[t]
        return h
