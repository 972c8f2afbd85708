"""A text as words and marks, for readers that look words up: every letter is in some token.

A token is a run of letters and digits with their marks, or any other sign by itself. Text without
spaces between words is cut by ICU, or into characters. Hangul is cut into syllables: only two
answers in five of Korean data stand on the borders of words, as endings are written onto them.
"""

from collections.abc import Iterator
from typing import Literal

import regex

from babelspan.text.languages import UNSPACED_SCRIPTS
from babelspan.text.words import pieces
from babelspan.types import Span

Unspaced = Literal["words", "characters"]
"""How text without spaces is cut: by ICU, or into characters."""

_OTHERS = rf"{UNSPACED_SCRIPTS}\p{{Hangul}}"
_WORD = rf"[[\p{{L}}\p{{N}}]--[{_OTHERS}]][[\p{{L}}\p{{N}}\p{{M}}]--[{_OTHERS}]]*"
_TOKEN = regex.compile(
    rf"(?P<run>[{UNSPACED_SCRIPTS}][{UNSPACED_SCRIPTS}\p{{M}}]*)|\p{{Hangul}}\p{{M}}*"
    rf"|{_WORD}|\S\p{{M}}*",
    regex.VERSION1,
)
_CHARACTER = regex.compile(r".\p{M}*", regex.DOTALL)


def word_tokens(text: str, unspaced: Unspaced) -> list[Span]:
    """Places of the tokens of a text, in order.

    "Don't, 3月!" by characters has the tokens Don, ', t, the comma, 3, 月 and the exclamation mark.

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
