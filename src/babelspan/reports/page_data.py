"""The questions behind a page as plain values; each text is stored once per language."""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from babelspan.reports.evaluation import Evaluation
from babelspan.scoring.matrix import METRICS, Metric, Pair
from babelspan.types import Example


class Pool:
    """Distinct values, numbered."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, value: Hashable) -> int:
        """Return the number of a value, from 0; a new value gets the next number."""
        return self._numbers.setdefault(value, len(self._numbers))

    def numbers(self, values: Iterable[Hashable]) -> tuple[int, ...]:
        """Return the number of each value."""
        return tuple(map(self.number, values))

    def values(self) -> list[Any]:
        """Return the values in the order of their numbers."""
        return list(self._numbers)


def page_data(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """Return the data that `page.js` shows.

    Args:
        evaluations: one, or two of the same questions.

    Returns:
        `systems`: names of the readers. `ids`, `golds`: pools; a gold answer is [text, start], with
        `start` in characters or None. `questions`, `contexts`: pools by language. `columns`: lists
        of numbers into pools. `cells`: for each pair its languages; `ids`, `questions`, `contexts`
        and `golds`, each the number of a column with one entry per question; and for each system
        `answers` (a text, "" for no answer, None for a missing one) with each metric in
        thousandths, None if the question is not counted.
    """
    first = evaluations[0]
    ids, golds, columns = Pool(), Pool(), Pool()
    questions: defaultdict[str, Pool] = defaultdict(Pool)
    contexts: defaultdict[str, Pool] = defaultdict(Pool)
    cells = []
    for pair, examples in first.cells.items():
        question, context = pair
        of_column = {
            "ids": ids.numbers(e.id for e in examples),
            "questions": questions[question].numbers(e.question for e in examples),
            "contexts": contexts[context].numbers(e.context for e in examples),
            "golds": golds.numbers(map(_golds, examples)),
        }
        cells.append(
            {
                "question": question,
                "context": context,
                **{name: columns.number(column) for name, column in of_column.items()},
                "systems": [_system(e, pair) for e in evaluations],
            }
        )
    return {
        "systems": [e.reader for e in evaluations],
        "ids": ids.values(),
        "golds": golds.values(),
        "questions": {language: pool.values() for language, pool in questions.items()},
        "contexts": {language: pool.values() for language, pool in contexts.items()},
        "columns": columns.values(),
        "cells": cells,
    }


def _golds(example: Example) -> tuple[tuple[str, int | None], ...]:
    return tuple(dict.fromkeys((a.text, a.start) for a in example.answers or ()))


def _system(evaluation: Evaluation, pair: Pair) -> dict[str, list[Any]]:
    predictions, figures = evaluation.predictions[pair], evaluation.matrix.cells[pair]
    scores: dict[Metric, NDArray[np.float64]] = {
        "f1": figures.f1s,
        "exact_match": figures.exact_matches,
    }
    return {
        "answers": [predictions.get(e.id) for e in evaluation.cells[pair]],
        **{metric: _thousandths(scores[metric]) for metric in METRICS},
    }


def _thousandths(scores: NDArray[np.float64]) -> list[int | None]:
    return [None if math.isnan(s) else round(1000 * s) for s in scores.tolist()]
