"""How often a search finds the right passage among its best: recall at k, and reciprocal ranks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babelspan.scoring.significance import bootstrap, clustered

DEPTHS = (1, 5, 20, 100)
MRR_DEPTH = 10
FIGURES = (*(f"R@{depth}" for depth in DEPTHS), f"MRR@{MRR_DEPTH}")


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure in percent, with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def figures(
    ranks: Sequence[NDArray[np.int64]],
    clusters: Sequence[NDArray[np.intp]],
    *,
    resamples: int = 2000,
    seed: int = 1,
) -> tuple[list[dict[str, Interval]], dict[str, Interval]]:
    """The figures of each cell, and their means over cells.

    Args:
        ranks: for each cell the rank of the right passage of each question, from 1; 0 where it was
            not found.
        clusters: for each cell the cluster of each question, as in `scoring.clusters`.
        resamples: draws of the bootstrap.
        seed: of the draws.
    """
    values = [of_questions(of_cell) for of_cell in ranks]
    table = clustered(values, clusters)
    weights = np.hstack([np.eye(len(ranks)), np.full((len(ranks), 1), 1 / len(ranks))])
    low, high = bootstrap(table, weights, resamples=resamples, seed=seed)
    means = np.stack([of_cell.mean(axis=1) for of_cell in values], axis=1) @ weights
    columns = [
        {
            name: Interval(100 * means[f, c], 100 * low[f, c], 100 * high[f, c])
            for f, name in enumerate(FIGURES)
        }
        for c in range(len(ranks) + 1)
    ]
    return columns[:-1], columns[-1]


def of_questions(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Figures of each question, (FIGURES, Q)."""
    found = ranks > 0
    rows = [found & (ranks <= depth) for depth in DEPTHS]
    reciprocal = np.where(found & (ranks <= MRR_DEPTH), 1 / np.maximum(ranks, 1), 0.0)
    return np.array([*rows, reciprocal], dtype=np.float64)
