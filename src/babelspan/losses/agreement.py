"""The loss of answering otherwise than another reading of the same text does.

Shape letters: B windows, L tokens.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

NOT_TOLD = -1
"""In place of a token that a window does not hold."""


def agreement_loss(start_logits: Tensor, last_logits: Tensor, told: Tensor) -> Tensor:
    """Negative log-likelihood, in nats, of the tokens that another reading found best.

    -1/2 (log p_start + log p_last), "produce the same answer" (PSA): Bornea et al. (2021),
    arXiv:2012.05958, Eq. 5. The mean over all windows; a token that was not told counts as 0, so
    that the mean over two halves of a batch is that of the whole.

    Args:
        start_logits: (B, L).
        last_logits: (B, L).
        told: first and last token of the other reading's best span, counted in these windows,
            (B, 2), integers; `NOT_TOLD` where the window does not hold it.

    Returns:
        Non-negative scalar.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    if start_logits.shape != last_logits.shape or told.shape != (len(start_logits), 2):
        raise ValueError(
            "expected logits (B, L), (B, L) and spans (B, 2), got "
            f"{tuple(start_logits.shape)}, {tuple(last_logits.shape)} and {tuple(told.shape)}"
        )
    losses = [
        F.cross_entropy(logits, tokens, ignore_index=NOT_TOLD, reduction="sum") / len(told)
        for logits, tokens in zip((start_logits, last_logits), told.unbind(dim=1), strict=True)
    ]
    return torch.stack(losses).mean()
