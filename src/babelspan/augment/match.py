"""Carry an answer through translation by search: translate it separately and look for it.

Lee and Lee (2019), arXiv:1907.06042, Section 4.1 and Appendix A, who drop the examples whose
answer is no longer recoverable.
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache

import regex

from babelspan.text.languages import UNSPACED_SCRIPTS
from babelspan.text.words import words
from babelspan.types import Span

_ARTICLES = {
    "ar": r"ال",
    "de": r"(?:der|die|das|den|dem|des|ein|eine|einen|einem|einer|eines)\s+",
    "en": r"(?:the|an|a)\s+",
    "es": r"(?:el|la|los|las|lo|un|una|unos|unas|al|del)\s+",
    "fr": r"(?:le|la|les|un|une|des|du)\s+|(?:l|d)['’]",
    "it": r"(?:il|lo|la|i|gli|le|un|uno|una)\s+|(?:l|un|d)['’]",
    "pt": r"(?:o|a|os|as|um|uma|uns|umas|ao|do|da|dos|das)\s+",
}
"""Articles, which may precede an answer in one translation and not in another."""

_ALPHABETS = ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW")
"""Scripts in which diacritics may differ between two spellings of a word."""

_UNSPACED = regex.compile(f"[{UNSPACED_SCRIPTS}]")


def find_answer(context: str, answer: str, language: str, *, near: Span) -> Span | None:
    """Find an answer in a context: exactly, or else ignoring case, accents and articles.

    Args:
        context: the text to search.
        answer: the answer to find.
        language: language of both, ISO 639-1.
        near: the part of the context where the answer is expected; among several occurrences, one
            inside it is taken, else the nearest.

    Returns:
        The span, at word boundaries in scripts with spaces; None if it is not found.
    """
    for wanted in _forms(answer, language):
        places = _places(context, wanted)
        if places:
            return min(places, key=lambda span: (_distance(span, near), span.start))
    return None


def find_overlapping(context: str, answer: str, language: str, *, near: Span) -> Span | None:
    """Find the sequence of words in a part of a context with the largest overlap with an answer.

    Two translations of a phrase share most words, but not all of them, nor their order.

    Args:
        context: the text to search.
        answer: the answer to find.
        language: language of both.
        near: the part of the context to search.

    Returns:
        The first sequence with the highest word F1, without case and accents; None if that is one
        half or less.
    """
    wanted = Counter(_folded(w.of(answer))[0] for w in words(answer, language))
    part = near.of(context)
    places = words(part, language)
    found = [_folded(w.of(part))[0] for w in places]
    total = sum(wanted.values())
    best, best_f1 = None, 0.5
    for first, word in enumerate(found):
        if word not in wanted:
            continue
        left = wanted.copy()
        for last in range(first, min(first + 2 * total, len(found))):
            if not left[found[last]]:
                continue
            left[found[last]] -= 1
            shared = total - sum(left.values())
            f1 = 2 * shared / (total + last - first + 1)
            if f1 > best_f1:
                best, best_f1 = (first, last), f1
    if best is None:
        return None
    first, last = best
    return Span(near.start + places[first].start, near.start + places[last].end)


def _forms(answer: str, language: str) -> list[str]:
    """Forms of an answer to look for: as it is, without punctuation, without its article."""
    bare = answer.strip().strip(".,;:!?¡¿\"'“”‘’«»()[]。，、；：！？（）「」『』《》")
    forms = [answer.strip(), bare]
    if language in _ARTICLES:
        forms.append(re.sub(rf"^(?:{_ARTICLES[language]})", "", bare, flags=re.IGNORECASE))
    return list(dict.fromkeys(form for form in forms if form))


def _places(context: str, wanted: str) -> list[Span]:
    exact = [Span(m.start(), m.end()) for m in re.finditer(re.escape(wanted), context)]
    exact = [span for span in exact if _at_words(context, span)]
    if exact:
        return exact
    folded, origins = _folded(context)
    needle, _ = _folded(wanted)
    if not needle.strip():
        return []
    spans = [  # up to the next character that was kept, so that marks stay with their letter
        Span(origins[m.start()], max(origins[m.end() - 1] + 1, origins[m.end()]))
        for m in re.finditer(re.escape(needle), folded)
    ]
    return [span for span in spans if _at_words(context, span)]


@lru_cache(maxsize=64)  # a context is searched for every answer, in several forms
def _folded(text: str) -> tuple[str, tuple[int, ...]]:
    """Fold case and, in alphabets, accents; also returns the original offset of each character.

    The last offset is the length of the text.
    """
    characters = []
    origins = []
    for position, character in enumerate(text):
        for part in unicodedata.normalize("NFKD", character).casefold():
            if unicodedata.combining(part) and _is_alphabetic(text, position):
                continue
            characters.append(part)
            origins.append(position)
    return "".join(characters), (*origins, len(text))


def _is_alphabetic(text: str, position: int) -> bool:
    """Whether a combining mark at `position` belongs to a letter of an alphabet with accents."""
    while position > 0 and unicodedata.combining(text[position]):
        position -= 1
    return unicodedata.name(text[position], "").startswith(_ALPHABETS)


def _at_words(context: str, span: Span) -> bool:
    """Whether a span starts and ends at word boundaries, in scripts with spaces."""
    return not (
        _joined(context[span.start - 1 : span.start], context[span.start])
        or _joined(context[span.end - 1], context[span.end : span.end + 1])
    )


def _joined(left: str, right: str) -> bool:
    """Whether two neighbouring characters belong to the same word, or to a letter and its mark."""
    if not left or not right:
        return False
    return unicodedata.category(right).startswith("M") or (_in_word(left) and _in_word(right))


def _in_word(character: str) -> bool:
    """Whether a character is a letter, mark or digit of a script with spaces between words."""
    if not character.isalnum() and not unicodedata.category(character).startswith("M"):
        return False
    return not _UNSPACED.match(character)


def _distance(span: Span, near: Span) -> int:
    return max(near.start - span.start, span.end - near.end, 0)
