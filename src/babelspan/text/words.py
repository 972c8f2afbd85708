"""Words of a text with their places."""

import regex

from babelspan.types import Span

_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*"
    r"|[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:['’.,-][\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*"
)


def words(text: str, language: str) -> list[Span]:
    """Places of the words of a text, in order, without marks between them."""
    return [Span(m.start(), m.end()) for m in _WORD.finditer(text)]
