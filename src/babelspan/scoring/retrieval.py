"""How often a search finds the right passage: recall at k, and mean reciprocal rank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babelspan.scoring.significance import bootstrap, clustered

DEPTHS = (1, 5, 20, 100)
MRR_DEPTH = 10
FIGURES = (*(f"R@{depth}" for depth in DEPTHS), f"MRR@{MRR_DEPTH}")


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure in percent, with its 95 % interval."""

    value: float
    low: float
    high: float


def figures(
    ranks: Sequence[NDArray[np.int64]],
    clusters: Sequence[NDArray[np.intp]],
    means: Mapping[str, Sequence[int]],
    *,
    resamples: int = 2000,
    seed: int = 1,
) -> tuple[list[dict[str, Interval]], dict[str, dict[str, Interval]]]:
    """Return the figures of each cell, and of means over cells by name.

    Args:
        ranks: per cell, the rank of the right passage for each question, from 1; 0 if it was not
            found.
        clusters: per cell, the cluster of each question, as in `scoring.clusters`.
        means: per mean, the indices of its cells.
        resamples: number of bootstrap draws.
        seed: seed of the draws.
    """
    values = [of_questions(of_cell) for of_cell in ranks]
    table = clustered(values, clusters)
    weights = np.zeros((len(ranks), len(ranks) + len(means)))
    np.fill_diagonal(weights, 1.0)
    for column, cells in enumerate(means.values(), len(ranks)):
        weights[list(cells), column] = 1 / len(cells)
    low, high = bootstrap(table, weights, resamples=resamples, seed=seed)
    values_of = np.stack([of_cell.mean(axis=1) for of_cell in values], axis=1) @ weights
    columns = [
        {
            name: Interval(100 * values_of[f, c], 100 * low[f, c], 100 * high[f, c])
            for f, name in enumerate(FIGURES)
        }
        for c in range(weights.shape[1])
    ]
    return columns[: len(ranks)], dict(zip(means, columns[len(ranks) :], strict=True))


def of_questions(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the figures of each question, (FIGURES, Q)."""
    found = ranks > 0
    rows = [found & (ranks <= depth) for depth in DEPTHS]
    reciprocal = np.where(found & (ranks <= MRR_DEPTH), 1 / np.maximum(ranks, 1), 0.0)
    return np.array([*rows, reciprocal], dtype=np.float64)
