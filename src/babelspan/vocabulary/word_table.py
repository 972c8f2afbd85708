"""Which row of a table of vectors a word has, in which language, and the letters of words.

Two words may share a row, as a word and its translation do: Lee and Lee (2019), arXiv:1907.06042,
Section 4.1, give words of the source the vectors of their translations.

Shapes: V rows, E width of a vector, S letters of a word.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, NonNegativeInt, PositiveInt

from babelspan.config import build
from babelspan.data.files import read_json, replacing, write_json
from babelspan.text.word_tokens import Unspaced
from babelspan.types import DataError, Example

WORDS = "words.json"
VECTORS = "words.npy"

PAD, UNKNOWN, NONE, FIRST = range(4)
"""Rows of padding, of unknown words and of `[NONE]`; words have rows from `FIRST` on."""
LETTER_UNKNOWN = 1

SidesBy = Literal["language", "chance"]


@dataclass(frozen=True, kw_only=True)
class WordTable:
    """What `words.json` says.

    Attributes:
        rows: V.
        words: language -> word -> row.
        letters: those that are known, the most frequent first.
        spelling: letters of a word that are read, S; 0 for none.
        unspaced: how text without spaces is cut.
        sides: languages whose texts have layers of their own; the first is the source, the last
            the target.
        sides_by: whether a text's side goes by its language, or is drawn by a hash of the id, as a
            control.
        max_positions: the longest window, in tokens.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    rows: PositiveInt
    words: dict[str, dict[str, int]]
    letters: str = ""
    spelling: NonNegativeInt = 16
    unspaced: Unspaced = "words"
    sides: tuple[str, ...] = ()
    sides_by: SidesBy = "language"
    max_positions: PositiveInt = 1024

    @property
    def features(self) -> int:
        """Numbers of a token: its row, and the letters of its word."""
        return 1 + self.spelling

    @cached_property
    def letter_numbers(self) -> dict[str, int]:
        """The number of each letter; 0 is padding, 1 any other letter."""
        return {letter: LETTER_UNKNOWN + 1 + i for i, letter in enumerate(self.letters)}

    @property
    def letter_rows(self) -> int:
        """Numbers of letters, with those of padding and of unknown ones."""
        return LETTER_UNKNOWN + 1 + len(self.letters)

    def row_of(self, word: str, language: str) -> int:
        """The row of a word: as it is written, else in small letters; else in another language.

        A word that no language has is `UNKNOWN`; its letters speak for it.
        """
        own = self.words.get(language)
        for table in ([] if own is None else [own]) + [*self.words.values()]:
            for form in (word, word.lower()):
                if form in table:
                    return table[form]
        return UNKNOWN

    def side_of(self, example: Example, language: str) -> int:
        """The side of a text of an example, by the origin of the example, not only its language.

        A translated example belongs to the source, whatever language it was translated into.
        """
        if len(self.sides) < 2:
            return 0
        if self.sides_by == "chance":
            drawn = hashlib.sha256((example.origin or example.id).encode(errors="replace"))
            return drawn.digest()[0] % len(self.sides)
        if example.strategy:
            return 0
        return self.sides.index(language) if language in self.sides else len(self.sides) - 1

    def save(self, folder: Path) -> None:
        """Write `words.json`."""
        keys = ("rows", "letters", "spelling", "unspaced", "sides", "sides_by", "max_positions")
        said: dict[str, Any] = {key: getattr(self, key) for key in keys}
        write_json(folder / WORDS, {**said, "words": self.words})


def load_words(folder: Path) -> WordTable:
    """The table of a folder.

    Raises:
        ConfigError, DataError: if it is missing or broken.
    """
    path = folder / WORDS
    table = build(WordTable, read_json(path), str(path))
    most = max((row for rows in table.words.values() for row in rows.values()), default=0)
    if most >= table.rows:
        raise DataError(
            f"{path}: expected words with rows below {table.rows}, found the row {most}; make or "
            "fetch the reader again"
        )
    return table


def save_vectors(vectors: NDArray[np.float32], folder: Path) -> None:
    """Write the table's fixed vectors (V, E), which are numbers of 16 bits (see `rounded`)."""
    with replacing(folder / VECTORS) as beside, beside.open("wb") as file:
        np.save(file, vectors.astype(np.float16))


def load_vectors(folder: Path, rows: int) -> NDArray[np.float32] | None:
    """The table's fixed vectors, (V, E); None where they are learnt, and with the weights.

    Raises:
        DataError: if they are broken, or not as many as the table says.
    """
    path = folder / VECTORS
    if not path.is_file():
        return None
    try:
        found: NDArray[np.float16] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path}: expected vectors, found something else ({error})") from None
    if found.ndim != 2 or len(found) != rows:
        raise DataError(
            f"{path}: expected vectors of {rows} words, found an array {found.shape}; make or "
            "fetch the reader again"
        )
    return found.astype(np.float32)


def rounded(vectors: Mapping[int, NDArray[np.float32]], rows: int) -> NDArray[np.float32]:
    """Vectors by row as a table (V, E), each number as it is kept: in 16 bits."""
    width = len(next(iter(vectors.values())))
    table = np.zeros((rows, width), np.float32)
    for row, vector in vectors.items():
        table[row] = vector
    return table.clip(-60_000, 60_000).astype(np.float16).astype(np.float32)
