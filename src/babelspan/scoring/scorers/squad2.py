"""SQuAD 2.0 scores, equal to the official script `evaluate-v2.0.py`, faults included.

Rajpurkar et al. (2018), arXiv:1806.03822. Strings are normalised as in SQuAD 1.1. If one side has
no words, F1 is 1 if the other has none either, else 0; a question without an answer has the gold
answer "". The faults: a question without a prediction is not counted; a gold answer such as "The"
counts as empty, but its question as answerable; the default threshold is 1, even if the null odds
are differences of logits and not probabilities; the search for the best threshold may stop between
two questions with equal odds, which no threshold can separate, and it starts from all unanswerable
questions, counted or not.

If a prediction is missing, the official script stops before computing HasAns and NoAns; ours are
over the counted questions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from babelspan.scoring.figures import Figures
from babelspan.scoring.scorers import squad
from babelspan.types import DataError, Example

NAME = "squad2"
HAS_UNANSWERABLE = True
RULES = f"{squad.RULES}|no-answer:empty|missing:skipped"
MISSING = float("nan")

THRESHOLD = 1.0
"""Null odds above this mean no answer, unless another threshold is given."""

exact_match = squad.exact_match


def golds(answers: set[str]) -> set[str]:
    """Return the answers that do not normalise to nothing; if there are none, the empty answer."""
    return {answer for answer in answers if squad.normalise(answer)} or {""}


def f1(prediction: str, answer: str, language: str) -> float:
    """Return F1 over words, in [0, 1]; if a side has no words, 1 if both have none, else 0."""
    predicted, gold = squad.normalise(prediction).split(), squad.normalise(answer).split()
    if not predicted or not gold:
        return float(predicted == gold)
    return squad.overlap_f1(predicted, gold)


def details(examples: Sequence[Example], found: Figures) -> dict[str, float]:
    """Return means over questions with and without an answer, and the number counted of each."""
    answerable = _answerable(examples)
    counted = ~np.isnan(found.f1s)
    means: dict[str, float] = {"total": found.counted}
    for name, chosen in (("HasAns", counted & answerable), ("NoAns", counted & ~answerable)):
        if chosen.any():
            means[f"{name}_exact"] = float(found.exact_matches[chosen].mean())
            means[f"{name}_f1"] = float(found.f1s[chosen].mean())
            means[f"{name}_total"] = int(chosen.sum())
    return means


def thresholded(
    examples: Sequence[Example],
    found: Figures,
    null_odds: Mapping[str, float],
    *,
    threshold: float = THRESHOLD,
) -> Figures:
    """Return the figures when questions with null odds above the threshold are left unanswered.

    Raises:
        DataError: if a counted question has no null odds.
    """
    no_answer = _aligned(examples, found, null_odds) > threshold
    right = np.where(_answerable(examples), 0.0, 1.0)
    return replace(
        found,
        exact_matches=np.where(no_answer, right, found.exact_matches),
        f1s=np.where(no_answer, right, found.f1s),
    )


def best_thresholds(
    examples: Sequence[Example],
    predictions: Mapping[str, str],
    found: Figures,
    null_odds: Mapping[str, float],
) -> dict[str, float]:
    """Return the best means over all thresholds, and their thresholds.

    Args:
        examples: the questions.
        predictions: answers by question id.
        found: figures of the predictions, without a threshold.
        null_odds: null odds by question id; their order breaks ties, as in the script.

    Raises:
        DataError: if a counted question has no null odds.
    """
    _aligned(examples, found, null_odds)
    row = {e.id: i for i, e in enumerate(examples) if not np.isnan(found.f1s[i])}
    rows = np.array([row[identity] for identity in null_odds if identity in row])
    odds = np.array([value for identity, value in null_odds.items() if identity in row])
    answerable = _answerable(examples)
    said = np.array([bool(predictions.get(e.id)) for e in examples])
    best: dict[str, float] = {}
    for name, scores in (("exact", found.exact_matches), ("f1", found.f1s)):
        gains = np.where(answerable, scores, np.where(said, -1.0, 0.0))[rows]
        total, threshold = _best_threshold(gains, odds, float((~answerable).sum()))
        best |= {f"best_{name}": total / len(rows), f"best_{name}_thresh": threshold}
    return best


def _best_threshold(
    gains: NDArray[np.float64], odds: NDArray[np.float64], unanswered: float
) -> tuple[float, float]:
    """Return the largest sum of scores, from answering nothing to everything, and its odds.

    Args:
        gains: change of the sum if a question is answered, (N,).
        odds: null odds, (N,); the question with the lowest odds is answered first.
        unanswered: the sum if no question is answered.
    """
    order = np.argsort(odds, kind="stable")
    totals = np.cumsum(np.concatenate(([unanswered], gains[order])))
    best = int(totals.argmax())
    return float(totals[best]), float(odds[order][best - 1]) if best else 0.0


def _answerable(examples: Sequence[Example]) -> NDArray[np.bool_]:
    return np.array([bool(e.answers) for e in examples])


def _aligned(
    examples: Sequence[Example], found: Figures, null_odds: Mapping[str, float]
) -> NDArray[np.float64]:
    """Return the null odds of each question; nan for one that is not counted."""
    for example, score in zip(examples, found.f1s, strict=True):
        if example.id not in null_odds and not np.isnan(score):
            raise DataError(f"question {example.id!r} has a prediction but no null odds")
    odds = np.array([null_odds.get(e.id, np.nan) for e in examples])
    return np.where(np.isnan(found.f1s), np.nan, odds)
