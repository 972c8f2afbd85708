"""Articles with questions and passages, as in the TyDi QA primary tasks, and answers.

Layout: Clark et al. (2020), arXiv:2003.05002 (see `babelspan.data.tydiqa`). The files count bytes
of UTF-8; an `Article` counts characters. Only one article is in memory at a time.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from babelspan.data.files import opened
from babelspan.data.tydiqa import annotated, field_of, primary_records
from babelspan.types import Article, ArticleAnswer, DataError, PrimaryQuestion, Span

_SNIFFED = 1 << 16
"""Number of bytes of a file used to detect its kind."""
_KEYS = re.compile(rb'"(?:document_plaintext|passage_answer_candidates)"\s*:')


def are_articles(path: Path) -> bool:
    """Return whether a file has articles with passages, judged by its first bytes.

    Raises:
        DataError: if it cannot be read.
    """
    with opened(path) as file:
        start = file.read(_SNIFFED)
    return start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{") and bool(_KEYS.search(start))


def stream_articles(path: Path) -> Iterator[Article]:
    """Yield the questions of a file with their articles; one article is in memory at a time.

    Args:
        path: lines of UTF-8 JSON in the full or the simplified form, gzipped or not.

    Raises:
        DataError: if the layout differs, an offset is outside the article or inside a character,
            passages overlap, or an annotated passage does not exist; the message gives the line.
    """
    for record, where in primary_records(path):
        yield _article(record, where)


def official(answer: PrimaryQuestion) -> dict[str, Any]:
    """Return a system's answer as a line of the official prediction file."""
    (given,) = answer.answers
    start, end = given.place or (-1, -1)
    return {
        "example_id": answer.id,
        "language": answer.language,
        "passage_answer_index": -1 if given.passage is None else given.passage,
        "passage_answer_score": given.passage_score,
        "minimal_answer": {"start_byte_offset": start, "end_byte_offset": end},
        "minimal_answer_score": given.minimal_score,
        "yes_no_answer": (given.yes_no or "none").upper(),
    }


class ByteOffsets:
    """Converts between characters of a text and bytes of its UTF-8 encoding.

    Args:
        text: text without lone surrogates, which UTF-8 cannot encode.
    """

    def __init__(self, text: str) -> None:
        self._bytes_of: NDArray[np.int32] | None = None
        self.size = len(text)
        if not text.isascii():
            encoded = np.frombuffer(text.encode("utf-8"), np.uint8)
            self.size = len(encoded)
            starts = np.flatnonzero((encoded & 0xC0) != 0x80)
            self._bytes_of = np.append(starts, self.size).astype(np.int32)

    def byte_at(self, character: int) -> int:
        """Return the byte at which a character starts, or the text ends."""
        return character if self._bytes_of is None else int(self._bytes_of[character])

    def character_at(self, byte: int) -> int | None:
        """Return the character that starts at a byte, or the end; None if there is none."""
        if not 0 <= byte <= self.size:
            return None
        if self._bytes_of is None:
            return byte
        character = int(np.searchsorted(self._bytes_of, byte))
        return character if self._bytes_of[character] == byte else None

    def place_of(self, span: Span) -> tuple[int, int]:
        """Return the start and end byte of a span; the end is exclusive."""
        return self.byte_at(span.start), self.byte_at(span.end)


def _article(record: Any, where: str) -> Article:
    text = field_of(record, "document_plaintext", str, where)
    try:
        offsets = ByteOffsets(text)
    except UnicodeEncodeError as error:
        raise DataError(
            f"{where}: expected text that UTF-8 can encode, found half a surrogate pair at "
            f"character {error.start}; remove it, and correct the offsets after it"
        ) from None
    candidates = field_of(record, "passage_answer_candidates", list, where)
    passages = tuple(_passages(candidates, offsets, where))
    annotations = field_of({"annotations": [], **record}, "annotations", list, where)
    return Article(
        id=field_of(record, "example_id", int, where),
        language=field_of(record, "language", str, where),
        question=field_of(record, "question_text", str, where),
        text=text,
        passages=passages,
        answers=tuple(_answer(a, passages, offsets, where) for a in annotations),
    )


def _passages(candidates: list[Any], offsets: ByteOffsets, where: str) -> Iterator[Span | None]:
    reached = 0
    for number, candidate in enumerate(candidates):
        start = field_of(candidate, "plaintext_start_byte", int, where)
        end = field_of(candidate, "plaintext_end_byte", int, where)
        place = f"{where}: passage {number}"
        if start == end or (start < 0 and end < 0):
            yield None
            continue
        span = _span(start, end, offsets, place)
        if span.start < reached:
            raise DataError(
                f"{place}: expected passages in order that do not overlap, found one from byte "
                f"{start} where the one before ends at byte {offsets.byte_at(reached)}"
            )
        reached = span.end
        yield span


def _answer(
    annotation: Any, passages: tuple[Span | None, ...], offsets: ByteOffsets, where: str
) -> ArticleAnswer:
    found = annotated(annotation, where)
    if found.passage is not None and found.passage >= len(passages):
        raise DataError(
            f"{where}: expected an annotation with one of the {len(passages)} passages of the "
            f"article, found passage {found.passage}; were the passages left out?"
        )
    start, end = found.place or (0, 0)
    span = _span(start, end, offsets, f"{where}: minimal answer") if start < end else None
    return ArticleAnswer(passage=found.passage, span=span, yes_no=found.yes_no)


def _span(start: int, end: int, offsets: ByteOffsets, where: str) -> Span:
    first, stop = offsets.character_at(start), offsets.character_at(end)
    for byte, character in ((start, first), (end, stop)):
        if character is None:
            inside = 0 <= byte <= offsets.size
            found = "inside a character" if inside else "outside the article"
            raise DataError(
                f"{where}: expected bytes between characters of the article, which has "
                f"{offsets.size} bytes of UTF-8, found byte {byte}, which is {found}; offsets "
                "count bytes, not characters"
            )
    if start >= end:
        raise DataError(f"{where}: expected a start before the end, found bytes {start} to {end}")
    assert first is not None and stop is not None
    return Span(first, stop)
