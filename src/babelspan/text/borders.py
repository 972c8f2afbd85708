"""Extend spans to whole words, in scripts that put spaces between words."""

import regex

from babelspan.text.languages import UNSPACED_SCRIPTS
from babelspan.types import Span

LONGEST = 100
"""Maximum number of letters added on one side; a longer run is not a word and is left alone."""

_ATTACHED = r"\p{Hangul}"
"""Korean attaches particles to words, so answers often end inside a word (decision 0043)."""
_JOINERS = "\u00ad\u200c\u200d"
"""The soft hyphen and the joiners of Persian and Hindi, which occur inside words."""
_INSIDE = rf"[[\p{{L}}\p{{N}}\p{{M}}{_JOINERS}]--[{UNSPACED_SCRIPTS}{_ATTACHED}]]"
_BEFORE = regex.compile(rf"(?r){_INSIDE}{{1,{LONGEST + 1}}}", regex.VERSION1)
_AFTER = regex.compile(rf"{_INSIDE}{{1,{LONGEST + 1}}}", regex.VERSION1)


def whole_words(text: str, span: Span) -> Span:
    """The smallest span that contains `span` and splits no run of letters, digits and marks.

    Letters of scripts without spaces, Hangul, hyphens and apostrophes end a run.

    >>> text = "seit Alexander dem Großen"
    >>> whole_words(text, Span(7, 14)).of(text)
    'Alexander'
    """
    start, end = span.start, span.end
    first, last = text[start], text[end - 1]
    if _AFTER.match(first) and (before := _BEFORE.match(text, endpos=start)):
        start = before.start() if start - before.start() <= LONGEST else start
    if _AFTER.match(last) and (after := _AFTER.match(text, pos=end)):
        end = after.end() if after.end() - end <= LONGEST else end
    return Span(start, end)
