"""The layers of QANet, on question and context in one sequence, separated by masks.

Yu et al. (2018), Section 2. Outside training, no indexing depends on the data, so a network of
these layers can be exported. The output for a token depends neither on padding nor, before
context-query attention, on the other part: masks are applied before every convolution, not only in
attention.

Shapes: B windows, L tokens, H width, E width of word vectors, S letters of a word, K kernel size.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FAR = -1e9
"""Added to masked attention scores. Not minus infinity: a row without keys would give NaN."""
_LONGEST_WAVE = 10_000.0
_REACH_OF_LETTERS = 5


class Row(NamedTuple):
    """Masks and positions of question and context in each window.

    Attributes:
        question: (B, L), bool.
        context: (B, L), bool; `[NONE]`, the first token, belongs to the context.
        first: (B, L), bool: the first token, which is excluded from convolutions.
        places: position of each token in its part, from 0, (B, L).
        apart: additive attention mask: a token attends to its own part only, (B, 1, L, L).
        elsewhere: additive attention mask: tokens attend to the context only, (B, 1, 1, L).
    """

    question: Tensor
    context: Tensor
    first: Tensor
    places: Tensor
    apart: Tensor
    elsewhere: Tensor

    @classmethod
    def of(cls, mask: Tensor, part: Tensor, first: Tensor) -> "Row":
        """Build from a mask, the part of each token (0 or 1), and first tokens, (B, L) each."""
        is_token = mask > 0
        context = is_token & (part == 1)
        question = is_token & (part == 0)
        within = torch.where(context, context.cumsum(1), question.cumsum(1)) - 1
        label = torch.where(is_token, part, 2)
        is_same = label[:, :, None] == label[:, None, :]
        return cls(
            question=question,
            context=context,
            first=first,
            places=within.clamp(min=0),
            apart=_far(is_same)[:, None],
            elsewhere=_far(context)[:, None, None],
        )

    @property
    def parts(self) -> Tensor:
        """Masks of question and context for separate convolutions, (2, B, L, 1)."""
        return torch.stack([self.question, self.context & ~self.first])[..., None]


def _far(seen: Tensor) -> Tensor:
    return torch.zeros(seen.shape, device=seen.device).masked_fill(~seen, FAR)


class Drop(NamedTuple):
    """Dropout and stochastic depth of a block.

    Attributes:
        part: dropout rate of each sublayer.
        survival: probability that the last sublayer of the stack is kept; it is higher for earlier
            ones.
        first: number of the block's first sublayer in its stack, from 1.
        of: number of sublayers in the stack.
    """

    part: float
    survival: float
    first: int
    of: int


class WordInput(nn.Module):
    """The input embedding: word and letter vectors, a projection to H, and two highway layers.

    Args:
        words: width of word vectors, E.
        letters: number of letters and width of their vectors; None for no letters.
        width: output width, H.
        drop: dropout rates of word vectors and of letter vectors.
    """

    def __init__(
        self,
        words: int,
        letters: tuple[int, int] | None,
        width: int,
        drop: tuple[float, float],
    ) -> None:
        super().__init__()
        self.drop = drop
        spelt = 0
        if letters is not None:
            number, spelt = letters
            self.letters = nn.Embedding(number, spelt, padding_idx=0)
            self.spelling = nn.Conv1d(
                spelt, spelt, _REACH_OF_LETTERS, padding=_REACH_OF_LETTERS // 2
            )
        self.projection = nn.Linear(words + spelt, width)
        self.carry = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.change = nn.ModuleList(nn.Linear(width, width) for _ in range(2))

    def forward(self, words: Tensor, spelt: Tensor) -> Tensor:
        """Vectors (B, L, H) from word vectors (B, L, E) and letter ids (B, L, S)."""
        x: Tensor = dropout(words, self.drop[0], self.training)
        if spelt.shape[-1]:
            x = torch.cat([x, self._of_letters(spelt)], dim=-1)
        x = self.projection(x)
        for carry, change in zip(self.carry, self.change, strict=True):
            gate = torch.sigmoid(carry(x))
            new = dropout(change(x).relu(), self.drop[0], self.training)
            x = gate * new + (1 - gate) * x
        return x

    def _of_letters(self, spelt: Tensor) -> Tensor:
        """Vectors of words from their letters, (B, L, width) from (B, L, S).

        In training, each different word of a batch is read once: its occurrences share dropout. Not
        so when answering, because an exported network cannot index by its data.
        """
        rows, shape = spelt.flatten(0, 1), spelt.shape[:2]
        if not self.training:
            return self._read(rows).reshape(*shape, -1)
        different, number = torch.unique(rows, dim=0, return_inverse=True)
        # In fp32, because the gradients of all occurrences of a word are added up.
        return F.embedding(number.reshape(shape), self._read(different).float())

    def _read(self, rows: Tensor) -> Tensor:
        """Vectors (R, width) from letter ids (R, S)."""
        letters = dropout(self.letters(rows), self.drop[1], self.training)
        vectors: Tensor = self.spelling(letters.transpose(1, 2)).relu().amax(dim=-1)
        return vectors


class Separable(nn.Module):
    """A depthwise separable convolution over K tokens of the same part.

    Chollet (2017), as used in QANet.
    """

    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.along = nn.Conv1d(width, width, reach, padding=reach // 2, groups=width, bias=False)
        self.across = nn.Linear(width, width)

    def forward(self, x: Tensor, parts: Tensor) -> Tensor:
        """Vectors (B, L, H) from vectors (B, L, H) and masks of P parts (P, B, L, 1), bool."""
        own = (x * parts).flatten(0, 1)  # (P B, L, H): each part, with zeros elsewhere
        # An image of height 1 with channels last in memory takes half the time (decision 122);
        # `along` only holds the weights, under the name that saved readers have.
        image, kernel = own.transpose(1, 2)[:, :, None], self.along.weight[:, :, None]
        padding = (0, *self.along.padding)
        moved = F.conv2d(image, kernel, padding=padding, groups=self.along.groups)
        of_part = moved[:, :, 0].transpose(1, 2).reshape(len(parts), *x.shape)
        mixed = (of_part * parts).sum(0)
        return torch.relu(self.across(mixed))


class SelfAttention(nn.Module):
    """Multi-head scaled dot-product self-attention: Vaswani et al. (2017)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.inner = nn.Linear(width, 3 * width)
        self.outer = nn.Linear(width, width)

    def forward(self, x: Tensor, far: Tensor) -> Tensor:
        """Vectors (B, L, H) from vectors (B, L, H); `far` is added to the scores."""
        by_head = self.inner(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = by_head.unbind(0)
        far = far.to(query.dtype)
        read = F.scaled_dot_product_attention(query, key, value, attn_mask=far)
        joined: Tensor = self.outer(read.transpose(1, 2).flatten(2))
        return joined


class Block(nn.Module):
    """An encoder block: convolutions, self-attention, feed-forward; pre-norm and residual.

    In training, stochastic depth may skip a sublayer for a whole batch, later sublayers more often
    (QANet, Section 4.1.2, after Huang et al. 2016). Sublayers that are kept are not rescaled, in
    training or at test time; dropout inside them rescales as usual.

    Args:
        width: H.
        heads: heads of the attention.
        convolutions: number of convolutions.
        reach: kernel size, K.
        drop: dropout and stochastic depth.
    """

    def __init__(self, width: int, heads: int, convolutions: int, reach: int, drop: Drop) -> None:
        super().__init__()
        self.drop = drop
        self.convolutions = nn.ModuleList(Separable(width, reach) for _ in range(convolutions))
        self.attention = SelfAttention(width, heads)
        self.feed = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(convolutions + 2))

    def forward(self, x: Tensor, places: Tensor, parts: Tensor, far: Tensor) -> Tensor:
        """Vectors (B, L, H) from vectors (B, L, H)."""
        x = x + waves(places, x.shape[-1]).to(x.dtype)
        for number, norm in enumerate(self.norms):
            if self._is_left_out(number):
                continue
            if number < len(self.convolutions):
                new = self.convolutions[number](norm(x), parts)
            elif number == len(self.convolutions):
                new = self.attention(norm(x), far)
            else:
                new = self.feed(norm(x))
            x = x + dropout(new, self.drop.part, self.training)
        return x

    def _is_left_out(self, number: int) -> bool:
        """Whether a sublayer is skipped for this batch; drawn from PyTorch's random state."""
        if not self.training or self.drop.survival == 1:
            return False
        depth = (self.drop.first + number) / self.drop.of
        return bool(torch.rand(()) < depth * (1 - self.drop.survival))


class Trilinear(nn.Module):
    """Context-query attention: QANet, Section 2.2, trilinear f(q, c) = W0 [q, c, q * c].

    W0 is split into three vectors, so that no four-dimensional product is needed.

    Args:
        width: H.
        drop: dropout rate.
    """

    def __init__(self, width: int, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.of_context = nn.Linear(width, 1, bias=False)
        self.of_question = nn.Linear(width, 1, bias=False)
        self.of_both = nn.Parameter(torch.empty(width))
        nn.init.uniform_(self.of_both, -(width**-0.5), width**-0.5)
        self.join = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, row: Row) -> Tensor:
        """Question-aware vectors of tokens, (B, L, H), from vectors (B, L, H)."""
        dropped = dropout(x, self.drop, self.training)
        scores = (dropped * self.of_both) @ dropped.transpose(
            1, 2
        )  # rows context, columns question
        scores = scores + self.of_context(dropped) + self.of_question(dropped).transpose(1, 2)
        is_question, is_context = row.question[:, None, :], row.context[:, :, None]
        over_question = scores.masked_fill(~is_question, FAR).softmax(-1) * is_question
        over_context = scores.masked_fill(~is_context, FAR).softmax(1) * is_context
        of_question = over_question @ x
        of_context = over_question @ (over_context.transpose(1, 2) @ x)
        joined = torch.cat([x, of_question, x * of_question, x * of_context], dim=-1)
        gathered: Tensor = self.join(dropout(joined, self.drop, self.training))
        return gathered


def dropout(x: Tensor, rate: float, training: bool) -> Tensor:
    """Dropout, in training: some elements become zero, and the others are scaled up.

    On the CPU it takes a third of the time of PyTorch's, because it draws 16 bits for an element,
    not a number: the rate is rounded to a multiple of 2^-16 (decision 122).
    """
    if not training or not rate or x.device.type != "cpu":
        return F.dropout(x, rate, training)
    dropped = min(round(rate * 2**16), 2**16 - 1)
    drawn = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
    values = drawn.view(torch.int16)[: x.numel()].view(x.shape)  # uniform from -2^15 to 2^15 - 1
    is_kept = values >= dropped - 2**15
    return x * (is_kept.to(x.dtype) * (2**16 / (2**16 - dropped)))


def waves(places: Tensor, width: int) -> Tensor:
    """Sinusoidal position encodings, (B, L, H): Vaswani et al. (2017), Section 3.5."""
    half = width // 2
    step = math.log(_LONGEST_WAVE) / max(1, half - 1)
    rates = torch.exp(torch.arange(half, device=places.device) * -step)
    angles = places[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
