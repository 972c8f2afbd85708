"""Exact match and F1 of a set of questions: scores per question, then means."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from babelspan.types import DataError, Example


class Rules(Protocol):
    """A scorer's name, and its rules, each without spaces."""

    NAME: str
    RULES: str


class Scorer(Rules, Protocol):
    """The members of a string scorer, a module of `babelspan.scoring.scorers`.

    It may have four more members: `golds(answers)`, the gold strings that count for a question
    (default: all; a question that has none is an error); `MISSING`, the score of a question without
    a prediction (default: 0; nan if it is not counted); `details(examples, figures)`, further
    figures of the official script; and `HAS_UNANSWERABLE`, true if the figures make sense only for
    a reader that may answer that there is no answer.
    """

    def exact_match(self, prediction: str, answer: str, language: str) -> float:
        """Return 1 or 0 for one gold answer."""

    def f1(self, prediction: str, answer: str, language: str) -> float:
        """Return the overlap with one gold answer, in [0, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Scores of the questions, (Q,) each, in the order of the examples; nan if not counted."""

    exact_matches: NDArray[np.float64]
    f1s: NDArray[np.float64]
    missing: int
    """Questions without a prediction; they count as wrong or, with `squad2`, not at all."""

    @property
    def questions(self) -> int:
        """Number of questions, Q."""
        return len(self.f1s)

    @property
    def counted(self) -> int:
        """Number of questions in the means."""
        return int(np.count_nonzero(~np.isnan(self.f1s)))

    @property
    def exact_match(self) -> float:
        """Mean exact match, as a fraction."""
        return float(np.nanmean(self.exact_matches))

    @property
    def f1(self) -> float:
        """Mean F1, as a fraction."""
        return float(np.nanmean(self.f1s))


def figures(
    examples: Sequence[Example],
    predictions: Mapping[str, str],
    scorer: Scorer,
    *,
    language: str | None = None,
) -> Figures:
    """Score predictions, each against its best gold answer.

    Args:
        examples: examples with gold answers.
        predictions: answers by question id; a question without one is wrong, or gets the score
            that the scorer sets.
        scorer: a module of `babelspan.scoring`.
        language: language of the answers; None for each example's context language.

    Raises:
        DataError: if no question counts, or one has no gold answer and the scorer does not allow
            such questions.
    """
    if not examples:
        raise DataError("expected questions to score, found none")
    pairs = [_best(e, predictions.get(e.id), scorer, language) for e in examples]
    exact_matches, f1s = np.array(pairs).T
    if np.isnan(f1s).all():
        raise DataError(f"none of the {len(examples)} questions has a prediction")
    missing = sum(e.id not in predictions for e in examples)
    return Figures(exact_matches, f1s, missing)


def signature(scorer: Rules, *, questions: int, data: Iterable[str], version: str) -> str:
    """Return all that figures depend on, in one line; do not compare across different signatures.

    Args:
        scorer: a module of `babelspan.scoring`.
        questions: number of questions scored.
        data: languages and SHA-256 of the content of each file, `<languages>:<sha256>`.
        version: version of Babelspan.
    """
    digest = hashlib.sha256("\n".join(sorted(data)).encode()).hexdigest()[:12]
    return f"{scorer.NAME}|{scorer.RULES}|n:{questions}|data:sha256:{digest}|babelspan:{version}"


def _best(
    example: Example, prediction: str | None, scorer: Scorer, language: str | None
) -> tuple[float, float]:
    counting: Callable[[set[str]], set[str]] = getattr(scorer, "golds", set)
    golds = None if example.answers is None else counting({a.text for a in example.answers})
    if not golds:
        raise DataError(
            f"question {example.id!r} has no gold answer; the scorer {scorer.NAME!r} needs one for "
            "every question"
        )
    if prediction is None:
        missing: float = getattr(scorer, "MISSING", 0.0)
        return missing, missing
    language = language or example.context_language
    return (
        max(scorer.exact_match(prediction, gold, language) for gold in golds),
        max(scorer.f1(prediction, gold, language) for gold in golds),
    )
