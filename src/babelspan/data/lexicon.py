"""Bilingual dictionaries: files of two columns, and how a word is looked up in them.

A file is UTF-8 and named `[<source>.]<a>-<b>.tsv[.gz]`, a and b being ISO 639-1 codes; each line
has a word or phrase of a, a tab, and one of b. It serves both directions. Of several translations
the first counts. A third column may have the probability of the translation given the word, and a
fourth the number of links that it was counted from, as `babelspan align --dictionary` writes them.
The search over a collection weighs translations by them, and a reader that has such dictionaries
glosses questions by them; other lookups take no notice. With four columns the second may be empty:
the word stood so often without any translation.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from babelspan.data.files import read_text
from babelspan.text.inflection import stems
from babelspan.types import ConfigError, DataError

_NAME = re.compile(r"(?:.+\.)?(?P<a>[a-z]{2,3})-(?P<b>[a-z]{2,3})\.tsv(?:\.gz)?")
_ROW = re.compile(
    r"(?P<word>\S+(?: \S+)*)\t(?P<translation>(?:\S+(?: \S+)*)?)"
    r"(?:\t(?P<probability>0(?:\.\d+)?|1(?:\.0+)?)(?:\t(?P<links>\d{1,15}(?:\.\d+)?))?)?"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A translation and the rule that found it: "exact", "case" or "inflection"."""

    text: str
    rule: str


class Lexicon:
    """One direction of one dictionary or several.

    Args:
        pairs: words and phrases with their translations; of several for one the first counts.
        language: ISO 639-1 code of the words and phrases.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], language: str) -> None:
        self._language = language
        self._exact: dict[str, str] = {}
        self._lower: dict[str, str] = {}
        for word, translation in pairs:
            self._exact.setdefault(word, translation)
            self._lower.setdefault(word.lower(), translation)

    @cached_property
    def most_words(self) -> int:
        """Number of words in the longest entry, separated by anything but letters and digits."""
        return max((len(re.findall(r"\w+", entry)) for entry in self._exact), default=0)

    @cached_property
    def most_characters(self) -> int:
        """Characters of the longest entry."""
        return max(map(len, self._exact), default=0)

    def __len__(self) -> int:
        """How many words and phrases there are translations of."""
        return len(self._exact)

    def find(self, phrase: str, *, inflected: bool = False) -> Found | None:
        """The translation of a word or phrase, or None.

        As it is written; else in small letters, or in any case if it has capitals itself, with the
        translation then in the case of the phrase; else, if `inflected`, as an inflected form of
        an entry (`babelspan.text.inflection`), unless it is in capitals. Small letters do not find
        `IT`.
        """
        if phrase in self._exact:
            return Found(self._exact[phrase], "exact")
        lower = phrase.lower()
        same = self._exact.get(lower) or (self._lower.get(lower) if phrase != lower else None)
        if same:
            return Found(_in_case_of(phrase, same), "case")
        for stem in stems(lower, self._language) if inflected and not _is_capitals(phrase) else []:
            if stem in self._exact:
                return Found(_in_case_of(phrase, self._exact[stem]), "inflection")
        return None


def load_lexicon(paths: Sequence[Path], *, source: str, target: str) -> Lexicon:
    """The dictionaries for a direction among files and folders; a file that is named must be one.

    Args:
        paths: files of the pair, either way round, and folders that hold some, which are taken in
            the order of their names.
        source: ISO 639-1 code of the words.
        target: ISO 639-1 code of the translations.

    Raises:
        ConfigError: if a file is for other languages, or there is none for these.
        DataError: if a file is broken, or none has an entry.
    """
    files = list(_files(paths, source, target))
    if not files:
        raise ConfigError(
            f"{', '.join(map(str, paths))}: found no dictionary between {source!r} and {target!r}; "
            f"expected a file such as {source}-{target}.tsv or {source}-{target}.tsv.gz"
        )
    entries = load_entries(files, source=source)
    lexicon = Lexicon(((word, translation) for word, translation, _ in entries), source)
    if not len(lexicon):
        raise DataError(f"{files[0]}: expected words with translations, found none")
    return lexicon


class Translations:
    """All translations of words and phrases, in one direction.

    Args:
        pairs: words and phrases with their translations.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        found: dict[str, dict[str, None]] = {}
        for phrase, translation in pairs:
            found.setdefault(phrase.casefold(), {})[translation] = None
        self._found = {phrase: tuple(of_phrase) for phrase, of_phrase in found.items()}

    def __len__(self) -> int:
        """How many words and phrases there are translations of."""
        return len(self._found)

    def of(self, phrase: str) -> tuple[str, ...]:
        """The translations of a word or phrase in any case, in the order of the dictionaries."""
        return self._found.get(" ".join(phrase.casefold().split()), ())


def load_links(path: Path) -> dict[str, dict[str, float]]:
    """Words of the first column, their translations and the number of links between them.

    "" among the translations has the number of times that a word had none.

    Raises:
        DataError: if the file is broken, or an entry has no number of links.
    """
    found: dict[str, dict[str, float]] = {}
    for word, translation, numbers in _rows(path):
        if len(numbers) != 2:
            raise DataError(
                f"{path}: expected a number of links for each entry, found none for {word!r}"
            )
        found.setdefault(word, {})[translation] = float(numbers[1])
    return found


def load_entries(files: Sequence[Path], *, source: str) -> Iterator[tuple[str, str, float]]:
    """Words, their translations and weights, in the order of the dictionaries.

    A weight is the number of links of the entry, or else its probability; 0 if it has neither.

    Args:
        files: of the pair, either way round.
        source: ISO 639-1 code of the words.

    Raises:
        DataError: if a file is broken.
    """
    for file in files:
        first, _ = languages_of(file) or ("", "")
        for word, translation, weight in _entries(file):
            yield (word, translation, weight) if first == source else (translation, word, weight)


def read_pairs(path: Path) -> Iterator[tuple[str, str]]:
    """The pairs of a file, in order.

    Raises:
        DataError: if a line has not two columns with something in them (of four, the second may
            be empty: it is left out), or a third is no probability, or a fourth no number of links.
    """
    return ((word, translation) for word, translation, _ in _entries(path))


def _entries(path: Path) -> Iterator[tuple[str, str, float]]:
    """The pairs of a file, in order, with their weights, 0 for none; errors as in `read_pairs`."""
    for word, translation, numbers in _rows(path):
        if translation:
            yield word, translation, float(numbers[-1]) if numbers else 0.0


def _rows(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """The lines of a file as words, translations and numbers; errors as in `read_pairs`."""
    for number, line in enumerate(read_text(path).removeprefix("\ufeff").split("\n"), 1):
        if not line or (line.isspace() and "\t" not in line):
            continue
        row = _ROW.fullmatch(line) or _ROW.fullmatch(_with_single_spaces(line))
        if row is None or not (row["translation"] or row["links"]):
            raise DataError(
                f"{path}: line {number}: expected a word, a tab and its translation, perhaps with "
                f"a tab and its probability, and a tab and its number of links, found {line[:80]!r}"
            )
        numbers = [found for found in row.group("probability", "links") if found is not None]
        yield row["word"], row["translation"], numbers


def _with_single_spaces(line: str) -> str:
    """A line without spaces around its columns, and with single ones inside."""
    return "\t".join(" ".join(column.split()) for column in line.split("\t"))


def languages_of(path: Path) -> tuple[str, str] | None:
    """The languages of the columns of a dictionary by its name, or None for another file."""
    found = _NAME.fullmatch(path.name)
    return (found["a"], found["b"]) if found else None


def _files(paths: Sequence[Path], source: str, target: str) -> Iterator[Path]:
    wanted = {source, target}
    for path in paths:
        if path.is_dir():
            yield from (p for p in sorted(path.iterdir()) if set(languages_of(p) or ()) == wanted)
        elif set(languages_of(path) or ()) == wanted:
            yield path
        else:
            raise ConfigError(
                f"{path}: expected a dictionary between {source!r} and {target!r} by its name, "
                f"such as {source}-{target}.tsv or mine.{target}-{source}.tsv.gz"
            )


def _in_case_of(phrase: str, translation: str) -> str:
    """`translation` in capitals, or with a first one, as `phrase` is."""
    if _is_capitals(phrase):
        return translation.upper()
    if phrase[:1].isupper():
        return translation[:1].upper() + translation[1:]
    return translation


def _is_capitals(phrase: str) -> bool:
    return len(phrase) > 1 and phrase.isupper()
