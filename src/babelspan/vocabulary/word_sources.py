"""Build a table of words from texts, word vector files and dictionaries.

Lee and Lee (2019), arXiv:1907.06042, Section 4.1: words have fixed pretrained vectors, and source
words have the vectors of their translations into the target language.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babelspan.data.folder import describe, inside
from babelspan.data.lexicon import languages_of, read_pairs
from babelspan.data.texts import find_texts
from babelspan.data.word_vectors import Vector, read_vectors
from babelspan.text.word_tokens import Unspaced, word_tokens
from babelspan.types import UNDETERMINED, ConfigError, DataError
from babelspan.vocabulary.word_table import FIRST, WordTable, rounded

MOST_LETTERS = 8_000


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The inputs of a word table.

    Attributes:
        texts: labelled examples in the SQuAD layout, and plain texts; their words are included.
        vectors: language -> file of word vectors; without files, vectors are trained.
        dictionaries: files of translations; words of one language get vectors of another's.
        most_words: number of words to read from the start of each vector file, in the texts or not.
        least: minimum frequency in the texts of a word with a trained vector.
    """

    texts: tuple[Path, ...]
    vectors: Mapping[str, Path]
    dictionaries: tuple[Path, ...] = ()
    most_words: int = 50_000
    least: int = 1


@dataclass(frozen=True, slots=True)
class Found:
    """A word table, with statistics of its coverage of the texts.

    Attributes:
        table: the table.
        vectors: its fixed vectors (V, E); None if they are to be trained.
        known: language -> number of words of the texts with a row of their own or a translation's.
        words: language -> number of words of the texts.
    """

    table: WordTable
    vectors: NDArray[np.float32] | None
    known: dict[str, int]
    words: dict[str, int]


def words_of(sources: Sources, unspaced: Unspaced) -> dict[str, Counter[str]]:
    """Word counts of the texts, by language.

    Raises:
        ConfigError, DataError: if a text is missing or broken, or its language is not known.
    """
    counts: dict[str, Counter[str]] = {}
    for language, text in texts_of(sources.texts):
        words = (place.of(text) for place in word_tokens(text, unspaced))
        counts.setdefault(language, Counter()).update(words)
    return counts


def texts_of(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Language and text of all questions, contexts and paragraphs of files; each context once.

    In a folder with labelled examples, other files are ignored.
    """
    for path in paths:
        labelled = [path] if ".json" in path.name else []
        labelled += [file.path for file in inside(path)] if path.is_dir() else []
        for file in map(describe, labelled):
            if file.question_language == UNDETERMINED:
                raise DataError(
                    f"{file.path}: expected a name that says the language, such as train.en.json"
                )
            last = ""
            for example in file.examples(keep_misplaced=True):
                yield example.question_language, example.question
                if example.context != last:
                    last = example.context
                    yield example.context_language, last
        if not labelled:
            for of_texts in find_texts([path]):
                yield from ((text.language, text.text) for text in of_texts.texts())


def table_of(
    sources: Sources, *, unspaced: Unspaced, spelling: int, sides: Sequence[str], sides_by: str
) -> Found:
    """Build the table of words.

    Raises:
        ConfigError: if a dictionary is for other languages than the texts.
        DataError: if a file is missing or broken.
    """
    counts = words_of(sources, unspaced)
    if not counts:
        raise DataError("expected texts to take words from, found none; name some with --texts")
    translations = _translations(sources.dictionaries, counts, sources.vectors)
    if sources.vectors:
        words, vectors = _with_vectors(sources, counts, translations, unspaced)
    else:
        words, vectors = _to_learn(counts, translations, sources.least), None
    rows = FIRST + len({row for of_language in words.values() for row in of_language.values()})
    letters = Counter[str]()
    for of_language in counts.values():
        for word, count in of_language.items():
            letters.update(dict.fromkeys(word, count))
    common = sorted(letters, key=lambda letter: (-letters[letter], letter))[:MOST_LETTERS]
    table = WordTable(
        rows=rows,
        words=words,
        letters="".join(common if spelling else []),
        spelling=spelling,
        unspaced=unspaced,
        sides=tuple(sides),
        sides_by="chance" if sides_by == "chance" else "language",
    )
    return Found(
        table=table,
        vectors=None if vectors is None else rounded(vectors, rows),
        known={
            language: sum(table.row_of(word, language) >= FIRST for word in of_language)
            for language, of_language in counts.items()
        },
        words={language: len(of_language) for language, of_language in counts.items()},
    )


def _translations(
    paths: Sequence[Path], counts: Mapping[str, Counter[str]], vectors: Mapping[str, Path]
) -> dict[tuple[str, str], dict[str, list[str]]]:
    """(language, other) -> word -> its translations, in the order of the file.

    Through a dictionary, words of a language without vectors get the vectors of a language that has
    them; without any vectors, words of its first language share the rows of the second.
    """
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for path in paths:
        pair = languages_of(path)
        if pair is None or not {*pair} <= {*counts, *vectors}:
            raise ConfigError(
                f"{path}: expected a dictionary between languages of the texts "
                f"({', '.join(counts)}) by its name, such as en-zh.tsv"
            )
        a, b = pair
        is_turned = a in vectors and b not in vectors
        of_pair = found.setdefault((b, a) if is_turned else (a, b), {})
        for one, other in read_pairs(path):
            word, translation = (other, one) if is_turned else (one, other)
            of_pair.setdefault(word, []).append(translation)
    return found


def _with_vectors(
    sources: Sources,
    counts: Mapping[str, Counter[str]],
    translations: Mapping[tuple[str, str], Mapping[str, list[str]]],
    unspaced: Unspaced,
) -> tuple[dict[str, dict[str, int]], dict[int, Vector]]:
    """Rows of words by language, and the vectors of the rows."""
    words: dict[str, dict[str, int]] = {}
    vectors: dict[int, Vector] = {}
    for language, path in sources.vectors.items():
        wanted = _both_cases(counts.get(language, ()))
        for (_, other), pairs in translations.items():
            if other == language:
                told = chain.from_iterable(pairs.values())
                wanted |= _both_cases(chain.from_iterable(_parts(t, unspaced) for t in told))
        own = words.setdefault(language, {})
        for word, vector in read_vectors(path, wanted=wanted, limit=sources.most_words):
            own[word] = FIRST + len(vectors)
            vectors[own[word]] = vector
        widths = {len(vector) for vector in vectors.values()}
        if len(widths) > 1:
            raise DataError(
                f"{path}: expected vectors as wide as those of the other languages, found widths "
                f"{', '.join(map(str, sorted(widths)))}; vectors of several languages must be "
                "aligned with one another"
            )
    for (language, other), pairs in translations.items():
        own = words.setdefault(language, {})
        for word, candidates in pairs.items():
            if word in own:  # its own vector is better, and a phrase would leave an unused row
                continue
            row = _row_of_first(candidates, words.get(other, {}), vectors, unspaced)
            if row is not None:
                own[word] = row
    return words, vectors


def _row_of_first(
    candidates: Sequence[str],
    rows: Mapping[str, int],
    vectors: dict[int, Vector],
    unspaced: Unspaced,
) -> int | None:
    """The row of the first translation with a vector; a phrase gets the mean of its words'."""
    for candidate in candidates:
        if (row := _either_case(candidate, rows)) is not None:
            return row
        found = [_either_case(part, rows) for part in _parts(candidate, unspaced)]
        of_parts = [row for row in found if row is not None]
        if found and len(of_parts) == len(found):
            row = FIRST + len(vectors)
            vectors[row] = np.mean([vectors[part] for part in of_parts], axis=0, dtype=np.float32)
            return row
    return None


def _to_learn(
    counts: Mapping[str, Counter[str]],
    translations: Mapping[tuple[str, str], Mapping[str, list[str]]],
    least: int,
) -> dict[str, dict[str, int]]:
    """Rows of words with trained vectors, by language; a word shares the row of its translation.

    A word without translations, or whose translations have no row, gets a row of its own.
    """
    words: dict[str, dict[str, int]] = {language: {} for language in sorted(counts)}
    listed = {(of, word) for (of, _), told in translations.items() for word in told}
    rows = itertools.count(FIRST)
    for language, own in words.items():
        for word in _frequent(counts[language], least):
            if (language, word) not in listed:
                own[word] = next(rows)
    for (language, other), told in translations.items():
        own = words[language]
        for word in counts[language]:
            shared = _row_of_translation(told.get(word, ()), words[other])
            if shared is not None:
                own.setdefault(word, shared)
    for language, own in words.items():  # two dictionaries may list a word and its translation
        for word in _frequent(counts[language], least):
            if word not in own:
                shared = next(_shared_rows(language, word, translations, words), None)
                own[word] = next(rows) if shared is None else shared
    return words


def _frequent(of_language: Counter[str], least: int) -> list[str]:
    """The words that occur at least `least` times, the most frequent first."""
    ordered = sorted(of_language.items(), key=lambda one: (-one[1], one[0]))
    return [word for word, count in ordered if count >= least]


def _shared_rows(
    language: str,
    word: str,
    translations: Mapping[tuple[str, str], Mapping[str, list[str]]],
    words: Mapping[str, Mapping[str, int]],
) -> Iterator[int]:
    """The rows of the translations of a word."""
    for (one, other), told in translations.items():
        if one == language:
            row = _row_of_translation(told.get(word, ()), words[other])
            if row is not None:
                yield row


def _row_of_translation(candidates: Iterable[str], rows: Mapping[str, int]) -> int | None:
    """The row of the first translation that has one."""
    found = (_either_case(candidate, rows) for candidate in candidates)
    return next((row for row in found if row is not None), None)


def _either_case(word: str, rows: Mapping[str, int]) -> int | None:
    return rows.get(word, rows.get(word.lower()))


def _both_cases(words: Iterable[str]) -> set[str]:
    return {form for word in words for form in (word, word.lower())}


def _parts(phrase: str, unspaced: Unspaced) -> list[str]:
    """The first sixteen words of a phrase."""
    return [place.of(phrase) for place in islice(word_tokens(phrase, unspaced), 16)]
