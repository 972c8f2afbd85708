"""Read the files of the TyDi QA primary tasks: annotated questions, and predictions for them.

Layout: Clark et al. (2020), arXiv:2003.05002, one JSON object on each line. Offsets count bytes of
the UTF-8 of a document; -1 stands for none. (The gold passage task has the SQuAD layout: see
`babelspan.data.squad`.)
"""

import gzip
import json
import math
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from babelspan.types import DataError, PrimaryAnswer, PrimaryQuestion


def load_primary_golds(path: Path) -> list[PrimaryQuestion]:
    """The questions of a file with the answers of their annotators, without the documents.

    Args:
        path: lines of UTF-8 JSON, gzipped or not; read line by line.

    Raises:
        DataError: if the file has another layout, or an id is repeated, with the line.
    """
    return _load(path, _gold)


def load_primary_predictions(path: Path) -> list[PrimaryQuestion]:
    """The predictions of a file, each with one answer.

    Each line has `example_id`, `language`, `minimal_answer` with `start_byte_offset` and
    `end_byte_offset`, `passage_answer_score` and `minimal_answer_score`, and may have
    `passage_answer_index` and `yes_no_answer`. Arguments and errors as in `load_primary_golds`.
    """
    return _load(path, _prediction)


def _load(path: Path, read: Callable[[Any, str], PrimaryQuestion]) -> list[PrimaryQuestion]:
    questions: dict[int, PrimaryQuestion] = {}
    for number, line in enumerate(_lines(path), start=1):
        where = f"{path}: line {number}"
        try:
            record = json.loads(line)
        except ValueError as error:  # not UTF-8, or not JSON
            raise DataError(
                f"{where}: expected a JSON object, found something else: {error}"
            ) from None
        question = read(record, where)
        if question.id in questions:
            raise DataError(f"{where}: the id {question.id} comes twice; make the ids unique")
        questions[question.id] = question
    return list(questions.values())


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            yield from file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: the gzip data is broken ({error}); fetch it again") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None


def _gold(record: Any, where: str) -> PrimaryQuestion:
    annotations = _field(record, "annotations", list, where)
    if not annotations:
        raise DataError(f"{where}: expected annotations, found none; is this a test set?")
    return _question(record, [_annotation(a, where) for a in annotations], where)


def _annotation(annotation: Any, where: str) -> PrimaryAnswer:
    passage = _field(annotation, "passage_answer", dict, where)
    minimal = _field(annotation, "minimal_answer", dict, where)
    return PrimaryAnswer(
        passage=_index(_field(passage, "candidate_index", int, where)),
        place=_place(minimal, "plaintext_start_byte", "plaintext_end_byte", where),
        yes_no=_yes_no(_field(annotation, "yes_no_answer", str, where), where),
    )


def _prediction(record: Any, where: str) -> PrimaryQuestion:
    minimal = _field(record, "minimal_answer", dict, where)
    answer = PrimaryAnswer(
        passage=_index(
            _field({"passage_answer_index": -1, **record}, "passage_answer_index", int, where)
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
        id=_field(record, "example_id", int, where),
        language=_field(record, "language", str, where),
        answers=tuple(answers),
    )


def _index(index: int) -> int | None:
    return index if index >= 0 else None


def _place(record: dict[str, Any], first: str, second: str, where: str) -> tuple[int, int] | None:
    start, end = _field(record, first, int, where), _field(record, second, int, where)
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
    score = float(_field(record, key, (int, float), where))
    if math.isnan(score):
        raise DataError(f"{where}: expected {key!r} to be a number, found {score}")
    return score


def _field(record: Any, key: str, kind: type | tuple[type, ...], where: str) -> Any:
    if not isinstance(record, dict) or key not in record:
        found = f"the keys {sorted(record)}" if isinstance(record, dict) else type(record).__name__
        raise DataError(f"{where}: expected a key {key!r} of TyDi QA, found {found}")
    if not isinstance(record[key], kind) or isinstance(record[key], bool):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        expected = " or ".join(k.__name__ for k in kinds)
        raise DataError(f"{where}: expected {key!r} to be {expected}, found {record[key]!r:.60}")
    return record[key]
