"""The content of a report on a question generator: its questions, human questions, and figures."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babelspan.reports.wording import QUESTION_TITLES
from babelspan.scoring.matrix import Grid, Pair
from babelspan.scoring.questions import QuestionFigures
from babelspan.types import Example

_NUMBERS = ("question_words", "gold_words", "missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionEvaluation:
    """A generator's questions about the answers of each language pair, and their figures.

    Attributes:
        generator: its display name.
        signature: everything that the figures depend on.
        cells: examples by pair, with human questions, in the order of the figures.
        questions: generated questions by pair and id; empty if none was generated.
        grid: figures of the same pairs.
        recognised: share of human questions whose language was recognised; None with one language.
    """

    generator: str
    signature: str
    cells: Mapping[Pair, Sequence[Example]]
    questions: Mapping[Pair, Mapping[str, str]]
    grid: Grid[QuestionFigures]
    recognised: float | None

    @property
    def metrics(self) -> list[str]:
        """The figures that every pair has, in report order."""
        return [
            name
            for name in QUESTION_TITLES
            if all(getattr(f, name) is not None for f in self.grid.cells.values())
            and (name != "right_language" or self.recognised is not None)
        ]

    def to_json(self) -> dict[str, Any]:
        """Return figures and signature as plain values."""
        return {
            "cells": [
                {
                    "question": question,
                    "context": context,
                    **{name: getattr(found, name) for name in (*self.metrics, *_NUMBERS)},
                    "questions": found.questions,
                }
                for (question, context), found in self.grid.cells.items()
            ],
            "xlt": {name: self.grid.xlt(name) for name in self.metrics},
            "g_xlt": {name: self.grid.g_xlt(name) for name in self.metrics},
            "recognised": self.recognised,
            "signature": self.signature,
        }


def question_rows(evaluation: QuestionEvaluation) -> str:
    """Return CSV with a line per language pair, then XLT and G-XLT; shares are fractions."""
    found = evaluation.to_json()
    columns = ["kind", "question", "context", *evaluation.metrics, *_NUMBERS, "questions"]
    file = io.StringIO()
    writer = csv.DictWriter(file, [*columns, "signature"], restval="")
    writer.writeheader()
    signed = {"signature": evaluation.signature}
    for cell in found["cells"]:
        writer.writerow({"kind": "cell", **cell, **signed})
    for name in ("xlt", "g_xlt"):
        writer.writerow({"kind": name, **found[name], **signed})
    return file.getvalue()
