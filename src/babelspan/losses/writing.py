"""The loss of a question generator.

Shape letters: B questions, T subwords ("pieces") of a question with its end.
"""

from torch import Tensor


def writing_loss(
    log_probs: Tensor, uniform: Tensor, real: Tensor, *, smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy in nats per piece: the mean over questions of the mean over their pieces.

    Label smoothing as in Szegedy et al. (2016), arXiv:1512.00567, Section 7: the target puts 1 - e
    on the gold piece and spreads e uniformly over all pieces.

    Args:
        log_probs: log-probabilities of the gold pieces, (B, T); any value in padding.
        uniform: mean of the log-probabilities of all pieces, (B, T).
        real: true for pieces, false for padding, (B, T); at least one piece in each row.
        smoothing: e, in [0, 1).

    Returns:
        Non-negative scalar.
    """
    smoothed_BT = (1 - smoothing) * log_probs
    if smoothing:
        smoothed_BT = smoothed_BT + smoothing * uniform
    sums_B = smoothed_BT.masked_fill(~real, 0.0).sum(dim=1)
    return -(sums_B / real.sum(dim=1)).mean()
