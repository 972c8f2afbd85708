"""Unpack bzip2 files that consist of several streams, such as dumps of Wikipedia, in threads.

A stream starts with "BZh", a digit, and the first six bytes of a block. These ten bytes do not
occur inside a stream, except by a chance of one in 10^23 for each byte.
"""

import bz2
import io
import os
import re
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

_START = re.compile(rb"BZh[1-9]1AY&SY")
_AT_ONCE = 1 << 20
"""Number of bytes to read at a time."""
_LONGEST = 16 << 20
"""From a stream on that is longer, in packed bytes, a file is unpacked by the reading thread."""


def opened(path: Path, threads: int) -> IO[bytes]:
    """Open a bzip2 file for reading.

    Args:
        path: the file.
        threads: number of threads; more than one unpack several streams at a time.
    """
    if threads > 1:
        return io.BufferedReader(_Content(path, threads))
    return bz2.open(path)


class _Content(io.RawIOBase):
    """The content of a file as a raw stream."""

    def __init__(self, path: Path, threads: int) -> None:
        self._parts = _unpacked(path, threads)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = memoryview(part)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def close(self) -> None:
        self._parts.close()
        super().close()


def _unpacked(path: Path, threads: int) -> Generator[bytes, None, None]:
    """Yield the content, in order; up to two streams per thread are unpacked in advance."""
    running: deque[Future[bytes]] = deque()
    found = 0
    with path.open("rb") as file, ThreadPoolExecutor(threads) as pool:
        try:
            for stream in _streams(file):
                found += len(stream)
                running.append(pool.submit(_content, stream))
                if len(running) > 2 * threads:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
            if found < os.fstat(file.fileno()).st_size:
                file.seek(found)
                with bz2.open(file) as rest:
                    while part := rest.read(_AT_ONCE):
                        yield part
        finally:
            pool.shutdown(cancel_futures=True)


def _streams(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the streams of a file, packed, up to one that is longer than `_LONGEST`."""
    held = b""
    searched = 1
    while more := file.read(_AT_ONCE):
        held += more
        while start := _START.search(held, searched):
            yield held[: start.start()]
            held, searched = held[start.start() :], 1
        searched = max(1, len(held) - 9)  # the next start may be cut
        if len(held) > _LONGEST:
            return
    yield held


def _content(packed: bytes) -> bytes:
    """Unpack a stream, and what follows it: empty streams, or bytes that are an error."""
    parts = []
    while packed:
        unpacker = bz2.BZ2Decompressor()
        parts.append(unpacker.decompress(packed))
        if not unpacker.eof:
            raise EOFError("the file ends before the end of a stream")
        packed = unpacker.unused_data
    return b"".join(parts)
