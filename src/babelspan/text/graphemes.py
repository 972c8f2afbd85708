r"""Grapheme clusters (user-perceived characters), which answers never split.

Clusters are those of UAX #29, as matched by `\X` of the `regex` module.
"""

from bisect import bisect_right
from functools import lru_cache

import regex

from babelspan.types import Span

_NEAR = 256
"""Characters to search on each side of a position before the whole text is segmented."""

_KEPT_TEXTS = 128

_CLUSTER = regex.compile(r"\X")
# After such a character there is always a boundary (rules GB4 and GB999).
_SAFE = regex.compile(
    r"(?r)[\p{GCB=Other}\p{GCB=LV}\p{GCB=LVT}]"
    r"(?=[^\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}\p{GCB=V}\p{GCB=T}])"
    r"|[\n\p{GCB=Control}]"
)
_FLAGS = regex.compile(r"(?<=\p{RI}{2})\p{RI}+")
"""Regional indicators (letters of flags) after the first two in a row."""


def snap(text: str, span: Span) -> Span:
    """The smallest span of whole grapheme clusters that contains `span`."""
    start, _ = _cluster_around(text, span.start)
    _, end = _cluster_around(text, span.end - 1)
    return Span(start, end)


def strip(text: str, span: Span) -> Span | None:
    """`span` without white space at its ends; None if it is all white space."""
    inside = span.of(text)
    kept = inside.strip()
    if not kept:
        return None
    start = span.start + len(inside) - len(inside.lstrip())
    return Span(start, start + len(kept))


def _cluster_around(text: str, position: int) -> tuple[int, int]:
    """Start and end of the cluster that contains the character at `position`."""
    if position >= len(text):
        raise ValueError(f"position must be in [0, {len(text)}), got {position}")
    neighbours = text[max(position - 1, 0) : position + 2]
    if neighbours.isascii() and "\r" not in neighbours:
        return position, position + 1
    first, last = max(position - _NEAR, 0), min(position + _NEAR, len(text))
    safe = _SAFE.search(text, first, position)
    if safe or first == 0:
        clusters = _CLUSTER.finditer(text, safe.end() if safe else 0, last)
        start, end = next(c.span() for c in clusters if c.end() > position)
        if end < last or last == len(text):
            return start, end
    starts = _starts(text)
    number = bisect_right(starts, position)
    return starts[number - 1], starts[number]


@lru_cache(maxsize=_KEPT_TEXTS)
def _starts(text: str) -> tuple[int, ...]:
    """The start of each cluster of a text, and the end of the text; cached.

    Without the cache, a row of flags would be segmented from its start for each flag.
    """
    # A letter with a combining mark forms a cluster like a flag, but needs no count from the start.
    short = _FLAGS.sub(lambda flags: ("a\u0300" * len(flags[0]))[: len(flags[0])], text)
    return (*(cluster.start() for cluster in _CLUSTER.finditer(short)), len(text))
