"""Phonetic keys of names, which are equal across scripts.

The key of a word is the first five consonants of its Latin transliteration; letters that are often
exchanged between scripts are merged. There are no keys for Chinese characters and for scripts
without spaces except kana; `spoken` finds a name among Chinese characters.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import regex
from anyascii import anyascii

from babelspan.text.languages import UNSPACED_SCRIPTS
from babelspan.text.terms import folded

RULES = "2"
"""Version of the rules; increase it whenever results of `sounds` or `likely_sounds` change."""
MARK = "~"
"""Prefix of every key, so that keys and terms can be in one list."""

_WORD = regex.compile(
    rf"[\p{{Katakana}}ー]+|[\p{{Hangul}}]+|[[\p{{L}}\p{{M}}]--[{UNSPACED_SCRIPTS}\p{{Hangul}}]]+",
    regex.VERSION1,
)
_ANY_WORD = regex.compile(r"[\p{L}\p{M}]+")
_NO_CAPITALS = regex.compile(r"\p{Georgian}")
"""A script whose letters are lower case in Unicode, but that writes names with them."""
_HAN = regex.compile(r"\p{Han}+")
_C = regex.compile("c(?!h)")
_LONGEST_CHINESE = 8
"""Maximum number of parts of a name in Chinese."""
_LONGEST = 5
_SHORTEST = 3
_SILENT = regex.compile("[^bcdfghjklmnpqrstvxz]+")
_ONE_SOUND = (("ph", "f"), ("ck", "k"), ("c", "k"), ("q", "k"), ("x", "ks"), ("z", "s"))
_OTHER = str.maketrans({"v": "b", "f": "b", "p": "b", "j": "g", "d": "t", "l": "r", "h": None})
_TWICE = regex.compile(r"(.)\1+")


def sounds(text: str) -> list[str]:
    """The keys of the words of a text, each with the prefix `MARK`, in order.

    >>> sounds("Merkel"), sounds("Меркель"), sounds("메르켈"), sounds("メルケル")
    (['~mrkr'], ['~mrkr'], ['~mrkr'], ['~mrkr'])
    """
    found = (_key(word[0]) for word in _WORD.finditer(folded(text)))
    return [key for key in found if key]


def likely_sounds(text: str) -> list[str]:
    """The keys of words that may be names or loan words; a search needs only these.

    In scripts with capitals, a word in lower case must have five consonants.

    >>> likely_sounds("der Protestant Tucher sagte"), likely_sounds("der protestant tucher")
    (['~brtst', '~tkr'], ['~brtst'])
    """
    small: list[str] = []
    others: list[str] = []
    for match in _ANY_WORD.finditer(text):
        word = match[0]
        is_small = word.islower() and not _NO_CAPITALS.match(word)
        (small if is_small else others).append(word)
    long = (key for key in sounds(" ".join(small)) if len(key) > _LONGEST)
    return [*sounds(" ".join(others)), *long]


def in_latin(word: str) -> str:
    """The Latin transliteration of a word, in lower case.

    >>> in_latin("Меркель")
    'merkel'
    """
    return anyascii(word).lower().replace("'", "")


@lru_cache(maxsize=1 << 16)
def consonants(word: str) -> str:
    """The consonants of the Latin transliteration of a word, similar ones merged.

    >>> consonants("Tiffany"), consonants("тиффани")
    ('tbn', 'tbn')
    """
    letters = in_latin(word)
    for written, sound in _ONE_SOUND:
        letters = letters.replace(written, sound)
    return _TWICE.sub(r"\1", _SILENT.sub("", letters).translate(_OTHER))


def chinese_name(name: str) -> str:
    """The consonants by which a name may be written with Chinese characters."""
    return consonants(_without_ng(in_latin(name)))


def syllables(parts: Iterable[str]) -> list[str | None]:
    """The consonants of each part of a text; None for a part that is not in Chinese characters."""
    return [consonants(pinyin(part)) if _HAN.fullmatch(part) else None for part in parts]


def spoken(sound: str, heard: Sequence[str | None]) -> Iterator[tuple[int, int]]:
    """Yield first and last (exclusive) of the parts of a text that have the sound of a name.

    Several may overlap, since some characters have no consonant. A single part is left out.

    Args:
        sound: `chinese_name` of the name.
        heard: `syllables` of the parts of the text, such as its characters.

    >>> list(spoken(chinese_name("Macedonia"), syllables("北馬其頓在哪")))
    [(1, 4)]
    """
    for start, first in enumerate(heard):
        if first is None or not sound.startswith(first):
            continue
        so_far = ""
        for end, syllable in enumerate(heard[start : start + _LONGEST_CHINESE], start + 1):
            if syllable is None:
                break
            so_far += syllable[1:] if syllable and so_far.endswith(syllable[0]) else syllable
            if not sound.startswith(so_far):
                break
            if so_far == sound and end > start + 1:
                yield start, end


def pinyin(characters: str) -> str:
    """The sounds of Chinese characters in Latin letters, as names use them.

    >>> pinyin("西宁")
    'sinin'
    """
    return "".join(map(_pinyin_of, characters))


@lru_cache(maxsize=1 << 14)
def _pinyin_of(character: str) -> str:
    latin = _without_ng(in_latin(character))
    return _C.sub("ts", latin.replace("zh", "j").replace("x", "s"))


def _without_ng(latin: str) -> str:
    return latin.replace("ng", "n")


@lru_cache(maxsize=1 << 16)
def _key(word: str) -> str:
    skeleton = consonants(word)
    return f"{MARK}{skeleton[:_LONGEST]}" if len(skeleton) >= _SHORTEST else ""
