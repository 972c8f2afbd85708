"""The words of a text, as evidence for the translation of a question about it.

A question mostly asks with words that stand in its text. Of the likely translations of a word, the
one that the text contains is therefore usually right; and a name that no dictionary lists is
usually the word of the text that sounds like it.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cached_property
from itertools import islice
from math import ceil

import regex

from babelspan.reading.forms import (
    LONGER,
    PREFIXES,
    SAME,
    SHARE,
    beginning,
    without_vowel_signs,
)
from babelspan.text.languages import UNSPACED_SCRIPTS, is_spaced
from babelspan.text.scripts import script_of
from babelspan.text.sounds import (
    chinese_name,
    consonants,
    in_latin,
    pinyin,
    spoken,
    syllables,
)
from babelspan.text.terms import folded
from babelspan.text.words import spaced_words

MOST_SEEN = 50_000
"""Number of characters of a text that are worth searching for words."""
LIKELY = 0.05
"""Minimum weight of a translation that is chosen because the text has it, as a fraction of the
weight of the most likely one."""
LIKELY_DROPPED = 0.2
"""The same for a word that would be dropped otherwise."""
_TRIED = 12
"""Number of translations tried, the most likely first."""
_SHORTEST = 3
"""Minimum letters of a translation that is preferred to a more likely one: shorter words are often
of grammar, and stand in any text."""
_SHORTEST_EAST_ASIAN = 2
"""The same for Korean and for scripts without spaces."""
_SHORTEST_NAME = 4
"""Minimum letters of a word that stays because the text has it, though it has translations."""
_LONGEST_NAME = 40
"""Maximum letters of a word that is compared by its sound."""
_MOST_NAMES = 1_000
"""Maximum number of words of a text that are looked for in a Chinese question."""
_MOST_ALIKE = 100
"""Maximum number of words of a text that are compared with one of the question."""
_ALIKE = 0.6
"""Minimum similarity of two names in Latin transliteration (`difflib`)."""
_SOUNDS = 3
"""Minimum consonants of a name in another script."""
_CERTAIN_SOUNDS = 4
"""The same for a name in the same script."""
_SURE_SOUNDS = 5
"""The same for a word that the text never writes with a capital, though its script has them."""
_WITH_CAPITALS = {"Latin", "Cyrillic", "Greek", "Armenian"}
_HANGUL = regex.compile(r"\p{Hangul}+")
_RUN = regex.compile(
    rf"[\p{{Katakana}}ー]{{2,}}|[[\p{{L}}\p{{N}}]--[{UNSPACED_SCRIPTS}]]+", regex.VERSION1
)
"""Words that stand out in a script without spaces: names in katakana, and other scripts."""
_DIGIT = regex.compile(r"\d")
_NUMBER = regex.compile(r"\d+")
_UNSPACED = regex.compile(rf"[{UNSPACED_SCRIPTS}]")
_POSSESSIVE = regex.compile(r"['’]s?$")


class TextWords:
    """The words of a text. Threads can share it.

    Args:
        text: any text; `MOST_SEEN` characters of it are used.
        language: ISO 639-1 code of the text.
    """

    def __init__(self, text: str, language: str) -> None:
        seen = without_vowel_signs(unicodedata.normalize("NFKC", text[:MOST_SEEN]))
        self._language = language
        self._text = seen.lower()
        self._is_spaced = is_spaced(language)
        found = spaced_words(seen, language) if self._is_spaced else _RUN.findall(seen)
        if language == "en":
            found += [_POSSESSIVE.sub("", word) for word in found if _POSSESSIVE.search(word)]
        self._known = frozenset(map(str.lower, found))
        self._words = sorted(self._known)
        self._capital = frozenset(word.lower() for word in found if word[0].isupper())

    def __contains__(self, word: str) -> bool:
        """Whether the text has a lower-case word as it is."""
        if not self._is_spaced and _UNSPACED.match(word):
            return word in self._text
        return word in self._known

    def translation(self, word: str, options: Mapping[str, float], chosen: str) -> str:
        """The translation of a word that suits the text best; "" if the word is dropped.

        A name that the text has as it is stays, and a number, with the digits of the text. Next
        come the most likely translation that the text has, in the form it has there; the word of
        the text that sounds like a word without translations; and the chosen translation, or the
        word.

        Args:
            word: a word of a question, in lower case.
            options: its translations with weights, which may be empty; "" means none.
            chosen: the one to return if the text has none that is likely enough.
        """
        if _DIGIT.search(word):
            number = self._numbers.get(folded(word)) if _NUMBER.fullmatch(word) else None
            return number or (self._preferred(options, word) if options else word)
        if word in self._known and (not options or self._is_name(word)):
            return word
        return self._preferred(options, chosen) if options else self._sounding(word) or word

    def _is_name(self, word: str) -> bool:
        """Whether a word of the text is likely a name, not a word that only looks the same."""
        has_capitals = script_of(word[0]) in _WITH_CAPITALS
        return len(word) >= _SHORTEST_NAME and (word in self._capital or not has_capitals)

    def _preferred(self, options: Mapping[str, float], chosen: str) -> str:
        """The most likely translation that the text has, in the form it has there, or the chosen.

        A word that is dropped (chosen "") comes back only for a translation of some weight.
        """
        best = sorted(options, key=options.__getitem__, reverse=True)[:_TRIED]
        least = (LIKELY if chosen else LIKELY_DROPPED) * options[best[0]]
        for option in filter(None, best):
            if options[option] < least:
                break
            if option == chosen or len(option) >= self._shortest(option):
                form = self._form_of(option)
                if form:
                    return form
        return chosen

    def _shortest(self, option: str) -> int:
        is_longer = self._is_spaced and not _HANGUL.fullmatch(option)
        return _SHORTEST if is_longer else _SHORTEST_EAST_ASIAN

    def with_names(self, words: Sequence[str], known: Container[str]) -> list[str]:
        """The words of a Chinese question with names as the words of the text that sound alike.

        A name that the dictionary does not have is cut into several words, which have nothing to do
        with it.

        Args:
            words: the words of the question.
            known: words of the text's language with translations, which are no names to look for.
        """
        heard = syllables(words)
        found = (
            (_likeness(pinyin("".join(words[start:end])), in_latin(word)), start, end, word)
            for word, sound in self._names
            if word not in known
            for start, end in spoken(sound, heard)
        )
        came = list(words)
        taken: set[int] = set()
        for likeness, start, end, word in sorted(islice(found, _MOST_ALIKE), reverse=True):
            if likeness >= _ALIKE and taken.isdisjoint(range(start, end)):
                taken |= {*range(start, end)}
                came[start:end] = [word] + [""] * (end - start - 1)
        return list(filter(None, came))

    def _sounding(self, word: str) -> str:
        """The word of the text that sounds like a name or loan word in any script, or ""."""
        script = script_of(word[0])
        sound = consonants(word) if len(word) <= _LONGEST_NAME and script != "Han" else ""
        if len(sound) < _SOUNDS:
            return ""
        latin = in_latin(word)
        near = (
            other
            for key in self._sounds_near(sound)
            for other in self._by_sound[key]
            if self._may_be_named(other, sound, is_same=script_of(other[0]) == script)
        )
        alike = {other: _likeness(latin, in_latin(other)) for other in islice(near, _MOST_ALIKE)}
        if self._language == "zh":
            places = islice(spoken(chinese_name(word), self._heard), _MOST_ALIKE)
            spans = {self._text[start:end] for start, end in places}
            alike |= {span: _likeness(latin, pinyin(span)) for span in spans}
        best = max(sorted(alike), key=alike.__getitem__, default="")
        return best if best and alike[best] >= _ALIKE else ""

    def _sounds_near(self, sound: str) -> list[str]:
        """The same consonants if the text has them, else those with one more or less at the end."""
        if sound in self._by_sound or len(sound) < _CERTAIN_SOUNDS:
            return [sound] if sound in self._by_sound else []
        longer = [key for key in self._by_sound if key[:-1] == sound]
        return [*longer, sound[:-1]] if sound[:-1] in self._by_sound else longer

    def _may_be_named(self, word: str, sound: str, *, is_same: bool) -> bool:
        """Whether a word of the text may be a name in a question, which has these consonants."""
        is_small = script_of(word[0]) in _WITH_CAPITALS and word not in self._capital
        least = _SURE_SOUNDS if is_small else _CERTAIN_SOUNDS if is_same else _SOUNDS
        return len(sound) >= least

    @cached_property
    def _numbers(self) -> Mapping[str, str]:
        """The numbers of the text, by their European digits."""
        return {folded(word): word for word in self._words if _NUMBER.fullmatch(word)}

    @cached_property
    def _heard(self) -> list[str | None]:
        return syllables(self._text)

    @cached_property
    def _names(self) -> list[tuple[str, str]]:
        """The words of the text that may be names, with the sound that they have in Chinese."""
        found = []
        for word in self._nameable():
            script = script_of(word[0])
            if word in self._capital or script == "Katakana":
                least = _SOUNDS
            elif script in _WITH_CAPITALS or script in ("", "Han"):
                continue
            else:
                least = _CERTAIN_SOUNDS
            sound = chinese_name(word)
            if len(sound) >= least:
                found.append((word, sound))
        return found[:_MOST_NAMES]

    @cached_property
    def _by_sound(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for word in self._nameable():
            sound = consonants(word)
            if len(sound) >= _SOUNDS:
                found[sound].append(word)
        return found

    def _nameable(self) -> Iterator[str]:
        """Yield the words of the text that are compared by their sound."""
        return (
            word
            for word in self._words
            if len(word) <= _LONGEST_NAME
            and not (self._language == "en" and _POSSESSIVE.search(word))
        )

    def _form_of(self, word: str) -> str:
        """The form in which the text has a word, or ""."""
        if word in self:
            return word
        if " " in word:
            return word if word in self._text else ""
        if not self._is_spaced or _DIGIT.search(word):
            return ""
        for prefix in PREFIXES.get(self._language, ()):
            if len(word) > 1 and prefix + word in self._known:
                return prefix + word
        is_hangul = _HANGUL.fullmatch(word)
        # The last syllable of a Korean word may be a particle.
        least = len(word) - 1 if is_hangul else max(SAME, ceil(SHARE * len(word)))
        for end in range(len(word), max(least, _SHORTEST_EAST_ASIAN) - 1, -1):
            share = 0.0 if is_hangul or end == len(word) else SHARE
            for form in beginning(self._words, word[:end]):
                if len(form) <= end + LONGER and end >= share * len(form):
                    return form
        return ""


def _likeness(one: str, other: str) -> float:
    """The similarity of two words in Latin letters, from 0 to 1."""
    return SequenceMatcher(None, one, other).ratio()
