"""Questions as flat records, a JSON list or JSON lines, as written by Hugging Face `datasets`.

A record has `id`, `question`, `context` and, if known, `answers`: two lists of equal length,
`{"text": [...], "answer_start": [...]}`. Empty lists mean that the question is unanswerable.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from babelspan.data.files import parse_json
from babelspan.types import Answer, DataError

Fields = dict[str, Any]


def are_rows(text: str) -> bool:
    """Return whether a JSON text is a list, or lines of objects, rather than one object."""
    start = text[:1000].lstrip()
    if not start.startswith("{"):
        return start.startswith("[")
    first, _, rest = text.lstrip().partition("\n")
    return first.rstrip().endswith("}") and rest[:1000].lstrip().startswith("{")


def json_rows(text: str, path: Path) -> Iterator[tuple[str, Fields]]:
    """Yield records of a JSON list or of JSON lines, each with its place for error messages.

    Raises:
        DataError: if the text is not JSON, or a record is not an object.
    """
    rows: Iterable[Any]
    if text.lstrip()[:1] == "[":
        rows = enumerate(parse_json(text, path), start=1)
    else:
        lines = enumerate(text.split("\n"), start=1)
        rows = ((n, _json_line(line, path, n)) for n, line in lines if line.strip())
    for number, row in rows:
        where = f"{path}: record {number}"
        yield where, object_of(row, where)


def object_of(row: Any, where: str) -> Fields:
    """Return a record after checking that it is an object."""
    if not isinstance(row, dict):
        raise DataError(f"{where}: expected an object, found {type(row).__name__}")
    return row


def fields_of(row: Fields, where: str) -> Fields:
    """Return the fields of a question from a record, with their types checked; see `records_of`."""
    if "document_plaintext" in row:
        raise DataError(
            f"{where}: expected a question about a text, found an article of the TyDi QA primary "
            "tasks; use `predict`, `train --articles`, `data articles`, or `--scorer tydi-primary`"
        )
    answers = None
    if row.get("answers") is not None:
        answers = answers_of(value_of(row, where, dict, "answers"), where)
    return {
        "id": str(value_of(row, where, (str, int), "id", "question_id")),
        "question": value_of(row, where, str, "question"),
        "context": value_of(row, where, str, "context"),
        "title": str(row.get("title") or ""),
        "answers": answers,
    }


def value_of(row: Fields, where: str, kind: type | tuple[type, ...], *keys: str) -> Any:
    """Return the value of the first key that has a value of this type.

    Raises:
        DataError: if there is no such key.
    """
    for key in keys:
        if isinstance(row.get(key), kind):
            return row[key]
    names = kind if isinstance(kind, tuple) else (kind,)
    expected = f"{' or '.join(map(repr, keys))} ({' or '.join(n.__name__ for n in names)})"
    raise DataError(f"{where}: expected {expected}, found {row!r:.200}")


def answers_of(answers: Fields, where: str) -> tuple[Answer, ...]:
    """Return answers from two lists of equal length; answers without text are skipped.

    Raises:
        DataError: if the lists differ in length or have anything but texts and numbers.
    """
    texts = value_of(answers, where, list, "text")
    starts = value_of(answers, where, list, "answer_start")
    if len(texts) != len(starts):
        raise DataError(f"{where}: {len(texts)} answers have {len(starts)} offsets")
    kept = tuple(Answer(t, s) for t, s in zip(texts, starts, strict=True) if t)
    if not all(isinstance(a.text, str) and type(a.start) is int for a in kept):
        raise DataError(f"{where}: expected texts and numbers as answers, found {answers!r:.200}")
    return kept


def _json_line(line: str, path: Path, number: int) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}: expected JSON in line {number}, found something else at column "
            f"{error.colno} ({error.msg}); the file may be cut short"
        ) from None
    except (ValueError, RecursionError) as error:  # thousands of digits, or too deep
        raise DataError(f"{path}: the JSON in line {number} cannot be read: {error}") from None
