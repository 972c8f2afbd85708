"""The loss of a multiple choice, such as a passage or a kind of answer.

Shape letters: B windows, C choices.
"""

from torch import Tensor
from torch.nn import functional as F


def choice_loss(logits: Tensor, chosen: Tensor) -> Tensor:
    """Negative log-likelihood of the correct choice, in nats, averaged over the batch.

    Alberti et al. (2019), arXiv:1901.08634, Section 3.2: the term for the answer type.

    Args:
        logits: (B, C); minus infinity for choices that a window does not have.
        chosen: index of the correct choice, (B,), integers.

    Returns:
        Non-negative scalar.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    if logits.dim() != 2 or chosen.shape != logits.shape[:1]:
        raise ValueError(
            f"expected logits (B, C) and choices (B,), got {tuple(logits.shape)} and "
            f"{tuple(chosen.shape)}"
        )
    return F.cross_entropy(logits, chosen)
