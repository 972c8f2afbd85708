"""Documents split into passages, the units of search and of reading.

A passage is one or more paragraphs, up to a limit; a longer paragraph is split at sentence ends,
with one sentence of overlap. Passages do not cross pages unless a sentence does. The heading above
a passage is indexed with it, but not read.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import regex

from babelspan.data.documents import Document
from babelspan.data.parts import Part, cut_out
from babelspan.text.graphemes import snap
from babelspan.text.language_of import language_of
from babelspan.text.languages import UNSPACED_SCRIPTS
from babelspan.types import UNDETERMINED, Span

RULES = "1"
"""Increase this with every change of what `passages_of` returns."""
LONGEST, LONGEST_UNSPACED = 900, 400
"""Maximum length of a passage in characters: in scripts with spaces, and without."""

_EMPTY_LINE = regex.compile(r"\n[^\S\n]*\n\s*")
_LINE = regex.compile(r"\n+")
_SENTENCE = regex.compile(r"(?:[.!?…]+[\"'”’»)\]]*\s|[。！？।؟۔።፧]+[\"'”’»)\]」』]*|\n)\s*")
_SPACE = regex.compile(r"\s+|[，、；：]")
_UNSPACED = regex.compile(rf"[{UNSPACED_SCRIPTS}]")
_LETTER = regex.compile(r"\p{L}")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document.

    Attributes:
        start: offset of its first character in the text of the document.
        text: its characters.
        language: ISO 639-1 code, or "und".
        heading: the heading above it; "" if there is none, or it is inside the passage.
        parts: where its characters come from; offsets count from the start of the passage.
    """

    start: int
    text: str
    language: str
    heading: str
    parts: tuple[Part, ...]

    @property
    def end(self) -> int:
        """End offset in the text of the document, exclusive."""
        return self.start + len(self.text)


def passages_of(document: Document) -> list[Passage]:
    """Return the passages of a document, in order; together they cover all but white space."""
    text = document.text
    whole = language_of(text)
    starts = [heading.start for heading in document.headings]
    found = []
    for span in spans_of(text, breaks=_pages(document)):
        piece = span.of(text)
        language = language_of(piece)
        above = bisect_right(starts, span.start) - 1
        heading = document.headings[above].of(text) if above >= 0 else ""
        inside = above >= 0 and document.headings[above].end > span.start
        found.append(
            Passage(
                span.start,
                piece,
                whole if language == UNDETERMINED else language,
                "" if inside else heading,
                tuple(cut_out(text, document.parts, span.start, span.end)),
            )
        )
    return found


def spans_of(text: str, *, breaks: list[int] | None = None) -> list[Span]:
    """Return the spans of the passages of a text, in order.

    Args:
        text: any text.
        breaks: offsets that no passage may cross, in order.
    """
    found: list[Span] = []
    joined: Span | None = None
    walls = set(breaks or ())
    for paragraph in _paragraphs(text, breaks or []):
        longest = _longest(paragraph.of(text))
        fits = joined is not None and paragraph.end - joined.start <= longest
        if joined is not None and fits and paragraph.start not in walls:
            joined = Span(joined.start, paragraph.end)
            continue
        if joined is not None:
            found.append(joined)
        joined = None
        if paragraph.end - paragraph.start <= longest:
            joined = paragraph
        else:
            found += _cut(text, paragraph, longest)
    return [*found, joined] if joined is not None else found


def _longest(text: str) -> int:
    seen = text[:500]
    unspaced = len(_UNSPACED.findall(seen))
    return LONGEST_UNSPACED if 2 * unspaced > len(_LETTER.findall(seen)) else LONGEST


def _pages(document: Document) -> list[int]:
    """Return the offsets where a page or member starts with a new paragraph."""
    found = []
    page: tuple[int | None, str] | None = None
    for part in document.parts:
        here = part.page, part.member
        is_new = page is not None and here != page
        if is_new and document.text[max(0, part.start - 2) : part.start] == "\n\n":
            found.append(part.start)
        if document.text[part.start : part.end].strip():
            page = here
    return found


def _paragraphs(text: str, walls: list[int]) -> Iterator[Span]:
    """Yield the paragraphs; empty lines separate them or, if there are none, line ends."""
    border = _EMPTY_LINE if _EMPTY_LINE.search(text.strip()) else _LINE
    ends = sorted({*(match.start() for match in border.finditer(text)), *walls, len(text)})
    start = 0
    for end in ends:
        piece = text[start:end]
        bare = piece.strip()
        if bare:
            first = start + len(piece) - len(piece.lstrip())
            yield Span(first, first + len(bare))
        start = end


def _cut(text: str, paragraph: Span, longest: int) -> Iterator[Span]:
    """Split a long paragraph into passages of whole sentences that overlap by one sentence."""
    borders = [paragraph.start]
    for match in _SENTENCE.finditer(text, paragraph.start, paragraph.end):
        borders += _shortened(text, Span(borders[-1], match.end()), longest)
    if borders[-1] < paragraph.end:
        borders += _shortened(text, Span(borders[-1], paragraph.end), longest)
    first = 0
    while first < len(borders) - 1:
        last = bisect_right(borders, borders[first] + longest) - 1
        last = max(last, first + 1)
        bare = text[borders[first] : borders[last]].rstrip()
        yield Span(borders[first], borders[first] + len(bare))
        if last == len(borders) - 1:
            return
        shares = last - first > 1 and borders[last] - borders[last - 1] <= longest // 2
        first = last - 1 if shares else last


def _shortened(text: str, sentence: Span, longest: int) -> list[int]:
    """Return where to split a sentence, and its end: at spaces if possible, or between letters."""
    found, start = [], sentence.start
    while sentence.end - start > longest:
        spaces = [m.end() for m in _SPACE.finditer(text, start + longest // 2, start + longest)]
        end = spaces[-1] if spaces else snap(text, Span(start + longest, start + longest + 1)).start
        start = end if end > start else start + longest
        found.append(start)
    return [*found, sentence.end]
