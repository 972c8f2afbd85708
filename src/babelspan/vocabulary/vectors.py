"""Initialise the embeddings of a new vocabulary from those of an old one and word links.

A piece in both vocabularies keeps its vector. Any other starts as a weighted mean of the old
vectors that it is linked to, similar to WECHSEL (Minixhofer et al. 2022, arXiv:2112.06598) and
FOCUS (Dobler and de Melo 2023, arXiv:2305.14481), but with expected counts of word links instead of
similarities.

Shapes: N new pieces, V old pieces, H width, P linked pairs of pieces.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the weighted mean of linked vectors.

    Attributes:
        power: exponent of the counts; above 1 the best links get more weight.
        prior: weight of the mean of all old vectors, in counts; pulls rare pieces towards the mean.
        restored: how much of the norm is restored, because a mean of vectors is shorter than the
            vectors: 0 leaves the mean as it is, 1 restores the usual norm.
    """

    power: float = 1.5
    prior: float = 0.3
    restored: float = 0.5


class Start(NamedTuple):
    """Initial vectors, and counts of their origins.

    Attributes:
        vectors: (N, H).
        shared: number of pieces that kept their vector.
        linked: number of pieces with a vector from links.
        unlinked: number of pieces with a random vector near the mean of all.
    """

    vectors: Floats
    shared: int
    linked: int
    unlinked: int


def start_vectors(
    old: Floats,
    size: int,
    *,
    shared: Mapping[int, int],
    new_ids: NDArray[np.int64],
    old_ids: NDArray[np.int64],
    counts: Floats,
    rng: np.random.Generator,
    settings: Settings = Settings(),
) -> Start:
    """Initialise the vectors of a new vocabulary.

    Args:
        old: vectors of the old vocabulary, (V, H).
        size: N.
        shared: new id -> old id of the pieces that keep their vector.
        new_ids: new piece of each linked pair, (P,); a pair may occur more than once.
        old_ids: old piece of each linked pair, (P,).
        counts: expected number of links of each pair, (P,), not negative.
        rng: draws the vectors of pieces without links: the mean, with a tenth of the usual standard
            deviation.
        settings: settings of the weighted mean.
    """
    if not len(new_ids) == len(old_ids) == len(counts):
        raise ValueError(
            f"expected as many new ids as old ids and counts, got {len(new_ids)}, {len(old_ids)} "
            f"and {len(counts)}"
        )
    ids = np.array(sorted(shared), dtype=np.int64)
    kept = old[[shared[i] for i in ids]] if len(ids) else old[:0]
    middle = (kept if len(kept) else old).mean(axis=0)
    deviations = (kept if len(kept) else old) - middle
    links = (new_ids * len(old) + old_ids, counts)
    sums, weights = _weighted(old, size, links, settings.power)
    whole = np.maximum(weights + settings.prior, 1e-12)[:, None]
    centred = (sums + settings.prior * middle) / whole - middle
    lengths = np.linalg.norm(centred, axis=1)
    usual = float(np.linalg.norm(deviations, axis=1).mean())
    wanted = lengths + settings.restored * (usual - lengths).clip(min=0)
    linked = weights > 0
    scale = np.where(linked, wanted / np.maximum(lengths, 1e-12), 0.0)
    vectors = (middle + scale[:, None] * centred).astype(np.float32)
    noise = rng.normal(0.0, 0.1 * deviations.std(axis=0), (size, old.shape[1]))
    vectors[~linked] += noise[~linked].astype(np.float32)
    vectors[ids] = kept
    linked[ids] = False
    return Start(vectors, len(ids), int(linked.sum()), size - len(ids) - int(linked.sum()))


def _weighted(
    old: Floats,
    size: int,
    links: tuple[NDArray[np.int64], Floats],
    power: float,
) -> tuple[Floats, Floats]:
    """Sum of count^power * vector for each new piece, (N, H), and of count^power, (N,).

    Args:
        old: vectors of the old vocabulary, (V, H).
        size: N.
        links: new piece * V + old piece, (P,), and counts, (P,).
        power: exponent of the counts.
    """
    keys, pair = np.unique(links[0], return_inverse=True)
    weight = np.bincount(pair, links[1], len(keys)).astype(np.float32) ** power
    owner, other = keys // len(old), keys % len(old)
    starts = np.searchsorted(owner, np.arange(size + 1))
    sums = np.zeros((size, old.shape[1]), np.float32)
    for piece in np.flatnonzero(np.diff(starts)):
        part = slice(starts[piece], starts[piece + 1])
        sums[piece] = weight[part] @ old[other[part]]
    return sums, np.bincount(owner, weight, size).astype(np.float32)
