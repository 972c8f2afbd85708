"""A loss and a statistic over word vectors.

Shape letters: N words, H width.
"""

from torch import Tensor
from torch.nn import functional as F


def squared_distance(one: Tensor, other: Tensor) -> Tensor:
    """Sum over words of the squared distance between two vectors; 0 for no words.

    Faisal and Anastasopoulos (2021), arXiv:2109.12028, Section 3; used for both terms.

    Args:
        one: (N, H).
        other: (N, H).

    Returns:
        Non-negative scalar.

    Raises:
        ValueError: if the shapes differ.
    """
    if one.shape != other.shape or one.ndim != 2:
        raise ValueError(
            f"expected two matrices (N, H), got {tuple(one.shape)} and {tuple(other.shape)}"
        )
    return (one.float() - other.float()).square().sum()


def cosine_between(vectors: Tensor, group: Tensor) -> Tensor:
    """Mean cosine of two vectors of different groups; 0 if there is only one group.

    With sentences as groups it detects collapse: it is near 1 if all words have the same direction.

    Args:
        vectors: (N, H).
        group: index of each vector's group, integers from 0, (N,).

    Returns:
        Scalar in [-1, 1].
    """
    directions = F.normalize(vectors.float(), dim=-1)
    sizes = group.bincount()
    sums = directions.new_zeros(len(sizes), vectors.shape[-1]).index_add(0, group, directions)
    pairs = len(vectors) ** 2 - sizes.square().sum()
    of_pairs = sums.sum(dim=0).square().sum() - sums.square().sum()
    return of_pairs / pairs.clamp(min=1)
