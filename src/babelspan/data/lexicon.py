"""Bilingual dictionaries: two-column files, and how words are looked up in them.

A file is UTF-8 and named `[<source>.]<a>-<b>.tsv[.gz]`, where a and b are ISO 639-1 codes; each
line has a word or phrase in a, a tab, and one in b. It works in both directions. The first of
several translations is used. A third column may have the probability of the translation given the
word, and a fourth the number of links it was counted from, as `babelspan align --dictionary`
writes them. The search over a collection weights translations by them, and a reader with such
dictionaries glosses questions by them; other lookups ignore them. With four columns the second may
be empty: it counts occurrences of the word without any translation.
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
    """One direction of one or more dictionaries.

    Args:
        pairs: words and phrases with their translations; the first one of each is used.
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
        """Number of words in the longest entry; words are runs of letters and digits."""
        return max((len(re.findall(r"\w+", entry)) for entry in self._exact), default=0)

    @cached_property
    def most_characters(self) -> int:
        """Number of characters in the longest entry."""
        return max(map(len, self._exact), default=0)

    def __len__(self) -> int:
        """Return the number of words and phrases with translations."""
        return len(self._exact)

    def find(self, phrase: str, *, inflected: bool = False) -> Found | None:
        """Return the translation of a word or phrase, or None.

        It is looked up as written; then in lower case, or, if it has capitals, in any case, and the
        translation gets the case of the phrase; then, if `inflected`, as an inflected form of an
        entry (`babelspan.text.inflection`), unless it is in capitals. A phrase in lower case does
        not find `IT`.
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
    """Load the dictionaries for a direction from files and folders; a named file must fit.

    Args:
        paths: files for the language pair, in either order, and folders of dictionaries, which are
            read in the order of their names.
        source: ISO 639-1 code of the words.
        target: ISO 639-1 code of the translations.

    Raises:
        ConfigError: if a file is for other languages, or there is none for this pair.
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
        """Return the number of words and phrases with translations."""
        return len(self._found)

    def of(self, phrase: str) -> tuple[str, ...]:
        """Return the translations of a word or phrase, ignoring case, in dictionary order."""
        return self._found.get(" ".join(phrase.casefold().split()), ())


def load_links(path: Path) -> dict[str, dict[str, float]]:
    """Return the words of the first column with their translations and numbers of links.

    The translation "" has the number of times that a word had none.

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
    """Yield words, translations and weights, in dictionary order.

    A weight is the number of links of the entry, else its probability; 0 if it has neither.

    Args:
        files: files for the language pair, in either order.
        source: ISO 639-1 code of the words.

    Raises:
        DataError: if a file is broken.
    """
    for file in files:
        first, _ = languages_of(file) or ("", "")
        for word, translation, weight in _entries(file):
            yield (word, translation, weight) if first == source else (translation, word, weight)


def read_pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a file, in order.

    Raises:
        DataError: if a line does not have two non-empty columns (of four, the second may be empty;
            the line is then skipped), or a third is not a probability, or a fourth not a number.
    """
    return ((word, translation) for word, translation, _ in _entries(path))


def _entries(path: Path) -> Iterator[tuple[str, str, float]]:
    """Yield the pairs of a file with their weights, 0 for none; raises as `read_pairs`."""
    for word, translation, numbers in _rows(path):
        if translation:
            yield word, translation, float(numbers[-1]) if numbers else 0.0


def _rows(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the lines of a file as word, translation and numbers; raises as `read_pairs`."""
    for number, line in enumerate(read_text(path).removeprefix("\ufeff").split("\n"), 1):
        if not line or (line.isspace() and "\t" not in line):
            continue
        row = _ROW.fullmatch(line) or _ROW.fullmatch(_with_single_spaces(line))
        if row is None or not (row["translation"] or row["links"]):
            raise DataError(
                f"{path}: line {number}: expected a word, a tab and its translation, optionally a "
                f"tab and its probability, and a tab and its number of links, found {line[:80]!r}"
            )
        numbers = [found for found in row.group("probability", "links") if found is not None]
        yield row["word"], row["translation"], numbers


def _with_single_spaces(line: str) -> str:
    """A line without spaces around its columns, and with single ones inside."""
    return "\t".join(" ".join(column.split()) for column in line.split("\t"))


def languages_of(path: Path) -> tuple[str, str] | None:
    """Return the languages of a dictionary's columns, from its name; None for other files."""
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
                f"{path}: expected a dictionary between {source!r} and {target!r}, with a "
                f"name such as {source}-{target}.tsv or mine.{target}-{source}.tsv.gz"
            )


def _in_case_of(phrase: str, translation: str) -> str:
    """Return `translation` in capitals, or with an initial capital, if `phrase` has them."""
    if _is_capitals(phrase):
        return translation.upper()
    if phrase[:1].isupper():
        return translation[:1].upper() + translation[1:]
    return translation


def _is_capitals(phrase: str) -> bool:
    return len(phrase) > 1 and phrase.isupper()
