"""The mapping of words to rows of a vector table, by language, and of letters to ids.

Words may share a row, such as a word and its translation: Lee and Lee (2019), arXiv:1907.06042,
Section 4.1, give source words the vectors of their translations.

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
"""Rows of padding, unknown words and `[NONE]`; words have rows from `FIRST` on."""
LETTER_UNKNOWN = 1

SidesBy = Literal["language", "chance"]


@dataclass(frozen=True, kw_only=True)
class WordTable:
    """The contents of `words.json`.

    Attributes:
        rows: number of rows, V.
        words: language -> word -> row.
        letters: known letters, the most frequent first.
        spelling: number of letters read of each word, S; 0 for none.
        unspaced: segmentation of text without spaces.
        sides: languages with separate layers; the first is the source, the last the target.
        sides_by: whether a text's side is determined by its language, or drawn by a hash of the id,
            as a control.
        max_positions: maximum length of a window in tokens.
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
        """Number of ids per token: its row, and the letters of its word."""
        return 1 + self.spelling

    @cached_property
    def letter_numbers(self) -> dict[str, int]:
        """The id of each letter; 0 is padding, 1 any other letter."""
        return {letter: LETTER_UNKNOWN + 1 + i for i, letter in enumerate(self.letters)}

    @property
    def letter_rows(self) -> int:
        """Number of letter ids, including padding and unknown letters."""
        return LETTER_UNKNOWN + 1 + len(self.letters)

    def row_of(self, word: str, language: str) -> int:
        """The row of a word: as written, else in lower case, else in another language.

        A word that no language has is `UNKNOWN`; it is represented by its letters.
        """
        own = self.words.get(language)
        for table in ([] if own is None else [own]) + [*self.words.values()]:
            for form in (word, word.lower()):
                if form in table:
                    return table[form]
        return UNKNOWN

    def side_of(self, example: Example, language: str) -> int:
        """The side of a text of an example.

        A translated example belongs to the source side, whatever language it was translated into.
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
    """Load the table in a folder.

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
    """Write the table's fixed vectors (V, E), in fp16 (see `rounded`)."""
    with replacing(folder / VECTORS) as beside, beside.open("wb") as file:
        np.save(file, vectors.astype(np.float16))


def load_vectors(folder: Path, rows: int) -> NDArray[np.float32] | None:
    """Load the table's fixed vectors, (V, E); None if they are trained and part of the weights.

    Raises:
        DataError: if they are broken, or their number differs from the table's.
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
    """Vectors by row as a table (V, E), rounded to fp16, as they are stored."""
    width = len(next(iter(vectors.values())))
    table = np.zeros((rows, width), np.float32)
    for row, vector in vectors.items():
        table[row] = vector
    return table.clip(-60_000, 60_000).astype(np.float16).astype(np.float32)
