"""Check data for faults, and training splits for overlap with test splits.

Faults affect training or scores; notes are for information.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from babelspan.data.folder import DataFile, describe, inside
from babelspan.examine.overlap import Overlap, Reference, fingerprint, normalised
from babelspan.types import DataError, Example

FAULTS = {
    "unreadable": "the file cannot be read",
    "nothing": "the file has no questions",
    "misplaced": "answers that are not where the file says",
    "empty": "empty questions, contexts or answers",
    "characters": "control characters, lone surrogates, replacement characters",
    "repeated ids": "repeated ids",
}
NOTES = {
    "repeated questions": "repeated questions over one context",
    "whole": "answers that are the whole context",
    "repeated contexts": "repeated contexts, with other questions between",
}

_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]")

Watch = Callable[[int, int], None]
"""Called with the number of files checked so far and the total number."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding in a question, with the id of the question; empty for the whole file."""

    id: str
    detail: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """The findings in one file.

    Attributes:
        path: the file.
        questions: number of questions.
        paragraphs: number of runs of consecutive questions over the same context.
        findings: key of `FAULTS` or `NOTES` -> findings, in file order.
    """

    path: Path
    questions: int
    paragraphs: int
    findings: dict[str, list[Finding]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The overlap of a file with a test set, which `against` names."""

    path: Path
    against: str
    overlap: Overlap

    @property
    def faults(self) -> int:
        """Number of shared paragraphs and ids; titles and ids that are plain numbers are notes."""
        shared = self.overlap
        return len(shared.paragraphs) + len(shared.near) + len(shared.ids)


@dataclass(frozen=True, slots=True)
class Report:
    """The findings in files, and their overlap with test sets."""

    files: list[FileReport]
    comparisons: list[Comparison]

    @property
    def faults(self) -> int:
        """Number of faults; notes do not count."""
        of_files = sum(
            len(f) for r in self.files for kind, f in r.findings.items() if kind in FAULTS
        )
        return of_files + sum(c.faults for c in self.comparisons)


def check(
    paths: Sequence[Path], against: Sequence[Path] = (), *, watch: Watch | None = None
) -> Report:
    """Check files, and compare them with test sets and with other splits of their folder.

    Within a folder, each split is compared with later ones: train with dev and test, dev with
    test. Time is linear in the size of the data. Memory is needed for one file and the paragraphs
    that it is compared with.

    Args:
        paths: files, and folders with files of any splits and languages.
        against: test sets, as files or folders, to compare each file with.
        watch: called after each file.

    Raises:
        DataError: if a path does not exist, a folder has no data files, or a file of `against`
            cannot be read.
    """
    files = sorted(_files(paths), key=lambda f: (str(f.path.parent), _rank(f.split), f.path.name))
    tests = {str(path): Reference(_questions(_files([path]))) for path in against}
    report = Report([], [])
    for _, group in groupby(files, key=lambda f: f.path.parent):
        of_folder = list(group)
        later = _later_splits(of_folder)
        for file in of_folder:
            _check_one(file, {**tests, **_compared(file, later)}, report)
            if watch is not None:
                watch(len(report.files), len(files))
    return report


def _check_one(file: DataFile, references: Mapping[str, Reference], report: Report) -> None:
    try:
        examples = file.load(keep_misplaced=True)
    except DataError as error:
        findings = {"unreadable": [Finding("", str(error))]}
        report.files.append(FileReport(file.path, 0, 0, findings))
        return
    report.files.append(check_examples(examples, file.path))
    for name, reference in references.items():
        report.comparisons.append(Comparison(file.path, name, reference.shared_with(examples)))


def check_examples(examples: Sequence[Example], path: Path) -> FileReport:
    """Find faults in questions, and repetitions.

    Args:
        examples: examples loaded with `keep_misplaced`, so that misplaced answers have no offset.
        path: the file that they are from.
    """
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    runs = [list(run) for _, run in groupby(examples, key=lambda e: e.context)]
    for run in runs:
        for kind, finding in (*_in_context(run[0]), *(f for e in run for f in _in_question(e))):
            found[kind].append(finding)
    for kind, finding in _repeats(runs):
        found[kind].append(finding)
    if not examples:
        found["nothing"].append(Finding("", ""))
    findings = {kind: found[kind] for kind in (*FAULTS, *NOTES) if kind in found}
    return FileReport(path, len(examples), len(runs), findings)


def _in_context(example: Example) -> Iterator[tuple[str, Finding]]:
    if not example.context.strip():
        yield "empty", Finding(example.id, "the context")
    yield from _odd(example.id, example.context, "context")


def _in_question(example: Example) -> Iterator[tuple[str, Finding]]:
    if not example.question.strip():
        yield "empty", Finding(example.id, "the question")
    yield from _odd(example.id, example.question, "question")
    for answer in example.answers or ():
        text = answer.text.strip()
        if not text:
            yield "empty", Finding(example.id, "an answer")
        elif answer.start is None:
            yield "misplaced", Finding(example.id, _whereabouts(answer.text, example.context))
        if text and text == example.context.strip():
            yield "whole", Finding(example.id, "")


def _odd(identity: str, text: str, what: str) -> Iterator[tuple[str, Finding]]:
    odd = sorted(set(_ODD.findall(text)))
    if odd:
        codes = ", ".join(f"U+{ord(c):04X}" for c in odd)
        yield "characters", Finding(identity, f"{codes} in the {what}")


def _repeats(runs: Sequence[Sequence[Example]]) -> Iterator[tuple[str, Finding]]:
    """Find repeated ids, repeated contexts, and repeated questions over one context."""
    ids: set[str] = set()
    contexts: dict[bytes, str] = {}
    asked: dict[tuple[bytes, str], str] = {}
    for run in runs:
        context = fingerprint(normalised(run[0].context))
        if context in contexts:
            detail = f"as with {contexts[context]!r}"
            yield "repeated contexts", Finding(run[0].id, detail)
        contexts.setdefault(context, run[0].id)
        for example in run:
            asks = (context, normalised(example.question))
            if example.id in ids:
                yield "repeated ids", Finding(example.id, "")
            elif asks in asked:
                yield "repeated questions", Finding(example.id, f"as {asked[asks]!r}")
            ids.add(example.id)
            asked.setdefault(asks, example.id)


def _whereabouts(text: str, context: str) -> str:
    places = context.count(text)
    if not places:
        return f"{text!r:.80} is nowhere in the context"
    first = context.find(text)
    more = "" if places == 1 else f" and at {places - 1} other places"
    return f"{text!r:.80} occurs at character {first}{more}"


def _files(paths: Iterable[Path]) -> list[DataFile]:
    """The data files among paths and inside folders, without duplicates."""
    files: dict[Path, DataFile] = {}
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: there is no such file or folder")
        of_path = inside(path) if path.is_dir() else [describe(path)]
        if not of_path:
            raise DataError(
                f"{path}: expected files named like test.en.json, test.en-de.json or "
                "test-context-de-question-en.json, found none"
            )
        files |= {f.path: f for f in of_path}
    return list(files.values())


def _questions(files: Iterable[DataFile]) -> Iterator[Example]:
    for file in files:
        yield from file.load(keep_misplaced=True)


def _readable(files: Iterable[DataFile]) -> Iterator[Example]:
    """The questions of the readable files; unreadable ones are reported elsewhere."""
    for file in files:
        with suppress(DataError):
            yield from file.load(keep_misplaced=True)


def _rank(split: str) -> tuple[int, str]:
    """Sort key of splits: training first, test last."""
    order = 0 if split.startswith("train") else 2 if split.startswith("test") else 1
    return order, split


def _later_splits(files: Sequence[DataFile]) -> dict[str, Reference]:
    """The splits of a folder that earlier splits are compared with, by name."""
    splits = sorted({f.split for f in files}, key=_rank)
    return {s: Reference(_readable(f for f in files if f.split == s)) for s in splits[1:]}


def _compared(file: DataFile, later: Mapping[str, Reference]) -> dict[str, Reference]:
    return {
        f"{file.path.parent}/{split}.*": reference
        for split, reference in later.items()
        if _rank(split) > _rank(file.split)
    }
