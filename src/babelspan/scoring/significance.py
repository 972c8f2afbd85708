"""Whether two systems differ: tests and intervals over clusters of questions.

K clusters, C cells of a matrix, V figures of each question, M means over cells (including single
cells). Questions of a cluster are not independent: they are exchanged and drawn together, in all
cells at once.

Sums of scores are rounded to multiples of a small unit, so matrix products are exact in any order,
and the result depends only on the seed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Factor = tuple[slice, slice, Floats]
"""Rows and clusters of a part of a matrix, and the part."""

ROOM = 1_000_000
"""Maximum number of 8-byte random numbers in memory at a time."""

_BLOCK = 256
"""Number of clusters per matrix product: with many rows and few clusters, BLAS threads rarely wait
for each other. Each block has its own random numbers."""

_BITS = 46
"""Size of a column in units, in bits; a cluster may be drawn 2**6 times with exact sums."""


class Clustered(NamedTuple):
    """Figures of A minus those of B, summed over the questions of each cluster."""

    sums: Floats
    """(K, V, C)"""
    counts: Floats
    """Numbers of questions, (K, C)."""

    @property
    def parts(self) -> Floats:
        """Contribution of each cluster to the mean of each cell, (K, V, C)."""
        questions: Floats = self.counts.sum(axis=0)
        return self.sums / questions


def clustered(differences: Sequence[Floats], clusters: Sequence[NDArray[np.intp]]) -> Clustered:
    """Sum differences over clusters.

    Args:
        differences: per cell, figures of A minus those of B, (V, Q); Q may vary.
        clusters: per cell, the cluster of each question, (Q,), in [0, K).
    """
    count = 1 + max(int(k.max()) for k in clusters)
    sums = np.empty((count, len(differences[0]), len(differences)))
    counts = np.empty((count, len(differences)))
    for cell, (of_cell, k) in enumerate(zip(differences, clusters, strict=True)):
        counts[:, cell] = np.bincount(k, minlength=count)
        for figure, values in enumerate(of_cell):
            sums[:, figure, cell] = np.bincount(k, values, count)
    return Clustered(sums, counts)


def randomisation(
    table: Clustered, weights: Floats, *, resamples: int, seed: int, room: int = ROOM
) -> Floats:
    """Return two-sided p-values of weighted means over cells, by Fisher's randomisation.

    If the systems do not differ, A and B can be exchanged in any cluster. The p-value is the share
    of exchanges with a difference at least as large as the observed one: of all 2**K if these are
    at most `resamples`, otherwise of `resamples` random ones and the observed one (Noreen 1989;
    Phipson and Smyth 2010, arXiv:1603.05766). Clusters without any difference do not count in K.

    Args:
        table: differences by cluster.
        weights: weight of each cell in each mean, (C, M).
        resamples: number of random exchanges.
        seed: seed of the exchanges.
        room: number of random numbers in memory at a time; does not affect the values.

    Returns:
        (V, M), in (0, 1].
    """
    parts = table.parts @ weights
    units, _ = _whole(parts.reshape(len(parts), -1))
    units = units[units.any(axis=1)]
    total = units.sum(axis=0)
    few = len(units) < resamples.bit_length()
    if few:
        moved = _products(_all_exchanges(len(units), room), units, 2 ** len(units))
    else:
        moved = _products(_exchanges(len(units), resamples, seed, room), units, resamples)
    least = np.abs(total) - 2 * len(units)  # at least as large, up to rounding to units
    reached = (np.abs(total - 2 * moved) >= least).sum(axis=0)
    shares: Floats = reached / len(moved) if few else (reached + 1) / (resamples + 1)
    return shares.reshape(parts.shape[1:])


def bootstrap(
    table: Clustered,
    weights: Floats,
    *,
    resamples: int,
    seed: int,
    level: float = 0.95,
    room: int = ROOM,
) -> tuple[Floats, Floats]:
    """Return intervals for weighted means over cells, by the paired bootstrap (Koehn 2004).

    K clusters are drawn with replacement, the same for A and B and for all cells; the ends are
    percentiles of the differences in the draws. A draw without questions of some cell is not used
    for means that include that cell.

    Args:
        table: differences by cluster.
        weights: weight of each cell in each mean, (C, M).
        resamples: number of draws.
        seed: seed of the draws.
        level: share of the draws between the ends.
        room: number of random numbers in memory at a time; does not affect the ends.

    Returns:
        Low and high ends, (V, M) each.
    """
    count, figures, cells = table.sums.shape
    units, scale = _whole(table.sums.reshape(count, -1))
    columns = np.hstack([units, table.counts])
    drawn = _products(_draws(count, resamples, seed, room), columns, resamples)
    sums, counts = np.split(drawn, [figures * cells], axis=1)
    with np.errstate(invalid="ignore"):
        values = (sums / scale).reshape(-1, figures, cells) / counts[:, None]
    ends = np.empty((2, figures, weights.shape[1]))
    for mean, of_cells in enumerate(weights.T):
        used = of_cells != 0
        tails = [(1 - level) / 2, (1 + level) / 2]
        ends[..., mean] = np.nanquantile(values[..., used] @ of_cells[used], tails, axis=0)
    return ends[0], ends[1]


def drawn_sums(columns: Floats, *, resamples: int, seed: int, room: int = ROOM) -> Floats:
    """Return sums of columns over clusters drawn with replacement, for figures that are not means.

    Args:
        columns: contribution of each cluster to each sum, (K, n).
        resamples: number of draws.
        seed: seed of the draws.
        room: number of random numbers in memory at a time; does not affect the sums.

    Returns:
        (resamples, n).
    """
    units, scale = _whole(columns)
    return _products(_draws(len(columns), resamples, seed, room), units, resamples) / scale


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the two-sided p-value of McNemar's exact test (1947), for independent questions.

    It is twice the smaller tail of a fair coin tossed once for each question that only one system
    has right.

    Args:
        only_a: number of questions that only A has right.
        only_b: number of questions that only B has right.
    """
    throws = only_a + only_b
    k = np.arange(1, min(only_a, only_b) + 1)
    log_shares = np.cumsum(np.log((throws - k + 1) / k)) - throws * np.log(2)
    tail = np.exp(log_shares).sum() + 0.5**throws
    return float(min(1.0, 2 * tail))


def holm(p_values: Floats) -> Floats:
    """Return p-values adjusted to bound the chance of any false positive (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    return _in_place(np.maximum.accumulate(steps), order)


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Return p-values adjusted to bound the share of false positives (Benjamini and Hochberg 1995).

    The tests must be independent or positively dependent.
    """
    order = np.argsort(p_values, kind="stable")
    steps = p_values[order] * len(p_values) / np.arange(1, len(p_values) + 1)
    return _in_place(np.minimum.accumulate(steps[::-1])[::-1], order)


def benjamini_yekutieli(p_values: Floats) -> Floats:
    """Adjust as `benjamini_hochberg`, under any dependence (Benjamini and Yekutieli 2001)."""
    ranks = np.arange(1, len(p_values) + 1)
    return np.minimum(1.0, benjamini_hochberg(p_values) * float((1 / ranks).sum()))


CORRECTIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "holm": holm,
    "benjamini-hochberg": benjamini_hochberg,
    "benjamini-yekutieli": benjamini_yekutieli,
}
"""Corrections for multiple tests by name: from (M,) p-values to (M,) adjusted ones, in order."""


def _in_place(steps: Floats, order: NDArray[np.intp]) -> Floats:
    adjusted = np.empty_like(steps)
    adjusted[order] = np.minimum(1.0, steps)
    return adjusted


def _whole(columns: Floats) -> tuple[Floats, Floats]:
    """Return `columns`, (K, n), in whole units, and the number of units in 1, (n,)."""
    sizes = np.abs(columns).sum(axis=0)
    scale = np.exp2(_BITS - np.ceil(np.log2(np.where(sizes > 0, sizes, 1))))
    return np.rint(columns * scale), scale


def _products(factors: Iterable[Factor], columns: Floats, rows: int) -> Floats:
    """Return the product, (rows, n), of a matrix given in parts and `columns`, (K, n)."""
    found = np.zeros((rows, columns.shape[1]))
    for of_rows, of_clusters, values in factors:
        found[of_rows] += values @ columns[of_clusters]
    return found


def _all_exchanges(clusters: int, room: int) -> Iterator[Factor]:
    """Yield all exchanges, (2**K, K): 1 if A and B are exchanged in a cluster, else 0."""
    for rows in _slices(2**clusters, room // max(1, clusters)):
        bits = np.arange(rows.start, rows.stop)[:, None] >> np.arange(clusters) & 1
        yield rows, slice(clusters), bits.astype(np.float64)


def _exchanges(clusters: int, resamples: int, seed: int, room: int) -> Iterator[Factor]:
    """Yield random exchanges, (R, K)."""
    blocks = list(_slices(clusters, _BLOCK))
    for block, source in zip(blocks, np.random.SeedSequence(seed).spawn(len(blocks)), strict=True):
        rng = np.random.default_rng(source)
        for rows in _slices(resamples, room // _BLOCK):
            words = rng.integers(2**64, size=(_length(rows), _BLOCK // 64), dtype=np.uint64)
            octets = words.astype("<u8", copy=False).view(np.uint8)
            bits = np.unpackbits(octets, axis=1, count=_length(block))
            yield rows, block, bits.astype(np.float64)


def _draws(clusters: int, resamples: int, seed: int, room: int) -> Iterator[Factor]:
    """Yield draws of K clusters with replacement, (R, K): how often each was drawn.

    First the number of draws in each block is drawn, then the clusters within the block.
    """
    blocks = list(_slices(clusters, _BLOCK))
    first, *others = np.random.SeedSequence(seed).spawn(1 + len(blocks))
    shares = [_length(block) / clusters for block in blocks]
    counts = np.random.default_rng(first).multinomial(clusters, shares, size=resamples)
    for number, (block, source) in enumerate(zip(blocks, others, strict=True)):
        rng = np.random.default_rng(source)
        width = _length(block)
        for rows in _slices(resamples, room // _BLOCK):
            of_rows = counts[rows, number]
            drawn = np.repeat(width * np.arange(len(of_rows)), of_rows)
            drawn += rng.integers(width, size=len(drawn))
            times = np.bincount(drawn, minlength=len(of_rows) * width)
            yield rows, block, times.reshape(-1, width).astype(np.float64)


def _slices(count: int, size: int) -> Iterator[slice]:
    """Yield consecutive slices from 0 to `count`, each of 1 to `size` items."""
    size = max(1, size)
    for start in range(0, count, size):
        yield slice(start, min(count, start + size))


def _length(part: slice) -> int:
    return int(part.stop - part.start)
