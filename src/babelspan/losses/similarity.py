"""The loss of different vectors for a question and its translation.

Shape letters: B windows, L tokens, H width.
"""

from torch import Tensor
from torch.nn import functional as F


def mean_vectors(hidden: Tensor, mask: Tensor) -> Tensor:
    """The mean of the vectors that a mask selects, (B, H); zeros if it selects none.

    Args:
        hidden: (B, L, H).
        mask: (B, L), true or 1 for tokens that count.
    """
    weights = mask.unsqueeze(-1).float()
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def dissimilarity_loss(one: Tensor, other: Tensor) -> Tensor:
    """1 - cosine of two vectors, in [0, 2], the mean over the batch.

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
