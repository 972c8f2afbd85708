"""Finding the files of a data set, the languages in their names, and pairs of parallel sets.

There are three forms of names: ours, `<split>.<language>.json` and
`<split>.<question>-<context>.json`, and that of MLQA (Lewis et al. 2020, arXiv:1910.07475),
`<split>-context-<language>-question-<language>.json`; each may end in `.jsonl` instead of `.json`,
with `.gz` after it. Ours may be in parts: `<split>.<language>.00000-of-00002.json`.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from babelspan.data.squad import load_squad
from babelspan.data.stream import stream_squad
from babelspan.text.languages import CODE
from babelspan.types import UNDETERMINED, DataError, Example

_PART = re.compile(r"\.\d+-of-\d+$")
_SUFFIXES = (".json", ".jsonl", ".gz")
_NAMES = (
    re.compile(rf"(?P<split>.+)-context-(?P<context>{CODE})-question-(?P<question>{CODE})"),
    re.compile(rf"(?P<split>[^.]+)\.(?P<question>{CODE})-(?P<context>{CODE})"),
    re.compile(rf"(?P<split>[^.]+)\.(?P<question>{CODE})(?P<context>)"),
)


SHARDS = "shards"
"""The folder in which a job stores its shards."""
_LARGE = 32 << 20
"""Files with more bytes are streamed: slower, but with little memory."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of questions, with split and languages from its name; "und" for unknown languages."""

    path: Path
    split: str
    question_language: str
    context_language: str

    @property
    def whole(self) -> Path:
        """The path without suffixes; the same for all parts of a set."""
        return self.path.with_name(_stem(self.path))

    def examples(self, *, keep_misplaced: bool = False) -> Iterator[Example]:
        """Yield the questions of the file; a large file is never in memory as a whole."""
        if self.path.is_file() and self.path.stat().st_size > _LARGE:
            yield from chain.from_iterable(
                stream_squad(
                    self.path,
                    question_language=self.question_language,
                    context_language=self.context_language,
                    keep_misplaced=keep_misplaced,
                )
            )
        else:
            yield from self.load(keep_misplaced=keep_misplaced)

    def load(self, *, keep_misplaced: bool = False) -> list[Example]:
        """Return the questions of the file; raises as `load_squad`."""
        return load_squad(
            self.path,
            question_language=self.question_language,
            context_language=self.context_language,
            keep_misplaced=keep_misplaced,
        )


def describe(path: Path) -> DataFile:
    """Return split and languages of a file, from its name."""
    stem = _stem(path)
    for pattern in _NAMES:
        if match := pattern.fullmatch(stem):
            question = match["question"]
            return DataFile(path, match["split"], question, match["context"] or question)
    return DataFile(path, stem, UNDETERMINED, UNDETERMINED)


def _stem(path: Path) -> str:
    return _PART.sub("", path.name.removesuffix(".gz").removesuffix(".json").removesuffix(".jsonl"))


def find(paths: Sequence[Path], *, split: str | None = None) -> list[DataFile]:
    """Return the data files in `paths`; in a folder, those whose names have a language.

    Args:
        paths: files and folders.
        split: the split to use in folders; None if each folder has only one.

    Raises:
        DataError: if a folder has no such file, or several splits and none is chosen.
    """
    found: list[DataFile] = []
    for path in paths:
        found += _inside(path, split) if path.is_dir() else [describe(path)]
    return found


def inside(folder: Path) -> list[DataFile]:
    """Return the data files in and below a folder, of every split: names that have a language.

    Shards of jobs, in folders called `shards`, are not included.
    """
    files = [
        describe(path)
        for path in sorted(folder.rglob("*.json*"))
        if path.suffix in _SUFFIXES and path.parent.name != SHARDS
    ]
    return [f for f in files if f.question_language != UNDETERMINED]


def _inside(folder: Path, split: str | None) -> list[DataFile]:
    files = inside(folder)
    splits = sorted({f.split for f in files})
    if split is None and len(splits) > 1:
        raise DataError(f"{folder}: holds the splits {', '.join(splits)}; choose one with --split")
    chosen = [f for f in files if split is None or f.split == split]
    if not chosen:
        found = f"the split{'s' * (len(splits) > 1)} {', '.join(splits)}" if splits else "none"
        raise DataError(
            f"{folder}: expected files named like {split or 'test'}.en.json, "
            f"{split or 'test'}.en-de.json or test-context-de-question-en.json, found {found}"
        )
    return chosen


def chosen(ids: Sequence[str], count: int) -> set[str]:
    """Choose `count` ids by a hash: the same ones in every language of a parallel set."""
    by_hash = sorted(ids, key=lambda one: hashlib.sha256(one.encode(errors="replace")).digest())
    return set(by_hash[:count])


def cross(sets: Mapping[str, Sequence[Example]]) -> dict[tuple[str, str], list[Example]]:
    """Return every pair (question language, context language) of a parallel set.

    Args:
        sets: language -> its examples; the same ids in all languages, in any order.

    Returns:
        (question language, context language) -> examples, in the order of the context's file.

    Raises:
        DataError: if an id of one language is missing in another.
    """
    questions = {
        language: {e.id: e.question for e in examples} for language, examples in sets.items()
    }
    pairs = {}
    for question_language, of_id in questions.items():
        for context_language, examples in sets.items():
            missing = next((e.id for e in examples if e.id not in of_id), None)
            if missing is not None:
                raise DataError(
                    f"question {missing!r} of {context_language!r} has no counterpart in "
                    f"{question_language!r}; crossing needs parallel sets with the same ids"
                )
            pairs[question_language, context_language] = [
                replace(e, question=of_id[e.id], question_language=question_language)
                for e in examples
            ]
    return pairs
