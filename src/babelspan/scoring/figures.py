"""Exact match and F1 of a set of questions: counts first, means after."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from babelspan.types import DataError, Example


class Rules(Protocol):
    """A scorer's name, and what its figures depend on, in one word each."""

    NAME: str
    RULES: str


class Scorer(Rules, Protocol):
    """What a scorer of strings, a module of `babelspan.scoring.scorers`, offers.

    It may have four more members: `golds(answers)`, the gold strings of a question that count
    (default: all, and a question that has none is refused); `MISSING`, the score of a question
    without a prediction (default: 0; nan if it is not counted); `details(examples, figures)`, what
    else the official script computes; and `HAS_UNANSWERABLE`, true if figures make sense only for a
    reader that may say that there is no answer.
    """

    def exact_match(self, prediction: str, answer: str, language: str) -> float:
        """1 or 0 for one gold answer."""

    def f1(self, prediction: str, answer: str, language: str) -> float:
        """Overlap with one gold answer, in [0, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Scores of the questions, (Q,) each, in the order of the examples; nan: not counted."""

    exact_matches: NDArray[np.float64]
    f1s: NDArray[np.float64]
    missing: int
    """Questions without a prediction; they count as wrong, or with `squad2` not at all."""

    @property
    def questions(self) -> int:
        """Q."""
        return len(self.f1s)

    @property
    def counted(self) -> int:
        """Number of questions in the means."""
        return int(np.count_nonzero(~np.isnan(self.f1s)))

    @property
    def exact_match(self) -> float:
        """Mean exact match, a fraction."""
        return float(np.nanmean(self.exact_matches))

    @property
    def f1(self) -> float:
        """Mean F1, a fraction."""
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
        predictions: answer by question id; a question without one is wrong, or has the score that
            the scorer sets.
        scorer: a module of `babelspan.scoring`.
        language: of the answers; None for each example's context language.

    Raises:
        DataError: if no question counts, or one has no gold answer and the scorer does not know
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
    """What figures depend on, in one line; do not compare figures with different signatures.

    Args:
        scorer: a module of `babelspan.scoring`.
        questions: number of questions scored.
        data: languages and SHA-256 of the content of each file, `<languages>:<sha256>`.
        version: of Babelspan.
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
