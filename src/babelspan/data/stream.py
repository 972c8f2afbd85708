"""Reading files in the SQuAD layout paragraph by paragraph, however large they are.

A flat record (`babelspan.data.rows`) is read as a paragraph with one question.
"""

import codecs
import json
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from babelspan.data.files import opened
from babelspan.data.rows import fields_of, object_of
from babelspan.data.squad import checked, field_of, records_of, unplaced
from babelspan.types import DataError, Example

_AT_ONCE = 1 << 16
"""Number of bytes to read at a time; more for a longer paragraph."""
_LONGEST_WORD = 16
"""Maximum length of a token, except strings, that may be cut at the end of the text read so far."""


def stream_squad(
    path: Path, *, question_language: str, context_language: str, keep_misplaced: bool = False
) -> Iterator[list[Example]]:
    """Yield the questions of each paragraph, in file order; arguments and errors as `load_squad`.

    A title that comes after its paragraphs is ignored.
    """
    for paragraph, title, where in raw_paragraphs(path):
        examples = [
            Example(
                **fields, question_language=question_language, context_language=context_language
            )
            for fields in records_of(paragraph, title, path, where)
        ]
        yield [unplaced(e) if keep_misplaced else checked(e, path) for e in examples]


def count_paragraphs(path: Path) -> int:
    """Return the number of paragraphs; raises as `load_squad`, but does not look inside them."""
    return sum(1 for _ in raw_paragraphs(path))


def raw_paragraphs(path: Path) -> Iterator[tuple[Any, str, str]]:
    """Yield each paragraph as parsed JSON, with its article's title and its place for errors."""
    with opened(path) as file:
        text = _Json(path, file)
        first = text.next()
        if first == "[":
            for number in text.items():
                yield _of_row(text.value(), f"{path}: record {number + 1}")
        elif first == "{":
            yield from _of_object(text, path)
        else:
            field_of(text.value(), "data", list, f"{path}")  # raises: there is no such key
        text.refuse_more()


def _of_object(text: "_Json", path: Path) -> Iterator[tuple[Any, str, str]]:
    """Yield the paragraphs of an object with `data`, or of lines of records if there is none."""
    others: dict[str, Any] = {}
    seen_data = False
    for key in text.members():
        if (key, text.next()) == ("data", "["):
            seen_data = True
            for number in text.items():
                yield from _of_article(text, f"{path}: article {number}")
        else:
            others[key] = text.value()
    if seen_data:
        return
    if "question" not in others:
        raise DataError(f"{path}: expected a list 'data' of the SQuAD layout, found none")
    yield _of_row(others, f"{path}: record 1")
    number = 1
    while text.next():
        number += 1
        yield _of_row(text.value(), f"{path}: record {number}")


def _of_row(row: Any, where: str) -> tuple[Any, str, str]:
    """Convert a flat record to a paragraph."""
    fields = fields_of(object_of(row, where), where)
    question = {"id": fields["id"], "question": fields["question"]}
    if fields["answers"] is not None:
        question["answers"] = [
            {"text": answer.text, "answer_start": answer.start} for answer in fields["answers"]
        ]
    return {"context": fields["context"], "qas": [question]}, fields["title"], where


def _of_article(text: "_Json", where: str) -> Iterator[tuple[Any, str, str]]:
    if text.next() != "{":
        field_of(text.value(), "paragraphs", list, where)  # raises: there is no such key
    title = ""
    others: dict[str, Any] = {}
    for key in text.members():
        if (key, text.next()) == ("paragraphs", "["):
            others[key] = []
            for number in text.items():
                yield text.value(), title, f"{where}, paragraph {number}"
        elif key == "title":
            title = str(text.value() or "")
        else:
            others[key] = text.value()
    field_of(others, "paragraphs", list, where)


class _Json:
    """A JSON text that is parsed piece by piece, in order.

    Args:
        path: for error messages.
        content: UTF-8, with or without a byte-order mark.
    """

    def __init__(self, path: Path, content: BufferedIOBase) -> None:
        self._path = path
        self._content = content
        self._bytes = b""  # the start of a partly read character
        self._text = ""
        self._at = 0
        self._bytes_before = 0
        self._lines_before = 0
        self._columns_before = 0
        if self.next() == "\ufeff":
            self._at += 1

    def next(self) -> str:
        """Return the next non-blank character without consuming it; empty at the end."""
        while True:
            while self._at < len(self._text):
                character = self._text[self._at]
                if character not in " \t\n\r":
                    return character
                self._at += 1
            if not self._read():
                return ""

    def items(self) -> Iterator[int]:
        """Yield the number of each list item; the caller must read each item before the next."""
        self._take("[")
        number = 0
        while number or self.next() != "]":
            yield number
            number += 1
            if self.next() != ",":
                break
            self._at += 1
        self._take("]")

    def members(self) -> Iterator[str]:
        """Yield each key of an object; the caller must read each value before the next key."""
        self._take("{")
        first = True
        while not first or self.next() != "}":
            first = False
            if self.next() != '"':
                raise self._error("Expecting property name enclosed in double quotes", self._at)
            key = str(self.value())
            self._take(":")
            yield key
            if self.next() != ",":
                break
            self._at += 1
        self._take("}")

    def value(self) -> Any:
        """Return the next complete value."""
        self.next()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                within = error.pos - self._at  # reading more moves both
                is_cut = len(self._text) - error.pos <= _LONGEST_WORD
                if (is_cut or error.msg.startswith("Unterminated string")) and self._read():
                    continue
                raise self._error(error.msg, self._at + within) from None
            except ValueError as error:  # a number with thousands of digits
                raise DataError(f"{self._path}: the JSON cannot be read: {error}") from None
            except RecursionError:
                raise DataError(f"{self._path}: the JSON is nested too deeply") from None
            is_cut = end == len(self._text) and isinstance(found, int | float)
            if not (is_cut and self._read()):
                self._at = end
                return found

    def refuse_more(self) -> None:
        """Raise DataError if anything follows."""
        if self.next():
            raise self._error("Extra data", self._at)

    def _take(self, character: str) -> None:
        if self.next() != character:
            raise self._error(f"Expecting {character!r}", self._at)
        self._at += 1

    def _read(self) -> bool:
        """Read more and drop what was consumed; return whether there was more."""
        new = self._content.read(max(_AT_ONCE, len(self._text) - self._at))
        raw = self._bytes + new
        try:
            text, used = codecs.utf_8_decode(raw, "strict", not new)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self._path}: expected UTF-8, found the byte 0x{raw[error.start]:02x} at byte "
                f"{self._bytes_before + error.start}; convert the file, for example with iconv"
            ) from None
        self._lines_before, self._columns_before = self._place(self._at)
        self._text, self._at = self._text[self._at :] + text, 0
        self._bytes, self._bytes_before = raw[used:], self._bytes_before + used
        return bool(new)

    def _place(self, at: int) -> tuple[int, int]:
        """Return the line, and column in it, of an index into the text in memory."""
        lines = self._text.count("\n", 0, at)
        if lines:
            return self._lines_before + lines, at - self._text.rfind("\n", 0, at) - 1
        return self._lines_before, self._columns_before + at

    def _error(self, said: str, at: int) -> DataError:
        line, column = self._place(at)
        return DataError(
            f"{self._path}: expected JSON, found something else at line {line + 1} column "
            f"{column + 1} ({said}); the file may be cut short"
        )


_DECODER = json.JSONDecoder()
