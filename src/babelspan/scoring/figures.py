"""Exact match and F1 of a set of questions: counts first, means after."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from babelspan.types import DataError, Example


class Scorer(Protocol):
    """What a module of `babelspan.scoring` that follows an official script offers."""

    NAME: str
    RULES: str

    def exact_match(self, prediction: str, answer: str, language: str) -> float:
        """1 or 0 for one gold answer."""

    def f1(self, prediction: str, answer: str, language: str) -> float:
        """Overlap with one gold answer, in [0, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Scores of each question, (Q,) each, in the order of the examples."""

    exact_matches: NDArray[np.float64]
    f1s: NDArray[np.float64]
    missing: int
    """Questions without a prediction; they count as wrong."""

    @property
    def questions(self) -> int:
        """Q."""
        return len(self.f1s)

    @property
    def exact_match(self) -> float:
        """Mean exact match, a fraction."""
        return float(self.exact_matches.mean())

    @property
    def f1(self) -> float:
        """Mean F1, a fraction."""
        return float(self.f1s.mean())


def figures(
    examples: Sequence[Example],
    predictions: Mapping[str, str],
    scorer: Scorer,
    *,
    language: str | None = None,
) -> Figures:
    """Score predictions, each against its best gold answer.

    Args:
        examples: with their gold answers.
        predictions: answer by question id; a question without one is wrong.
        scorer: a module of `babelspan.scoring`.
        language: of the answers; None for each example's context language.

    Raises:
        DataError: if there is no question, or one has no gold answer.
    """
    if not examples:
        raise DataError("expected questions to score, found none")
    pairs = [_best(e, predictions.get(e.id), scorer, language) for e in examples]
    exact_matches, f1s = np.array(pairs).T
    missing = sum(e.id not in predictions for e in examples)
    return Figures(exact_matches, f1s, missing)


def signature(scorer: Scorer, *, questions: int, data: Iterable[str], version: str) -> str:
    """What figures depend on, in one line: figures with different signatures do not compare.

    Args:
        scorer: a module of `babelspan.scoring`.
        questions: how many were scored.
        data: for each file its languages and the SHA-256 of its content, `<languages>:<sha256>`.
        version: of Babelspan.
    """
    digest = hashlib.sha256("\n".join(sorted(data)).encode()).hexdigest()[:12]
    return f"{scorer.NAME}|{scorer.RULES}|n:{questions}|data:sha256:{digest}|babelspan:{version}"


def _best(
    example: Example, prediction: str | None, scorer: Scorer, language: str | None
) -> tuple[float, float]:
    if not example.answers:
        raise DataError(
            f"question {example.id!r} has no gold answer, and the scorer {scorer.NAME!r} knows "
            "only questions that have one"
        )
    if prediction is None:
        return 0.0, 0.0
    language = language or example.context_language
    golds = {a.text for a in example.answers}
    return (
        max(scorer.exact_match(prediction, gold, language) for gold in golds),
        max(scorer.f1(prediction, gold, language) for gold in golds),
    )
