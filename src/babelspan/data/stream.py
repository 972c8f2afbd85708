"""Files in the SQuAD layout read paragraph by paragraph, however large they are."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from babelspan.data.squad import checked, records_of, unplaced
from babelspan.types import DataError, Example

_PARAGRAPH = "data.item.paragraphs.item"


def stream_squad(
    path: Path, *, question_language: str, context_language: str, keep_misplaced: bool = False
) -> Iterator[list[Example]]:
    """The questions of each paragraph, in file order; arguments and errors as in `load_squad`.

    A title that stands after its paragraphs is not seen.
    """
    for number, (paragraph, title) in enumerate(_paragraphs(path)):
        examples = [
            Example(
                **fields, question_language=question_language, context_language=context_language
            )
            for fields in records_of(paragraph, title, path, f"{path}: paragraph {number}")
        ]
        yield [unplaced(e) if keep_misplaced else checked(e, path) for e in examples]


def count_paragraphs(path: Path) -> int:
    """How many paragraphs a file has; errors as in `load_squad`, for what is not JSON."""
    return sum(1 for _ in _paragraphs(path))


def _paragraphs(path: Path) -> Iterator[tuple[Any, str]]:
    """Each paragraph, as JSON gives it, with the title of its article."""
    import ijson  # of the extra `translate`

    builder: Any = None
    title = ""
    seen_data = False
    try:
        with _opened(path) as file:
            for prefix, event, value in ijson.parse(file, use_float=True):
                if builder is not None or prefix == _PARAGRAPH:
                    builder = ijson.ObjectBuilder() if builder is None else builder
                    builder.event(event, value)
                    if prefix == _PARAGRAPH and event not in ("start_map", "map_key"):
                        yield builder.value, title
                        builder = None
                elif (prefix, event) == ("data", "start_array"):
                    seen_data = True
                elif (prefix, event) == ("data.item", "start_map"):
                    title = ""
                elif prefix == "data.item.title":
                    title = str(value or "")
    except ijson.JSONError as error:
        raise DataError(
            f"{path}: expected JSON, found something else ({error}); the file may be cut short"
        ) from None
    except (EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: the gzip data is broken ({error}); fetch it again") from None
    if not seen_data:
        raise DataError(f"{path}: expected a list 'data' of the SQuAD layout, found none")


def _opened(path: Path) -> BinaryIO:
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
        return cast(BinaryIO, gzip.open(path)) if is_gzip else path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
