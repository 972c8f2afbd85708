"""The language of a short text by its letters, for readers that come with a list of n-grams.

Where the script does not decide, the n-grams of one to four letters do: a text is in the language
in which its n-grams are most likely (Dunning 1994, *Statistical identification of language*), from
the most frequent ones of each language (Cavnar and Trenkle 1994, *N-gram-based text
categorization*), with a floor for all others.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping

import regex

from babelspan.text.language_of import by_script
from babelspan.types import UNDETERMINED

LONGEST = 4
"""Letters of an n-gram, at most; a space stands for the border of a word."""
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_LATIN = regex.compile(r"\p{Latin}")
_LETTER = regex.compile(r"\p{L}")
_OTHERS = 0.3
"""Letters of other scripts for each Latin one, from which on Latin words are taken for names."""
SEEN = 200
"""Characters of a text that are looked at."""
_FLOOR = 1e-4
"""Share of an n-gram that is not on a language's list."""
_LEAST = 1.0
"""What the best language is ahead of the next by, at least, in nats."""


def words_of(text: str) -> list[str]:
    """Words in small letters."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def ngrams(word: str) -> Iterator[str]:
    """The n-grams of a word with its borders."""
    padded = f" {word} "
    for size in range(1, LONGEST + 1):
        for start in range(len(padded) - size + 1):
            yield padded[start : start + size]


class NgramLists:
    """Tells which language a text is in.

    Args:
        shares: for each language its most frequent n-grams, each with its share of those of its
            length.
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
    """A text without its Latin letters if a good part of the others are of another script."""
    latin = len(_LATIN.findall(text))
    others = len(_LETTER.findall(text)) - latin
    return _LATIN.sub(" ", text) if others >= _OTHERS * latin and latin else text
