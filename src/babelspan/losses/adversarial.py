"""Adversarial losses: one network predicts the language or the side, the other hides it.

Shape letters: B items, C classes.
"""

import math
from typing import Literal

from torch import Tensor
from torch.nn import functional as F


def confusion_loss(logits: Tensor) -> Tensor:
    """Kullback-Leibler divergence of a classifier's prediction from the uniform one, in nats.

    KL(uniform || softmax(logits)) = -log C - mean over classes of log softmax(logits), averaged
    over the batch: 0 for a uniform prediction, unbounded for a certain one. Bornea et al. (2021),
    arXiv:2012.05958, Eq. 4, whose sign is a mistake: the divergence is minimised.

    Args:
        logits: (B, C).

    Returns:
        Non-negative scalar.

    Raises:
        ValueError: if `logits` is not a matrix with at least two classes.
    """
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(f"expected logits (B, C) of 2 classes or more, got {tuple(logits.shape)}")
    log_probabilities = F.log_softmax(logits.float(), dim=-1)
    return (-math.log(logits.shape[1]) - log_probabilities.mean(dim=-1)).mean()


def naming_loss(logits: Tensor, classes: Tensor, weights: Tensor) -> Tensor:
    """Weighted negative log-likelihood of the correct classes, in nats.

    The mean over the batch of weight * -log softmax(logits)[class]; with weights of 1, Eq. 3 of
    Bornea et al. (2021), arXiv:2012.05958. It is divided by the number of items, not by the sum of
    their weights, so the mean over two halves of a batch equals that of the whole.

    Args:
        logits: (B, C).
        classes: (B,), integers.
        weights: (B,).

    Returns:
        Scalar, non-negative if the weights are.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    if logits.ndim != 2 or not classes.shape == weights.shape == logits.shape[:1]:
        raise ValueError(
            "expected logits (B, C), classes (B,) and weights (B,), got "
            f"{tuple(logits.shape)}, {tuple(classes.shape)} and {tuple(weights.shape)}"
        )
    return (weights * F.cross_entropy(logits.float(), classes, reduction="none")).mean()


def telling_loss(scores: Tensor, is_source: Tensor) -> Tensor:
    """Cross-entropy of a discriminator between source and target, in nats.

    The mean over the batch of log(1 + exp(-s)) for source texts and log(1 + exp(s)) for target
    texts. Eq. 1 of Lee and Lee (2019), arXiv:1907.06042, minimises log D of the target and
    log(1 - D) of the source: it is unbounded, and its gradient is smallest where D is wrong.

    Args:
        scores: logits of "source", (B,).
        is_source: (B,), bool.

    Returns:
        Non-negative scalar.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    _check(scores, is_source)
    return F.softplus(scores * (1 - 2 * is_source.to(scores.dtype))).mean()


def hiding_loss(scores: Tensor, is_source: Tensor, steers: Literal["source", "target"]) -> Tensor:
    """Cross-entropy of the wrong side for texts of the hiding side, in nats.

    The sum over texts of that side, divided by the number of all texts of the batch. For the source
    it is -log(1 - D), as minimised by Lee and Lee (2019), Eq. 2, and for the target -log D.

    Args:
        scores: logits of "source", (B,).
        is_source: (B,), bool.
        steers: the hiding side.

    Returns:
        Non-negative scalar; 0 without texts of that side.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    _check(scores, is_source)
    hides = is_source if steers == "source" else ~is_source
    wrong = scores if steers == "source" else -scores
    return (F.softplus(wrong) * hides).mean()


def _check(scores: Tensor, is_source: Tensor) -> None:
    """Check that the shapes of scores and sides match."""
    if scores.ndim != 1 or scores.shape != is_source.shape:
        raise ValueError(
            f"expected scores (B,) and sides (B,), got {tuple(scores.shape)} and "
            f"{tuple(is_source.shape)}"
        )
