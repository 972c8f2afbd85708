"""The loss of vectors that are to be those of a teacher.

Shape letters: N vectors, H width.
"""

from torch import Tensor

_LEAST = 1e-3
"""Spread, as a share of the mean squared length, that is taken where there is less."""


def unexplained(ours: Tensor, theirs: Tensor) -> Tensor:
    """Mean squared distance to the teacher's vectors, over their mean squared distance to the mean.

    0 where all are equal, 1 for one who answers with the teacher's mean vector. The division makes
    layers and teachers comparable; without it this is the loss of Reimers and Gurevych (2020),
    arXiv:2004.09813, Eq. 1, for one of its two terms.

    Args:
        ours: (N, H).
        theirs: of the teacher, (N, H).

    Returns:
        Non-negative scalar; 0 for no vectors.

    Raises:
        ValueError: if the shapes differ.
    """
    if ours.shape != theirs.shape or ours.ndim != 2:
        raise ValueError(
            f"expected two matrices (N, H), got {tuple(ours.shape)} and {tuple(theirs.shape)}"
        )
    ours, theirs = ours.float(), theirs.float()
    if not len(theirs):
        return ours.sum()
    spread = (theirs - theirs.mean(dim=0)).square().sum(dim=-1).mean()
    least = _LEAST * theirs.square().sum(dim=-1).mean()
    return (ours - theirs).square().sum(dim=-1).mean() / spread.clamp(min=least)
