r"""User-perceived characters (grapheme clusters), so that no answer cuts one in two.

Clusters are those of UAX #29 as `\X` of the `regex` module gives them.
"""

import regex

from babelspan.types import Span

_CLUSTER = regex.compile(r"\X")
# Between two characters of this class there is always a boundary (rule GB999).
_SAFE = regex.compile(r"(?r)\p{GCB=Other}(?=\p{GCB=Other})|[\n\p{GCB=Control}]")


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
    neighbours = text[max(position - 1, 0) : position + 2]
    if neighbours.isascii() and "\r" not in neighbours:
        return position, position + 1
    safe = _SAFE.search(text, endpos=position)
    for cluster in _CLUSTER.finditer(text, safe.end() if safe else 0):
        if cluster.end() > position:
            return cluster.start(), cluster.end()
    raise ValueError(f"position must be in [0, {len(text)}), got {position}")
