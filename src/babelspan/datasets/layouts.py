"""The layouts in which data sets are published, converted to examples.

Offsets are not checked against the contexts here: an answer keeps the offset in its file.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from babelspan.data.files import read_json, read_text
from babelspan.data.rows import Fields, answers_of, fields_of, json_rows, value_of
from babelspan.data.squad import records_of
from babelspan.datasets.catalogue import Source
from babelspan.types import Answer, DataError, Example

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
"""Language code -> first part of question ids in TyDiQA gold passage."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The examples of a file, and changes to its content: kind of change -> number of changes."""

    examples: list[Example]
    changes: dict[str, int]


def read(paths: Sequence[Path], source: Source, layout: str) -> Reading:
    """Return the questions of published files, one file after the other.

    Args:
        paths: the files, or files extracted from them; gzipped or not.
        source: their entry in the catalogue.
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
    """Read SQuAD 1.1 and 2.0; skip answers without text, and create missing ids."""
    for i, article in enumerate(_objects(read_json(path), "data", f"{path}")):
        where = f"{path}: article {i}"
        title = str(article.get("title") or "")
        for j, paragraph in enumerate(_objects(article, "paragraphs", where)):
            there = f"{where}, paragraph {j}"
            for k, record in enumerate(_objects(paragraph, "qas", there)):
                _mend(record, f"{article.get('id', i)}_{j}_{k}", there, changes)
            yield from records_of(paragraph, title, path, there)


def _objects(value: Any, key: str, where: str) -> list[Fields]:
    """Return the list of objects at a key."""
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise DataError(f"{where}: expected a list of objects {key!r}, as in the SQuAD layout")
    return found


def _mend(record: Fields, identity: str, where: str, changes: Counter[str]) -> None:
    if "id" not in record:
        changes["ids made"] += "guid" not in record  # the name in KLUE-MRC
        record["id"] = record.get("guid", identity)
    answers = _objects(record, "answers", where) if "answers" in record else []
    kept = [a for a in answers if a.get("text")]
    if len(kept) < len(answers):
        record["answers"] = kept
        changes["empty answers left out"] += len(answers) - len(kept)


def _tydiqa_goldp(path: Path, source: Source, changes: Counter[str]) -> Iterator[Fields]:
    """Read SQuAD 1.1 with all languages in one file; ids start with the language's name."""
    for fields in _squad(path, source, changes):
        if fields["id"].partition("-")[0] == _TYDI[source.context_language]:
            yield fields


def _rows(path: Path, source: Source, changes: Counter[str]) -> Iterator[Fields]:
    """Read one flat record per question; `answers` is {"text": [...], "answer_start": [...]}."""
    for where, row in json_rows(read_text(path), path):
        fields = fields_of(row, where)
        yield fields | {
            "answers": _answers_of(value_of(row, where, dict, "answers"), where, changes)
        }


def _afriqa(path: Path, source: Source, changes: Counter[str]) -> Iterator[Fields]:
    """Read AfriQA gold passages: `question_lang` with a passage in the pivot language.

    A question without a passage has the context null; it is skipped.
    """
    for where, row in json_rows(read_text(path), path):
        if "context" in row and row["context"] is None:
            changes["questions without a passage left out"] += 1
            continue
        yield {
            "id": str(value_of(row, where, (str, int), "id")),
            "question": value_of(row, where, str, "question_lang"),
            "context": value_of(row, where, str, "context"),
            "title": str(row.get("title") or "").strip(),
            "answers": _answers_of(value_of(row, where, dict, "answer_pivot"), where, changes),
        }


Layout = Callable[[Path, Source, Counter[str]], Iterator[Fields]]
LAYOUTS: dict[str, Layout] = {
    "squad": _squad,
    "tydiqa-goldp": _tydiqa_goldp,
    "rows": _rows,
    "afriqa": _afriqa,
}


def _answers_of(answers: Fields, where: str, changes: Counter[str]) -> tuple[Answer, ...]:
    """Return answers from two lists, and count those without text."""
    kept = answers_of(answers, where)
    changes["empty answers left out"] += len(answers["text"]) - len(kept)
    return kept


def _unrepeated(examples: Iterable[Example], changes: Counter[str]) -> Iterator[Example]:
    """Make ids unique: append a number to a repeated id."""
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
