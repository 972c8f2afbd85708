"""The loss of span prediction.

Shape letters: B windows, L tokens.
"""

from torch import Tensor
from torch.nn import functional as F


def span_loss(start_logits: Tensor, last_logits: Tensor, answers: Tensor) -> Tensor:
    """Negative log-likelihood of the gold span, in nats: -1/2 (log p_start + log p_last).

    Bornea et al. (2021), arXiv:2012.05958, Eq. 2; Devlin et al. (2019), arXiv:1810.04805. Averaged
    over the batch; in a window without the answer, the first token is both start and last.

    Args:
        start_logits: (B, L).
        last_logits: (B, L).
        answers: first and last token of each answer, (B, 2), integers.

    Returns:
        Non-negative scalar.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    _check(start_logits, last_logits, answers)
    start = F.cross_entropy(start_logits, answers[:, 0])
    last = F.cross_entropy(last_logits, answers[:, 1])
    return (start + last) / 2


def span_losses(start_logits: Tensor, last_logits: Tensor, answers: Tensor) -> Tensor:
    """The loss of each window, as in `span_loss`, (B,); empty without windows.

    The gradient of the mean equals that of `span_loss`, bit for bit on a CPU.
    """
    _check(start_logits, last_logits, answers)
    start = F.cross_entropy(start_logits, answers[:, 0], reduction="none")
    last = F.cross_entropy(last_logits, answers[:, 1], reduction="none")
    return (start + last) / 2


def _check(start_logits: Tensor, last_logits: Tensor, answers: Tensor) -> None:
    if start_logits.shape != last_logits.shape or answers.shape != (len(start_logits), 2):
        raise ValueError(
            "expected logits (B, L), (B, L) and answers (B, 2), got "
            f"{tuple(start_logits.shape)}, {tuple(last_logits.shape)} and {tuple(answers.shape)}"
        )
