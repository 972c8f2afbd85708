"""Sentence splitting with sentencex (Wikimedia), which has rules for many languages."""

from collections.abc import Iterator

import regex

from babelspan.text.languages import is_spaced
from babelspan.types import Span

_LONGEST = {True: 1000, False: 400}
"""Maximum length of a sentence in characters, in languages with spaces between words and without:
what models with the shortest input (512 tokens) can read. Lists and Thai paragraphs are often
longer."""
_CLAUSE = regex.compile(r"[,;:،؛]\s+|[，、；：]")
_SPACE = regex.compile(r"\s+")
_LETTER = regex.compile(r"\X(?=\X)")
_SURROGATE = regex.compile(r"\p{Cs}")


def sentences(text: str, language: str) -> list[Span]:
    """Spans of the sentences of a text, in order, without surrounding white space.

    There is only white space between two sentences, so the text can be reassembled. A sentence that
    is too long for a translator is split after a comma or similar mark, else at a space, else
    between two letters.

    Args:
        text: any text.
        language: ISO 639-1 code; languages without rules of their own are split by general rules.
    """
    found = []
    start = 0
    for piece in _cut(text, language):
        for part in _shortened(piece, _LONGEST[is_spaced(language)]):
            bare = part.strip()
            if bare:
                first = start + len(part) - len(part.lstrip())
                found.append(Span(first, first + len(bare)))
            start += len(part)
    return found


def _cut(text: str, language: str) -> list[str]:
    from sentencex import segment  # from the extra `translate`; here, so that it is optional

    sendable = _SURROGATE.sub("\ufffd", text)
    pieces: list[str] = segment(language, sendable)
    return pieces if "".join(pieces) == sendable else [text]


def _shortened(sentence: str, longest: int) -> Iterator[str]:
    """Split a sentence into parts of at most `longest` characters."""
    while len(sentence) > longest:
        first = sentence[:longest]
        ends = (
            [m.end() for m in pattern.finditer(first) if m.end() > longest // 2]
            for pattern in (_CLAUSE, _SPACE, _LETTER)
        )
        end = next((found[-1] for found in ends if found), longest)
        yield sentence[:end]
        sentence = sentence[end:]
    yield sentence
