"""Networks for sequences: transformers with masks and caches, recurrent layers with lengths, embeddings."""
import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from networks.network import Network, batch, formula


def networks():
    ids = lambda size: torch.randint(0, 20, (size, size + 3))
    tokens = batch(ids={1: "time"}, mask={1: "time"})
    yield Network("encoder_masked", Encoder, lambda size: (ids(size), torch.rand(size, size + 3) > 0.3), tokens, oldest=11)
    yield Network("bert_like", Bert, lambda size: (ids(size), (torch.rand(size, size + 3) > 0.3).long()), tokens, oldest=11)
    yield Network("decoder_kv_cache", Decoder, lambda size: (torch.randint(0, 20, (size, 1)), torch.randn(size, 2, size + 4, 4), torch.randn(size, 2, size + 4, 4)),
                  {"ids": {0: "batch"}, "past_key": {0: "batch", 2: "past"}, "past_value": {0: "batch", 2: "past"}}, oldest=9)
    yield Network("llama_block", Llama, lambda size: (torch.randn(size, size + 3, 16),), batch(x={1: "time"}), oldest=12)
    yield Network("sdpa_causal", Attention, lambda size: tuple(torch.randn(size, 2, 5, 4) for _ in range(3)), batch("q", "k", "v"), oldest=14)
    yield Network("multihead_cross", CrossAttention, lambda size: (torch.randn(size, 4, 8), torch.randn(size, 6, 8)), batch("x", "memory"), oldest=12)
    yield Network("transformer_whole", lambda: Whole(), lambda size: (torch.randn(size, 5, 8), torch.randn(size, 4, 8)), batch("source", "target"), oldest=14)
    sequence = lambda size: (torch.randn(size, size + 4, 5),)
    for kind in ("RNN", "GRU", "LSTM"):
        for ways in (False, True):
            build = lambda kind=kind, ways=ways: Recurrent(kind, ways)
            yield Network(f"{kind.lower()}{'_both' if ways else ''}", build, sequence, batch(x={1: "time"}))
    yield Network("lstm_layers_state", StatefulLSTM, lambda size: (torch.randn(6, 2, 5), torch.randn(4, 2, 3), torch.randn(4, 2, 3)))
    yield Network("lstm_packed", PackedLSTM, lambda size: (torch.randn(3, 7, 5), torch.tensor([7, 4, 2])), oldest=11, by="legacy")
    yield Network("gru_packed", lambda: PackedLSTM("GRU"), lambda size: (torch.randn(3, 7, 5), torch.tensor([7, 4, 2])), oldest=9, by="legacy")
    yield Network("lstm_double", lambda: Recurrent("LSTM", True).double(), lambda size: (torch.randn(size, 6, 5, dtype=torch.float64),))
    yield Network("gru_reset_half", lambda: Recurrent("GRU", False).half(), lambda size: (torch.randn(size, 6, 5).half(),), tolerance=1e-2)
    yield Network("lstm_cell", lambda: nn.LSTMCell(5, 3), lambda size: (torch.randn(2, 5), (torch.randn(2, 3), torch.randn(2, 3))), oldest=9, by="legacy")
    yield Network("embedding_bag", lambda: nn.EmbeddingBag(20, 4, mode="mean"), lambda size: (torch.randint(0, 20, (3, 6)),), oldest=11)
    yield Network("text_cnn", TextCNN, lambda size: (ids(size + 4),), batch(ids={1: "time"}), oldest=9)
    yield Network("mixture_of_experts", Experts, lambda size: (torch.randn(6, 8),), oldest=11)
    yield formula("rotary", rotary, (2, 2, 5, 8), oldest=9)
    yield formula("alibi", lambda s: s - (torch.arange(5)[:, None] - torch.arange(5)[None]).abs() * torch.tensor([0.5, 0.25])[:, None, None], (2, 2, 5, 5), oldest=9)


def rotary(x):
    angle = torch.arange(x.shape[2], dtype=torch.float32)[:, None] / 100 ** (torch.arange(0, 8, 2) / 8)
    cos, sin = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)
    return x * cos + torch.cat([-x[..., 4:], x[..., :4]], -1) * sin


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 8, padding_idx=0)
        self.query, self.key, self.value, self.out = (nn.Linear(8, 8) for _ in range(4))
        self.norm, self.up, self.down = nn.LayerNorm(8), nn.Linear(8, 16), nn.Linear(16, 8)

    def forward(self, ids, mask):
        x = self.embed(ids)
        heads = lambda y: y.view(y.shape[0], y.shape[1], 2, 4).transpose(1, 2)
        scores = heads(self.query(x)) @ heads(self.key(x)).transpose(2, 3) / math.sqrt(4)
        scores = scores.masked_fill(~mask[:, None, None, :], -1e9)
        x = self.norm(x + self.out((scores.softmax(-1) @ heads(self.value(x))).transpose(1, 2).flatten(2)))
        return x + self.down(F.gelu(self.up(x)))


class Bert(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places, self.norm, self.layer, self.pooler = nn.Embedding(20, 8), nn.Embedding(16, 8), nn.LayerNorm(8), Encoder(), nn.Linear(8, 8)
        self.layer.embed = nn.Identity()

    def forward(self, ids, mask):
        place = torch.arange(ids.shape[1], device=ids.device).unsqueeze(0).expand_as(ids)
        x = self.layer(self.norm(self.words(ids) + self.places(place)), mask > 0)
        return x, torch.tanh(self.pooler(x[:, 0]))


class Decoder(nn.Module):
    """One step of generation: the new key and value are appended to those of the past."""

    def __init__(self):
        super().__init__()
        self.embed, self.qkv, self.head = nn.Embedding(20, 8), nn.Linear(8, 24), nn.Linear(8, 20, bias=False)

    def forward(self, ids, past_key, past_value):
        x = self.embed(ids)
        q, k, v = (y.reshape(x.shape[0], x.shape[1], 2, 4).transpose(1, 2) for y in self.qkv(x).chunk(3, -1))
        key, value = torch.cat([past_key, k], 2), torch.cat([past_value, v], 2)
        y = (q @ key.transpose(2, 3) * 0.5).softmax(-1) @ value
        return self.head(y.transpose(1, 2).reshape(x.shape[0], -1, 8)), key, value


class Llama(nn.Module):
    """Root-mean-square norms, grouped key and value heads, rotary places, a gated feed-forward."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Parameter(torch.rand(16)), nn.Parameter(torch.rand(16))
        self.q, self.kv, self.out = nn.Linear(16, 16, bias=False), nn.Linear(16, 16, bias=False), nn.Linear(16, 16, bias=False)
        self.gate, self.up, self.down = nn.Linear(16, 24, bias=False), nn.Linear(16, 24, bias=False), nn.Linear(24, 16, bias=False)

    def norm(self, x, weight):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weight

    def forward(self, x):
        n, t, _ = x.shape
        h = self.norm(x, self.first)
        q = self.q(h).view(n, t, 2, 8).transpose(1, 2)
        k, v = (y.view(n, t, 1, 8).transpose(1, 2).expand(-1, 2, -1, -1) for y in self.kv(h).chunk(2, -1))
        causal = torch.full((t, t), float("-inf")).triu(1)
        y = ((rotary(q) @ rotary(k).transpose(2, 3)) / math.sqrt(8) + causal).softmax(-1) @ v
        x = x + self.out(y.transpose(1, 2).reshape(n, t, 16))
        h = self.norm(x, self.second)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Attention(nn.Module):
    def forward(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)


class CrossAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x, memory):
        return self.attention(x, memory, memory)


class Whole(nn.Module):
    def __init__(self):
        super().__init__()
        self.transformer = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)

    def forward(self, source, target):
        return self.transformer(source, target, tgt_mask=nn.Transformer.generate_square_subsequent_mask(4), tgt_is_causal=True)


class Recurrent(nn.Module):
    def __init__(self, kind, ways):
        super().__init__()
        self.layer = getattr(nn, kind)(5, 4, num_layers=2, bidirectional=ways, batch_first=True)
        self.head = nn.Linear(8 if ways else 4, 2)

    def forward(self, x):
        y, _ = self.layer(x)
        return self.head(y[:, -1])


class StatefulLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.LSTM(5, 3, num_layers=2, bidirectional=True)

    def forward(self, x, h, c):
        y, (h, c) = self.layer(x, (h, c))
        return y, h, c


class PackedLSTM(nn.Module):
    def __init__(self, kind="LSTM"):
        super().__init__()
        self.layer = getattr(nn, kind)(5, 3, bidirectional=True, batch_first=True)

    def forward(self, x, lengths):
        y, _ = self.layer(pack_padded_sequence(x, lengths, batch_first=True))
        return pad_packed_sequence(y, batch_first=True)


class TextCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.convolutions = nn.Embedding(20, 6), nn.ModuleList(nn.Conv1d(6, 4, k) for k in (2, 3, 4))

    def forward(self, ids):
        x = self.embed(ids).transpose(1, 2)
        return torch.cat([F.relu(c(x)).max(2)[0] for c in self.convolutions], 1)


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate, self.experts = nn.Linear(8, 4), nn.ModuleList(nn.Linear(8, 8) for _ in range(4))

    def forward(self, x):
        weight, chosen = self.gate(x).softmax(-1).topk(2, -1)
        all_weights = torch.zeros(x.shape[0], 4).scatter(1, chosen, weight)
        return sum(all_weights[:, k:k + 1] * expert(x) for k, expert in enumerate(self.experts))
