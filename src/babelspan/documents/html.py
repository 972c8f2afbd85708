"""Web pages: their text in blocks, with byte offsets in the file.

The page is parsed by `html.parser`, which reports where each item starts. Runs of white space
become one space, as in a browser, except in `pre`. Scripts, styles and hidden elements are left
out. Nothing that a page links to is fetched.
"""

from collections import Counter
from html import unescape
from html.parser import HTMLParser

import regex

from babelspan.data.documents import Document
from babelspan.documents.building import CELL, LINE, PARAGRAPH, SPACE, Builder
from babelspan.documents.charsets import decoded, in_bytes
from babelspan.types import Span

_LEFT_OUT = frozenset(
    ("script", "style", "template", "noscript", "iframe", "object", "svg", "canvas", "select")
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "details",
        "dialog",
        "div",
        "dl",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "header",
        "hr",
        "html",
        "legend",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "title",
        "ul",
    ]
)
_LINES = frozenset(("br", "dd", "dt", "li", "option", "tr"))
_CELLS = frozenset(("td", "th"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "title"))
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_AROUND = (_BLOCKS | _LINES | _CELLS) - {"br", "option", "p"}
"""Elements that contain or follow a paragraph: any tag of these ends it."""
_SECTIONS = {"tbody", "tfoot", "thead"}
_ENDED_BY = {
    "p": _AROUND | {"p"},
    "li": {"li"},
    "dd": {"dd", "dt"},
    "dt": {"dd", "dt"},
    "option": {"optgroup", "option"},
    "td": {"td", "th", "tr", *_SECTIONS},
    "th": {"td", "th", "tr", *_SECTIONS},
    "tr": {"tr", *_SECTIONS},
}
"""Elements whose end tag is optional, with the start tags that end them."""
_REFERENCE = regex.compile(
    r"&(?:#[0-9]{1,8};?|#[xX][0-9a-fA-F]{1,7};?|[A-Za-z][A-Za-z0-9]{1,40};?)"
)
_SPACES = str.maketrans("\t\n\r\f", "    ")
_RUN = regex.compile(" {2,}")
_HIDDEN = regex.compile(r"display\s*:\s*none|visibility\s*:\s*hidden")


def html(name: str, raw: bytes) -> Document:
    """Return the text of a page.

    Raises:
        DataError: if its encoding is unknown.
    """
    source, encoding = decoded(raw, name)
    page = _Page(source)
    page.read()
    text, parts, headings = page.built.finished()
    return Document(name, text, "html", in_bytes(parts, source, encoding, raw=raw), headings)


class _Page(HTMLParser):
    """Makes a text from a page; places count characters of the source."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.built = Builder()
        self._source = source
        self._lines = [0, *(match.end() for match in regex.finditer("\n", source))]
        self._anchor = ""
        self._hidden = _Hidden()
        self._kept = 0
        self._in_heading = False
        self._heading: tuple[int, int] | None = None
        self._data: tuple[int, str] | None = None

    def read(self) -> None:
        """Parse the page; the text is then in `built`."""
        self.feed(self._source)
        self.close()
        self._flush(len(self._source))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = self._event()
        given = dict(attrs)
        if self._hidden:
            self._hidden.before(tag)
        is_first = tag in _LEFT_OUT or _is_hidden(given)
        if self._hidden or (is_first and tag not in _VOID):
            self._hidden.start(tag)
            return
        self._border(tag, at)
        self._take_anchor(tag, given)
        self._kept += tag == "pre"
        self._in_heading |= tag in _HEADINGS

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = self._event()
        if not self._hidden:
            self._border(tag, at)
            self._take_anchor(tag, dict(attrs))

    def _take_anchor(self, tag: str, given: dict[str, str | None]) -> None:
        self._anchor = given.get("id") or (tag == "a" and given.get("name")) or self._anchor

    def handle_endtag(self, tag: str) -> None:
        at = self._event()
        if self._hidden and self._hidden.end(tag):
            return
        self._kept = max(0, self._kept - (tag == "pre"))
        if tag in _HEADINGS:
            if self._heading is not None:
                self.built.headings.append(Span(*self._heading))
            self._in_heading, self._heading = False, None
        if tag not in _CELLS:
            self._border(tag, at)

    def handle_data(self, data: str) -> None:
        at = self._event()
        if not self._hidden:
            self._data = at, data

    def handle_comment(self, data: str) -> None:
        self._event()

    def handle_decl(self, decl: str) -> None:
        self._event()

    def handle_pi(self, data: str) -> None:
        self._event()

    def unknown_decl(self, data: str) -> None:
        self._event()

    def _event(self) -> int:
        """Return the current position in the source; the text before it is complete."""
        line, column = self.getpos()
        at = self._lines[line - 1] + column
        self._flush(at)
        return at

    def _border(self, tag: str, at: int) -> None:
        if tag in _BLOCKS:
            self.built.separate(PARAGRAPH, at, at)
        elif tag in _LINES:
            self.built.separate(LINE, at, at)
        elif tag in _CELLS:
            self.built.separate(CELL, at, at)

    def _flush(self, end: int) -> None:
        """Add the text that was read last; it ends at `end` in the source."""
        if self._data is None:
            return
        (start, data), self._data = self._data, None
        raw = self._source[start:end]
        if unescape(raw) != data:
            self._add(data, start, end, None)
            return
        done = 0
        for reference in _REFERENCE.finditer(raw):
            stands_for = unescape(reference[0])
            if stands_for != reference[0]:
                self._add_literal(raw[done : reference.start()], start + done)
                self._add(stands_for, start + reference.start(), start + reference.end(), None)
                done = reference.end()
        self._add_literal(raw[done:], start + done)

    def _add_literal(self, raw: str, at: int) -> None:
        """Add literal text from the source, with white space as in a browser."""
        if self._kept:
            if raw:
                self._add(raw, at, at + len(raw), 1)
            return
        raw = raw.replace("\ufeff", " ").translate(_SPACES)
        done = 0
        for run in [*_RUN.finditer(raw), None]:
            piece = raw[done : run.start() if run else len(raw)]
            bare = piece.strip(" ")
            first = at + done + len(piece) - len(piece.lstrip(" "))
            if piece.startswith(" "):
                self.built.separate(SPACE, at + done, at + done + 1)
            if bare:
                self._add(bare, first, first + len(bare), 1)
            if piece.endswith(" ") and bare:
                self.built.separate(SPACE, first + len(bare), first + len(bare) + 1)
            if run:
                self.built.separate(SPACE, at + run.start(), at + run.end())
                done = run.end()

    def _add(self, text: str, start: int, end: int, step: int | None) -> None:
        if step is None and not text.strip(" \t\n\r\f") and not self._kept:
            self.built.separate(SPACE, start, end)
            return
        first, last = self.built.add(text, start, end, step, anchor=self._anchor)
        if self._in_heading:
            self._heading = (self._heading[0] if self._heading else first, last)


class _Hidden:
    """The open elements from the outermost hidden one inwards; false outside of one."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._times: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._open)

    def before(self, tag: str) -> None:
        """Close the elements that a start tag ends."""
        while self._open and tag in _ENDED_BY.get(self._open[-1], ()):
            self._close()

    def start(self, tag: str) -> None:
        """Open an element."""
        if tag not in _VOID:
            self._open.append(tag)
            self._times[tag] += 1

    def end(self, tag: str) -> bool:
        """Close the elements that an end tag ends; False if it belongs outside the hidden one."""
        if not self._times[tag]:
            if self._open[0] not in _ENDED_BY or tag not in _AROUND:
                return True  # a stray tag
            while self._open:
                self._close()
            return False
        while self._close() != tag:
            pass
        return True

    def _close(self) -> str:
        tag = self._open.pop()
        self._times[tag] -= 1
        return tag


def _is_hidden(given: dict[str, str | None]) -> bool:
    return "hidden" in given or bool(_HIDDEN.search((given.get("style") or "").lower()))
