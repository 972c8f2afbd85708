"""Files of word vectors, read line by line; only the wanted words are kept in memory.

Formats: `.vec` as in fastText and MUSE (a first line with two counts, then a word and its numbers
per line), `.txt` as in GloVe (no first line), both gzipped or not, and `.npz` with the arrays
`words` and `vectors`. A word ends at the first space; it may contain no-break spaces, as some in
fastText do. For a word that occurs twice, the first line is used.
"""

import re
import zipfile
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babelspan.data.files import opened, writing
from babelspan.types import DataError

Vector = NDArray[np.float32]

_HEAD = re.compile(rb"\d+[ \t]\d+\s*")
_SHOWN = 60
"""Maximum number of characters of a line to show in an error."""


def read_vectors(
    path: Path, *, wanted: Container[str] | None = None, limit: int | None = None
) -> Iterator[tuple[str, Vector]]:
    """Yield words of a file with their vectors, in order: the wanted ones and the first ones.

    Args:
        path: a file of word vectors, sorted by frequency, as is usual.
        wanted: words to read, anywhere in the file.
        limit: number of words to read from the start, wanted or not. With neither, all are read.

    Raises:
        DataError: if the file is missing, broken (the message gives the line) or empty.
    """
    if path.suffix == ".bin":
        raise DataError(
            f"{path}: expected word vectors as text (.vec, .txt) or .npz, found a name that ends "
            "in .bin; save them as text, or use the .vec file of the same name"
        )
    pairs = _of_arrays(path) if path.suffix == ".npz" else _of_lines(path, wanted, limit)
    seen: set[str] = set()
    for number, (word, vector) in enumerate(pairs):
        if vector is not None and _is_read(word, number, wanted, limit) and word not in seen:
            seen.add(word)
            yield word, vector


def write_vectors(path: Path, words: Iterable[tuple[str, Vector]], width: int, count: int) -> None:
    """Write words with their vectors as a `.vec` file, completely or not at all."""
    with writing(path) as file:
        file.write(f"{count} {width}\n".encode())
        for word, vector in words:
            numbers = " ".join(f"{number:.5g}" for number in vector.tolist())
            file.write(f"{word} {numbers}\n".encode("utf-8", "replace"))


def _is_read(word: str, number: int, wanted: Container[str] | None, limit: int | None) -> bool:
    if wanted is None and limit is None:
        return True
    return (limit is not None and number < limit) or (wanted is not None and word in wanted)


def _of_lines(
    path: Path, wanted: Container[str] | None, limit: int | None
) -> Iterator[tuple[str, Vector | None]]:
    """Yield each word; its vector is parsed only if it will be used."""
    width = at = 0
    with opened(path) as file:
        for line_number, line in enumerate(file, 1):
            if line_number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
                if _HEAD.fullmatch(line):
                    width = int(line.split()[1])
                    continue
            if not line.strip():
                continue
            word, rest = _parted(line)
            if not _is_read(word, at, wanted, limit) and width:
                yield word, None
            else:
                word, vector = _parsed(line, word, rest, width, f"{path}: line {line_number}")
                width = len(vector)
                yield word, vector
            at += 1
    if not at:
        raise DataError(f"{path}: expected words with vectors, found none")


def _parted(line: bytes) -> tuple[str, bytes]:
    """Split a line into the word, up to the first space or tab, and the rest."""
    space, tab = line.find(b" "), line.find(b"\t")
    end = min(place for place in (space, tab, len(line)) if place >= 0)
    return line[:end].decode("utf-8", "replace"), line[end + 1 :]


def _parsed(
    line: bytes, word: str, rest: bytes, width: int, where: str
) -> tuple[str, NDArray[np.float32]]:
    """Return a word and its vector; a word with spaces is all but the last `width` numbers."""
    parts = rest.split()
    if width and len(parts) > width and not _numbers(parts[:-width]):
        word = b" ".join(line.split()[:-width]).decode("utf-8", "replace")
        parts = parts[-width:]
    vector = _numbers(parts)
    if vector is None or len(vector) != (width or len(vector)):
        expected = f"a word and {width or 'some'} numbers"
        found = line[:_SHOWN].decode("utf-8", "replace").strip()
        raise DataError(
            f"{where}: expected {expected} separated by spaces, found {len(parts)} parts after the "
            f"word: {found!r}…; fetch or cut the file again"
        )
    return word, vector


def _numbers(parts: list[bytes]) -> Vector | None:
    """Return finite numbers as a vector; None if there are none or something else is among them."""
    try:
        vector = np.array(parts, dtype=np.float32)
    except ValueError:
        return None
    return vector if len(vector) and np.isfinite(vector).all() else None


def _of_arrays(path: Path) -> Iterator[tuple[str, Vector | None]]:
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            words, vectors = arrays["words"], arrays["vectors"]
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path}: expected the arrays 'words' and 'vectors', found something else ({error})"
        ) from None
    if words.ndim != 1 or vectors.ndim != 2 or len(words) != len(vectors) or not len(words):
        raise DataError(
            f"{path}: expected as many vectors as words, found words {words.shape} and vectors "
            f"{vectors.shape}"
        )
    yield from ((str(word), v.astype(np.float32)) for word, v in zip(words, vectors, strict=True))
