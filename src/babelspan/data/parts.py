"""The places of a text's characters in the file that the text comes from."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from babelspan.types import Span

UTF8 = 0
"""The `step` of a part whose source is the UTF-8 encoding of its characters."""
Box = tuple[float, float, float, float]
"""Left, bottom, right and top on a page, in points from the lower left corner."""

_FIELDS = 9
"""Number of fields of a part."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of characters of a text, and the piece of the file it comes from.

    Attributes:
        start: offset of the first character.
        end: end offset, exclusive.
        source_start: start of the piece: a byte offset in the file or its member, or in a PDF the
            number of a character on the page, as counted by PDFium.
        source_end: end of the piece, exclusive.
        step: source units per character; `UTF8` for the length in UTF-8; None if only the whole run
            is known to come from the whole piece.
        page: page number from 1; None without pages.
        anchor: name of the nearest link target above; "" for none.
        member: file inside the archive; "" if there is none.
        box: box around the run on its page.
    """

    start: int
    end: int
    source_start: int
    source_end: int
    step: int | None = None
    page: int | None = None
    anchor: str = ""
    member: str = ""
    box: Box | None = None

    def moved(self, by: int) -> "Part":
        """Return the same part for a text that starts elsewhere."""
        return Part(self.start + by, self.end + by, *self._rest())

    def packed(self) -> list[Any]:
        """Return the part as a JSON list, without empty values at the end."""
        values: list[Any] = [self.start, self.end, *self._rest()]
        while values[-1] in (None, ""):
            values.pop()
        return values

    @classmethod
    def unpacked(cls, values: Sequence[Any]) -> "Part":
        """Return the part from the result of `packed`."""
        kept = list(values)
        if len(kept) == _FIELDS:
            kept[-1] = tuple(kept[-1])
        return cls(*kept)

    def _rest(self) -> tuple[Any, ...]:
        return (
            self.source_start,
            self.source_end,
            self.step,
            self.page,
            self.anchor,
            self.member,
            self.box,
        )


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a span of a text in its file.

    Attributes:
        start: byte offset, or in a PDF the number of a character on the page.
        end: end, exclusive.
        exact: False if the span is known only to be somewhere between start and end.
        page: page on which it starts, from 1; None without pages.
        anchor: as in `Part`.
        member: as in `Part`.
        boxes: boxes of the lines, or parts of lines, on the page.
    """

    start: int
    end: int
    exact: bool
    page: int | None = None
    anchor: str = ""
    member: str = ""
    boxes: tuple[Box, ...] = ()

    def source(self) -> dict[str, Any]:
        """Return a JSON object without the page: bytes of the file, or characters of a PDF page."""
        return {
            "start": self.start,
            "end": self.end,
            "exact": self.exact,
            **({"anchor": self.anchor} if self.anchor else {}),
            **({"member": self.member} if self.member else {}),
            **({"boxes": self.boxes} if self.boxes else {}),
        }


def place_of(text: str, parts: Sequence[Part], span: Span) -> Place | None:
    """Return the place of a span; None if no part contains any of it.

    If a span continues on the next page or member, its place is that of its first part.

    Args:
        text: text of the parts.
        parts: parts in order, without overlap.
        span: characters of the text.
    """
    first = max(0, bisect_right(parts, span.start, key=lambda p: p.start) - 1)
    covering = []
    for part in parts[first:]:
        if part.start >= span.end:
            break
        if part.end > span.start and part.source_end > part.source_start:
            covering.append(part)
    together = [p for p in covering if (p.page, p.member) == (covering[0].page, covering[0].member)]
    if not together:
        return None
    ends = [_source_of(text, part, span) for part in together]
    return Place(
        min(start for start, _, _ in ends),
        max(end for _, end, _ in ends),
        all(exact for _, _, exact in ends),
        together[0].page,
        together[0].anchor,
        together[0].member,
        tuple(p.box for p in together if p.box is not None),
    )


def within(parts: Sequence[Part], start: int, end: int) -> list[Part]:
    """Return the parts of a text with a character from `start` to `end`, uncut."""
    first = max(0, bisect_right(parts, start, key=lambda p: p.start) - 1)
    last = bisect_right(parts, end - 1, key=lambda p: p.start)
    return [part for part in parts[first:last] if part.end > start]


def cut_out(text: str, parts: Sequence[Part], start: int, end: int) -> list[Part]:
    """Return the parts of `text[start:end]`, cut, with offsets from its start."""
    found = []
    for part in within(parts, start, end):
        kept = Span(max(start, part.start), min(end, part.end))
        source_start, source_end, _ = _source_of(text, part, kept)
        cut = Part(kept.start, kept.end, source_start, source_end, *part._rest()[2:])
        found.append(cut.moved(-start))
    return found


def joined(documents: Iterable[tuple[str, Sequence[Part]]], between: str) -> tuple[str, list[Part]]:
    """Join texts, and their parts."""
    pieces: list[str] = []
    parts: list[Part] = []
    length = 0
    for text, of_text in documents:
        if pieces:
            pieces.append(between)
            length += len(between)
        parts += [part.moved(length) for part in of_text]
        pieces.append(text)
        length += len(text)
    return "".join(pieces), parts


def _source_of(text: str, part: Part, span: Span) -> tuple[int, int, bool]:
    """Return source start and end of a part's share of a span, and whether they are exact."""
    start, end = max(part.start, span.start), min(part.end, span.end)
    if part.step is None:
        return part.source_start, part.source_end, (start, end) == (part.start, part.end)
    if part.step == UTF8:
        before = len(text[part.start : start].encode("utf-8", "surrogatepass"))
        size = len(text[start:end].encode("utf-8", "surrogatepass"))
    else:
        before, size = (start - part.start) * part.step, (end - start) * part.step
    return part.source_start + before, part.source_start + before + size, True
