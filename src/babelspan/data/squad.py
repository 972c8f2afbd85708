"""Reading and writing the SQuAD JSON layout, which XQuAD, MLQA, KorQuAD 1.0 and DRCD share.

Flat records (`babelspan.data.rows`), as written by Hugging Face `datasets`, can be read as well.

Layout: Rajpurkar et al. (2016), arXiv:1606.05250; `is_impossible` from version 2,
Rajpurkar et al. (2018), arXiv:1806.03822. Offsets count code points, as Python strings do.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from babelspan.data.fields import checked_field
from babelspan.data.files import parse_json, read_text, write_json
from babelspan.data.rows import are_rows, fields_of, json_rows
from babelspan.types import UNDETERMINED, Answer, DataError, Example

field_of = partial(checked_field, layout="the SQuAD layout")
"""`checked_field` for these files."""


def load_squad(
    path: Path,
    *,
    question_language: str = UNDETERMINED,
    context_language: str = UNDETERMINED,
    keep_misplaced: bool = False,
) -> list[Example]:
    """Return the questions of a file, in file order.

    Args:
        path: UTF-8 file, gzipped or not: SQuAD JSON, or flat records in a JSON list or JSON lines.
        question_language: ISO 639-1 code for every question.
        context_language: ISO 639-1 code for every context.
        keep_misplaced: keep an answer that is not at the stated offset, without its place: it is
            used for scoring but not for training.

    Raises:
        DataError: if the file has another layout, or an answer is not at the stated offset (unless
            `keep_misplaced`); the message names the file and the question.
    """
    with _uncollected():
        examples = (
            Example(
                **fields, question_language=question_language, context_language=context_language
            )
            for fields in _records(path)
        )
        return [unplaced(e) if keep_misplaced else checked(e, path) for e in examples]


def refuse_repeated_ids(examples: Iterable[Example], path: Path) -> None:
    """Raise DataError for repeated ids, because predictions are stored by id.

    Raises:
        DataError: if an id occurs twice; the message names it.
    """
    seen: set[str] = set()
    for example in examples:
        if example.id in seen:
            raise DataError(f"{path}: the id {example.id!r} comes twice; make the ids unique")
        seen.add(example.id)


def misplaced(examples: Iterable[Example]) -> int:
    """Return the number of answers whose place is unknown."""
    return sum(answer.start is None for e in examples for answer in e.answers or ())


def save_squad(path: Path, examples: Iterable[Example]) -> None:
    """Write examples in the SQuAD layout; consecutive ones are grouped by title and context."""
    articles = []
    for title, of_title in groupby(examples, key=lambda e: e.title):
        paragraphs = [
            {"context": context, "qas": [_record(e) for e in of_context]}
            for context, of_context in groupby(of_title, key=lambda e: e.context)
        ]
        articles.append({"title": title, "paragraphs": paragraphs})
    write_json(path, {"version": "1.1", "data": articles})


def _record(example: Example) -> dict[str, Any]:
    record: dict[str, Any] = {"id": example.id, "question": example.question}
    if example.answers is not None:
        record["answers"] = [
            {"text": a.text, "answer_start": -1 if a.start is None else a.start}
            for a in example.answers
        ]
        if not example.answers:
            record["is_impossible"] = True
    if example.origin is not None:
        record["origin"] = example.origin
    if example.strategy:
        record["strategy"] = example.strategy
    return record


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the fields of each question, with their types checked."""
    text = read_text(path).removeprefix("\ufeff")
    if are_rows(text):
        yield from (fields_of(row, where) for where, row in json_rows(text, path))
        return
    document = parse_json(text, path)
    if isinstance(document, dict) and "data" not in document and "question" in document:
        yield fields_of(document, f"{path}: record 1")  # a single JSON line
        return
    for i, article in enumerate(field_of(document, "data", list, f"{path}")):
        where = f"{path}: article {i}"
        title = str(article.get("title") or "") if isinstance(article, dict) else ""
        for j, paragraph in enumerate(field_of(article, "paragraphs", list, where)):
            yield from records_of(paragraph, title, path, f"{where}, paragraph {j}")


def records_of(paragraph: Any, title: str, path: Path, where: str) -> Iterator[dict[str, Any]]:
    """Yield the fields of each question of a paragraph, with their types checked."""
    context = field_of(paragraph, "context", str, where)
    for record in field_of(paragraph, "qas", list, where):
        identity = str(field_of(record, "id", (str, int), where))
        here = f"{path}: question {identity!r}"
        yield {
            "id": identity,
            "question": field_of(record, "question", str, here),
            "context": context,
            "answers": _answers(record, here),
            "title": title,
            "origin": record.get("origin"),
            "strategy": str(record.get("strategy") or ""),
        }


@contextmanager
def _uncollected() -> Iterator[None]:
    """Turn off garbage collection inside the block, because almost all new objects stay.

    It would visit all of them repeatedly, for more than half of the time of a large file.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _answers(record: dict[str, Any], where: str) -> tuple[Answer, ...] | None:
    if "is_impossible" in record and field_of(record, "is_impossible", bool, where):
        return ()
    if "answers" not in record:
        return None
    return tuple(
        Answer(field_of(item, "text", str, where), field_of(item, "answer_start", int, where))
        for item in field_of(record, "answers", list, where)
    )


def unplaced(example: Example) -> Example:
    """Return the example with answers that are not at the stated offset stripped of their place."""
    if example.answers is None:
        return example
    return replace(
        example,
        answers=tuple(
            a if a.is_in(example.context) else Answer(a.text, None) for a in example.answers
        ),
    )


def checked(example: Example, path: Path) -> Example:
    """Return the example if each answer is at the stated offset; raises as `load_squad`."""
    for answer in example.answers or ():
        if not answer.is_in(example.context):
            raise DataError(
                f"{path}: question {example.id!r}: the answer {answer.text!r} is not at character "
                f"{answer.start} of its context; if the offsets count bytes, convert them first, "
                "or keep such answers for scoring only with --keep-misplaced"
            )
    return example
