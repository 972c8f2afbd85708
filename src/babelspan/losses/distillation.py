"""The distillation loss: distance of a student's vectors from the teacher's.

Shape letters: N vectors, H width.
"""

from torch import Tensor

_LEAST = 1e-3
"""Lower bound of the teacher's variance, as a fraction of the mean squared length."""


def unexplained(ours: Tensor, theirs: Tensor) -> Tensor:
    """Fraction of the variance of the teacher's vectors that the student's do not explain.

    The mean squared distance between student and teacher, divided by the variance of the teacher's
    vectors: 0 if all are equal, 1 if the student always gives the teacher's mean vector. The
    division makes layers and teachers comparable; without it this is one of the two terms of Eq. 1
    of Reimers and Gurevych (2020), arXiv:2004.09813.

    Args:
        ours: the student's vectors, (N, H).
        theirs: the teacher's vectors, (N, H).

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
