"""An answer through translation along word links between a sentence and its translation."""

from collections.abc import Sequence

from babelspan.augment.mark import Carried, Lost
from babelspan.types import Alignment, Span

_LONGEST = 4
"""An answer that comes out this many times as long as it was, in words, (and 3) is no answer."""


def project(
    span: Span,
    alignment: Alignment,
    source_words: Sequence[Span],
    text: str,
    target_words: Sequence[Span],
) -> Carried | Lost:
    """The place in a translation that the words at a place of the source are linked to.

    It runs from the first linked word to the last.

    Args:
        span: place of the answer in the source text.
        alignment: links of words.
        source_words: places of the words of the source text.
        text: the translation.
        target_words: places of the words of the translation.
    """
    inside = {n for n, word in enumerate(source_words) if word.overlaps(span)}
    linked = sorted(t for s, t in alignment.links if s in inside)
    if not linked:
        return Lost("no links")
    first, last = linked[0], linked[-1]
    if last - first + 1 > _LONGEST * len(inside) + 3:
        return Lost("links scattered")
    return Carried(text, Span(target_words[first].start, target_words[last].end))
