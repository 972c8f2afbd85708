"""Judgements of answers, saved as questions that `babelspan train` and `evaluate` can read.

Each is one line of JSON, a flat record (`babelspan.data.rows`). Right answers, and questions
without an answer, go to the file that is named. Wrong answers cannot be used for training, and go
to a file next to it: `feedback.jsonl` and `feedback.wrong.jsonl`.
"""

import json
import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from babelspan.service.problems import Problem
from babelspan.service.schema import Feedback
from babelspan.types import UNDETERMINED

try:
    from fcntl import LOCK_EX, flock
except ImportError:  # Windows: use one file per service
    flock = None  # type: ignore[assignment]


def append(path: Path, feedback: Feedback) -> None:
    """Append a judgement to a file, as a whole line or not at all.

    Raises:
        Problem: 422 if the place is missing or not in the text; 507 if writing fails.
    """
    record = json.dumps(_record(feedback), ensure_ascii=True).encode() + b"\n"
    if feedback.verdict == "wrong":
        path = path.with_name(f"{path.stem}.wrong{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unwritable(error) from None
    try:
        if flock is not None:
            flock(file, LOCK_EX)
        _write(file, record)
    finally:
        os.close(file)


def _write(file: int, record: bytes) -> None:
    size = os.fstat(file).st_size
    try:
        written = 0
        while written < len(record):
            written += os.write(file, record[written:])
        os.fsync(file)
    except OSError as error:
        with suppress(OSError):
            os.ftruncate(file, size)
        raise _unwritable(error) from None


def _unwritable(error: OSError) -> Problem:
    return Problem(507, f"the judgement could not be saved ({error.strerror}); tell the operator")


def _record(feedback: Feedback) -> dict[str, Any]:
    answers: dict[str, list[Any]] = {"text": [], "answer_start": []}
    if feedback.verdict != "none":
        start, end = _place(feedback)
        answers = {"text": [feedback.text[start:end]], "answer_start": [start]}
    return {
        "id": uuid.uuid4().hex,
        "title": feedback.name or "",
        "context": feedback.text,
        "question": feedback.question,
        "answers": answers,
        "question_language": feedback.question_language or UNDETERMINED,
        "context_language": feedback.language or UNDETERMINED,
    }


def _place(feedback: Feedback) -> tuple[int, int]:
    start, end = feedback.start, feedback.end
    if start is None or end is None or not start < end <= len(feedback.text):
        raise Problem(
            422,
            f"0 <= start < end <= {len(feedback.text)} with this verdict",
            found=f"start {start}, end {end}",
            where="start, end",
        )
    return start, end
