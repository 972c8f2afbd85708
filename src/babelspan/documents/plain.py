"""Plain text and Markdown: the text is the file itself."""

from collections import Counter
from collections.abc import Iterator

import regex

from babelspan.data.documents import Document, document_of
from babelspan.data.parts import UTF8, Part
from babelspan.types import Span

_HEADING = regex.compile(r"\ufeff? {0,3}#{1,6}(?=[ \t]|$)")
_OPENS = regex.compile(r"\ufeff? {0,3}(?P<fence>`{3,}(?=[^`]*$)|~{3,})")
_CLOSES = regex.compile(r" {0,3}(?P<fence>`{3,}|~{3,})[ \t]*")
_IMAGE = regex.compile(r"!\[[^\[\]]*\](?:\([^()]*\)|\[[^\[\]]*\])")
_LINK = regex.compile(r"\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])")
_NOT_IN_ANCHORS = regex.compile(r"[^\w\- ]")


def text(name: str, raw: bytes) -> Document:
    """Return a UTF-8 text; every byte keeps its place."""
    found = document_of(name, raw).text
    parts = (Part(0, len(found), 0, len(raw), UTF8),) if found else ()
    return Document(name, found, "text", parts)


def markdown(name: str, raw: bytes) -> Document:
    """Return a UTF-8 text with headings (lines with `#`), with anchors as on GitHub."""
    found = document_of(name, raw).text
    headings = list(_headings(found))
    starts = [0, *(start for start, _ in headings), len(found)]
    anchors = ["", *_anchors([title.of(found) if title else "" for _, title in headings])]
    parts, at = [], 0
    for anchor, start, end in zip(anchors, starts, starts[1:], strict=False):
        size = len(found[start:end].encode())
        if size:
            parts.append(Part(start, end, at, at + size, UTF8, anchor=anchor))
        at += size
    titles = tuple(title for _, title in headings if title)
    return Document(name, found, "markdown", tuple(parts), titles)


def _headings(found: str) -> Iterator[tuple[int, Span | None]]:
    """Yield line start and title of each heading; code blocks have none, even if unclosed."""
    at, fence = 0, ""
    for whole in found.split("\n"):
        line = whole.removesuffix("\r")
        if fence:
            end = _CLOSES.fullmatch(line)
            fence = "" if end is not None and end["fence"].startswith(fence) else fence
        elif begin := _OPENS.match(line):
            fence = begin["fence"]
        elif heading := _HEADING.match(line):
            title = _title(line[heading.end() :])
            start = at + line.index(title, heading.end())
            yield at, Span(start, start + len(title)) if title else None
        at += len(whole) + 1


def _title(behind: str) -> str:
    """Return the title after the leading `#` signs of a heading, without closing signs."""
    bare = behind.strip(" \t")
    title = bare.rstrip("#")
    return title.rstrip(" \t") if title[-1:] in ("", " ", "\t") else bare


def _anchors(titles: list[str]) -> list[str]:
    found, seen = [], Counter[str]()
    for title in titles:
        shown = _LINK.sub(r"\1", _IMAGE.sub("", title)).lower()
        bare = _NOT_IN_ANCHORS.sub("", shown).strip().replace(" ", "-")
        found.append(f"{bare}-{seen[bare]}" if seen[bare] else bare)
        seen[bare] += 1
    return found
