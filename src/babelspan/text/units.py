"""Convert offsets from code points to other units, for programs that count differently."""

from collections.abc import Iterable
from typing import NamedTuple


class Units(NamedTuple):
    """An offset in a text, in several units."""

    utf16: int
    """UTF-16 code units, as JavaScript, Java and C# count."""
    utf8: int
    """Bytes of the UTF-8 of the text, as Go and Rust count."""


def units(text: str, places: Iterable[int]) -> dict[int, Units]:
    """Convert offsets in code points; the text is scanned once.

    A lone surrogate counts as one UTF-16 unit and three bytes.
    """
    found = {}
    utf16 = utf8 = last = 0
    for place in sorted(set(places)):
        piece = text[last:place]
        utf16 += len(piece.encode("utf-16-le", "surrogatepass")) // 2
        utf8 += len(piece.encode("utf-8", "surrogatepass"))
        found[place] = Units(utf16, utf8)
        last = place
    return found
