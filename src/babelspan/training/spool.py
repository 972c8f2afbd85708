"""Sequences stored on disk, so that training data need not fit into memory."""

import os
import pickle
import tempfile
import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Spool(Sequence[T], Generic[T]):
    """A sequence of picklable items in an unnamed temporary file, deleted with the process.

    It needs 8 bytes of memory per item. Thread-safe.

    Args:
        items: read once, in order.
        folder: folder for the file; None for the system's temporary folder.
    """

    def __init__(self, items: Iterable[T] = (), *, folder: Path | None = None) -> None:
        is_there = folder is not None and folder.is_dir()
        self._file = tempfile.TemporaryFile(dir=folder if is_there else None)  # noqa: SIM115
        self._ends = array("q", [0])
        self._lock = threading.Lock()
        self._is_written_out = True
        for item in items:
            self.append(item)

    def append(self, item: T) -> None:
        """Add an item at the end."""
        written = pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL)
        with self._lock:
            self._file.write(written)
            self._ends.append(self._ends[-1] + len(written))
            self._is_written_out = False

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"expected an index below {len(self)}, got {index}")
        start, end = self._ends[number], self._ends[number + 1]
        with self._lock:
            if not self._is_written_out:
                self._file.flush()
                self._is_written_out = True
            written = self._read(start, end - start)
        item: T = pickle.loads(written)
        return item

    def _read(self, start: int, size: int) -> bytes:
        """Read bytes at an offset, without the buffer, which would read far more."""
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), size, start)
        self._file.seek(start)
        written: bytes = self._file.read(size)
        self._file.seek(0, os.SEEK_END)
        return written

    def __iter__(self) -> Iterator[T]:
        return (self[number] for number in range(len(self)))


class Chosen(Sequence[T], Generic[T]):
    """A selection of the items of another sequence; items may be repeated.

    Args:
        items: the sequence.
        indices: indices of the selected items, in order.
    """

    def __init__(self, items: Sequence[T], indices: Sequence[int] | NDArray[np.int64]) -> None:
        self._items = items
        self._indices = indices

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self._items[int(i)] for i in self._indices[index]]
        return self._items[int(self._indices[index])]
