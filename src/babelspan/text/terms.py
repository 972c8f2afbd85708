"""Index terms of a text, a pure function of its characters.

The language is neither needed nor detected. Text is normalised (NFKD, case folding), and diacritics
are removed in scripts whose writers often omit them. Then each run of one kind yields its terms:

* Han, kana and Hangul: character bigrams;
* Thai, Lao, Khmer and Burmese: character trigrams;
* other letters: the first five of a word, instead of stemming, without the Arabic article;
* digits: the whole run, in European digits.

A search finds a text only by terms in common, so `RULES` is part of the signature of an index.
"""

import unicodedata
from functools import lru_cache

import regex

RULES = "1"
"""Version of the rules; increase it whenever results of `terms` change."""
LONGEST = 5
"""Number of letters of a word that are used."""

_PAIRS = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Hangul}"
_TRIPLES = r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_RUN = regex.compile(
    rf"(?P<pairs>[{_PAIRS}][{_PAIRS}\p{{M}}]*)|(?P<triples>[{_TRIPLES}][{_TRIPLES}\p{{M}}]*)"
    rf"|(?P<number>\p{{Nd}}+)|[[\p{{L}}\p{{M}}\p{{N}}]--[{_PAIRS}{_TRIPLES}\p{{Nd}}]]+",
    regex.VERSION1,
)
_PAIR = regex.compile(f"[{_PAIRS}]")
_MARKS = regex.compile(
    r"(?<=[\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}])\p{Mn}+", regex.VERSION1
)
_ARTICLE = "ال"
_SHORTEST_NOUN = 3
"""Minimum number of letters after the Arabic article."""
_SAME = {
    "ـ": None,  # tatweel
    "ى": "ي",
    "ی": "ي",
    "ة": "ه",
    "ک": "ك",
    "ٱ": "ا",
    "ς": "σ",
    "ı": "i",
    "\u200c": None,
    "\u200d": None,
    "\u00ad": None,
}


class _Folding(dict[int, str | None]):
    """A table for `str.translate` that is filled as characters come: digits become European."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = self[code] = str(unicodedata.decimal(character, character))
        return folded


_FOLDED = _Folding(str.maketrans(_SAME))


def terms(text: str) -> list[str]:
    """The terms of a text, in order, with repetitions.

    >>> terms("Die Brücken von 1894"), terms("東京タワー"), terms("الجسر ١٨٩٤")
    (['die', 'bruck', 'von', '1894'], ['東京', '京タ', 'タワ', 'ワー'], ['جسر', '1894'])
    """
    found: list[str] = []
    for run in _RUN.finditer(folded(text)):
        kind, piece = run.lastgroup, run[0]
        if kind is None:
            found.append(_beginning(piece))
        elif kind == "number":
            found.append(piece)
        else:
            size = 2 if kind == "pairs" else 3
            found += [piece[i : i + size] for i in range(max(1, len(piece) - size + 1))]
    return found


def is_pair(term: str) -> bool:
    """Whether a term is a bigram of Han, kana or Hangul, not a word."""
    return _PAIR.match(term) is not None


def folded(text: str) -> str:
    """Normalise a text: fold case, compatibility forms and diacritics; its length may change."""
    if text.isascii():
        return text.lower()
    bare = unicodedata.normalize("NFKD", text).casefold().translate(_FOLDED)
    return unicodedata.normalize("NFC", _MARKS.sub("", bare))


@lru_cache(maxsize=1 << 16)
def _beginning(word: str) -> str:
    if word.startswith(_ARTICLE) and len(word) >= len(_ARTICLE) + _SHORTEST_NOUN:
        word = word[len(_ARTICLE) :]
    return word[:LONGEST]
