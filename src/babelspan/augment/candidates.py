"""Candidate answers in a text for question generation: distinct spans, spread over the text.

The paper (Riabi et al. 2021, arXiv:2010.12643, Section 3.2) does not say how it chose them.
"""

import hashlib
from collections.abc import Iterable

import regex

from babelspan.data.texts import Text
from babelspan.types import Span

VERSION = "2"
"""Version of the rules; increase it whenever results of `found_by_rules` change."""
LONGEST = 80
"""Maximum length in characters of an answer found by rules."""

_NUMBER = regex.compile(r"\[\p{N}+\](*SKIP)(*FAIL)|\p{N}+(?:[.,:/–-]\p{N}+)*(?:\s?[%‰°])?")
_QUOTED = regex.compile(r"[“„«‹「『\"]([^“”„«»‹›「」『』\"\n]{2,80})[”“»›」』\"]")
_NAME = regex.compile(r"(?<=[\p{L}\p{N},;:)]\s)\p{Lu}[\p{L}\p{M}’'-]+(?:\s\p{Lu}[\p{L}\p{M}’'-]+)*")


def found_by_rules(text: Text) -> list[Span]:
    """Links, numbers and quoted strings; in a text without links also capitalised words.

    A number in square brackets is a reference of Wikipedia, such as "[12]", and is left out.
    """
    spans = [link for link in text.links if link.end - link.start <= LONGEST]
    spans += [Span(m.start(1), m.end(1)) for m in _QUOTED.finditer(text.text)]
    if not text.links:
        spans += [Span(*m.span()) for m in _NAME.finditer(text.text)]
    return spans + [Span(*m.span()) for m in _NUMBER.finditer(text.text)]


def chosen(text: Text, spans: Iterable[Span], count: int) -> list[Span]:
    """Choose up to `count` of the spans, in the order of the text.

    Spans are stripped; of spans that overlap or have the same text, the first given one is kept. If
    there are too many, one is chosen by a hash from each part of the text.
    """
    kept: list[Span] = []
    words: set[str] = set()
    for given in spans:
        span = _bare(given, text.text)
        said = span.of(text.text).casefold() if span else ""
        if span and said not in words and not any(span.overlaps(other) for other in kept):
            kept.append(span)
            words.add(said)
    kept.sort(key=lambda span: span.start)
    if len(kept) <= count:
        return kept
    parts = [kept[n * len(kept) // count : (n + 1) * len(kept) // count] for n in range(count)]
    return [min(part, key=lambda span: _hash(text.id, span)) for part in parts]


def _bare(span: Span, text: str) -> Span | None:
    said = span.of(text)
    start = span.start + len(said) - len(said.lstrip())
    end = start + len(said.strip())
    return Span(start, end) if start < end else None


def _hash(identity: str, span: Span) -> bytes:
    return hashlib.sha256(f"{identity}\0{span.start}\0{span.end}".encode()).digest()
