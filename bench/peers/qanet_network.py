"""QANet with the arithmetic of well-known PyTorch implementations, for `qanet_peers.py`.

Written anew after their structure, not copied. In contrast to ours: question and context are two
batches, which the input embedding and the encoder read one after the other; vectors are (B, H, L),
with a pointwise convolution for each linear layer; attention is written out, with masks multiplied
and added; padding runs through the convolutions.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

FAR = -1e30


def pointwise(inner, outer, bias=True):
    """A linear layer over (B, H, L)."""
    return nn.Conv1d(inner, outer, 1, bias=bias)


def hidden(scores, mask):
    """Scores with -1e30 where the mask is 0."""
    return scores * mask + (1 - mask) * FAR


def waves(x):
    """Sinusoidal position encodings for (B, H, L), computed anew on each call."""
    half = x.shape[1] // 2
    rates = torch.exp(torch.arange(half) * -(math.log(1e4) / (half - 1)))
    angles = torch.arange(x.shape[2])[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1).t()


class Separable(nn.Module):
    """A depthwise separable convolution."""

    def __init__(self, width, reach):
        super().__init__()
        self.along = nn.Conv1d(width, width, reach, groups=width, padding=reach // 2, bias=False)
        self.across = pointwise(width, width)

    def forward(self, x):
        return F.relu(self.across(self.along(x)))


class Attention(nn.Module):
    """Self-attention of several heads, written out."""

    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query = pointwise(width, width, bias=False)
        self.memory = pointwise(width, 2 * width, bias=False)

    def forward(self, x, mask):
        key, value = self.memory(x).chunk(2, dim=1)
        query, key, value = (
            part.unflatten(1, (self.heads, -1)).transpose(2, 3)
            for part in (self.query(x), key, value)
        )
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)
        weights = hidden(scores, mask[:, None, None]).softmax(-1)
        read = F.dropout(weights, self.dropout, self.training) @ value
        return read.transpose(2, 3).flatten(1, 2)


class Block(nn.Module):
    """An encoder block."""

    def __init__(self, width, heads, convolutions, reach, dropout):
        super().__init__()
        self.dropout = dropout
        self.convolutions = nn.ModuleList(Separable(width, reach) for _ in range(convolutions))
        self.attention = Attention(width, heads, dropout)
        self.feed = nn.Sequential(pointwise(width, width), nn.ReLU(), pointwise(width, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(convolutions + 2))

    def forward(self, x, mask):
        x = x + waves(x)
        sublayers = [*self.convolutions, lambda y: self.attention(y, mask), self.feed]
        for norm, sublayer in zip(self.norms, sublayers, strict=True):
            y = norm(x.transpose(1, 2)).transpose(1, 2)
            x = x + F.dropout(sublayer(y), self.dropout, self.training)
        return x


class KnownQANet(nn.Module):
    """The network; fixed word vectors, trained letter vectors.

    Args:
        words: fixed word vectors, (V, E).
        letters: number of letters.
        width: H.
        heads: heads of each attention.
        letter_width: width of letter vectors.
        dropout: dropout rate.
        blocks: blocks of the model encoder.
    """

    def __init__(self, words, letters, *, width, heads, letter_width, dropout=0.1, blocks=7):
        super().__init__()
        self.dropout = dropout
        self.words = nn.Embedding.from_pretrained(words)
        self.letters = nn.Embedding(letters, letter_width)
        self.spelling = nn.Conv2d(letter_width, width, (1, 5))
        self.projection = pointwise(words.shape[1] + width, width, bias=False)
        self.carry = nn.ModuleList(pointwise(width, width) for _ in range(2))
        self.change = nn.ModuleList(pointwise(width, width) for _ in range(2))
        self.encoder = Block(width, heads, 4, 7, dropout)
        self.of_context, self.of_question, self.of_both = (
            nn.Parameter(torch.randn(width) * width**-0.5) for _ in range(3)
        )
        self.join = pointwise(4 * width, width, bias=False)
        self.model = nn.ModuleList(Block(width, heads, 2, 5, dropout) for _ in range(blocks))
        self.head = nn.ModuleList(pointwise(2 * width, 1, bias=False) for _ in range(2))

    def embedded(self, words, letters):
        """Vectors (B, H, L) from word ids (B, L) and letter ids (B, L, S)."""
        spelt = self._dropped(self.letters(letters)).permute(0, 3, 1, 2)
        spelt = F.relu(self.spelling(spelt)).amax(dim=3)
        x = torch.cat([spelt, self._dropped(self.words(words)).transpose(1, 2)], dim=1)
        x = self.projection(x)
        for carry, change in zip(self.carry, self.change, strict=True):
            gate = torch.sigmoid(carry(x))
            x = gate * self._dropped(change(x)) + (1 - gate) * x
        return x

    def forward(self, context, context_letters, question, question_letters):
        """Start and end logits, (B, L) each, from ids (B, L) and letter ids (B, L, S)."""
        of_context, of_question = (context != 0).float(), (question != 0).float()
        c = self.encoder(self.embedded(context, context_letters), of_context)
        q = self.encoder(self.embedded(question, question_letters), of_question)
        x = self.join(self._attended(c.transpose(1, 2), q.transpose(1, 2), of_context, of_question))
        x = self._dropped(x)
        passes = []
        for _ in range(3):
            for block in self.model:
                x = block(x, of_context)
            passes.append(x)
        pairs = (passes[0], passes[1]), (passes[0], passes[2])
        return tuple(
            hidden(head(torch.cat(pair, dim=1)).squeeze(1), of_context)
            for head, pair in zip(self.head, pairs, strict=True)
        )

    def _attended(self, c, q, of_context, of_question):
        dropped, asked = self._dropped(c), self._dropped(q)
        scores = (
            (dropped @ self.of_context)[:, :, None]
            + (asked @ self.of_question)[:, None]
            + (dropped * self.of_both) @ asked.transpose(1, 2)
        )
        over_question = hidden(scores, of_question[:, None]).softmax(2)
        over_context = hidden(scores, of_context[:, :, None]).softmax(1)
        a = over_question @ q
        b = over_question @ over_context.transpose(1, 2) @ c
        return torch.cat([c, a, c * a, c * b], dim=2).transpose(1, 2)

    def _dropped(self, x):
        return F.dropout(x, self.dropout, self.training)
