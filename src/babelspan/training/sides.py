"""Pairs of windows, one of the source and one of the target side, for a discriminator."""

from collections.abc import Sequence
from typing import overload

import numpy as np

from babelspan.networks.reader import Batch
from babelspan.reading.windows import Window
from babelspan.training.examples import Row
from babelspan.training.stream import Stream
from babelspan.types import DataError

Two = tuple[Window, Window]
"""A window of the source, one of the target."""


class Pairs(Sequence[Two]):
    """Pairs of a source and a target window; windows of the smaller side are repeated.

    Args:
        rows: all windows.
        source: indices of the source windows.
        target: indices of the target windows.
    """

    def __init__(self, rows: Sequence[Row], source: Sequence[int], target: Sequence[int]) -> None:
        self._rows, self._source, self._target = rows, source, target

    def __len__(self) -> int:
        return max(len(self._source), len(self._target))

    @overload
    def __getitem__(self, index: int) -> Two: ...
    @overload
    def __getitem__(self, index: slice) -> list[Two]: ...
    def __getitem__(self, index: int | slice) -> Two | list[Two]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"expected an index below {len(self)}, got {index}")
        (source,) = self._rows[self._source[index % len(self) % len(self._source)]]
        (target,) = self._rows[self._target[index % len(self) % len(self._target)]]
        return source, target


def pairs_of_sides(stream: Stream[Row, Batch]) -> Stream[Two, Batch]:
    """Pair the source and target windows of a stream, by the side of their contexts.

    Raises:
        DataError: if all windows are of one side.
    """
    is_source = [row[0].frame.context_type < 2 for row in stream.items]
    source = [number for number, is_one in enumerate(is_source) if is_one]
    target = [number for number, is_one in enumerate(is_source) if not is_one]
    if not source or not target:
        side = "source" if source else "target"
        raise DataError(
            f"expected texts of source and target, found texts of the {side} only; give examples "
            "in both languages of the reader's sides"
        )
    pairs = Pairs(stream.items, source, target)
    length = stream.lengths
    return Stream(
        items=pairs,
        lengths=np.array(
            [
                max(length[source[i % len(source)]], length[target[i % len(target)]])
                for i in range(len(pairs))
            ],
            dtype=np.int64,
        ),
        collate=lambda some: stream.collate([(window,) for pair in some for window in pair]),
        together=2,
    )
