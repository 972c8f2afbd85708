"""Code-switching: replace some words of a text by translations from a dictionary.

CoSDA-ML (Qin et al. 2020, arXiv:2006.06402) replaces words at random; here a word has several
translations with probabilities, and may be dropped if the other language has no word for it, such
as an article. Answer spans are adjusted.
"""

import random
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate

from babelspan.text.languages import is_spaced
from babelspan.text.words import lexical_words
from babelspan.types import Answer, Example, Span


@dataclass(frozen=True, slots=True)
class Choices:
    """Translations of one word; the translation "" drops the word.

    Attributes:
        words: the translations.
        cumulated: cumulative probabilities; the last is 1.
    """

    words: tuple[str, ...]
    cumulated: tuple[float, ...]

    def draw(self, rng: random.Random) -> str:
        """Draw a translation by its probability."""
        place = bisect_right(self.cumulated, rng.random())
        return self.words[min(place, len(self.words) - 1)]


Dictionary = Mapping[str, Choices]
"""Translations of lower-case words."""


def choices(weights: Mapping[str, float]) -> Choices:
    """`Choices` from translations with weights, which are not negative and not all zero."""
    total = sum(weights.values())
    if total <= 0:
        raise ValueError(f"expected a positive weight among {dict(weights)!r}")
    return Choices(tuple(weights), tuple(accumulate(w / total for w in weights.values())))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text: its characters [old_start, old_end), and the text that replaces it."""

    old_start: int
    old_end: int
    text: str
    is_replaced: bool


@dataclass(frozen=True, slots=True)
class Switched:
    """A text with words replaced; its parts, in order, cover the old text without gaps."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The new text."""
        return "".join(part.text for part in self.parts)

    @property
    def replaced(self) -> int:
        """The number of replaced words."""
        return sum(part.is_replaced for part in self.parts)

    def place(self, span: Span) -> Span | None:
        """Map a span of the old text to the new text, stripped; None if nothing is left of it.

        A replaced word that is partly in the span is included as a whole.
        """
        at = 0
        start, end = None, 0
        for part in self.parts:
            if part.old_start < span.end and part.old_end > span.start and part.text:
                first, last = 0, len(part.text)
                if not part.is_replaced:
                    first = max(span.start - part.old_start, 0)
                    last -= max(part.old_end - span.end, 0)
                start = at + first if start is None else start
                end = at + last
            at += len(part.text)
        if start is None:
            return None
        inner = self.text[start:end]
        start += len(inner) - len(inner.lstrip())
        end = start + len(inner.strip())
        return Span(start, end) if start < end else None


def switched(
    text: str,
    dictionary: Dictionary,
    *,
    language: str,
    rate: float,
    rng: random.Random,
    source: str = "en",
) -> Switched:
    """Replace words of a text.

    Args:
        text: a text in the language `source`.
        dictionary: translations of words of that language.
        language: ISO 639-1 code of the translations. In a language without spaces, white space
            between two replaced words is removed; in one with spaces, a space is inserted between
            neighbours if there is none.
        rate: fraction of the words that are looked up, in [0, 1].
        rng: draws words and translations.
        source: ISO 639-1 code of the text.

    Raises:
        ConfigError: if `source` is written without spaces and ICU is not installed.
    """
    parts: list[Part] = []
    at = 0
    joins = not is_spaced(language)
    for word in lexical_words(text, source):
        found = dictionary.get(word.of(text).lower()) if rng.random() < rate else None
        between = text[at : word.start]
        if joins and found and parts and parts[-1].is_replaced and between.isspace():
            between = ""
        if not joins and not between and parts and (found or parts[-1].is_replaced):
            between = " "
        parts.append(Part(at, word.start, between, False))
        parts.append(
            Part(
                word.start,
                word.end,
                found.draw(rng) if found else word.of(text),
                found is not None,
            )
        )
        at = word.end
    parts.append(Part(at, len(text), text[at:], False))
    return Switched(tuple(parts))


def switched_example(
    example: Example,
    *,
    question: tuple[Dictionary, str, float] | None,
    context: tuple[Dictionary, str, float] | None,
    rng: random.Random,
) -> Example | None:
    """Replace words in the question, the context or both of an English example.

    Args:
        example: an example with answers at known offsets.
        question: dictionary, language and rate for the question; None to keep it.
        context: the same for the context.
        rng: draws words and translations.

    Returns:
        The example with its first answer at a known offset; None if nothing is left of the
        question or the answer.
    """
    new_question, question_language = example.question, example.question_language
    if question is not None:
        dictionary, question_language, rate = question
        new_question = switched(
            new_question, dictionary, language=question_language, rate=rate, rng=rng
        ).text
    spans = [a.span for a in example.answers or () if a.span is not None]
    new_context, context_language, span = example.context, example.context_language, spans[0]
    if context is not None:
        dictionary, context_language, rate = context
        found = switched(new_context, dictionary, language=context_language, rate=rate, rng=rng)
        new_context, place = found.text, found.place(span)
        if place is None:
            return None
        span = place
    if not new_question.strip():
        return None
    return replace(
        example,
        question=new_question,
        context=new_context,
        answers=(Answer(span.of(new_context), span.start),),
        question_language=question_language,
        context_language=context_language,
        origin=example.id,
        strategy="code-switched",
    )
