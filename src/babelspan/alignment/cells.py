"""All possible word links of a bitext as flat arrays.

Shapes: E possible links (a source word and a target word of one pair), C cells (a source type and a
target type that co-occur in some pair), S and T source and target types.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]


class Cells(NamedTuple):
    """The possible links of a bitext.

    Attributes:
        keys: source type * T + target type of each cell, sorted, (C,).
        cell: index of the cell of each possible link, (E,).
        source_word: index of its source word in the whole bitext, (E,).
        target_word: index of its target word, likewise, (E,).
        nearness: exp(-tension * |distance from the diagonal|), not normalised, (E,).
        source_types: type of each source word of the bitext.
        target_types: type of each target word of the bitext.
    """

    keys: NDArray[np.int64]
    cell: NDArray[np.int32]
    source_word: NDArray[np.int32]
    target_word: NDArray[np.int32]
    nearness: NDArray[np.float32]
    source_types: Ids
    target_types: Ids


def cells(
    sources: Sequence[Ids], targets: Sequence[Ids], *, target_size: int, tension: float
) -> Cells:
    """The possible links of sentence pairs.

    Args:
        sources: word types of each source sentence; no sentence is empty.
        targets: word types of each translation, as many sentences.
        target_size: T; all target types are below it.
        tension: strength of the preference for the diagonal; 0 for none.
    """
    if len(sources) != len(targets) or not all(map(len, [*sources, *targets])):
        raise ValueError(
            f"expected as many source as target sentences, none of them empty, "
            f"got {len(sources)} and {len(targets)}"
        )
    keys, source_words, target_words, nearness = [], [], [], []
    source_at = target_at = 0
    for source, target in zip(sources, targets, strict=True):
        n, m = len(source), len(target)
        keys.append((source[:, None].astype(np.int64) * target_size + target).ravel())
        source_words.append(np.repeat(np.arange(n, dtype=np.int32), m) + source_at)
        target_words.append(np.tile(np.arange(m, dtype=np.int32), n) + target_at)
        nearness.append(diagonal(n, m, tension=tension).ravel())
        source_at, target_at = source_at + n, target_at + m
    unique, cell = np.unique(np.concatenate(keys), return_inverse=True)
    return Cells(
        keys=unique,
        cell=cell.astype(np.int32),
        source_word=np.concatenate(source_words),
        target_word=np.concatenate(target_words),
        nearness=np.concatenate(nearness),
        source_types=np.concatenate(list(sources)),
        target_types=np.concatenate(list(targets)),
    )


def diagonal(n: int, m: int, *, tension: float) -> NDArray[np.float32]:
    """exp(-tension * |i/n - j/m|) for the middles of words i and j, (n, m).

    Dyer, Chahuneau, Smith (2013), "A simple, fast, and effective reparameterization of IBM model
    2", Eq. 1, with the middle of a word as its position, so that equal lengths give a true
    diagonal.
    """
    rows = (np.arange(n, dtype=np.float32) + 0.5) / n
    columns = (np.arange(m, dtype=np.float32) + 0.5) / m
    nearness: NDArray[np.float32] = np.exp(-tension * np.abs(rows[:, None] - columns))
    return nearness
