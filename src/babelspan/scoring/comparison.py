"""Two systems on the same questions: differences in each cell of a matrix, and in its means."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from babelspan.config import nearest
from babelspan.scoring.clusters import clusters
from babelspan.scoring.figures import Scorer, figures
from babelspan.scoring.matrix import METRICS, Matrix, Metric, Pair
from babelspan.scoring.significance import (
    CORRECTIONS,
    Floats,
    bootstrap,
    clustered,
    mcnemar,
    randomisation,
)
from babelspan.types import ConfigError, DataError, Example

Cells = Mapping[Pair, Sequence[Example]]
Answers = Mapping[Pair, Mapping[str, str]]
"""Answers of a system, by language pair and question id."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the tests; see `clusters` and `significance` for the names."""

    clusters: str = "paragraph"
    correction: str = "holm"
    resamples: int = 10_000
    seed: int = 1

    def __post_init__(self) -> None:
        if self.correction not in CORRECTIONS:
            known = nearest(self.correction, list(CORRECTIONS))
            raise ConfigError(f"unknown correction {self.correction!r}{known}")
        if self.resamples < 1:
            raise ConfigError(f"expected one resample or more, got {self.resamples}")

    def __str__(self) -> str:
        return (
            f"clusters:{self.clusters}|correction:{self.correction}"
            f"|resamples:{self.resamples}|seed:{self.seed}"
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of A and of B, as fractions, and whether they differ.

    Attributes:
        a: mean over the seeds of A.
        b: mean over the seeds of B.
        a_sd: standard deviation over the seeds of A; None with one seed.
        b_sd: the same for B.
        difference: a - b.
        low: lower end of the 95 percent interval of the difference.
        high: upper end.
        p_value: two-sided p-value of the randomisation test.
        corrected: p-value corrected for the number of cells; None for means over cells.
    """

    a: float
    b: float
    a_sd: float | None
    b_sd: float | None
    difference: float
    low: float
    high: float
    p_value: float
    corrected: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """Two systems on one language pair.

    A system answers a question correctly if more than half of its seeds have an exact match.

    Attributes:
        questions: number of questions.
        clusters: number of independent clusters of questions.
        differences: differences by metric.
        both: number of questions that both answer correctly.
        only_a: ids of questions that only A answers correctly.
        only_b: ids of questions that only B answers correctly.
        neither: number of questions that neither answers correctly.
    """

    questions: int
    clusters: int
    differences: Mapping[Metric, Difference]
    both: int
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    neither: int

    @property
    def counts(self) -> dict[str, float]:
        """Sizes, the table of right and wrong, and its p-value by McNemar's exact test."""
        only_a, only_b = len(self.only_a), len(self.only_b)
        return {
            "questions": self.questions,
            "clusters": self.clusters,
            "both": self.both,
            "only_a": only_a,
            "only_b": only_b,
            "neither": self.neither,
            "mcnemar_p_value": mcnemar(only_a, only_b),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on a matrix; `means` has XLT and G-XLT if there are several cells."""

    cells: Mapping[Pair, Cell]
    means: Mapping[str, Mapping[Metric, Difference]]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as plain values, with the lists of ids."""
        cells = [
            {
                "question": question,
                "context": context,
                **{metric: asdict(found) for metric, found in cell.differences.items()},
                **cell.counts,
                "only_a_ids": list(cell.only_a),
                "only_b_ids": list(cell.only_b),
            }
            for (question, context), cell in self.cells.items()
        ]
        means = {
            name.lower().replace("-", "_"): {m: asdict(found) for m, found in of_mean.items()}
            for name, of_mean in self.means.items()
        }
        return {"cells": cells, **means}


def compare(
    cells: Cells,
    a: Sequence[Answers],
    b: Sequence[Answers],
    scorer: Scorer,
    settings: Settings,
    *,
    language: str | None = None,
) -> Comparison:
    """Score two systems, and test their differences in each cell and in XLT and G-XLT.

    The mean over seeds is tested, per question. Exact match and F1 are each corrected for the
    number of cells.

    Args:
        cells: examples by language pair.
        a: answers of one system, one mapping per seed.
        b: answers of the other.
        scorer: a module of `babelspan.scoring`.
        settings: settings of the tests.
        language: language of the answers; None for each example's context language.

    Raises:
        ConfigError: if one language is given and contexts are in several.
        DataError: if a cell has no questions or fewer than two clusters, or a question is not
            counted; or as `figures`.
    """
    _refuse_one_language_for_several(cells, language)
    numbers = comparable(cells, settings)
    of_a, of_b = (
        [
            Matrix({p: figures(e, answers[p], scorer, language=language) for p, e in cells.items()})
            for answers in seeds
        ]
        for seeds in (a, b)
    )
    ids = {pair: [e.id for e in examples] for pair, examples in cells.items()}
    found = differences(of_a, of_b, numbers, settings, ids)
    return Comparison(
        cells={
            pair: _cell(
                ids[pair],
                clusters=len(np.unique(numbers[pair])),
                differences=found[pair],
                right_a=_scores(of_a, pair)[0] > 0.5,
                right_b=_scores(of_b, pair)[0] > 0.5,
            )
            for pair in cells
        },
        means={name: found[name] for name in found if isinstance(name, str)},
    )


def comparable(cells: Cells, settings: Settings) -> dict[Pair, NDArray[np.intp]]:
    """Return the cluster number of each question of each cell.

    Raises:
        DataError: if a cell has no questions or fewer than two clusters.
    """
    numbers = clusters(cells, settings.clusters)
    for pair, of_cell in numbers.items():
        if not len(of_cell):
            raise DataError(f"{'-'.join(pair)}: expected questions to compare on, found none")
        if of_cell.min() == of_cell.max():
            raise DataError(
                f"{'-'.join(pair)}: expected questions from two clusters or more, found one "
                f"{settings.clusters}; compare on more questions, or with smaller --clusters"
            )
    return numbers


def _refuse_one_language_for_several(cells: Cells, language: str | None) -> None:
    contexts = sorted({context for _, context in cells})
    if language is not None and len(contexts) > 1:
        raise ConfigError(
            f"--language {language}: expected contexts of one language, found those of "
            f"{', '.join(contexts)}; leave it out, or compare them one by one"
        )


def differences(
    of_a: Sequence[Matrix],
    of_b: Sequence[Matrix],
    numbers: Mapping[Pair, NDArray[np.intp]],
    settings: Settings,
    ids: Mapping[Pair, Sequence[str]],
) -> dict[Pair | str, dict[Metric, Difference]]:
    """Return the differences by language pair, and by name of a mean ("XLT", "G-XLT").

    Args:
        of_a: figures of one system, one matrix per seed.
        of_b: figures of the other.
        numbers: clusters of the questions, from `comparable`.
        settings: settings of the tests.
        ids: ids of the questions of each cell.

    Raises:
        DataError: if a question is not counted in some matrix, so that it has no difference.
    """
    for matrix in (*of_a, *of_b):
        _refuse_uncounted(matrix, ids)
    weights = _weights(list(numbers))
    columns = np.array(list(weights.values())).T
    by_question = [_scores(of_a, pair) - _scores(of_b, pair) for pair in numbers]
    table = clustered(by_question, list(numbers.values()))
    p_values = randomisation(table, columns, resamples=settings.resamples, seed=settings.seed)
    low, high = bootstrap(table, columns, resamples=settings.resamples, seed=settings.seed)
    found: dict[Pair | str, dict[Metric, Difference]] = {name: {} for name in weights}
    for i, metric in enumerate(METRICS):
        corrected = CORRECTIONS[settings.correction](p_values[i, : len(numbers)])
        for j, (name, of_cells) in enumerate(weights.items()):
            a, b = ([_mean(m, metric, of_cells) for m in seeds] for seeds in (of_a, of_b))
            found[name][metric] = Difference(
                a=mean(a),
                b=mean(b),
                a_sd=stdev(a) if len(a) > 1 else None,
                b_sd=stdev(b) if len(b) > 1 else None,
                difference=mean(a) - mean(b),
                low=float(low[i, j]),
                high=float(high[i, j]),
                p_value=float(p_values[i, j]),
                corrected=float(corrected[j]) if j < len(numbers) else None,
            )
    return found


def _refuse_uncounted(matrix: Matrix, ids: Mapping[Pair, Sequence[str]]) -> None:
    for pair, of_cell in ids.items():
        scores = np.array([matrix.cells[pair].exact_matches, matrix.cells[pair].f1s])
        for index in np.flatnonzero(np.isnan(scores).any(axis=0)).tolist():
            raise DataError(
                f"{'-'.join(pair)}: expected a score of every question, found that "
                f"{of_cell[index]!r} is not counted, as by squad2 where a prediction is missing; "
                "predict it, with an empty answer where a system has none"
            )


def _weights(pairs: Sequence[Pair]) -> dict[Pair | str, Floats]:
    """Return the weight of each cell, (C,), for the cell itself and for XLT and G-XLT."""
    weights: dict[Pair | str, Floats] = dict(zip(pairs, np.eye(len(pairs)), strict=True))
    if len(pairs) > 1:
        same = np.array([question == context for question, context in pairs], dtype=float)
        if same.any():
            weights["XLT"] = same / same.sum()
        weights["G-XLT"] = np.full(len(pairs), 1 / len(pairs))
    return weights


def _mean(matrix: Matrix, metric: Metric, weights: Floats) -> float:
    return float(np.dot(weights, [getattr(f, metric) for f in matrix.cells.values()]))


def _scores(seeds: Sequence[Matrix], pair: Pair) -> Floats:
    """Return the means over seeds, (2, Q): exact match and F1."""
    cells = [seed.cells[pair] for seed in seeds]
    scores: Floats = np.mean([[cell.exact_matches, cell.f1s] for cell in cells], axis=0)
    return scores


def _cell(
    ids: Sequence[str],
    *,
    clusters: int,
    differences: Mapping[Metric, Difference],
    right_a: NDArray[np.bool_],
    right_b: NDArray[np.bool_],
) -> Cell:
    right = list(zip(ids, right_a, right_b, strict=True))
    return Cell(
        questions=len(ids),
        clusters=clusters,
        differences=differences,
        both=int((right_a & right_b).sum()),
        only_a=tuple(identity for identity, by_a, by_b in right if by_a and not by_b),
        only_b=tuple(identity for identity, by_a, by_b in right if by_b and not by_a),
        neither=int((~right_a & ~right_b).sum()),
    )
