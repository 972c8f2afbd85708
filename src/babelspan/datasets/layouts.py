"""The layouts in which data sets are published, read into examples.

Nothing is checked against the contexts here: an answer keeps the place that its file gives it.
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
    for where, row in json_rows(read_text(path), path):
        fields = fields_of(row, where)
        yield fields | {
            "answers": _answers_of(value_of(row, where, dict, "answers"), where, changes)
        }


def _afriqa(path: Path, source: Source, changes: Counter[str]) -> Iterator[Fields]:
    """AfriQA gold passages: `question_lang` over a passage in the pivot language, where it has one.

    A question for which no passage was found has the context null; it is left out.
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
    """Answers from two lists, and a count of those without text."""
    kept = answers_of(answers, where)
    changes["empty answers left out"] += len(answers["text"]) - len(kept)
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
