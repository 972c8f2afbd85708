"""The q/c matrix: figures for every pair of question language and context language.

XLT is the mean over the pairs with equal languages, G-XLT the mean over all pairs
(Lewis et al. 2020, arXiv:1910.07475, Section 4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any, Generic, Literal, TypeVar

from babelspan.scoring.figures import Figures

Pair = tuple[str, str]
"""Language of the question, language of the context."""

Metric = Literal["exact_match", "f1"]
METRICS: tuple[Metric, ...] = ("exact_match", "f1")


F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Grid(Generic[F]):
    """Figures of any kind by language pair; pairs may be missing."""

    cells: Mapping[Pair, F]

    @property
    def question_languages(self) -> list[str]:
        """Languages of the rows, in order of first appearance."""
        return list(dict.fromkeys(question for question, _ in self.cells))

    @property
    def context_languages(self) -> list[str]:
        """Languages of the columns, in order of first appearance."""
        return list(dict.fromkeys(context for _, context in self.cells))

    def value(self, pair: Pair, metric: str) -> float | None:
        """Return one figure, as a fraction; None if the pair is missing."""
        figures = self.cells.get(pair)
        return None if figures is None else float(getattr(figures, metric))

    def xlt(self, metric: str) -> float | None:
        """Return the mean over pairs with equal languages, as a fraction; None without any."""
        diagonal = [float(getattr(f, metric)) for (q, c), f in self.cells.items() if q == c]
        return mean(diagonal) if diagonal else None

    def g_xlt(self, metric: str) -> float:
        """Return the mean over all pairs, as a fraction."""
        return mean(float(getattr(f, metric)) for f in self.cells.values())


@dataclass(frozen=True, slots=True)
class Matrix(Grid[Figures]):
    """Exact match and F1 by language pair; pairs may be missing."""

    def to_json(self) -> dict[str, Any]:
        """Return the matrix and its means as plain values."""
        return {
            "cells": [
                {
                    "question": question,
                    "context": context,
                    **{metric: getattr(figures, metric) for metric in METRICS},
                    "questions": figures.questions,
                }
                for (question, context), figures in self.cells.items()
            ],
            "xlt": {metric: self.xlt(metric) for metric in METRICS},
            "g_xlt": {metric: self.g_xlt(metric) for metric in METRICS},
        }
