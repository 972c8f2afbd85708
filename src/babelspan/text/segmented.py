"""Sentence pairs with the spans of their words."""

import re
from collections.abc import Sequence

from babelspan.text.languages import is_spaced
from babelspan.text.words import words
from babelspan.types import SegmentedPair, SentencePair, Span

_BY_SPACES = re.compile(r"\S+")


def segmented(pair: SentencePair) -> SegmentedPair:
    """A pair with the words that `text.words.words` finds: without punctuation."""
    return SegmentedPair(
        pair,
        tuple(words(pair.source, pair.source_language)),
        tuple(words(pair.target, pair.target_language)),
    )


def by_spaces(pair: SentencePair) -> SegmentedPair:
    """A pair whose words are separated by white space; punctuation marks may be words."""
    source, target = (
        tuple(Span(m.start(), m.end()) for m in _BY_SPACES.finditer(text))
        for text in (pair.source, pair.target)
    )
    return SegmentedPair(pair, source, target)


def of_words(
    source: Sequence[str],
    target: Sequence[str],
    *,
    source_language: str,
    target_language: str,
) -> SegmentedPair:
    """A pair joined from its words, without spaces in languages that have none."""
    one, one_words = _put_together(source, source_language)
    other, other_words = _put_together(target, target_language)
    pair = SentencePair(one, other, source_language, target_language)
    return SegmentedPair(pair, one_words, other_words)


def _put_together(words: Sequence[str], language: str) -> tuple[str, tuple[Span, ...]]:
    between = " " if is_spaced(language) else ""
    spans, at = [], 0
    for word in words:
        spans.append(Span(at, at + len(word)))
        at += len(word) + len(between)
    return between.join(words), tuple(spans)
