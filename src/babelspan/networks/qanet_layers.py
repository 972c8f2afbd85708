"""The layers of QANet over a row that holds question and context, kept apart by masks.

Yu et al. (2018), Section 2. Nothing is gathered or cut by what the data say, so
that a network of these layers can be exported. What a token reads does not depend on padding, nor
on the other part: masks stand before every convolution, not only in attention.

Shapes: B windows, L tokens, H width, E width of word vectors, S letters of a word, K reach.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FAR = -1e9
"""Added to scores of what is not attended to. Not minus infinity: no row may see nothing."""
_LONGEST_WAVE = 10_000.0
_REACH_OF_LETTERS = 5


class Row(NamedTuple):
    """Where the parts of each window are.

    Attributes:
        question: (B, L), bool.
        context: (B, L), bool; `[NONE]`, the first token, is one of the context's.
        first: (B, L), bool: the first token, which no convolution reaches.
        places: of each token within its part, from 0, (B, L).
        apart: added to scores, so that a token attends to its own part, (B, 1, L, L).
        elsewhere: added to scores, so that tokens attend to the context, (B, 1, 1, L).
    """

    question: Tensor
    context: Tensor
    first: Tensor
    places: Tensor
    apart: Tensor
    elsewhere: Tensor

    @classmethod
    def of(cls, mask: Tensor, part: Tensor, first: Tensor) -> "Row":
        """Of mask (B, L), part of each token, 0 or 1, (B, L), and first tokens (B, L)."""
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
        """The parts that convolutions keep apart, question and context, (2, B, L, 1)."""
        return torch.stack([self.question, self.context & ~self.first])[..., None]


def _far(seen: Tensor) -> Tensor:
    return torch.zeros(seen.shape, device=seen.device).masked_fill(~seen, FAR)


class Drop(NamedTuple):
    """What a block drops in training.

    Attributes:
        part: of the numbers of each sublayer.
        survival: chance of the last sublayer to be kept; of earlier ones it is higher.
        first: number of the block's first sublayer among those of its stack, from 1.
        of: sublayers of the stack.
    """

    part: float
    survival: float
    first: int
    of: int


class WordInput(nn.Module):
    """Vectors of words and of their letters to H: a projection and two highway layers.

    Args:
        words: E.
        letters: how many letters there are, and how wide their vectors are; None to read none.
        width: H.
        drop: of the numbers of word vectors, and of letters.
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
        """Vectors (B, L, H) of word vectors (B, L, E) and letters (B, L, S)."""
        x: Tensor = F.dropout(words, self.drop[0], self.training)
        if spelt.shape[-1]:
            letters = F.dropout(self.letters(spelt), self.drop[1], self.training)
            windows, length, size, width = letters.shape
            flat = letters.reshape(windows * length, size, width).transpose(1, 2)
            of_word = self.spelling(flat).relu().amax(dim=-1)
            x = torch.cat([x, of_word.reshape(windows, length, width)], dim=-1)
        x = self.projection(x)
        for carry, change in zip(self.carry, self.change, strict=True):
            gate = torch.sigmoid(carry(x))
            new = F.dropout(change(x).relu(), self.drop[0], self.training)
            x = gate * new + (1 - gate) * x
        return x


class Separable(nn.Module):
    """A depthwise separable convolution that reaches K tokens of the same part.

    Chollet (2017), as QANet has it.
    """

    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.along = nn.Conv1d(width, width, reach, padding=reach // 2, groups=width, bias=False)
        self.across = nn.Linear(width, width)

    def forward(self, x: Tensor, parts: Tensor) -> Tensor:
        """Vectors (B, L, H) of vectors (B, L, H), parts (P, B, L, 1), bool."""
        own = (x * parts).flatten(0, 1)  # (P B, L, H): each part among zeros
        moved = self.along(own.transpose(1, 2)).transpose(1, 2)
        mixed = (moved.unflatten(0, parts.shape[:2]) * parts).sum(0)
        return torch.relu(self.across(mixed))


class SelfAttention(nn.Module):
    """Scaled dot products of several heads: Vaswani et al. (2017)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.inner = nn.Linear(width, 3 * width)
        self.outer = nn.Linear(width, width)

    def forward(self, x: Tensor, far: Tensor) -> Tensor:
        """Vectors (B, L, H) of vectors (B, L, H); `far` is added to the scores."""
        by_head = self.inner(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = by_head.unbind(0)
        far = far.to(query.dtype)
        read = F.scaled_dot_product_attention(query, key, value, attn_mask=far)
        joined: Tensor = self.outer(read.transpose(1, 2).flatten(2))
        return joined


class Block(nn.Module):
    """Convolutions, self-attention and a feed-forward layer, each normed before and added after.

    In training a sublayer may be left out of a whole batch, the later the likelier (QANet, Section
    4.1.2, after Huang et al. 2016). One that is kept is not scaled, in training
    or at test: what it drops inside is.

    Args:
        width: H.
        heads: of the attention.
        convolutions: how many.
        reach: K.
        drop: in training.
    """

    def __init__(self, width: int, heads: int, convolutions: int, reach: int, drop: Drop) -> None:
        super().__init__()
        self.drop = drop
        self.convolutions = nn.ModuleList(Separable(width, reach) for _ in range(convolutions))
        self.attention = SelfAttention(width, heads)
        self.feed = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(convolutions + 2))

    def forward(self, x: Tensor, places: Tensor, parts: Tensor, far: Tensor) -> Tensor:
        """Vectors (B, L, H) of vectors (B, L, H)."""
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
            x = x + F.dropout(new, self.drop.part, self.training)
        return x

    def _is_left_out(self, number: int) -> bool:
        """Whether a sublayer is left out of this batch; drawn from PyTorch's random state."""
        if not self.training or self.drop.survival == 1:
            return False
        depth = (self.drop.first + number) / self.drop.of
        return bool(torch.rand(()) < depth * (1 - self.drop.survival))


class Trilinear(nn.Module):
    """Context-query attention: QANet, Section 2.2, Eq. of f(q, c) = W0 [q, c, q * c].

    The three parts of W0 are one vector each, so that no product of four axes is made.

    Args:
        width: H.
        drop: part of the numbers dropped in training.
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
        """What each token gathers of the question, (B, L, H), of vectors (B, L, H)."""
        dropped = F.dropout(x, self.drop, self.training)
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
        gathered: Tensor = self.join(F.dropout(joined, self.drop, self.training))
        return gathered


def waves(places: Tensor, width: int) -> Tensor:
    """Sines and cosines of places: Vaswani et al. (2017), Section 3.5; (B, L, H) of (B, L)."""
    half = width // 2
    step = math.log(_LONGEST_WAVE) / max(1, half - 1)
    rates = torch.exp(torch.arange(half, device=places.device) * -step)
    angles = places[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
