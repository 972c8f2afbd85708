"""The layouts in which data sets are published, read into examples.

Nothing is checked against the contexts here: an answer keeps the place that its file gives it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from babelspan.data.files import read_json, read_text
from babelspan.data.squad import records_of
from babelspan.datasets.catalogue import Source
from babelspan.types import Answer, DataError, Example

Fields = dict[str, Any]

_TYDI = {
    "ar": "arabic",
    "bn": "bengali",
    "en": "english",
    "fi": "finnish",
    "id": "indonesian",
    "ko": "korean",
    "ru": "russian",
    "sw": "swahili",
    "te": "telugu",
}
"""Code of a language -> what ids of its questions begin with in TyDiQA gold passage."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The examples of a file, and what had to be changed in it: kind of change -> how often."""

    examples: list[Example]
    changes: dict[str, int]


def read(paths: Sequence[Path], source: Source, layout: str) -> Reading:
    """The questions of files as they were published, one file after the other.

    Args:
        paths: the files, or what was unpacked from them; gzip'd or not.
        source: what the catalogue says of them.
        layout: a key of `LAYOUTS`.

    Raises:
        DataError: if a file is not of this layout.
    """
    changes: Counter[str] = Counter()
    languages = {
        "question_language": source.question_language,
        "context_language": source.context_language,
    }
    fields = (f for path in paths for f in LAYOUTS[layout](path, source, changes))
    kept = list(_unrepeated((Example(**{**f, **languages}) for f in fields), changes))
    return Reading(kept, {change: n for change, n in changes.items() if n})


def _squad(path: Path, source: Source, changes: Counter[str]) -> Iterator[Fields]:
    """SQuAD 1.1 and 2.0; answers without text are left out, questions without an id get one."""
    for i, article in enumerate(_objects(read_json(path), "data", f"{path}")):
        where = f"{path}: article {i}"
        title = str(article.get("title") or "")
        for j, paragraph in enumerate(_objects(article, "paragraphs", where)):
            there = f"{where}, paragraph {j}"
            for k, record in enumerate(_objects(paragraph, "qas", there)):
                _mend(record, f"{article.get('id', i)}_{j}_{k}", there, changes)
            yield from records_of(paragraph, title, path, there)


def _objects(value: Any, key: str, where: str) -> list[Fields]:
    """The list of objects at a key."""
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise DataError(f"{where}: expected a list of objects {key!r}, as in the SQuAD layout")
    return found


def _mend(record: Fields, identity: str, where: str, changes: Counter[str]) -> None:
    if "id" not in record:
        changes["ids made"] += "guid" not in record  # as KLUE-MRC calls it
        record["id"] = record.get("guid", identity)
    answers = _objects(record, "answers", where) if "answers" in record else []
    kept = [a for a in answers if a.get("text")]
    if len(kept) < len(answers):
        record["answers"] = kept
        changes["empty answers left out"] += len(answers) - len(kept)


def _tydiqa_goldp(path: Path, source: Source, changes: Counter[str]) -> Iterator[Fields]:
    """SQuAD 1.1 with all languages in one file; the id begins with the language's name."""
    for fields in _squad(path, source, changes):
        if fields["id"].partition("-")[0] == _TYDI[source.context_language]:
            yield fields


def _rows(path: Path, source: Source, changes: Counter[str]) -> Iterator[Fields]:
    """A flat record for each question, `answers` being {"text": [...], "answer_start": [...]}."""
    for where, row in _json_rows(path):
        yield {
            "id": str(_of(row, where, (str, int), "id", "question_id")),
            "question": _of(row, where, str, "question"),
            "context": _of(row, where, str, "context"),
            "title": str(row.get("title") or ""),
            "answers": _pairs(_of(row, where, dict, "answers"), where, changes),
        }


def _afriqa(path: Path, source: Source, changes: Counter[str]) -> Iterator[Fields]:
    """AfriQA gold passages: `question_lang` over a passage in the pivot language, where it has one.

    A question for which no passage was found has the context null; it is left out.
    """
    for where, row in _json_rows(path):
        if "context" in row and row["context"] is None:
            changes["questions without a passage left out"] += 1
            continue
        yield {
            "id": str(_of(row, where, (str, int), "id")),
            "question": _of(row, where, str, "question_lang"),
            "context": _of(row, where, str, "context"),
            "title": str(row.get("title") or "").strip(),
            "answers": _pairs(_of(row, where, dict, "answer_pivot"), where, changes),
        }


Layout = Callable[[Path, Source, Counter[str]], Iterator[Fields]]
LAYOUTS: dict[str, Layout] = {
    "squad": _squad,
    "tydiqa-goldp": _tydiqa_goldp,
    "rows": _rows,
    "afriqa": _afriqa,
}


def _json_rows(path: Path) -> Iterator[tuple[str, Fields]]:
    """Records of a JSON list or of JSON lines, each with its place."""
    text = read_text(path)
    rows: Iterable[Any]
    if text.lstrip()[:1] == "[":
        rows = enumerate(read_json(path), start=1)
    else:
        lines = enumerate(text.split("\n"), start=1)
        rows = ((n, _json_line(line, path, n)) for n, line in lines if line.strip())
    for number, row in rows:
        where = f"{path}: record {number}"
        if not isinstance(row, dict):
            raise DataError(f"{where}: expected an object, found {type(row).__name__}")
        yield where, row


def _json_line(line: str, path: Path, number: int) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}: expected JSON in line {number}, found something else at column "
            f"{error.colno} ({error.msg}); the file may be cut short"
        ) from None


def _of(row: Fields, where: str, kind: type | tuple[type, ...], *keys: str) -> Any:
    """The value at the first of the keys that is there."""
    for key in keys:
        if isinstance(row.get(key), kind):
            return row[key]
    names = kind if isinstance(kind, tuple) else (kind,)
    expected = f"{' or '.join(map(repr, keys))} ({' or '.join(n.__name__ for n in names)})"
    raise DataError(f"{where}: expected {expected}, found {row!r:.200}")


def _pairs(answers: Fields, where: str, changes: Counter[str]) -> tuple[Answer, ...]:
    """Answers from parallel lists; () where none has a text: the question is unanswerable."""
    texts = _of(answers, where, list, "text")
    starts = _of(answers, where, list, "answer_start")
    if len(texts) != len(starts):
        raise DataError(f"{where}: {len(texts)} answers have {len(starts)} places")
    kept = tuple(Answer(t, s) for t, s in zip(texts, starts, strict=True) if t)
    if not all(isinstance(a.text, str) and isinstance(a.start, int) for a in kept):
        raise DataError(f"{where}: expected texts and numbers as answers, found {answers!r:.200}")
    changes["empty answers left out"] += len(texts) - len(kept)
    return kept


def _unrepeated(examples: Iterable[Example], changes: Counter[str]) -> Iterator[Example]:
    """The examples with every id given once: a repeated one gets a number at its end."""
    seen: set[str] = set()
    for example in examples:
        identity, number = example.id, 1
        while identity in seen:
            number += 1
            identity = f"{example.id}-{number}"
        seen.add(identity)
        if number > 1:
            changes["repeated ids made unique"] += 1
        yield example if number == 1 else replace(example, id=identity)
