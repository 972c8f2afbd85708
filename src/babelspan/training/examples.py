"""Labelled examples as a stream of windows, and code shared by several streams."""

import sys
from array import array
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from babelspan.networks.reader import Batch, Reader, gold_tokens
from babelspan.reading.windows import Window
from babelspan.training.run import Run
from babelspan.training.spool import Spool
from babelspan.training.stream import B, Stream
from babelspan.types import DataError, Example

Row = tuple[Window, ...]
"""Windows over the same context tokens, one for each example of a group."""


def labelled(reader: Reader, examples: Iterable[Example], run: Run) -> Stream[Row, Batch]:
    """A stream of windows for training on spans.

    Windows without the answer are used as well ("no answer here"), but an example with no window
    containing the answer is skipped; the count is printed.

    Raises:
        DataError: if no example can be used.
    """
    return grouped(
        reader,
        ((example,) for example in examples),
        run,
        collate=lambda rows: reader.collate([window for (window,) in rows]),
    )


def grouped(
    reader: Reader,
    groups: Iterable[Sequence[Example]],
    run: Run,
    *,
    collate: Callable[[Sequence[Row]], B],
    together: int = 1,
) -> Stream[Row, B]:
    """A stream of windows of groups of examples, cut at the same context tokens within a group.

    A group is skipped if, for one of its examples, no window contains the answer.

    Args:
        reader: makes the windows.
        groups: groups of `together` examples over one context.
        run: provides the folder to store windows in.
        collate: makes a batch from rows of windows.
        together: number of examples in a group.

    Raises:
        DataError: if no example can be used.
    """
    rows: Spool[Row] = Spool(folder=run.folder)
    lengths = array("q")
    skipped = 0
    for group in groups:
        cut = list(reader.together(group))
        if all(_teaches(member, [row[i] for row in cut]) for i, member in enumerate(group)):
            for row in cut:
                rows.append(row)
                lengths.append(max(window.length for window in row))
        else:
            skipped += together
    if skipped and run.place.leads:
        print(f"skipped {skipped} examples: no window contains their answer", file=sys.stderr)
    if not rows:
        raise DataError("none of the training examples has an answer at a known offset")
    return Stream(
        items=rows,
        lengths=np.array(lengths, dtype=np.int64),
        collate=collate,
        together=together,
    )


def _teaches(example: Example, windows: Sequence[Window]) -> bool:
    """Whether an example can be used: unanswerable, or with a window containing its answer."""
    return example.answers == () or any(gold_tokens(window) is not None for window in windows)
