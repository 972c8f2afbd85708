"""From the share of an answer to the probability that it is right, and how reliable that is.

Platt scaling (Platt 1999, "Probabilistic outputs for support vector machines"): a logistic curve
over the log-odds of the share, with two numbers fitted on questions with known answers. Expected
calibration error: Guo et al. (2017), "On calibration of modern neural networks", Eq. 3.

Shapes: N answers, K bins.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babelspan.types import DataError

BINS = 10
LEAST = 50
"""Minimum number of answers to fit a curve."""

_SMALLEST = 1e-7
"""Shares are clipped to this distance from 0 and 1, where log-odds are infinite."""
_STEPS = 100
_RIDGE = 1e-3
"""Ridge penalty that keeps the curve finite if shares separate right from wrong perfectly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The probability that an answer is right: 1 / (1 + exp(-(slope * log-odds + offset))).

    Attributes:
        slope: slope, above 0; slope 1 with offset 0 leaves shares unchanged.
        offset: number added to the log-odds.
    """

    slope: float = 1.0
    offset: float = 0.0

    def probability(self, share: float) -> float:
        """Return the probability for a share in [0, 1]."""
        return float(_sigmoid(self.slope * _log_odds(np.array([share])) + self.offset)[0])


SHARES = Calibration()
"""Leaves shares unchanged."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers with similar probabilities: their number, mean probability, and fraction right."""

    answers: int
    said: float
    right: float


def fit(shares: Sequence[float], is_right: Sequence[bool], weights: Sequence[float]) -> Calibration:
    """Fit the maximum-likelihood curve to right and wrong answers, by Newton's method.

    Args:
        shares: share of the best answer to each question, (N,), in [0, 1].
        is_right: whether the answer is right, (N,).
        weights: weight of each answer, (N,), above 0.

    Raises:
        DataError: if there are too few answers, all are right or none is, or higher shares do not
            go with right answers.
    """
    right, weight = np.array(is_right, dtype=float), np.array(weights, dtype=float)
    if len(right) < LEAST or right.min() == right.max():
        raise DataError(
            f"expected {LEAST} answers or more, some right and some wrong, found {len(right)}, "
            f"{int(right.sum())} of them right; use other questions, or more"
        )
    weight *= len(weight) / weight.sum()
    inputs = np.stack([_log_odds(np.array(shares, dtype=float)), np.ones(len(right))], axis=1)
    curve = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        said = _sigmoid(inputs @ curve)
        gradient = inputs.T @ (weight * (said - right)) + _RIDGE * (curve - [1.0, 0.0])
        hessian = (inputs.T * (weight * said * (1 - said))) @ inputs + _RIDGE * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        curve -= step / max(1.0, float(np.abs(step).max()))  # far from the end, at most 1
        if np.abs(step).max() < 1e-9:
            break
    if curve[0] <= 0:
        raise DataError(
            "expected right answers to have higher scores than wrong ones, found the opposite; the "
            "reader cannot be calibrated on these questions, use others"
        )
    return Calibration(slope=float(curve[0]), offset=float(curve[1]))


def bins(said: Sequence[float], is_right: Sequence[bool], *, count: int = BINS) -> list[Bin]:
    """Return a reliability diagram: answers in `count` bins of equal width by probability.

    Args:
        said: probability of each answer, (N,), in [0, 1].
        is_right: whether it was right, (N,).
        count: K.
    """
    numbers = np.array(said, dtype=float)
    right = np.array(is_right, dtype=float)
    place = np.minimum((numbers * count).astype(int), count - 1)
    return [
        Bin(int(n), float(numbers[place == k].mean()), float(right[place == k].mean()))
        if (n := (place == k).sum())
        else Bin(0, math.nan, math.nan)
        for k in range(count)
    ]


def expected_calibration_error(of_bins: Sequence[Bin]) -> float:
    """Return the mean distance between predicted and observed probability, in [0, 1].

    The mean is over all answers; it is 0 if there are none.
    """
    answers = sum(b.answers for b in of_bins)
    return sum(b.answers * abs(b.said - b.right) for b in of_bins if b.answers) / max(answers, 1)


def _log_odds(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = np.clip(shares, _SMALLEST, 1 - _SMALLEST)
    odds: NDArray[np.float64] = np.log(kept) - np.log1p(-kept)
    return odds


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    curve: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(values, -500, 500)))
    return curve
