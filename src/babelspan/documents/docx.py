"""Word documents (DOCX): paragraphs, tables in reading order, then footnotes and endnotes.

Page numbers come from the last time that Word displayed the document, so they are approximate.
Deleted text, the original of moved text, and field codes are left out. A text box is a separate
paragraph. Places are byte offsets in the named member.
"""

from collections.abc import Mapping

import regex

from babelspan.data.documents import Document
from babelspan.data.parts import UTF8
from babelspan.documents.archive import Archive
from babelspan.documents.building import CELL, LINE, PARAGRAPH, Builder
from babelspan.documents.markup import Events, parse
from babelspan.types import Span

MAIN = "word/document.xml"

_STYLES = "word/styles.xml"
_MAIN = regex.compile(r"word/document\d*\.xml")
"""Word on the web writes `document2.xml`."""
_NOTES = ("word/footnotes.xml", "word/endnotes.xml")
_W = regex.compile(
    r"(?:http://schemas\.openxmlformats\.org/wordprocessingml/2006/main"
    r"|http://purl\.oclc\.org/ooxml/wordprocessingml/main) (?P<name>\w+)"
)
_ID = "http://schemas.microsoft.com/office/word/2010/wordml paraId"
_FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
_LEFT_OUT = ("del", "moveFrom")
_HEADING = regex.compile(r"heading \d|title", regex.IGNORECASE)
_REFERENCE = regex.compile(rb"&[^;<]{1,12};")


def docx(name: str, raw: bytes) -> Document:
    """Return the text of a Word document.

    Raises:
        DataError: if it is broken, or larger than the limits of `documents.archive`.
    """
    archive = Archive(name, raw)
    styles = _Styles()
    if _STYLES in archive.members:
        parse(archive.read(_STYLES), styles, f"{name}: {_STYLES}")
    built = Builder()
    main = min((member for member in archive.members if _MAIN.fullmatch(member)), default=MAIN)
    for member in (main, *(note for note in _NOTES if note in archive.members)):
        content = archive.read(member)
        parse(content, _Text(built, content, member, styles.headings), f"{name}: {member}")
    text, parts, headings = built.finished()
    return Document(name, text, "docx", parts, headings)


def _local(name: str) -> str:
    """Return the local name of a WordprocessingML element; "" for any other element."""
    found = _W.fullmatch(name)
    return found["name"] if found else ""


def _value(attributes: Mapping[str, str], wanted: str) -> str:
    return next((v for k, v in attributes.items() if _local(k) == wanted), "")


class _Styles(Events):
    """The style ids of headings; style names are English in every language version of Word."""

    def __init__(self) -> None:
        self.headings = {"Title", *(f"Heading{level}" for level in range(1, 10))}
        self._id = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = _local(name)
        if local == "style":
            self._id = _value(attributes, "styleId")
        elif local == "name" and _HEADING.fullmatch(_value(attributes, "val")):
            self.headings.add(self._id)


class _Text(Events):
    """Adds the text of a member to a builder."""

    def __init__(self, built: Builder, content: bytes, member: str, headings: set[str]) -> None:
        self._built = built
        self._content = content
        self._member = member
        self._headings = headings
        self._page = None if member in _NOTES else 1
        self._has_broken = False
        self._at = 0
        self._paragraphs = 0
        self._anchor = ""
        self._in_text = False
        self._left_out = 0
        self._outer: list[tuple[str, bool]] = []
        self._rows = 0
        self._first: int | None = None
        self._is_heading = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = _local(name)
        self._left_out += name == _FALLBACK or local in _LEFT_OUT
        if not local or self._left_out:
            return
        if local == "p":
            self._start_paragraph(attributes.get(_ID))
        elif local == "pStyle":
            self._is_heading = _value(attributes, "val") in self._headings
        elif local == "t":
            self._in_text = True
        elif local == "noBreakHyphen":
            self._add("-", self._at, self._at, None)
        elif local in ("lastRenderedPageBreak", "br", "cr", "tab", "ptab"):
            self._break(local, _value(attributes, "type"))
        elif local in ("tr", "tbl"):
            self._rows += local == "tr"
            self._separate(LINE if local == "tr" else PARAGRAPH)

    def end(self, name: str) -> None:
        local = _local(name)
        self._left_out -= name == _FALLBACK or local in _LEFT_OUT
        if not local or self._left_out:
            return
        if local == "t":
            self._in_text = False
        elif local == "p":
            self._end_paragraph()
        elif local == "tc":
            self._separate(CELL)
        elif local == "tr":
            self._rows -= 1
            self._separate(LINE)
        elif local == "tbl" and not self._rows:
            self._separate(PARAGRAPH)

    def _start_paragraph(self, named: str | None) -> None:
        """Begin a paragraph; it may be in a text box inside another paragraph."""
        self._end_heading()
        self._outer.append((self._anchor, self._is_heading))
        self._paragraphs += 1
        self._anchor, self._is_heading = named or f"p{self._paragraphs}", False
        if not self._rows:
            self._separate(PARAGRAPH)

    def _end_paragraph(self) -> None:
        self._end_heading()
        self._anchor, self._is_heading = self._outer.pop()
        self._separate(LINE if self._rows else PARAGRAPH)

    def _end_heading(self) -> None:
        if self._is_heading and self._first is not None:
            self._built.headings.append(Span(self._first, self._built.length))
        self._first = None

    def text(self, text: str, at: int) -> None:
        if not self._in_text or self._left_out:
            return
        raw = text.encode()
        is_plain = "&" not in text and self._content.startswith(raw, at)
        end, step = at + len(raw), UTF8 if is_plain else None
        if not is_plain:  # an entity reference, or not UTF-8
            reference = _REFERENCE.match(self._content, at)
            end = reference.end() if reference else at + 1
        self._add(text, at, end, step)

    def _add(self, text: str, at: int, end: int, step: int | None) -> None:
        self._has_broken = False
        self._at = end
        first, _ = self._built.add(
            text, at, end, step, page=self._page, anchor=self._anchor, member=self._member
        )
        self._first = first if self._first is None else self._first

    def _separate(self, mark: str) -> None:
        self._built.separate(mark, self._at, self._at)

    def _break(self, local: str, kind: str) -> None:
        is_counted = local == "lastRenderedPageBreak" and self._has_broken
        is_page = kind == "page" or (local == "lastRenderedPageBreak" and not is_counted)
        if is_page and self._page is not None:
            self._page += 1
        self._has_broken = kind == "page"  # Word marks the same break again in its layout
        if local in ("tab", "ptab"):
            self._separate(CELL)
        elif local in ("br", "cr"):
            self._separate(LINE)
