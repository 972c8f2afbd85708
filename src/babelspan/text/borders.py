"""Spans widened to whole words, in scripts that put spaces between words."""

import regex

from babelspan.text.languages import UNSPACED_SCRIPTS
from babelspan.types import Span

_INSIDE = rf"[[\p{{L}}\p{{N}}\p{{M}}]--[{UNSPACED_SCRIPTS}]]"
_BEFORE = regex.compile(rf"(?r){_INSIDE}+", regex.VERSION1)
_AFTER = regex.compile(rf"{_INSIDE}+", regex.VERSION1)


def whole_words(text: str, span: Span) -> Span:
    """The smallest span that covers `span` and cuts no run of letters, digits and marks.

    Letters of scripts without spaces end a run. A hyphen or an apostrophe does, too.

    >>> text = "seit Alexander dem Großen"
    >>> whole_words(text, Span(7, 14)).of(text)
    'Alexander'
    """
    start, end = span.start, span.end
    first, last = text[start], text[end - 1]
    if _AFTER.match(first) and (before := _BEFORE.match(text, endpos=start)):
        start = before.start()
    if _AFTER.match(last) and (after := _AFTER.match(text, pos=end)):
        end = after.end()
    return Span(start, end)
