"""Similarity of questions or answers to their translations, as a loss and as a weight.

Shape letters: B windows, L tokens, H width, W tokens of the longest span.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def mean_vectors(hidden: Tensor, mask: Tensor) -> Tensor:
    """The mean of the vectors that a mask selects, (B, H); zeros if it selects none.

    Args:
        hidden: (B, L, H).
        mask: (B, L), true or 1 for selected tokens.
    """
    weights = mask.unsqueeze(-1).float()
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def dissimilarity_loss(one: Tensor, other: Tensor) -> Tensor:
    """1 - cosine of two vectors, in [0, 2], averaged over the batch.

    "Question similarity" (QS): Bornea et al. (2021), arXiv:2012.05958, Eq. 6.

    Args:
        one: (B, H).
        other: (B, H).

    Raises:
        ValueError: if the shapes differ.
    """
    if one.shape != other.shape or one.ndim != 2:
        raise ValueError(
            f"expected two matrices (B, H), got {tuple(one.shape)} and {tuple(other.shape)}"
        )
    return (1 - F.cosine_similarity(one.float(), other.float(), dim=-1)).mean()


def span_vectors(hidden: Tensor, spans: Tensor) -> Tensor:
    """Span representations, (B, 3 H): first token, last token, and the mean after self-attention.

    Cui et al. (2019), arXiv:1909.00361 (Dual BERT), Eq. 10: [B_start ; B_end ; mean of
    softmax(B B^T) B] with B the vectors of the span's tokens.

    Args:
        hidden: (B, L, H).
        spans: first and last token, (B, 2), integers.
    """
    longest = max((last - first + 1 for first, last in spans.tolist()), default=1)
    tokens = spans[:, :1] + torch.arange(longest, device=spans.device)
    mask = tokens <= spans[:, 1:]  # (B, W)
    places = tokens.clamp(max=hidden.shape[1] - 1)[:, :, None].expand(-1, -1, hidden.shape[2])
    vectors = hidden.gather(1, places)  # (B, W, H)
    scores = (vectors @ vectors.mT).masked_fill(~mask[:, None], -torch.inf)
    attended = mean_vectors(scores.softmax(dim=-1) @ vectors, mask)
    end = vectors.gather(1, (spans[:, 1:] - spans[:, :1])[:, :, None].expand_as(vectors[:, :1]))
    return torch.cat([vectors[:, 0], end[:, 0], attended], dim=-1)


@torch.no_grad()
def span_likeness(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> Tensor:
    """max(0, cosine) of spans, in [0, 1], (B,), without a gradient.

    lambda_R of Wu et al. (2021), arXiv:2107.05002, Eq. 23. It has no gradient; otherwise a reader
    could lower the weighted loss by making spans dissimilar.

    Args:
        one: hidden (B, L, H) and spans (B, 2), as in `span_vectors`.
        other: likewise.
    """
    mine, theirs = (span_vectors(hidden.float(), spans) for hidden, spans in (one, other))
    return F.cosine_similarity(mine, theirs, dim=-1).clamp(min=0)
