"""Language identification of short texts, for readers with a list of n-grams.

If the script is not enough, n-grams of one to four letters are used: the language is the one in
which the n-grams of the text are most likely (Dunning 1994, *Statistical identification of
language*), given the most frequent n-grams of each language (Cavnar and Trenkle 1994,
*N-gram-based text categorization*) and a floor for all others.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping

import regex

from babelspan.text.language_of import by_script
from babelspan.types import UNDETERMINED

LONGEST = 4
"""Maximum length of an n-gram; a space stands for a word boundary."""
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_LATIN = regex.compile(r"\p{Latin}")
_LETTER = regex.compile(r"\p{L}")
_OTHERS = 0.3
"""Letters of other scripts per Latin letter from which Latin words are ignored, as names."""
SEEN = 200
"""Number of characters of a text that are used."""
_FLOOR = 1e-4
"""Relative frequency of an n-gram that is not on a language's list."""
_LEAST = 1.0
"""Minimum margin of the best language over the second, in nats."""


def words_of(text: str) -> list[str]:
    """The words of a text in lower case."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def ngrams(word: str) -> Iterator[str]:
    """The n-grams of a word, with its boundaries as spaces."""
    padded = f" {word} "
    for size in range(1, LONGEST + 1):
        for start in range(len(padded) - size + 1):
            yield padded[start : start + size]


class NgramLists:
    """Identifies the language of a text.

    Args:
        shares: for each language its most frequent n-grams, each with its relative frequency among
            the n-grams of the same length.
    """

    def __init__(self, shares: Mapping[str, Mapping[str, float]]) -> None:
        self._languages = tuple(shares)
        self._more: dict[str, dict[str, float]] = {}
        for language, of_language in shares.items():
            for ngram, share in of_language.items():
                self._more.setdefault(ngram, {})[language] = math.log(share / _FLOOR)

    def language_of(self, text: str) -> str:
        """The ISO 639-1 code of a text's language, or "und"."""
        seen = _in_main_script(text[:SEEN])
        if found := by_script(seen):
            return found
        totals = dict.fromkeys(self._languages, 0.0)
        counted = Counter(ngram for word in words_of(seen) for ngram in ngrams(word))
        for ngram, times in counted.items():
            for language, more in self._more.get(ngram, {}).items():
                totals[language] += times * more
        ranked = sorted(totals.items(), key=lambda item: -item[1])[:2]
        ranked += [(UNDETERMINED, 0.0)] * 2
        return ranked[0][0] if ranked[0][1] - ranked[1][1] >= _LEAST else UNDETERMINED


def _in_main_script(text: str) -> str:
    """Remove Latin letters from a text if enough of its letters are of another script."""
    latin = len(_LATIN.findall(text))
    others = len(_LETTER.findall(text)) - latin
    return _LATIN.sub(" ", text) if others >= _OTHERS * latin and latin else text
