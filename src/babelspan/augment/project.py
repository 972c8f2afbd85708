"""Carry an answer through translation along word links between a sentence and its translation."""

from collections.abc import Sequence

from babelspan.augment.mark import Carried, Lost
from babelspan.types import Alignment, Span

_LONGEST = 4
"""An answer that gets this many times as long in words (plus 3) is rejected."""


def project(
    span: Span,
    alignment: Alignment,
    source_words: Sequence[Span],
    text: str,
    target_words: Sequence[Span],
) -> Carried | Lost:
    """Project a span of the source to the translation, along word links.

    The result extends from the first linked word to the last.

    Args:
        span: span of the answer in the source text.
        alignment: word links.
        source_words: spans of the words of the source text.
        text: the translation.
        target_words: spans of the words of the translation.
    """
    inside = {n for n, word in enumerate(source_words) if word.overlaps(span)}
    linked = sorted(t for s, t in alignment.links if s in inside)
    if not linked:
        return Lost("no links")
    first, last = linked[0], linked[-1]
    if last - first + 1 > _LONGEST * len(inside) + 3:
        return Lost("links scattered")
    return Carried(text, Span(target_words[first].start, target_words[last].end))
