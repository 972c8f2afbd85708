"""Labelled examples as a stream of windows, and parts that several streams share."""

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
"""Windows over the same context tokens, one for each member of a group."""


def labelled(reader: Reader, examples: Iterable[Example], run: Run) -> Stream[Row, Batch]:
    """Windows to learn spans from.

    Windows without the answer are used as well ("no answer here"), but an example with no window
    containing the answer is skipped; the count is printed.

    Raises:
        DataError: if nothing can be learnt from.
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
    """Windows of groups of examples over one context, cut at the same context tokens.

    A group is skipped if, for one of its members, no window contains the answer.

    Args:
        reader: makes the windows.
        groups: groups of `together` examples.
        run: its settings say where windows are kept.
        collate: makes a batch of rows of windows.
        together: number of examples in a group.

    Raises:
        DataError: if nothing can be learnt from.
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
    """Whether a window contains the answer of the example."""
    return example.answers == () or any(gold_tokens(window) is not None for window in windows)
