"""Books (EPUB): the pages of the spine, in order; places are byte offsets in the named member."""

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import unquote

from babelspan.data.documents import Document
from babelspan.data.parts import joined
from babelspan.documents.archive import Archive
from babelspan.documents.html import html
from babelspan.documents.markup import Events, parse
from babelspan.types import DataError, Span

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html")
_BETWEEN = "\n\n"


def epub(name: str, raw: bytes) -> Document:
    """Return the text of a book.

    Raises:
        DataError: if it is broken, encrypted, or larger than the limits of `documents.archive`.
    """
    archive = Archive(name, raw)
    pages = _spine(archive, name)
    _refuse_encrypted(archive, pages, name)
    read = [html(f"{name}: {page}", archive.read(page)) for page in pages]
    named = [
        (document.text, [replace(part, member=page) for part in document.parts])
        for document, page in zip(read, pages, strict=True)
    ]
    text, parts = joined(named, _BETWEEN)
    headings, start = [], 0
    for document in read:
        headings += [Span(start + h.start, start + h.end) for h in document.headings]
        start += len(document.text) + len(_BETWEEN)
    return Document(name, text, "epub", tuple(parts), tuple(headings))


class _Attributes(Events):
    """Collects the attributes of elements by name, in order."""

    def __init__(self, *wanted: str) -> None:
        self.found: dict[str, list[Mapping[str, str]]] = {name: [] for name in wanted}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local in self.found:
            self.found[local].append(attributes)


def _elements(archive: Archive, member: str, name: str, *wanted: str) -> _Attributes:
    events = _Attributes(*wanted)
    parse(archive.read(member), events, f"{name}: {member}")
    return events


def _spine(archive: Archive, name: str) -> list[str]:
    """Return the members with the pages, in order; missing members are skipped."""
    roots = _elements(archive, _CONTAINER, name, "rootfile").found["rootfile"]
    if not roots or "full-path" not in roots[0]:
        raise DataError(f"{name}: {_CONTAINER}: expected the path of a package, found none")
    package = roots[0]["full-path"]
    found = _elements(archive, package, name, "item", "itemref").found
    of_id = {
        item.get("id"): posixpath.normpath(
            posixpath.join(posixpath.dirname(package), unquote(item.get("href", "")))
        )
        for item in found["item"]
        if item.get("media-type") in _PAGES
    }
    pages = [of_id[ref.get("idref")] for ref in found["itemref"] if ref.get("idref") in of_id]
    pages = [page for page in dict.fromkeys(pages) if page in archive.members]
    if not pages:
        raise DataError(f"{name}: {package}: expected pages in the spine, found none")
    return pages


def _refuse_encrypted(archive: Archive, pages: list[str], name: str) -> None:
    if _ENCRYPTION not in archive.members:
        return
    found = _elements(archive, _ENCRYPTION, name, "CipherReference").found["CipherReference"]
    shut = {unquote(reference.get("URI", "")) for reference in found}
    if shut & set(pages):
        raise DataError(f"{name}: the book is encrypted (DRM); it cannot be read")
