"""A job that answers the questions of a file, in shards; few shards are in memory at a time.

Until the result is complete, its shards are in `<result>.unfinished`.
"""

import shutil
from array import array
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from babelspan.data.files import checksum
from babelspan.data.folder import DataFile
from babelspan.data.places import refuse_overwriting, refuse_unwritable
from babelspan.data.predictions import load_predictions, stream_predictions
from babelspan.data.squad import misplaced, refuse_repeated_ids
from babelspan.data.stream import stream_squad
from babelspan.jobs.answer import (
    QUESTIONS_IN_A_SHARD,
    Answering,
    AnswerWork,
    ReaderSpec,
    refuse_long_questions,
    tell_of_translations,
)
from babelspan.jobs.shards import ALONE, Crew, claimed, fill, record_of
from babelspan.readers import parts_of
from babelspan.types import DataError, Example
from babelspan.version import VERSION


class Survey(NamedTuple):
    """The counts of a first pass over the questions."""

    questions: int
    misplaced: int
    """Answers whose text is not at the stated offset."""


def predict(
    spec: ReaderSpec,
    file: DataFile,
    out: Path,
    *,
    allows_no_answer: bool = False,
    crew: Crew = ALONE,
) -> Survey:
    """Answer every question of a file and write {id: text}; the same call resumes.

    Args:
        spec: the reader.
        file: the questions, in the SQuAD layout.
        out: the output file.
        allows_no_answer: whether an empty answer is allowed.
        crew: the workers.

    Raises:
        ConfigError: if `out` cannot be written or is an input file, or `<out>.unfinished` belongs
            to another job or is in use.
        DataError: if questions cannot be read, or leave no room for a context.
    """
    spec = spec.absolute()
    check_place(spec, file, out)
    found = survey(file)
    if not found.questions:
        raise DataError(f"{file.path}: expected questions, found none")
    try:
        depends_on = {
            **spec.identity(),
            "data": f"{file.path.name}:{checksum(file.path)}",
            "no_answer": allows_no_answer,
            "babelspan": VERSION,
        }
        refuse_long_questions(spec.load(), _questions(file))
        if crew.is_elsewhere:
            spec.unload()
        answering = Answering(spec.load, allows_no_answer)
        folder = out.absolute().with_name(f"{out.name}.unfinished")
        with claimed(folder / "job.json", depends_on):
            shards = fill(
                AnswerWork(answering, folder),
                folder,
                _questions(file),
                total=found.questions,
                size=QUESTIONS_IN_A_SHARD,
                label="questions",
                crew=crew,
            )
            _join(folder, out, shards=shards, questions=found.questions)
            shutil.rmtree(folder)
        if not crew.is_elsewhere:
            tell_of_translations(spec.load())
    finally:
        spec.unload()
    return found


def check_place(spec: ReaderSpec, file: DataFile, out: Path) -> None:
    """Check that the result can be written and overwrites no input; raises as `predict`."""
    refuse_overwriting(out, [file.path, *parts_of(spec.reader)], option="--out")
    refuse_unwritable(out)


def survey(file: DataFile) -> Survey:
    """Read all questions once, and check that no id is repeated.

    Raises:
        DataError: if an id occurs twice, or the file is broken.
    """
    hashes = array("q")
    out_of_place = 0
    for example in _questions(file):
        hashes.append(hash(example.id))
        out_of_place += misplaced([example])
    ordered = np.frombuffer(hashes, dtype=np.int64)
    ordered.sort()
    if (ordered[1:] == ordered[:-1]).any():  # two equal ids or, very rarely, a collision
        refuse_repeated_ids(_questions(file), file.path)
    return Survey(len(hashes), out_of_place)


def _questions(file: DataFile) -> Iterator[Example]:
    paragraphs = stream_squad(
        file.path,
        question_language=file.question_language,
        context_language=file.context_language,
        keep_misplaced=True,
    )
    return chain.from_iterable(paragraphs)


def _join(folder: Path, out: Path, *, shards: int, questions: int) -> None:
    """Write the answers of all shards to one file."""
    given = (load_predictions(record_of(folder, n)) for n in range(shards))
    written = stream_predictions(out, (item for shard in given for item in shard.items()))
    if written != questions:
        raise DataError(
            f"{folder}: expected answers to {questions} questions, found {written}; remove the "
            "folder and rerun the same command"
        )
