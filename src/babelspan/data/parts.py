"""Where the characters of a text stand in the file that it was taken from."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from babelspan.types import Span

UTF8 = 0
"""The `step` of a part whose source is the UTF-8 of its characters."""
Box = tuple[float, float, float, float]
"""Left, bottom, right and top on a page, in points from its lower left corner."""

_FIELDS = 9
"""Of a part."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of characters of a text and the piece of the file that it is from.

    Attributes:
        start: first character.
        end: the one after the last.
        source_start: where the piece starts: a byte of the file or of its member, or in a PDF a
            character of the page as PDFium counts them.
        source_end: where it ends, exclusive.
        step: how much of the source each character takes; `UTF8` for as much as in UTF-8; None if
            only the whole run is known to come from the whole piece.
        page: from 1; None where there are no pages.
        anchor: name of the nearest place above that a link can lead to; "" for none.
        member: file inside the archive; "" if there is none.
        box: around the run on its page.
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
        """The same piece for a text that starts elsewhere."""
        return Part(self.start + by, self.end + by, *self._rest())

    def packed(self) -> list[Any]:
        """As JSON, without what is at its end and empty."""
        values: list[Any] = [self.start, self.end, *self._rest()]
        while values[-1] in (None, ""):
            values.pop()
        return values

    @classmethod
    def unpacked(cls, values: Sequence[Any]) -> "Part":
        """What `packed` gave."""
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
    """Where a span of a text stands in its file.

    Attributes:
        start: byte, or in a PDF character of the page.
        end: exclusive.
        exact: False if the span is inside of start and end, and no more is known.
        page: that it starts on, from 1; None where there are no pages.
        anchor: as in `Part`.
        member: as in `Part`.
        boxes: one for each line or piece of a line, on the page.
    """

    start: int
    end: int
    exact: bool
    page: int | None = None
    anchor: str = ""
    member: str = ""
    boxes: tuple[Box, ...] = ()

    def source(self) -> dict[str, Any]:
        """As JSON, without the page: bytes of the file, or in a PDF characters of the page."""
        return {
            "start": self.start,
            "end": self.end,
            "exact": self.exact,
            **({"anchor": self.anchor} if self.anchor else {}),
            **({"member": self.member} if self.member else {}),
            **({"boxes": self.boxes} if self.boxes else {}),
        }


def place_of(text: str, parts: Sequence[Part], span: Span) -> Place | None:
    """Where a span stands; None if no part has any of it.

    A span that runs on to the next page or member is placed by what is on the first.

    Args:
        text: of the parts.
        parts: in order, without overlap.
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
    """The parts of a text that have a character from `start` to `end`, whole."""
    first = max(0, bisect_right(parts, start, key=lambda p: p.start) - 1)
    last = bisect_right(parts, end - 1, key=lambda p: p.start)
    return [part for part in parts[first:last] if part.end > start]


def cut_out(text: str, parts: Sequence[Part], start: int, end: int) -> list[Part]:
    """The parts of `text[start:end]`, counted from its beginning, each cut to what is in it."""
    found = []
    for part in within(parts, start, end):
        kept = Span(max(start, part.start), min(end, part.end))
        source_start, source_end, _ = _source_of(text, part, kept)
        cut = Part(kept.start, kept.end, source_start, source_end, *part._rest()[2:])
        found.append(cut.moved(-start))
    return found


def joined(documents: Iterable[tuple[str, Sequence[Part]]], between: str) -> tuple[str, list[Part]]:
    """Texts put one after the other, and their parts."""
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
    """Start and end in the source of what a part has of a span, and whether they are exact."""
    start, end = max(part.start, span.start), min(part.end, span.end)
    if part.step is None:
        return part.source_start, part.source_end, (start, end) == (part.start, part.end)
    if part.step == UTF8:
        before = len(text[part.start : start].encode("utf-8", "surrogatepass"))
        size = len(text[start:end].encode("utf-8", "surrogatepass"))
    else:
        before, size = (start - part.start) * part.step, (end - start) * part.step
    return part.source_start + before, part.source_start + before + size, True
