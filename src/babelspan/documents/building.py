"""Building a text from pieces of a file, with the place of each piece."""

from typing import Any

from babelspan.data.parts import Part
from babelspan.types import Span

PARAGRAPH, LINE, CELL, SPACE = "\n\n", "\n", "\t", " "
"""Separators between two pieces, strongest first."""
_STRENGTH = {mark: number for number, mark in enumerate(("", SPACE, CELL, LINE, PARAGRAPH))}


class Builder:
    """Collects the pieces of a text, in order."""

    def __init__(self) -> None:
        self.length = 0
        self.headings: list[Span] = []
        self._pieces: list[str] = []
        self._parts: list[Part] = []
        self._pending = ""
        self._at = (0, 0)

    def separate(self, mark: str, start: int, end: int) -> None:
        """Put a separator before the next piece; if there are several, the strongest is used.

        Args:
            mark: `PARAGRAPH`, `LINE`, `CELL` or `SPACE`.
            start: where in the source it comes from.
            end: exclusive.
        """
        if _STRENGTH[mark] > _STRENGTH[self._pending]:
            self._pending, self._at = mark, (start, end)

    def add(
        self, text: str, start: int, end: int, step: int | None, **where: Any
    ) -> tuple[int, int]:
        """Add a non-empty piece and return its start and end in the text.

        Args:
            text: the piece.
            start: where in the source it comes from.
            end: exclusive.
            step: as in `data.parts.Part`.
            where: page, anchor, member and box, as in `data.parts.Part`.
        """
        if self._pending and self.length:
            (first, last), mark = self._at, self._pending
            is_one = last - first == len(mark) == step
            self._append(mark, first, last, step if is_one else None, where | {"box": None})
        self._pending = ""
        at = self.length
        self._append(text, start, end, step, where)
        return at, self.length

    def finished(self) -> tuple[str, tuple[Part, ...], tuple[Span, ...]]:
        """Return the text, the parts and the headings."""
        return "".join(self._pieces), tuple(self._parts), tuple(self.headings)

    def _append(
        self, text: str, start: int, end: int, step: int | None, where: dict[str, Any]
    ) -> None:
        part = Part(self.length, self.length + len(text), start, end, step, **where)
        last = self._parts[-1] if self._parts else None
        if last is not None and _continues(last, part):
            part = Part(last.start, part.end, last.source_start, end, step, **where)
            self._parts.pop()
        self._parts.append(part)
        self._pieces.append(text)
        self.length += len(text)


def _continues(one: Part, other: Part) -> bool:
    """Return whether the second part continues the first, so that they can be one."""
    return (
        one.step is not None
        and one.source_end == other.source_start
        and (one.step, one.page, one.anchor, one.member)
        == (other.step, other.page, other.anchor, other.member)
        and one.box is None
        and other.box is None
    )
