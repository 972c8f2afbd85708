"""Dictionary lookup of inflected words: an unknown word takes the links of its known forms.

Forms of a word usually share their first letters. English has few endings, which are taken off, so
that names are not taken for other words. In Korean, particles follow the word. In Arabic and
Hebrew, conjunctions, prepositions and the article are written as its first letters.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import takewhile

import regex

from babelspan.text.inflection import stems

PREFIXES = {
    "ar": ("ال", "و", "ب", "ل", "ف", "ك", "وال", "بال", "لل", "فال", "كال"),
    "he": ("ה", "ב", "ל", "מ", "ש", "ו", "כ", "וה", "שה", "בה", "לה", "מה"),
}
"""Short words that some languages write as the first letters of the next word."""
_SHORTEST = 2
"""Minimum letters of a word without its prefix; minimum syllables of a Korean word."""
SAME = 4
"""Minimum number of first letters that two forms share."""
SHARE = 0.7
"""The same minimum, as a fraction of the letters of a form."""
LONGER = 3
"""Maximum number of letters by which a form is longer than the other, or than what they share."""
_VOWEL_SIGNS = regex.compile(r"[\u0591-\u05bd\u05bf\u05c1\u05c2\u064b-\u0652\u0670\u0640]")
"""Hebrew and Arabic vowel signs, and the line that stretches Arabic words: most texts leave them
out."""
_HANGUL = regex.compile(r"\p{Hangul}+")
_EXACT = regex.compile(r"[\d ]")
"""Numbers and phrases have no other forms."""


class Forms:
    """The links of words and of their inflected forms. Threads can share it.

    Args:
        links: known words with their translations and numbers of links.
        language: ISO 639-1 code of the words.
    """

    def __init__(self, links: Mapping[str, Mapping[str, float]], language: str) -> None:
        self._links = links
        self._words = sorted(links)
        self._language = language
        self.of = lru_cache(maxsize=20_000)(self._of)

    def __contains__(self, word: object) -> bool:
        """Whether a word or phrase is known as it is."""
        return word in self._links

    def _of(self, word: str) -> Mapping[str, float]:
        """Return the links of a word, or of its forms; empty if none is known."""
        if word not in self._links:
            word = without_vowel_signs(word)
        if word in self._links or _EXACT.search(word):
            return self._links.get(word, {})
        base = next((base for base in self._bases(word) if base in self._links), None)
        if base is not None:
            return self._links[base]
        is_exact = self._language == "en" or _HANGUL.fullmatch(word)
        return {} if is_exact else self._of_alike(word)

    def _bases(self, word: str) -> Iterator[str]:
        """Yield what a word may be without its ending or its prefixed letters."""
        if self._language == "en":
            yield from stems(word, "en")
        elif _HANGUL.fullmatch(word):
            yield from (word[:end] for end in range(len(word) - 1, _SHORTEST - 1, -1))
        for prefix in PREFIXES.get(self._language, ()):
            if word.startswith(prefix) and len(word) - len(prefix) >= _SHORTEST:
                yield word.removeprefix(prefix)

    def _of_alike(self, word: str) -> Mapping[str, float]:
        """Return the sum of the links of the words that share most first letters with a word."""
        for end in range(len(word) - 1, max(SAME, round(SHARE * len(word))) - 1, -1):
            added: dict[str, float] = defaultdict(float)
            for form in beginning(self._words, word[:end]):
                if len(form) <= len(word) + LONGER:
                    for other, links in self._links[form].items():
                        added[other] += links
            added.pop("", None)
            if added:
                return dict(added)
        return {}


def beginning(words: Sequence[str], start: str) -> Iterator[str]:
    """The words that begin with `start`, of sorted words."""
    first = bisect_left(words, start)
    after = (words[i] for i in range(first, len(words)))
    return takewhile(lambda word: word.startswith(start), after)


def without_vowel_signs(text: str) -> str:
    """A text without Hebrew and Arabic vowel signs."""
    return _VOWEL_SIGNS.sub("", text)
