"""TyDi QA primary tasks, equal to the official script `tydi_eval.py`, faults included.

Clark et al. (2020), arXiv:2003.05002. The tasks are to select the passage with the answer, and to
find the minimal answer, which is a byte range, yes or no. A question has an answer if at least two
annotators gave one. A passage is right if one annotator chose it. The score of a minimal answer is
its F1 over byte positions against the closest annotator. Precision and recall are over all
questions of a language, for answers with a score at or above a threshold; each language has its
best threshold, chosen on the gold answers. The figure of a system is the mean over the languages
without English.

The faults: a language without any prediction is left out of the mean; a question without a
prediction counts, with a score of 0, as wrongly answered if it has no answer, and as unanswered if
it has one. The script of 2020 fails on answers of zero bytes; here they overlap with no other.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from babelspan.scoring.scorers.tydiqa import LANGUAGES
from babelspan.types import DataError, PrimaryAnswer, PrimaryQuestion

NAME = "tydi-primary"
RULES = "unit:byte|annotators:2|threshold:best|mean:languages-without-en"

ANNOTATORS = 2
"""Number of annotators who must have found an answer for a question to have one."""

PRECISIONS = (0.5, 0.75, 0.9)
"""Precisions at which the recall is reported."""


class Outcome(NamedTuple):
    """The outcome of one question in one task."""

    has_gold: bool
    is_answered: bool
    f1: float
    score: float


class PrimaryFigures(NamedTuple):
    """Figures by the names of the official script, and counts of what was not scored."""

    languages: dict[str, dict[str, float]]
    """Figures by language name."""
    means: dict[str, float]
    """Means over the languages without English."""
    missing: int
    """Questions without a prediction, in all languages."""
    unexpected: int
    """Predictions for no question of their language; they are not counted."""


def primary_figures(
    golds: Sequence[PrimaryQuestion], predictions: Sequence[PrimaryQuestion]
) -> PrimaryFigures:
    """Score the predictions of all languages.

    Args:
        golds: questions with the answers of their annotators.
        predictions: questions with one answer each.

    Raises:
        DataError: if there is no prediction in any of the languages of TyDi QA.
    """
    said = {(p.language, p.id): p.answers[0] for p in predictions}
    asked = {(g.language, g.id) for g in golds}
    languages = [name for name in LANGUAGES if any(language == name for language, _ in said)]
    if not languages:
        raise DataError(f"expected predictions in one of {', '.join(LANGUAGES)}, found none")
    figures: dict[str, dict[str, float]] = {}
    for name in languages:
        pairs = [(g.answers, said.get((name, g.id))) for g in golds if g.language == name]
        figures[name] = {}
        for task, outcome in TASKS.items():
            figures[name] |= _named(task, _curve(_table(outcome(*pair) for pair in pairs)))
    return PrimaryFigures(
        figures, _means(figures), len(asked - said.keys()), len(said.keys() - asked)
    )


def passage_outcome(golds: Sequence[PrimaryAnswer], predicted: PrimaryAnswer | None) -> Outcome:
    """Return the outcome of the passage task; F1 is 1 or 0."""
    chosen = [g.passage for g in golds if g.passage is not None]
    has_gold = len(chosen) >= ANNOTATORS
    if predicted is None:
        return Outcome(has_gold, not has_gold, 0.0, 0.0)
    right = has_gold and predicted.passage in chosen
    return Outcome(has_gold, predicted.passage is not None, float(right), predicted.passage_score)


def minimal_outcome(golds: Sequence[PrimaryAnswer], predicted: PrimaryAnswer | None) -> Outcome:
    """Return the outcome of the minimal answer task: F1 against the closest annotator."""
    has_gold = sum(_is_minimal(g) for g in golds) >= ANNOTATORS
    if predicted is None:
        return Outcome(has_gold, not has_gold, 0.0, 0.0)
    f1 = max((_minimal_f1(g, predicted) for g in golds), default=0.0) if has_gold else 0.0
    return Outcome(has_gold, _is_minimal(predicted), f1, predicted.minimal_score)


TASKS = {"passage": passage_outcome, "minimal": minimal_outcome}
"""The primary tasks, and the outcome of a question in each."""


def at_best_threshold(
    task: str, golds: Sequence[PrimaryQuestion], predictions: Sequence[PrimaryQuestion]
) -> NDArray[np.float64]:
    """Return scores of answers, whether there is an answer, and whether a gold one, (3, Q).

    Answers below the best threshold over all these questions count as none. F1 at that threshold is
    twice the sum of the first row, divided by the sum of the others.

    Args:
        task: "passage" or "minimal".
        golds: questions with the answers of their annotators.
        predictions: questions with one answer each, of these or more languages.
    """
    said = {(p.language, p.id): p.answers[0] for p in predictions}
    table = _table(TASKS[task](g.answers, said.get((g.language, g.id))) for g in golds)
    thresholds, precisions, recalls = _curve(table)
    best = _largest(_ratio(2 * precisions * recalls, precisions + recalls))
    given = table[:, 3] >= (np.inf if best is None else thresholds[best])
    return np.stack([table[:, 2] * given, table[:, 1] * given, table[:, 0]])


def place_f1(predicted: tuple[int, int], gold: tuple[int, int]) -> float:
    """Return the harmonic mean of precision and recall of byte positions; ends are exclusive."""
    shared = min(predicted[1], gold[1]) - max(predicted[0], gold[0])
    if shared <= 0:
        return 0.0
    precision = shared / (predicted[1] - predicted[0])
    recall = shared / (gold[1] - gold[0])
    return 2 * precision * recall / (precision + recall)


def _is_minimal(answer: PrimaryAnswer) -> bool:
    return answer.place is not None or answer.yes_no is not None


def _minimal_f1(gold: PrimaryAnswer, predicted: PrimaryAnswer) -> float:
    if predicted.yes_no is not None:
        return float(predicted.yes_no == gold.yes_no)
    if predicted.place is None or gold.place is None:
        return 0.0
    return place_f1(predicted.place, gold.place)


class _Curve(NamedTuple):
    """Precision and recall at every threshold, highest first, (T,) each."""

    thresholds: NDArray[np.float64]
    precisions: NDArray[np.float64]
    recalls: NDArray[np.float64]


def _table(outcomes: Iterable[Outcome]) -> NDArray[np.float64]:
    """Return outcomes as rows, (Q, 4)."""
    return np.array([tuple(map(float, o)) for o in outcomes]).reshape(-1, 4)


def _curve(table: NDArray[np.float64]) -> _Curve:
    has_gold, is_answered, f1s, scores = table[np.argsort(-table[:, 3], kind="stable")].T
    last = np.flatnonzero(np.append(scores[1:] != scores[:-1], True)[: len(scores)])  # of its score
    shared = np.cumsum(f1s)[last]
    return _Curve(
        scores[last], _ratio(shared, np.cumsum(is_answered)[last]), _ratio(shared, has_gold.sum())
    )


def _named(task: str, curve: _Curve) -> dict[str, float]:
    """Return the best threshold, and recall at given precisions; 0 if there is none."""
    thresholds, precisions, recalls = curve
    f1s = _ratio(2 * precisions * recalls, precisions + recalls)
    best = _largest(f1s)
    named = {
        f"{task}-best-threshold-f1": _at(f1s, best),
        f"{task}-best-threshold-precision": _at(precisions, best),
        f"{task}-best-threshold-recall": _at(recalls, best),
        f"{task}-best-threshold": _at(thresholds, best),
    }
    for precision in PRECISIONS:
        best = _largest(np.where(precisions >= precision, recalls, 0.0))
        named[f"{task}-recall-at-precision>={precision}"] = _at(recalls, best)
        named[f"{task}-precision-at-precision>={precision}"] = _at(precisions, best)
    return named


def _largest(values: NDArray[np.float64]) -> int | None:
    """Return the index of the first largest value; None if none is above 0."""
    return int(values.argmax()) if values.any() else None


def _at(values: NDArray[np.float64], index: int | None) -> float:
    return 0.0 if index is None else float(values[index])


def _ratio(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return quotients; 0 if the divisor is 0."""
    return np.divide(one, other, out=np.zeros_like(one), where=np.asarray(other) != 0)


def _means(figures: dict[str, dict[str, float]]) -> dict[str, float]:
    counted = [f for name, f in figures.items() if name != "english"]
    return {
        f"avg_{task}_{metric}": sum(f[f"{task}-best-threshold-{metric}"] for f in counted)
        / max(len(counted), 1)
        for task in ("passage", "minimal")
        for metric in ("f1", "recall", "precision")
    }
