"""Texts to ask about; all characters of a file are kept."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from babelspan.data.files import decode_utf8, read_bytes, too_large
from babelspan.data.parts import Part
from babelspan.types import DataError, Span

STANDARD_INPUT = "-"
LARGEST_TEXT = 64 * 2**20
"""Maximum size of an uncompressed text in bytes: 64 MiB."""

_SAVE = "save it as UTF-8 text"
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF-", "a PDF", "convert it to text, for example with pdftotext"),
    (b"{\\rtf", "an RTF document", _SAVE),
    (b"\xd0\xcf\x11\xe0", "an old Office document", _SAVE),
    (b"\xff\xfe", "text in UTF-16", "convert it with iconv -f UTF-16 -t UTF-8"),
    (b"\xfe\xff", "text in UTF-16", "convert it with iconv -f UTF-16 -t UTF-8"),
    (b"\x89PNG", "an image", "read its text with a program such as tesseract"),
    (b"\xff\xd8\xff", "an image", "read its text with a program such as tesseract"),
)
"""First bytes of files that are not plain text, the kind of file, and what to do."""
_BINARY = ("a binary file", "leave it out")
_PACKED = (
    (b"word/", "a Word document (DOCX)", "convert it, for example with pandoc -t plain"),
    (b"opendocument.text", "an OpenDocument text", "convert it with pandoc -t plain"),
    (b"epub+zip", "an EPUB book", "convert it with pandoc -t plain"),
    (b"", "a ZIP archive or an Office document", "unpack it or save it as UTF-8 text"),
)
"""The same for ZIP archives, by a byte string inside them."""
_MANY_NULS = 0.25
"""Minimum share of NULs in the first bytes that shows a binary file or UTF-16."""
_HTML = (b"<!doctype html", b"<html")
_HEAD = 1000
"""Number of bytes searched for the first tag of an HTML page."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text and its source; offsets of answers count code points of `text`.

    Attributes:
        name: name of the file.
        text: the whole text.
        kind: kind of file: "text", "markdown", "html", "pdf", "docx" or "epub".
        parts: where in the file the characters come from, in order; empty if unknown.
        headings: places of the headings in the text.
        start: start of the text in the file's text, if it is only a part of it.
        weight: how likely it is to contain an answer, relative to others.
    """

    name: str
    text: str
    kind: str = "text"
    parts: tuple[Part, ...] = ()
    headings: tuple[Span, ...] = ()
    start: int = 0
    weight: float = 1.0


def read_document(name: str) -> Document:
    """Return the UTF-8 text of a file, or standard input for "-"; line ends and BOM are kept.

    A gzipped file is decompressed.

    Raises:
        DataError: if it cannot be read, is not UTF-8, is another kind of document (PDF, Word,
            HTML), or is larger than `LARGEST_TEXT`.
    """
    if name == STANDARD_INPUT:
        where, raw = "standard input", sys.stdin.buffer.read(LARGEST_TEXT + 1)
        if len(raw) > LARGEST_TEXT:
            raise too_large(where, LARGEST_TEXT)
    else:
        where, raw = name, read_bytes(Path(name), largest=LARGEST_TEXT, most=LARGEST_TEXT)
    return Document(name, document_of(where, raw).text)


def document_of(name: str, raw: bytes) -> Document:
    """Return the document in the bytes of an uncompressed file.

    Raises:
        DataError: if they are not UTF-8, or another kind of document; the message has `name`.
    """
    _refuse_other_kinds(raw, name)
    return Document(name, decode_utf8(raw, name))


def read_documents(
    names: Iterable[str], *, read: Callable[[str], Document] = read_document
) -> tuple[list[Document], list[str]]:
    """Return the texts of readable, non-empty files, and the reasons why others were skipped.

    Args:
        names: names of the files.
        read: reads a file; raises DataError with the reason if it cannot.
    """
    documents, skipped = [], []
    for name in names:
        try:
            document = read(name)
        except DataError as error:
            skipped.append(str(error))
            continue
        if document.text.strip():
            documents.append(document)
        else:
            where = "standard input" if name == STANDARD_INPUT else name
            skipped.append(f"{where}: holds no text")
    return documents, skipped


def find_documents(names: Iterable[str], *, recursive: bool = False) -> Iterator[str]:
    """Yield the files to read: names as given, and the files in and below folders, sorted.

    In folders, files and folders whose names start with a dot are skipped, and links to folders
    are not followed.

    Args:
        names: files, folders, or "-" for standard input.
        recursive: whether folders are allowed.

    Raises:
        DataError: if a name is a folder and `recursive` is false, or a folder has no files.
    """
    for name in names:
        if name == STANDARD_INPUT or not os.path.isdir(name):
            yield name
        elif recursive:
            yield from _inside(name)
        else:
            raise DataError(f"{name}: expected a file, found a folder; add -r to read its files")


def _inside(folder: str) -> list[str]:
    shut: list[str] = []  # opening a locked folder later gives the reason
    found = []
    for place, folders, files in os.walk(folder, onerror=lambda e: shut.append(e.filename)):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        found += [os.path.join(place, f) for f in sorted(files) if not f.startswith(".")]
    if not found and not shut:
        raise DataError(f"{folder}: expected files in the folder, found none")
    return found + shut


def _refuse_other_kinds(raw: bytes, where: str) -> None:
    """Raise DataError for kinds of documents whose bytes are not their text."""
    kinds = _KINDS
    if raw.startswith(b"PK\x03\x04"):
        kinds = tuple((b"PK", what, then) for inside, what, then in _PACKED if inside in raw)
    elif raw[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML):
        kinds = ((b"", "an HTML page", "convert it to text, for example with w3m -dump"),)
    elif raw[:_HEAD].count(0) > _MANY_NULS * len(raw[:_HEAD]):
        kinds = (*_KINDS, (b"", *_by_nuls(raw[:_HEAD])))
    elif b"\0" in raw[:_HEAD] and not _is_utf8(raw):
        kinds = (*_KINDS, (b"", *_BINARY))
    for first, what, then in kinds:
        if raw.startswith(first):
            raise DataError(f"{where}: expected plain text, found {what}; {then}")


def _by_nuls(head: bytes) -> tuple[str, str]:
    """Return the kind of a file by its NULs, and what to do; UTF-16 may have no BOM."""
    for order, first in (("LE", 1), ("BE", 0)):
        if not head[1 - first :: 2].count(0):
            return f"text in UTF-16{order}", f"convert it with iconv -f UTF-16{order} -t UTF-8"
    return _BINARY


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
