"""Files in the SQuAD layout read paragraph by paragraph, however large they are."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babelspan.data.files import opened
from babelspan.data.squad import checked, records_of, unplaced
from babelspan.types import DataError, Example

_PARAGRAPH = "data.item.paragraphs.item"


def stream_squad(
    path: Path, *, question_language: str, context_language: str, keep_misplaced: bool = False
) -> Iterator[list[Example]]:
    """The questions of each paragraph, in file order; arguments and errors as in `load_squad`.

    A title that stands after its paragraphs is not seen; a lone surrogate is read as `?`.
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
    from ijson import ObjectBuilder  # of the extra `translate`

    builder: Any = None
    title = ""
    seen_data = False
    for prefix, event, value in _events(path):
        if builder is not None or prefix == _PARAGRAPH:
            builder = ObjectBuilder() if builder is None else builder
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
    if not seen_data:
        raise DataError(f"{path}: expected a list 'data' of the SQuAD layout, found none")


def _events(path: Path) -> Iterator[tuple[str, str, Any]]:
    """The tokens of a JSON file: where each stands, its kind, its value."""
    import ijson

    try:
        with opened(path) as file:
            if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
                file.seek(0)
            yield from ijson.parse(file, use_float=True)
    except ijson.JSONError as error:
        raise DataError(
            f"{path}: expected JSON, found something else ({_line(error)}); the file may be cut "
            "short"
        ) from None
    except UnicodeDecodeError:
        raise DataError(
            f"{path}: found the second half of a character without the first (\\udc00 to \\udfff); "
            "write both, or ?"
        ) from None


def _line(error: Exception) -> str:
    """What the parser says, in one line; of bytes that are no UTF-8 it says it in bytes."""
    said = error.args[0] if error.args else ""
    return " ".join(
        (said.decode(errors="replace") if isinstance(said, bytes) else str(said)).split()
    )
