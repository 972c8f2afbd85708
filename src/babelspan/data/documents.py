"""Texts to ask about, with every character where the file has it."""

import sys
from dataclasses import dataclass
from pathlib import Path

from babelspan.data.files import decode_utf8, read_text

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Document:
    """A text and where it came from; offsets of answers count the code points of `text`."""

    name: str
    text: str


def read_document(name: str) -> Document:
    """The UTF-8 text of a file, or of standard input for "-"; line ends and marks are kept.

    Raises:
        DataError: if it cannot be read or is not UTF-8.
    """
    if name == STANDARD_INPUT:
        return Document(name, decode_utf8(sys.stdin.buffer.read(), "standard input"))
    return Document(name, read_text(Path(name)))
