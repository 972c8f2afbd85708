"""Questions followed by a word-by-word translation into the language of the text.

A reader's folder may contain `dictionaries/`: `en-<language>.tsv[.gz]` with link counts
(`data.lexicon`), and `ngrams.tsv[.gz]` with a language, one of its frequent n-grams, and its share
among the n-grams of the same length (`text.ngrams`). The reader then appends a word-by-word
translation (a gloss, `reading.glosses`) to a question in another language than the text.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from babelspan.data.files import read_text
from babelspan.data.lexicon import languages_of, load_links
from babelspan.reading.glosses import ENGLISH, Glosses, Links, inverted
from babelspan.seams import Window
from babelspan.text.language_of import SAME
from babelspan.text.ngrams import SEEN, NgramLists
from babelspan.types import UNDETERMINED, ConfigError, DataError, Example, Limits

FOLDER = "dictionaries"
NGRAMS = "ngrams.tsv"
MOST_ASKED = 250
"""Maximum length in characters of a question that is glossed."""

_ALIKE = ({"ja", "zh"}, {"da", "no"})
"""Languages that a question does not tell apart: a Japanese one without kana looks Chinese."""

W = TypeVar("W", bound=Window)
Cut = Callable[[Iterable[Example], Limits | None], Iterator[W]]


class Glossed:
    """Appends word-by-word translations to questions.

    Args:
        glosses: the translations.
        ngrams: identifies the language of a question or text if it is not given.
    """

    def __init__(self, glosses: Glosses, ngrams: NgramLists) -> None:
        self.glosses = glosses
        self._told = lru_cache(maxsize=10_000)(ngrams.language_of)

    def glossed(self, example: Example) -> Example:
        """Append a gloss to the question of an example, unless it is in the text's language.

        A long question is not glossed: it has enough words, and the text needs the room.
        """
        if len(example.question) > MOST_ASKED:
            return example
        source = self._language(example.question_language, example.question)
        target = self._language(example.context_language, example.context)
        if source == target or not {source, target} <= self.glosses.languages:
            return example
        if {source, target} in _ALIKE and example.question_language == UNDETERMINED:
            return example
        gloss = self.glosses.gloss(
            example.question, source=source, target=target, text=example.context
        )
        return replace(example, question=f"{example.question} {gloss}") if gloss else example

    def windows(
        self, examples: Iterable[Example], limits: Limits | None, cut: Cut[W]
    ) -> Iterator[W]:
        """Windows with glossed questions; without a gloss that leaves no room for the text.

        Args:
            examples: examples without glosses.
            limits: limits for cutting contexts into windows.
            cut: the function that cuts examples into windows.
        """
        for example in examples:
            glossed = self.glossed(example)
            try:
                found = list(cut([glossed], limits))
            except (ConfigError, DataError):
                if glossed is example:
                    raise
                found = list(cut([example], limits))
            yield from found

    def _language(self, language: str, text: str) -> str:
        if language == UNDETERMINED:
            return self._told(text[:SEEN])
        main = language.partition("-")[0]
        return SAME.get(main, main)


def glossed_of(reader: Path) -> Glossed | None:
    """The `Glossed` of the reader in a folder, or None if it has no dictionaries.

    A dictionary is read when a question first needs it.

    Raises:
        DataError: if the list of n-grams is missing or broken.
    """
    folder = reader / FOLDER
    if not folder.is_dir():
        return None
    paths: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        pair = languages_of(path) or ()
        if ENGLISH in pair:
            for other in {*pair} - {ENGLISH}:
                paths.setdefault(other, []).append(path)
    glosses = Glosses(paths, lambda language: _together(paths[language]))
    return Glossed(glosses, NgramLists(_shares(folder)))


def _together(paths: Sequence[Path]) -> Links:
    """The links of English words in files of one language pair, in either direction, summed."""
    found: dict[str, dict[str, float]] = {}
    for path in paths:
        links: Links = load_links(path)
        pair = languages_of(path)
        for word, options in (links if pair and pair[0] == ENGLISH else inverted(links)).items():
            of_word = found.setdefault(word, {})
            for other, n in options.items():
                of_word[other] = of_word.get(other, 0.0) + n
    return found


def _shares(folder: Path) -> Mapping[str, Mapping[str, float]]:
    """The frequent n-grams of each language with their shares."""
    path = next((p for p in (folder / NGRAMS, folder / f"{NGRAMS}.gz") if p.is_file()), None)
    if path is None:
        raise DataError(f"{folder}: expected {NGRAMS} or {NGRAMS}.gz, found neither")
    found: dict[str, dict[str, float]] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        columns = line.split("\t")
        try:
            language, word, share = columns
            found.setdefault(language, {})[word] = float(share)
            if not float(share) > 0:
                raise ValueError
        except ValueError:
            raise DataError(
                f"{path}: line {number}: expected a language, an n-gram and its share, found "
                f"{line[:80]!r}"
            ) from None
    return found
