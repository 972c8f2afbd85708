"""The head of a question generator: a softmax over the vocabulary, and a pointer to the source.

See, Liu, Manning (2017), arXiv:1704.04368, Eq. 9:
p(piece) = (1 - g) softmax(piece) + g * (attention on the source positions with that piece).

Shape letters: B texts, S source tokens, T generated pieces, N pieces of a batch that are not
padding, H width, E embedding width, V pieces (subwords) of the vocabulary.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LEAST = 1e-30
"""Lower bound of copy probabilities before taking logarithms."""


class Candidates(NamedTuple):
    """The pieces that questions may consist of: those allowed, and those of their sources.

    Attributes:
        ids: piece ids, ascending, (C,).
        allowed: columns of the allowed pieces among the candidates, (A,); None if all are allowed.
        forbidden: columns of the candidates that may not even be copied.
        pieces: embeddings of the allowed pieces, (A, E).
        bias: their biases, (A,).
    """

    ids: Tensor
    allowed: Tensor | None
    forbidden: Tensor
    pieces: Tensor
    bias: Tensor

    @classmethod
    def of(
        cls, pieces: Tensor, bias: Tensor, forbidden: Tensor, *, allowed: Tensor, sources: Tensor
    ) -> "Candidates":
        """Choose the candidates of a batch.

        Args:
            pieces: embeddings of all pieces, (V, E).
            bias: biases of all pieces, (V,).
            forbidden: ids of the pieces that no question may contain.
            allowed: ids of the allowed pieces, ascending, (A,).
            sources: ids of the pieces of the sources, of any shape.
        """
        ids = torch.unique(torch.cat([allowed, sources.flatten()]))
        return cls(
            ids,
            torch.searchsorted(ids, allowed),
            torch.isin(ids, forbidden).nonzero().squeeze(1),
            pieces[allowed],
            bias[allowed],
        )

    @classmethod
    def all(cls, pieces: Tensor, bias: Tensor, forbidden: Tensor) -> "Candidates":
        """All pieces; arguments as for `of`."""
        return cls(torch.arange(len(pieces), device=pieces.device), None, forbidden, pieces, bias)

    def listed(self) -> Sequence[int]:
        """The ids as plain integers, without a copy of the whole vocabulary."""
        if self.allowed is None:
            return range(len(self.ids))
        listed: list[int] = self.ids.tolist()
        return listed

    def columns(self, ids: Tensor) -> Tensor:
        """The columns of some candidates, given by their ids; any shape."""
        return ids if self.allowed is None else torch.searchsorted(self.ids, ids)

    def spread(self, values: Tensor) -> Tensor:
        """Values of the allowed pieces, (B, A), as values of all candidates, (B, C).

        The others get minus infinity.
        """
        if self.allowed is None:
            return values
        among = values.new_full((len(values), len(self.ids)), -torch.inf)
        return among.index_copy_(1, self.allowed, values)


class WritingHead(nn.Module):
    """Scores pieces with tied embeddings, and may copy pieces from the source.

    Weights are drawn from a separate random state; the linear layer is initialised as the identity.

    Args:
        width: width of the encoder's vectors, H.
        embedding: width of the piece embeddings, E.
        pieces: size of the vocabulary, V.
        pointer: whether pieces may be copied.
        seed: seed of the weights.
    """

    def __init__(
        self, *, width: int, embedding: int, pieces: int, pointer: bool, seed: int
    ) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.transform = nn.Linear(width, embedding)
            self.norm = nn.LayerNorm(embedding)
            self.bias = nn.Parameter(torch.zeros(pieces))
            self.pointer = nn.Linear(width, 2 * width) if pointer else None
            self.gate = nn.Linear(width, 1) if pointer else None
        if width == embedding:
            with torch.no_grad():
                self.transform.weight.copy_(torch.eye(width))
                self.transform.bias.zero_()

    def logits(self, hidden: Tensor, pieces: Tensor, bias: Tensor) -> Tensor:
        """Logits of pieces, (…, A), in fp32.

        Args:
            hidden: (…, H).
            pieces: their embeddings, (A, E).
            bias: their entries of `bias`, (A,).
        """
        features = self.norm(F.gelu(self.transform(hidden)))
        return precise(F.linear(features, pieces)) + precise(bias)

    def keys(self, source: Tensor) -> Tensor | None:
        """The pointer's keys, (B, S, H), from the vectors of the source; None without a pointer."""
        if self.pointer is None:
            return None
        keys: Tensor = self.pointer(source)[..., source.shape[-1] :]
        return keys

    def copying(self, hidden: Tensor, keys: Tensor, copied: Tensor) -> tuple[Tensor, Tensor]:
        """Attention weights of the pointer, (B, T, S), and its gate logits, (B, T); in fp32.

        Args:
            hidden: vectors from which pieces are predicted, (B, T, H).
            keys: the output of `keys`, (B, S, H).
            copied: whether a source token is a piece of the vocabulary, (B, S).
        """
        assert self.pointer is not None and self.gate is not None
        width = hidden.shape[-1]
        queries = self.pointer(hidden)[..., :width]
        scores = precise(queries) @ precise(keys).transpose(1, 2) / math.sqrt(width)
        weights = scores.masked_fill(~copied[:, None], -torch.inf).softmax(dim=-1)
        gate: Tensor = self.gate(hidden).squeeze(-1)
        return weights, precise(gate)


def mixed(log_vocabulary: Tensor, copied: Tensor, gate: Tensor) -> Tensor:
    """Log-probabilities of pieces, mixed from vocabulary and pointer.

    Args:
        log_vocabulary: log-probabilities by the vocabulary, any shape; minus infinity for pieces
            that are not allowed.
        copied: probabilities by the pointer, of the same shape.
        gate: gate logits, of a shape that broadcasts.
    """
    return torch.logaddexp(F.logsigmoid(-gate) + log_vocabulary, _by_pointer(copied, gate))


def _by_pointer(copied: Tensor, gate: Tensor) -> Tensor:
    """Log-probabilities of copying pieces: those of the pointer, times that of copying at all."""
    return F.logsigmoid(gate) + copied.clamp_min(_LEAST).log()


def add_copied(log_probs: Tensor, columns: Tensor, weights: Tensor, gate: Tensor) -> None:
    """Add what the pointer copies to log-probabilities of pieces, in place (see `mixed`).

    Only the pieces of the source are visited, since the pointer copies no others.

    Args:
        log_probs: log-probabilities by the vocabulary, times the probability of not copying, (B,
            C); minus infinity for pieces that are not allowed.
        columns: those of the pieces of the source, (B, S); any for a token that cannot be copied.
        weights: attention weights of the pointer, (B, S); 0 for a token that cannot be copied.
        gate: gate logits, (B, 1).
    """
    is_same = columns[:, :, None] == columns[:, None]
    first = is_same.int().argmax(dim=-1)  # of the tokens of each piece
    sums = torch.zeros_like(weights).scatter_add_(1, first, weights).gather(1, first)
    own = log_probs.gather(1, columns)
    both = torch.logaddexp(own, _by_pointer(sums, gate))
    log_probs.scatter_(1, columns, both.where((sums > 0) | own.isfinite(), -torch.inf))


def precise(values: Tensor) -> Tensor:
    """Convert values to fp32; fp64 values stay fp64."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
