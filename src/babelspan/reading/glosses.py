"""Word-by-word translation of questions, from dictionaries with link counts.

The translation of a word is the most likely one by link counts, through English if neither language
is English: P(target | source) is the sum over English words e of P(e | source) P(target | e), each
a relative frequency of links. A translation that the text has comes first (`reading.in_text`).
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Mapping
from functools import lru_cache

import regex

from babelspan.reading.forms import Forms
from babelspan.reading.in_text import MOST_SEEN, TextWords
from babelspan.text.languages import UNSPACED_SCRIPTS, is_spaced
from babelspan.text.scripts import script_of
from babelspan.text.words import spaced_words

ENGLISH = "en"
CHINESE = "zh"
Links = Mapping[str, Mapping[str, float]]
"""Words, their translations and the number of links between them; "" means no translation."""
Choose = Callable[[Mapping[str, float]], str]

_UNSPACED = regex.compile(rf"[{UNSPACED_SCRIPTS}]")
_KATAKANA = r"\p{Katakana}ー"
_RUN = regex.compile(
    rf"(?P<katakana>[{_KATAKANA}]+)"
    rf"|(?P<unspaced>[{UNSPACED_SCRIPTS}--{_KATAKANA}][{UNSPACED_SCRIPTS}\p{{M}}--{_KATAKANA}]*)"
    rf"|[\p{{L}}\p{{N}}\p{{M}}--{UNSPACED_SCRIPTS}]+",
    regex.VERSION1,
)
LEAST_CHANGED = 0.4
"""Minimum fraction of the words of a question that must change."""
_LONGEST = 12
"""Maximum length in characters of a word in a script without spaces."""
_SHORTEST_KATAKANA = 3
"""Minimum length of a katakana word in a longer run: shorter ones are pieces of foreign names."""


def most_likely(options: Mapping[str, float]) -> str:
    """The translation with the most links; the first of several."""
    return max(options, key=lambda word: options[word])


class Glosses:
    """Word-by-word translations of questions. Threads can share it.

    Args:
        languages: ISO 639-1 codes of the languages with links to English.
        links: returns the links of English words to a language.
    """

    def __init__(self, languages: Collection[str], links: Callable[[str], Links]) -> None:
        self.languages = frozenset({*languages, ENGLISH})
        read = lru_cache(maxsize=None)(links)
        self._back = lru_cache(maxsize=None)(lambda language: inverted(read(language)))
        self._to = lru_cache(maxsize=None)(lambda language: Forms(read(language), ENGLISH))
        self._from = lru_cache(maxsize=None)(lambda language: Forms(self._back(language), language))
        self._options = lru_cache(maxsize=100_000)(self._looked_up)
        self._text_words = lru_cache(maxsize=32)(TextWords)

    def gloss(
        self,
        question: str,
        *,
        source: str,
        target: str,
        text: str = "",
        choose: Choose = most_likely,
    ) -> str:
        """Translate a question word by word; words without links stay, others may be dropped.

        Args:
            question: the question, in the language `source`.
            source: a code in `languages`.
            target: another code in `languages`.
            text: the text that the question is about; its words are preferred translations.
            choose: picks one of the weighted translations of a word.

        Returns:
            The translation, or "" if the fraction of words that changed is below `LEAST_CHANGED`:
            the question may then be in another language.
        """
        seen = self._text_words(text[:MOST_SEEN], target)
        words = self.words(question, source, target, seen)
        options = [self._options(word, source, target) for word in words]
        came = [
            seen.translation(word, of, choose(of) if of else word)
            for word, of in zip(words, options, strict=True)
        ]
        changed = sum(map(_is_changed, words, came, options))
        if changed < LEAST_CHANGED * len(words):
            return ""
        return _joined(list(filter(None, came)), spaced=is_spaced(target))

    def options(self, word: str, source: str, target: str) -> Mapping[str, float]:
        """The translations of a lower-case word with weights; "" means none."""
        return self._options(word, source, target)

    def words(self, question: str, source: str, target: str, seen: TextWords) -> list[str]:
        """The lower-case words of a question, and its phrases that the dictionary has.

        Args:
            question: a question in the language `source`.
            source: a code in `languages`.
            target: another code in `languages`, that of the text.
            seen: the words of the text, for names in a Chinese question.
        """
        words = self._cut_into_words(question, source)
        if source == CHINESE:
            known = self._to(source) if target == ENGLISH else self._back(target)
            return seen.with_names(words, known)
        return _with_phrases(words, self._to(target)) if source == ENGLISH else words

    def _cut_into_words(self, question: str, language: str) -> list[str]:
        """Lower-case words; scripts without spaces are segmented by greedy longest match.

        A run of katakana that is not wholly made of known words stays whole.
        """
        text = unicodedata.normalize("NFKC", question).lower()
        if is_spaced(language):
            return spaced_words(text, language)
        known = self._back(language)
        found: list[str] = []
        for match in _RUN.finditer(text):
            run = match[0]
            if match["unspaced"]:
                found += _cut(run, known)
            elif match["katakana"]:
                words = _cut(run, known)
                is_known = all(w in known and len(w) >= _SHORTEST_KATAKANA for w in words)
                found += words if is_known else [run]
            else:
                found.append(run)
        return found

    def _looked_up(self, word: str, source: str, target: str) -> Mapping[str, float]:
        english = {word: 1.0} if source == ENGLISH else self._from_of(word, source)
        if target == ENGLISH:
            return english
        onward = self._to(target)
        found: dict[str, float] = defaultdict(float)
        for middle, weight in english.items():
            options = onward.of(middle)
            total = sum(options.values())
            for other, more in options.items():
                found[other] += weight * more / total
        return found

    def _from_of(self, word: str, source: str) -> Mapping[str, float]:
        """The English words of a foreign one; where words are cut by the dictionary, as it is."""
        if is_spaced(source):
            return self._from(source).of(word)
        return self._back(source).get(word, {})


def _is_changed(word: str, came: str, options: Mapping[str, float]) -> bool:
    """Whether a word was translated, or written in another script.

    A word that only sounds like one of the text's says nothing about the language of the question.
    """
    is_translated = bool(options) or script_of(word[:1]) != script_of(came[:1])
    return word != came and is_translated


def _with_phrases(words: list[str], known: Container[str]) -> list[str]:
    """Join two words that are a known phrase, such as "how many"."""
    found: list[str] = []
    for word in words:
        phrase = f"{found[-1]} {word}" if found else word
        if found and phrase in known:
            found[-1] = phrase
        else:
            found.append(word)
    return found


def _cut(run: str, known: Collection[str]) -> list[str]:
    """Cut a run of characters into the longest known words, from the left."""
    found: list[str] = []
    at = 0
    while at < len(run):
        ends = range(min(at + _LONGEST, len(run)), at + 1, -1)
        end = next((end for end in ends if run[at:end] in known), at + 1)
        found.append(run[at:end])
        at = end
    return found


def inverted(links: Links) -> Links:
    """Invert links: the English words of each foreign word, with their link counts."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for english, options in links.items():
        for foreign, weight in options.items():
            if foreign:
                found[foreign][english] = weight
    return found


def _joined(words: list[str], *, spaced: bool) -> str:
    """Join words, without spaces between words of scripts that have none."""
    text = words[0] if words else ""
    for word in words[1:]:
        joins = not spaced and _UNSPACED.match(word) and _UNSPACED.match(text[-1])
        text += word if joins else f" {word}"
    return text
