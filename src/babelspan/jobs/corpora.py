"""The training files of a job by kind, and their contents.

The kinds are those of `training.run.Corpora`: labelled examples and a target (SQuAD layout), bitext
(two columns), passages (a text file, one paragraph per line) and articles (TyDi QA primary tasks);
and the labelled examples of a first stage.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from babelspan.data import bitext
from babelspan.data import folder as data_folder
from babelspan.data.files import checksum, lines
from babelspan.data.tydi_articles import stream_articles
from babelspan.text.languages import CODE
from babelspan.training.spool import Chosen
from babelspan.types import (
    UNDETERMINED,
    Article,
    ConfigError,
    DataError,
    Example,
    Passage,
    SentencePair,
)

_PASSAGES = re.compile(rf"(?P<source>.+)\.(?P<language>{CODE})\.txt(?:\.gz)?")
_ARTICLES = re.compile(r"(?P<source>.+)\.jsonl(?:\.gz)?")
_OPTIONS = {
    "labelled": "--train",
    "first": "--first",
    "target": "--target",
    "bitext": "--bitext",
    "passages": "--texts",
    "articles": "--articles",
}


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Files and folders by kind, from table [data] of a recipe or from command-line options."""

    labelled: tuple[str, ...] = ()
    """Examples with answers, in the SQuAD layout."""
    first: tuple[str, ...] = ()
    """Examples with answers for a first stage of training, in the SQuAD layout."""
    target: tuple[str, ...] = ()
    """Examples whose questions resemble those that the reader is for, in the SQuAD layout."""
    bitext: tuple[str, ...] = ()
    """Sentence pairs, `<source>.<a>-<b>.tsv[.gz]`."""
    passages: tuple[str, ...] = ()
    """Texts, `<source>.<language>.txt[.gz]`, one paragraph per line."""
    articles: tuple[str, ...] = ()
    """Articles of the TyDi QA primary tasks, `<name>.jsonl[.gz]`."""

    def joined(self, other: "Paths") -> "Paths":
        """Return these paths followed by the others."""
        return Paths(
            labelled=self.labelled + other.labelled,
            first=self.first + other.first,
            target=self.target + other.target,
            bitext=self.bitext + other.bitext,
            passages=self.passages + other.passages,
            articles=self.articles + other.articles,
        )

    def by_kind(self) -> dict[str, tuple[str, ...]]:
        """Return {kind: paths} for the kinds that have any."""
        return {kind: getattr(self, kind) for kind in _OPTIONS if getattr(self, kind)}


def check_needs(
    method: str, needs: Iterable[str], paths: Paths, *, takes: Iterable[str] = ()
) -> None:
    """Check that a method gets the data it needs, and nothing else.

    Args:
        method: name of the method.
        needs: kinds that the method requires.
        paths: the given files and folders.
        takes: kinds that are optional.

    Raises:
        ConfigError: if a kind is missing, or a kind is given that the method does not read.
    """
    given = paths.by_kind()
    for kind in sorted(set(needs) - given.keys()):
        raise ConfigError(
            f"the method {method!r} needs {kind} data, found none; give {_OPTIONS[kind]}, or "
            f"set {kind} in the table [data] of the recipe"
        )
    for kind in sorted(given.keys() - {*needs, *takes}):
        raise ConfigError(
            f"the method {method!r} does not use {_OPTIONS[kind]} ({kind} in a recipe), found "
            f"{', '.join(given[kind])}; leave it out"
        )


def find(paths: Paths, *, split: str | None = None) -> dict[str, list[data_folder.DataFile]]:
    """Return the files of each kind with their languages, in reading order.

    Raises:
        DataError: if a file is missing, a folder holds none, or a name lacks the languages.
    """
    found = {}
    for kind, given in paths.by_kind().items():
        if kind in {"labelled", "first", "target"}:
            found[kind] = data_folder.find([Path(p) for p in given], split=split)
        else:
            found[kind] = _among([Path(p) for p in given], *_NAMED[kind])
    for file in (file for files in found.values() for file in files):
        if not file.path.is_file():
            raise DataError(f"{file.path}: there is no such file")
    return found


def identity(file: data_folder.DataFile) -> list[str]:
    """Return what a run depends on in a file: its content and the languages in its name."""
    return [checksum(file.path), file.question_language, file.context_language]


def examples(
    files: Iterable[data_folder.DataFile], *, keep_misplaced: bool = False
) -> Iterator[Example]:
    """Yield the labelled examples of files; one file at a time is in memory."""
    for file in files:
        yield from file.examples(keep_misplaced=keep_misplaced)


def sampled(
    labelled: Sequence[Example], sets: Mapping[str, int], said: str
) -> tuple[Sequence[Example], dict[str, int]]:
    """Return a sample of the labelled examples, in order, and the number left of each set.

    Args:
        labelled: examples of all sets, one after another.
        sets: name of a set -> its number of examples.
        said: `500` for each context language, or `zh=500,ja=200`; translated and generated examples
            are always kept and do not count.

    Raises:
        DataError: if a language has fewer examples.
    """
    ids: dict[str, list[str]] = {}
    for example in labelled:
        if not example.strategy:
            ids.setdefault(example.context_language, []).append(example.id)
    parts = [part.rpartition("=") for part in said.split(",")]
    counts = {language: int(count) for language, _, count in parts}
    wanted = dict.fromkeys(ids, counts.pop("")) if "" in counts else {}
    kept: dict[str, set[str]] = {}
    for language, count in {**wanted, **counts}.items():
        if len(ids.get(language, ())) < count:
            raise DataError(
                f"expected {count} labelled examples in {language!r} to choose from, found "
                f"{len(ids.get(language, ()))}; lower --sample"
            )
        kept[language] = data_folder.chosen(ids[language], count)
    left = [
        number
        for number, example in enumerate(labelled)
        if example.strategy or example.id in kept.get(example.context_language, {example.id})
    ]
    ends = np.cumsum([*sets.values()])
    sizes = np.diff(np.searchsorted(left, ends), prepend=0)
    return Chosen(labelled, left), dict(zip(sets, sizes.tolist(), strict=True))


def sentence_pairs(files: Iterable[data_folder.DataFile]) -> Iterator[SentencePair]:
    """Yield the sentence pairs of files."""
    for file in files:
        for pair in bitext.load_bitext(file.path):
            yield replace(
                pair,
                source_language=file.question_language,
                target_language=file.context_language,
            )


def passages(files: Iterable[data_folder.DataFile]) -> Iterator[Passage]:
    """Yield the paragraphs of text files, one at a time; empty lines are skipped."""
    for file in files:
        for line in lines(file.path):
            if text := line.strip():
                yield Passage(text, file.context_language)


def articles(files: Iterable[data_folder.DataFile]) -> Iterator[Article]:
    """Yield the questions on articles in files, one at a time."""
    for file in files:
        yield from stream_articles(file.path)


def _among(
    paths: Sequence[Path],
    pattern: str,
    name: re.Pattern[str],
    describe: Callable[[Path], data_folder.DataFile],
) -> list[data_folder.DataFile]:
    """Return the given files and, for a folder, the files below it."""
    found: list[data_folder.DataFile] = []
    for path in paths:
        inside = [path]
        if path.is_dir():
            inside = [p for p in sorted(path.rglob(pattern)) if name.fullmatch(p.name)]
        if not inside:
            raise DataError(
                f"{path}: expected files {pattern} in this folder, found none (the names of bitext "
                "and texts state the languages, such as news.en-de.tsv and news.de.txt)"
            )
        found += map(describe, inside)
    return found


def _bitext_file(path: Path) -> data_folder.DataFile:
    found = bitext.named(path)
    if found is None:
        raise DataError(f"{path}: expected a name like news.en-de.tsv.gz, with both languages")
    return data_folder.DataFile(path, *found)


def _passages_file(path: Path) -> data_folder.DataFile:
    found = _PASSAGES.fullmatch(path.name)
    if found is None:
        raise DataError(f"{path}: expected a name like news.de.txt.gz, with the language")
    return data_folder.DataFile(path, found["source"], found["language"], found["language"])


def _articles_file(path: Path) -> data_folder.DataFile:
    found = _ARTICLES.fullmatch(path.name)
    if found is None:
        raise DataError(f"{path}: expected a name like tydiqa-v1.0-train.jsonl.gz")
    return data_folder.DataFile(path, found["source"], UNDETERMINED, UNDETERMINED)


_NAMED = {
    "bitext": ("*.tsv*", bitext.NAME, _bitext_file),
    "passages": ("*.txt*", _PASSAGES, _passages_file),
    "articles": ("*.jsonl*", _ARTICLES, _articles_file),
}
"""Kind -> its glob pattern in a folder, its name pattern, and the function that parses a name."""
