"""A question as groups of alternatives, one group per word, in its own or another language."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from babelspan.data.lexicon import Translations, languages_of, load_entries
from babelspan.retrieval.likely import Key, Likely, key_of
from babelspan.seams import Group, Translator
from babelspan.text.inflection import stems
from babelspan.text.sounds import sounds
from babelspan.text.terms import terms
from babelspan.text.words import lexical_words, words
from babelspan.types import ConfigError, Span

MOST = 30
"""Maximum number of alternatives of a word."""
_MOST_BY_WAY = 8
"""Maximum number of translations into English, and of each of these, without direct dictionary."""
_LISTED = 0.3
"""Weight of a translation without probability if others have one."""
_POWER = 0.5
"""Exponent of a translation's probability relative to the most likely one."""
_LONGEST_RUN = 3
"""Maximum number of words looked up together."""
_ENGLISH = "en"


def own_groups(question: str) -> list[Group]:
    """Return a group for each term of a question, untranslated."""
    counted: dict[str, int] = {}
    for term in terms(question):
        counted[term] = counted.get(term, 0) + 1
    return [Group(((term,),), count) for term, count in counted.items()]


class Dictionaries:
    """Alternatives from dictionaries, via English if there is no direct one.

    All translations of a word form one group, so that a word with many translations counts no more
    than others (Pirkola 1998, *The effects of query structure and dictionary setups in
    dictionary-based cross-language information retrieval*). If a dictionary has weights, an
    unlikely translation counts less (`retrieval.likely`). A word without translation is searched
    as it is, together with words that sound like it.

    Args:
        paths: files and folders, as in `data.lexicon`; none to use sounds only.
    """

    def __init__(self, paths: Sequence[Path] = ()) -> None:
        self._paths = list(paths)
        self._pairs = {
            frozenset(pair)
            for path in paths
            for file in (sorted(path.iterdir()) if path.is_dir() else [path])
            if (pair := languages_of(file))
        }
        missing = [path for path in paths if not path.exists()]
        if missing:
            raise ConfigError(f"{missing[0]}: expected a dictionary or a folder of dictionaries")
        unnamed = [path for path in paths if not path.is_dir() and not languages_of(path)]
        if unnamed:
            raise ConfigError(
                f"{unnamed[0]}: expected a dictionary name with both languages, such as "
                "en-de.tsv.gz; rename it"
            )
        self._loaded = lru_cache(maxsize=32)(self._load)

    def groups(self, question: str, *, source: str, target: str) -> list[Group]:
        """Return the groups; see `seams.Alternatives.groups`."""
        found = []
        places = _words(question, source)
        first = 0
        while first < len(places):
            for last in range(min(first + _LONGEST_RUN, len(places)), first, -1):
                phrase = question[places[first].start : places[last - 1].end]
                listed = self._translations(phrase, source, target, is_one=last == first + 1)
                likely = self._likely(key_of(phrase), source, target)
                if listed or likely or last == first + 1:
                    break
            found.append(_group(phrase, listed, likely))
            first = last
        return [group for group in found if group.alternatives]

    def _translations(self, phrase: str, source: str, target: str, *, is_one: bool) -> list[str]:
        """Return all translations of a phrase; for a single word, also those of its base forms."""
        if frozenset((source, target)) in self._pairs:
            return self._direct(phrase, source, target, is_one=is_one)
        if _ENGLISH in (source, target):
            return []
        english = self._direct(phrase, source, _ENGLISH, is_one=is_one)[:_MOST_BY_WAY]
        found = [self._direct(e, _ENGLISH, target, is_one=False)[:_MOST_BY_WAY] for e in english]
        return list(dict.fromkeys(t for of_one in found for t in of_one))

    def _direct(self, phrase: str, source: str, target: str, *, is_one: bool) -> list[str]:
        if frozenset((source, target)) not in self._pairs:
            return []
        dictionary, _ = self._loaded(source, target)
        found = dictionary.of(phrase)
        if not found and is_one:
            bases = (dictionary.of(stem) for stem in stems(phrase.lower(), source))
            found = next((f for f in bases if f), ())
        return list(found)

    def _likely(self, key: Key, source: str, target: str) -> Mapping[Key, float]:
        """Return the translations that have a weight, with their probabilities."""
        if frozenset((source, target)) in self._pairs:
            _, direct = self._loaded(source, target)
            return direct.of(key)
        ways = frozenset((source, _ENGLISH)), frozenset((_ENGLISH, target))
        if _ENGLISH in (source, target) or not self._pairs.issuperset(ways):
            return {}
        (_, first), (_, second) = self._loaded(source, _ENGLISH), self._loaded(_ENGLISH, target)
        return first.through(key, second)

    def _load(self, source: str, target: str) -> tuple[Translations, Likely]:
        """Return the translations without weight, and those with one; each file is read once."""
        entries = list(load_entries(self._files(source, target), source=source))
        listed = Translations((word, other) for word, other, weight in entries if not weight)
        return listed, Likely(entry for entry in entries if entry[2])

    def _files(self, source: str, target: str) -> list[Path]:
        return [
            file
            for path in self._paths
            for file in (sorted(path.iterdir()) if path.is_dir() else [path])
            if set(languages_of(file) or ()) == {source, target}
        ]


class Translated:
    """A single alternative: the translation of the whole question.

    Args:
        translator: the translator; for languages that it lacks, there are no alternatives.
    """

    def __init__(self, translator: Translator) -> None:
        self._translator = translator

    def groups(self, question: str, *, source: str, target: str) -> list[Group]:
        """Return the groups; see `seams.Alternatives.groups`."""
        try:
            (came,) = self._translator.translate([question], source=source, target=target)
        except ConfigError:
            return []
        return own_groups(came)


def _group(phrase: str, listed: Sequence[str], likely: Mapping[Key, float]) -> Group:
    """Return the alternatives of a phrase, including itself, highest weight first.

    Args:
        phrase: one or more words.
        listed: its translations without weights.
        likely: other translations, with their probabilities.
    """
    most = max(likely.values(), default=1.0)
    shares = {key: (probability / most) ** _POWER for key, probability in likely.items()}
    for key in map(key_of, listed):
        shares[key] = max(shares.get(key, 0.0), _LISTED if likely else 1.0)
    if not shares:
        shares = {(key,): 1.0 for key in sounds(phrase)}
    shares = {key_of(phrase): 1.0, **shares}
    shares[key_of(phrase)] = 1.0
    shares.pop((), None)
    best = sorted(shares.items(), key=lambda item: -item[1])[:MOST]
    return Group(tuple(key for key, _ in best), shares=tuple(share for _, share in best))


def _words(question: str, language: str) -> list[Span]:
    try:
        return lexical_words(question, language)
    except ConfigError:  # without ICU, which segments unspaced scripts, use single terms
        return words(question, language)
