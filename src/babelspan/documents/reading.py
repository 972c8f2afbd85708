"""Documents of every kind; the kind is decided by the first bytes, then by the name."""

from collections.abc import Iterable
from pathlib import Path

from babelspan.data.documents import (
    LARGEST_TEXT,
    STANDARD_INPUT,
    Document,
    read_document,
    read_documents,
)
from babelspan.data.files import read_bytes
from babelspan.documents.confined import confined
from babelspan.documents.plain import markdown, text
from babelspan.types import DataError
from babelspan.version import how_to_install

RULES = "3"
"""Increase this with every change of the text or the places that a reader returns."""

_HTML = (b"<!doctype html", b"<html")
_HTML_NAMES = (".html", ".htm", ".xhtml")
_MARKDOWN_NAMES = (".md", ".markdown")
_HEAD = 1000
_KINDS_OF_ZIP = ((b"word/document", "docx"), (b"application/epub+zip", "epub"))


def kind_of(name: str, raw: bytes) -> str:
    """Return the kind of a file; "text" if no other kind fits."""
    plain_name = name.lower().removesuffix(".gz")
    head = raw[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if raw.startswith(b"%PDF-"):
        return "pdf"
    if raw.startswith(b"PK\x03\x04"):
        by_name = next(
            (kind for _, kind in _KINDS_OF_ZIP if plain_name.endswith(f".{kind}")), "text"
        )
        return next((kind for inside, kind in _KINDS_OF_ZIP if inside in raw), by_name)
    if head.startswith(_HTML) or (plain_name.endswith(_HTML_NAMES) and b"<" in head):
        return "html"
    return "markdown" if plain_name.endswith(_MARKDOWN_NAMES) else "text"


def read_bytes_as_document(name: str, raw: bytes) -> Document:
    """Return the document in the bytes of an uncompressed file.

    Raises:
        DataError: if it cannot be read; the message gives the reason and a remedy.
    """
    kind = kind_of(name, raw)
    if kind == "text":
        return text(name, raw)
    if kind == "markdown":
        return markdown(name, raw)
    try:
        return confined().read(kind, name, raw)
    except ModuleNotFoundError as error:
        raise DataError(
            f"{name}: reading {kind} files needs {error.name}, which is not installed: "
            f"{how_to_install('index')}"
        ) from None


def read_any(name: str) -> Document:
    """Return the document in a file, which may be gzipped; "-" is standard input (plain text).

    Raises:
        DataError: if it cannot be read, or is larger than `LARGEST_TEXT`.
    """
    if name == STANDARD_INPUT:
        return read_document(name)
    return read_bytes_as_document(
        name, read_bytes(Path(name), largest=LARGEST_TEXT, most=LARGEST_TEXT)
    )


def read_all(names: Iterable[str]) -> tuple[list[Document], list[str]]:
    """Read files of every kind; as `data.documents.read_documents`."""
    return read_documents(names, read=read_any)
