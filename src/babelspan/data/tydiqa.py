"""Reading the files of the TyDi QA primary tasks: annotated questions, and predictions.

Layout: Clark et al. (2020), arXiv:2003.05002, one JSON object per line, in the full form or in
the simplified form of Hugging Face `datasets`. Offsets count bytes of a document's UTF-8; -1 means
none. `babelspan.data.tydi_articles` reads the articles with their passages. (The gold passage task
has the SQuAD layout: see `babelspan.data.squad`.)
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from babelspan.data.fields import checked_field
from babelspan.data.files import opened
from babelspan.types import DataError, PrimaryAnswer, PrimaryQuestion

_SIMPLIFIED = (
    "passage_answer_candidate_index",
    "minimal_answers_start_byte",
    "minimal_answers_end_byte",
    "yes_no_answer",
)
"""The annotation lists of the simplified form."""

field_of = partial(checked_field, layout="TyDi QA")
"""`checked_field` for these files."""


def load_primary_golds(path: Path) -> list[PrimaryQuestion]:
    """Return the questions of a file with their annotators' answers, without the documents.

    Args:
        path: lines of UTF-8 JSON, gzipped or not; read line by line.

    Raises:
        DataError: if the layout differs or an id is repeated, with the line; if the file is empty.
    """
    return _load(path, _gold)


def load_primary_predictions(path: Path) -> list[PrimaryQuestion]:
    """Return the predictions of a file, each with one answer.

    Each line has `example_id`, `language`, `minimal_answer` with `start_byte_offset` and
    `end_byte_offset`, `passage_answer_score` and `minimal_answer_score`, and may have
    `passage_answer_index` and `yes_no_answer`. Arguments and errors as in `load_primary_golds`.
    """
    return _load(path, _prediction)


def primary_records(path: Path) -> Iterator[tuple[Any, str]]:
    """Yield the records of a file in the full form, one at a time, with the line for errors.

    Records in the simplified form, which has parallel lists (`plaintext_start_byte`, ...) instead
    of lists of objects, are converted to the full form. If the id is missing, it is the number of
    the line, from 1. Blank lines are skipped.

    Raises:
        DataError: if a line is not JSON, or parallel lists differ in length; with the line.
    """
    with opened(path) as lines:
        for number, line in enumerate(lines, start=1):
            where = f"{path}: line {number}"
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:  # not UTF-8, or not JSON
                raise DataError(
                    f"{where}: expected a JSON object, found something else: {error}"
                ) from None
            yield (_in_full(record, number, where) if isinstance(record, dict) else record), where


def _in_full(record: dict[str, Any], number: int, where: str) -> dict[str, Any]:
    full = dict(record)
    candidates, annotations = (
        record.get(key) for key in ("passage_answer_candidates", "annotations")
    )
    if isinstance(candidates, dict):
        full["passage_answer_candidates"] = list(
            _side_by_side(candidates, ("plaintext_start_byte", "plaintext_end_byte"), where)
        )
        full.setdefault("example_id", number)
    if isinstance(annotations, dict):
        full["annotations"] = [
            {
                "passage_answer": {"candidate_index": row["passage_answer_candidate_index"]},
                "minimal_answer": {
                    "plaintext_start_byte": row["minimal_answers_start_byte"],
                    "plaintext_end_byte": row["minimal_answers_end_byte"],
                },
                "yes_no_answer": row["yes_no_answer"],
            }
            for row in _side_by_side(annotations, _SIMPLIFIED, where)
        ]
    return full


def _side_by_side(
    lists: Mapping[str, Any], keys: tuple[str, ...], where: str
) -> Iterator[dict[str, Any]]:
    columns = [field_of(lists, key, list, where) for key in keys]
    if len({len(column) for column in columns}) > 1:
        sizes = ", ".join(f"{len(c)} of {k!r}" for k, c in zip(keys, columns, strict=True))
        raise DataError(f"{where}: expected lists of equal length, found {sizes}")
    for row in zip(*columns, strict=True):
        yield dict(zip(keys, row, strict=True))


def _load(path: Path, read: Callable[[Any, str], PrimaryQuestion]) -> list[PrimaryQuestion]:
    questions: dict[int, PrimaryQuestion] = {}
    for record, where in primary_records(path):
        question = read(record, where)
        if question.id in questions:
            raise DataError(f"{where}: the id {question.id} comes twice; make the ids unique")
        questions[question.id] = question
    if not questions:
        raise DataError(f"{path}: expected lines of TyDi QA, found none")
    return list(questions.values())


def _gold(record: Any, where: str) -> PrimaryQuestion:
    annotations = field_of(record, "annotations", list, where)
    if not annotations:
        raise DataError(f"{where}: expected annotations, found none; is this a test set?")
    return _question(record, [annotated(a, where) for a in annotations], where)


def annotated(annotation: Any, where: str) -> PrimaryAnswer:
    """Return an annotator's answer, in bytes; `where` is for error messages."""
    passage = field_of(annotation, "passage_answer", dict, where)
    minimal = field_of(annotation, "minimal_answer", dict, where)
    return PrimaryAnswer(
        passage=_index(field_of(passage, "candidate_index", int, where)),
        place=_place(minimal, "plaintext_start_byte", "plaintext_end_byte", where),
        yes_no=_yes_no(field_of(annotation, "yes_no_answer", str, where), where),
    )


def _prediction(record: Any, where: str) -> PrimaryQuestion:
    minimal = field_of(record, "minimal_answer", dict, where)
    answer = PrimaryAnswer(
        passage=_index(
            field_of({"passage_answer_index": -1, **record}, "passage_answer_index", int, where)
        ),
        place=_place(minimal, "start_byte_offset", "end_byte_offset", where),
        yes_no=_yes_no(record.get("yes_no_answer", "none"), where),
        passage_score=_score(record, "passage_answer_score", where),
        minimal_score=_score(record, "minimal_answer_score", where),
    )
    if answer.place is not None and answer.yes_no is not None:
        raise DataError(
            f"{where}: expected a minimal answer or {answer.yes_no!r}, found both; for yes and no "
            "both offsets are -1"
        )
    return _question(record, [answer], where)


def _question(record: Any, answers: list[PrimaryAnswer], where: str) -> PrimaryQuestion:
    return PrimaryQuestion(
        id=field_of(record, "example_id", int, where),
        language=field_of(record, "language", str, where),
        answers=tuple(answers),
    )


def _index(index: int) -> int | None:
    return index if index >= 0 else None


def _place(record: dict[str, Any], first: str, second: str, where: str) -> tuple[int, int] | None:
    start, end = field_of(record, first, int, where), field_of(record, second, int, where)
    if start < 0 and end < 0:
        return None
    if not 0 <= start <= end:
        raise DataError(
            f"{where}: expected 0 <= {first!r} <= {second!r} or both -1, found {start} and {end}"
        )
    return start, end


def _yes_no(answer: Any, where: str) -> str | None:
    word = answer.lower() if isinstance(answer, str) else answer
    if word not in ("yes", "no", "none"):
        raise DataError(
            f"{where}: expected 'yes_no_answer' to be YES, NO or NONE, found {answer!r}"
        )
    return None if word == "none" else str(word)


def _score(record: Any, key: str, where: str) -> float:
    score = float(field_of(record, key, (int, float), where))
    if math.isnan(score):
        raise DataError(f"{where}: expected {key!r} to be a number, found {score}")
    return score
