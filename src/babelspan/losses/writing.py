"""The loss of a network that writes.

Shape letters: B questions, T pieces of a question with its end.
"""

from torch import Tensor


def writing_loss(
    log_probs: Tensor, uniform: Tensor, real: Tensor, *, smoothing: float = 0.0
) -> Tensor:
    """Nats a piece: the mean over questions of the mean over a question's pieces.

    Label smoothing: Szegedy et al. (2016), arXiv:1512.00567, Section 7: the target is the gold
    piece with 1 - e and all pieces alike with e.

    Args:
        log_probs: of the gold pieces, (B, T); of any value where there is none.
        uniform: mean over all pieces of their log-probabilities, (B, T).
        real: whether there is a piece, (B, T); at least one in each row.
        smoothing: e, in [0, 1).

    Returns:
        Non-negative scalar.
    """
    smoothed_BT = (1 - smoothing) * log_probs
    if smoothing:
        smoothed_BT = smoothed_BT + smoothing * uniform
    sums_B = smoothed_BT.masked_fill(~real, 0.0).sum(dim=1)
    return -(sums_B / real.sum(dim=1)).mean()
