r"""User-perceived characters (grapheme clusters), so that no answer cuts one in two.

Clusters are those of UAX #29 as `\X` of the `regex` module gives them.
"""

import regex

from babelspan.types import Span

_CLUSTER = regex.compile(r"\X")
# After such a character there is always a boundary (rules GB4 and GB999), whatever came before it.
_SAFE = regex.compile(
    r"(?r)[\p{GCB=Other}\p{GCB=LV}\p{GCB=LVT}]"
    r"(?=[^\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}\p{GCB=V}\p{GCB=T}])"
    r"|[\n\p{GCB=Control}]"
)


def snap(text: str, span: Span) -> Span:
    """The smallest span of whole grapheme clusters that covers `span`."""
    start, _ = _cluster_around(text, span.start)
    _, end = _cluster_around(text, span.end - 1)
    return Span(start, end)


def strip(text: str, span: Span) -> Span | None:
    """`span` without the white space at its ends, or None when nothing else is in it."""
    inside = span.of(text)
    kept = inside.strip()
    if not kept:
        return None
    start = span.start + len(inside) - len(inside.lstrip())
    return Span(start, start + len(kept))


def _cluster_around(text: str, position: int) -> tuple[int, int]:
    """Start and end of the cluster that holds the character at `position`."""
    if position >= len(text):
        raise ValueError(f"position must be in [0, {len(text)}), got {position}")
    neighbours = text[max(position - 1, 0) : position + 2]
    if neighbours.isascii() and "\r" not in neighbours:
        return position, position + 1
    safe = _SAFE.search(text, endpos=position)
    clusters = _CLUSTER.finditer(text, safe.end() if safe else 0)
    return next(cluster.span() for cluster in clusters if cluster.end() > position)
