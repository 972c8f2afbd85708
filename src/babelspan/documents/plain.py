"""Plain text and Markdown: the text is the file itself."""

from collections import Counter

import regex

from babelspan.data.documents import Document, document_of
from babelspan.data.parts import UTF8, Part
from babelspan.types import Span

_HEADING = regex.compile(r"^#{1,6}[ \t]+(?P<title>[^\n\r]*?)[ \t]*#*[ \t]*\r?$", regex.MULTILINE)
_FENCE = regex.compile(r"^(?P<fence>```+|~~~+)[^\n]*$.*?^(?P=fence)[^\n]*$", regex.M | regex.S)
_NOT_IN_ANCHORS = regex.compile(r"[^\w\- ]")


def text(name: str, raw: bytes) -> Document:
    """A UTF-8 text; every byte is where it was."""
    found = document_of(name, raw).text
    parts = (Part(0, len(found), 0, len(raw), UTF8),) if found else ()
    return Document(name, found, "text", parts)


def markdown(name: str, raw: bytes) -> Document:
    """A UTF-8 text with headings, whose anchors are those that GitHub makes."""
    found = document_of(name, raw).text
    fences = [match.span() for match in _FENCE.finditer(found)]
    headings = [
        match
        for match in _HEADING.finditer(found)
        if not any(start <= match.start() < end for start, end in fences)
    ]
    starts = [0, *(match.start() for match in headings), len(found)]
    anchors = ["", *_anchors([match["title"] for match in headings])]
    parts, at = [], 0
    for anchor, start, end in zip(anchors, starts, starts[1:], strict=False):
        size = len(found[start:end].encode())
        if size:
            parts.append(Part(start, end, at, at + size, UTF8, anchor=anchor))
        at += size
    titles = tuple(Span(*match.span("title")) for match in headings if match["title"])
    return Document(name, found, "markdown", tuple(parts), titles)


def _anchors(titles: list[str]) -> list[str]:
    found, seen = [], Counter[str]()
    for title in titles:
        bare = _NOT_IN_ANCHORS.sub("", title.lower()).strip().replace(" ", "-")
        found.append(f"{bare}-{seen[bare]}" if seen[bare] else bare)
        seen[bare] += 1
    return found
