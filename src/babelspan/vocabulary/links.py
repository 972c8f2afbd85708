"""Links between the pieces of two tokenizers on the same text, by their character offsets."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

_BATCH = 1_000


class PieceLinks(NamedTuple):
    """P linked pairs of pieces; a pair may occur more than once.

    Attributes:
        new_ids: (P,).
        old_ids: (P,).
        counts: expected number of links, (P,).
    """

    new_ids: NDArray[np.int64]
    old_ids: NDArray[np.int64]
    counts: NDArray[np.float32]


def self_links(old: Tokenizer, new: Tokenizer, texts: Iterable[str], *, unknown: int) -> PieceLinks:
    """Count how often a new piece and an old piece overlap.

    If the old tokenizer splits a word into several pieces, the new piece is linked to each.

    Args:
        old: the tokenizer of the encoder.
        new: the new tokenizer.
        texts: texts in languages that the encoder supports.
        unknown: old id of the unknown token; it is not linked.
    """
    size = old.get_vocab_size()
    keys: NDArray[np.int64] = np.zeros(0, np.int64)
    counts: NDArray[np.int64] = np.zeros(0, np.int64)
    batch: list[str] = []

    def counted() -> None:
        nonlocal keys, counts
        found = [np.zeros(0, np.int64)]
        for a, b in zip(
            old.encode_batch(batch, add_special_tokens=False),
            new.encode_batch(batch, add_special_tokens=False),
            strict=True,
        ):
            places = overlapping(_array(a.offsets), _array(b.offsets))
            linked = np.array(b.ids, np.int64)[places[:, 1]] * size
            found.append(linked + np.array(a.ids, np.int64)[places[:, 0]])
        together = np.concatenate([keys, *found])
        weights = np.ones(len(together), np.int64)
        weights[: len(keys)] = counts
        keys, pair = np.unique(together, return_inverse=True)
        counts = np.bincount(pair, weights, len(keys)).astype(np.int64)
        batch.clear()

    for text in texts:
        batch.append(text)
        if len(batch) == _BATCH:
            counted()
    counted()
    is_known = keys % size != unknown
    keys, counts = keys[is_known], counts[is_known]
    return PieceLinks(keys // size, keys % size, counts.astype(np.float32))


def overlapping(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of tokens of two tokenizations of a text that overlap, (K, 2).

    Args:
        one: characters [start, end) of each token, in order, (N, 2).
        other: the same of the other tokenization, (M, 2).
    """
    first = np.searchsorted(other[:, 1], one[:, 0], side="right")
    after = np.searchsorted(other[:, 0], one[:, 1], side="left")
    many = np.maximum(after - first, 0)
    rows = np.repeat(np.arange(len(one)), many)
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    return np.stack([rows, first[rows] + within], axis=1)


def _array(offsets: list[tuple[int, int]]) -> NDArray[np.int64]:
    return np.array(offsets, np.int64).reshape(-1, 2)
