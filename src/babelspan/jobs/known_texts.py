"""Texts of several languages, and what links them to the languages that an encoder knows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babelspan.data import lexicon
from babelspan.data.files import checksum
from babelspan.data.folder import DataFile
from babelspan.jobs import corpora
from babelspan.jobs.corpora import Paths
from babelspan.types import ConfigError, DataError

LINES = 60_000
"""Maximum number of lines to read of one language, evenly spread over its texts."""

_Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTexts:
    """Texts, sentence pairs and dictionaries, by file.

    Attributes:
        files: files of texts ("passages") and of sentence pairs ("bitext").
        lexicons: dictionaries.
        known: languages that the encoder knows.
    """

    files: dict[str, list[DataFile]]
    lexicons: list[Path]
    known: tuple[str, ...]

    @property
    def languages(self) -> list[str]:
        """The languages of the texts and sentence pairs, known ones first."""
        found = {g for files in self.files.values() for f in files for g in _languages(f)}
        return sorted(found, key=lambda g: (g not in self.known, g))

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that a result depends on, contents and languages, as plain JSON values."""
        return {
            "files": {k: [corpora.identity(f) for f in files] for k, files in self.files.items()},
            "lexicons": [[checksum(p), *lexicon_languages(p)] for p in self.lexicons],
            "known": list(self.known),
        }

    def lines(self, language: str) -> Iterator[str]:
        """Yield at most `LINES` lines of a language: from its texts, then from its bitext side."""
        step = max(1, -(-sum(1 for _ in self._every_line(language)) // LINES))
        return (x for number, x in enumerate(self._every_line(language)) if number % step == 0)

    def pairs(self, language: str) -> Iterator[_Pair]:
        """Yield texts in a known language with translations: dictionaries first, then bitext."""
        for path in self.lexicons:
            if turned := self._turned(lexicon_languages(path), language):
                yield from map(turned, lexicon.read_pairs(path))
        for file in self.files.get("bitext", ()):
            if turned := self._turned((file.question_language, file.context_language), language):
                for pair in corpora.sentence_pairs([file]):
                    yield turned((pair.source, pair.target))

    def _every_line(self, language: str) -> Iterator[str]:
        for file in self.files.get("passages", ()):
            if language in _languages(file):
                yield from (passage.text for passage in corpora.passages([file]))
        for file in self.files.get("bitext", ()):
            if language in _languages(file):
                is_first = _base(file.question_language) == language
                pairs = corpora.sentence_pairs([file])
                yield from (pair.source if is_first else pair.target for pair in pairs)

    def _turned(self, languages: _Pair, language: str) -> Callable[[_Pair], _Pair] | None:
        """Return a function that puts the known side first; None for pairs of other languages."""
        first, second = map(_base, languages)
        if first in self.known and second == language:
            return lambda pair: pair
        if second in self.known and first == language:
            return lambda pair: (pair[1], pair[0])
        return None


def find(
    *,
    texts: Sequence[Path],
    bitext: Sequence[Path],
    lexicons: Sequence[Path],
    known: Sequence[str],
) -> KnownTexts:
    """Find the files in paths.

    Raises:
        ConfigError: if there are no texts in a known language, or none in another one.
        DataError: if a file cannot be found, or its name does not state the languages.
    """
    paths = Paths(bitext=tuple(map(str, bitext)), passages=tuple(map(str, texts)))
    found = KnownTexts(
        files=corpora.find(paths), lexicons=list(_dictionaries(lexicons)), known=tuple(known)
    )
    languages = set(found.languages)
    for which, some in (
        (f"in a language that the encoder knows ({', '.join(known)})", languages & set(known)),
        ("in other languages", languages - set(known)),
    ):
        if not some:
            raise ConfigError(
                f"expected texts {which}, found texts in {', '.join(found.languages) or 'none'}; "
                "add --texts, or name the languages that the encoder knows with --known"
            )
    return found


def lexicon_languages(path: Path) -> _Pair:
    """Return the languages of a dictionary, from its name."""
    return lexicon.languages_of(path) or ("", "")


def _dictionaries(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        named = [p for p in inside if lexicon.languages_of(p) and p.is_file()]
        if not named:
            raise DataError(
                f"{path}: expected a dictionary with a name like en-de.tsv.gz, or a folder of "
                "dictionaries, found none"
            )
        yield from named


def _languages(file: DataFile) -> set[str]:
    return {_base(file.question_language), _base(file.context_language)}


def _base(language: str) -> str:
    """Return a language code without its script: both scripts of Chinese are one language."""
    return language.partition("-")[0]
