"""The text around an answer, shortened to fit one line of a terminal."""

from itertools import accumulate, takewhile

from babelspan.cli.shown import one_line
from babelspan.types import Span

COLUMNS = 40
"""Columns on each side of an answer; a Chinese character takes two."""
_LOOKED_AT = 400
"""Maximum number of characters to look at; combining marks take no column."""
_LONGEST_PIECE = 12
"""A partial word of at most this many characters is removed; a longer one is cut."""


def around(text: str, span: Span) -> tuple[str, str]:
    """Return the text before and after an answer, with `…` where text is left out.

    Words are not cut where there are spaces.
    """
    before = _shortened(text[max(0, span.start - _LOOKED_AT - 1) : span.start][::-1])[::-1]
    after = _shortened(text[span.end : span.end + _LOOKED_AT + 1])
    return one_line(before), one_line(after)


def _shortened(text: str) -> str:
    """Return the start of `text`, shortened to fit; for text before an answer, pass it reversed."""
    kept = _fitting(text)
    if len(kept) == len(text):
        return kept
    if not text[len(kept)].isspace():
        kept = _without_piece(kept)
    is_whole = kept[-1:].isspace() or text[len(kept)].isspace()
    return kept.rstrip() + (" …" if is_whole else "…")


def _fitting(text: str) -> str:
    """Return the longest start of `text` that fits into `COLUMNS`."""
    from rich.cells import cell_len

    widths = accumulate(map(cell_len, text[:_LOOKED_AT]))
    return text[: len(list(takewhile(lambda width: width <= COLUMNS, widths)))]


def _without_piece(text: str) -> str:
    """Return `text` without the partial word at its end."""
    piece = len(list(takewhile(lambda letter: not letter.isspace(), reversed(text))))
    return text[: len(text) - piece] if 0 < piece <= _LONGEST_PIECE and piece < len(text) else text
