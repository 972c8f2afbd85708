"""Links of words that a dictionary does not have, by the forms of them that it has.

A word takes the links of the known words that begin like it: inflected forms differ at the end. In
Korean a known word is followed by particles. In Arabic and Hebrew, conjunctions, prepositions and
the article are written as the first letters of a word.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import takewhile

import regex

_PREFIXES = {
    "ar": ("ال", "و", "ب", "ل", "ف", "ك", "وال", "بال", "لل", "فال", "كال"),
    "he": ("ה", "ב", "ל", "מ", "ש", "ו", "כ", "וה", "שה", "בה", "לה", "מה"),
}
_SHORTEST = 2
"""Letters that are left of a word without its prefix, at least, and syllables of a Korean one."""
_SAME = 4
"""Letters that two forms share, at least."""
_SHARE = 0.6
"""Of the letters of the word, likewise."""
_LONGER = 3
"""Letters that a known form has more than the word, at most."""
_HANGUL = regex.compile(r"\p{Hangul}+")
_DIGIT = regex.compile(r"\d")


class Forms:
    """Links by word, known or like a known one. Threads can share it.

    Args:
        links: known words with their translations and numbers of links.
        language: ISO 639-1 code of the words.
    """

    def __init__(self, links: Mapping[str, Mapping[str, float]], language: str) -> None:
        self._links = links
        self._words = sorted(links)
        self._prefixes = _PREFIXES.get(language, ())
        self.of = lru_cache(maxsize=20_000)(self._of)

    def _of(self, word: str) -> Mapping[str, float]:
        """The links of a word; those of several forms are added up. Empty if none is like it."""
        if word in self._links or _DIGIT.search(word):
            return self._links.get(word, {})
        for prefix in self._prefixes:
            rest = word.removeprefix(prefix)
            if rest in self._links and _SHORTEST <= len(rest) < len(word):
                return self._links[rest]
        if _HANGUL.fullmatch(word):
            starts = (word[:end] for end in range(len(word) - 1, _SHORTEST - 1, -1))
            return next((self._links[start] for start in starts if start in self._links), {})
        for end in range(len(word) - 1, max(_SAME, round(_SHARE * len(word))) - 1, -1):
            added: dict[str, float] = defaultdict(float)
            for form in self._beginning(word[:end]):
                if len(form) <= len(word) + _LONGER:
                    for other, links in self._links[form].items():
                        added[other] += links
            added.pop("", None)
            if added:
                return dict(added)
        return {}

    def _beginning(self, start: str) -> Iterator[str]:
        """The known words with a beginning."""
        first = bisect_left(self._words, start)
        words = (self._words[i] for i in range(first, len(self._words)))
        return takewhile(lambda word: word.startswith(start), words)
