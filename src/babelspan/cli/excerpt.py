"""The text around an answer, in as many columns as a line of a terminal has for it."""

from itertools import accumulate, takewhile

from babelspan.cli.shown import one_line
from babelspan.types import Span

COLUMNS = 40
"""Columns on each side of an answer; a Chinese character takes two of them."""
_LOOKED_AT = 400
"""Characters at most: marks take no column of their own."""
_LONGEST_PIECE = 12
"""A word is cut rather than leave more characters than this out."""


def around(text: str, span: Span) -> tuple[str, str]:
    """The text before and after an answer, with `…` where something is left out.

    Words are not cut where there are spaces.
    """
    before = _shortened(text[max(0, span.start - _LOOKED_AT - 1) : span.start][::-1])[::-1]
    after = _shortened(text[span.end : span.end + _LOOKED_AT + 1])
    return one_line(before), one_line(after)


def _shortened(text: str) -> str:
    """The beginning of `text`; the end of a text that stands before an answer, read backwards."""
    kept = _fitting(text)
    if len(kept) == len(text):
        return kept
    if not text[len(kept)].isspace():
        kept = _without_piece(kept)
    is_whole = kept[-1:].isspace() or text[len(kept)].isspace()
    return kept.rstrip() + (" …" if is_whole else "…")


def _fitting(text: str) -> str:
    """The first letters, as many as fit."""
    from rich.cells import cell_len

    widths = accumulate(map(cell_len, text[:_LOOKED_AT]))
    return text[: len(list(takewhile(lambda width: width <= COLUMNS, widths)))]


def _without_piece(text: str) -> str:
    """`text` without the beginning of a word at its end."""
    piece = len(list(takewhile(lambda letter: not letter.isspace(), reversed(text))))
    return text[: len(text) - piece] if 0 < piece <= _LONGEST_PIECE and piece < len(text) else text
