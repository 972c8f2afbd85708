"""Names by their sound: keys that one name has in several scripts (extra `index`).

A key is a word in Latin letters without its vowels, its first five consonants; letters that scripts
write for each other are one. Of Chinese characters, and of scripts without spaces but kana, there
is none.
"""

from functools import lru_cache

import regex

from babelspan.text.languages import UNSPACED_SCRIPTS
from babelspan.text.terms import folded

RULES = "1"
"""Changes with every change of what `sounds` gives."""
MARK = "~"
"""Stands before every key, so that keys and terms can be in one list."""

_WORD = regex.compile(
    rf"[\p{{Katakana}}ー]+|[\p{{Hangul}}]+|[[\p{{L}}\p{{M}}]--[{UNSPACED_SCRIPTS}\p{{Hangul}}]]+",
    regex.VERSION1,
)
_LONGEST = 5
_SHORTEST = 3
_SILENT = regex.compile("[^bcdfghjklmnpqrstvxz]+")
_ONE_SOUND = (("ph", "f"), ("ck", "k"), ("c", "k"), ("q", "k"), ("x", "ks"), ("z", "s"))
_OTHER = str.maketrans({"v": "b", "f": "b", "p": "b", "j": "g", "d": "t", "l": "r", "h": None})
_TWICE = regex.compile(r"(.)\1+")


def sounds(text: str) -> list[str]:
    """The keys of the words of a text, each behind `MARK`, in order.

    >>> sounds("Merkel"), sounds("Меркель"), sounds("메르켈"), sounds("メルケル")
    (['~mrkr'], ['~mrkr'], ['~mrkr'], ['~mrkr'])
    """
    found = (_key(word[0]) for word in _WORD.finditer(folded(text)))
    return [key for key in found if key]


@lru_cache(maxsize=1 << 16)
def _key(word: str) -> str:
    from anyascii import anyascii

    letters = anyascii(word).lower()
    for written, sound in _ONE_SOUND:
        letters = letters.replace(written, sound)
    skeleton = _TWICE.sub(r"\1", _SILENT.sub("", letters).translate(_OTHER))
    return f"{MARK}{skeleton[:_LONGEST]}" if len(skeleton) >= _SHORTEST else ""
