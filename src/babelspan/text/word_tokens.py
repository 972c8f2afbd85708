"""Tokenization into words and punctuation marks, for readers with word vectors.

A token is a run of letters and digits with their combining marks, or any other single character;
every letter is in a token. Text without spaces between words is segmented by ICU, or into
characters. Hangul is split into syllables: only two in five answers in Korean data start and end at
word boundaries, because particles are attached to words.
"""

from collections.abc import Iterator
from typing import Literal

import regex

from babelspan.text.languages import UNSPACED_SCRIPTS
from babelspan.text.words import pieces
from babelspan.types import Span

Unspaced = Literal["words", "characters"]
"""Segmentation of text without spaces: by ICU, or into characters."""

_OTHERS = rf"{UNSPACED_SCRIPTS}\p{{Hangul}}"
_WORD = rf"[[\p{{L}}\p{{N}}]--[{_OTHERS}]][[\p{{L}}\p{{N}}\p{{M}}]--[{_OTHERS}]]*"
_TOKEN = regex.compile(
    rf"(?P<run>[{UNSPACED_SCRIPTS}][{UNSPACED_SCRIPTS}\p{{M}}]*)|\p{{Hangul}}\p{{M}}*"
    rf"|{_WORD}|\S\p{{M}}*",
    regex.VERSION1,
)
_CHARACTER = regex.compile(r".\p{M}*", regex.DOTALL)


def word_tokens(text: str, unspaced: Unspaced) -> list[Span]:
    """Spans of the tokens of a text, in order.

    With "characters", "Don't, 3月!" has the tokens Don, ', t, the comma, 3, 月 and the exclamation
    mark.

    Raises:
        ConfigError: if ICU is needed and not installed.
    """
    found: list[Span] = []
    for match in _TOKEN.finditer(text):
        if match["run"] is None:
            found.append(Span(*match.span()))
        else:
            found += _cut(match[0], match.start(), unspaced)
    return found


def _cut(run: str, start: int, unspaced: Unspaced) -> Iterator[Span]:
    parts = pieces(run, "") if unspaced == "words" else _CHARACTER.findall(run)
    for part in parts:
        yield Span(start, start + len(part))
        start += len(part)
