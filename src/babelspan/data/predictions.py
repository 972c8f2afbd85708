"""Read and write predictions: one JSON object, question id -> answer text."""

from collections.abc import Mapping
from pathlib import Path

from babelspan.data.files import read_json, write_json
from babelspan.types import DataError


def load_predictions(path: Path) -> dict[str, str]:
    """Answers by question id.

    Raises:
        DataError: if the file is not an object of strings.
    """
    found = read_json(path)
    if not isinstance(found, dict):
        raise DataError(
            f"{path}: expected a JSON object {{id: text}}, found {type(found).__name__}"
        )
    for identity, text in found.items():
        if not isinstance(text, str):
            raise DataError(
                f"{path}: question {identity!r}: expected the text of an answer, "
                f"found {type(text).__name__}"
            )
    return found


def save_predictions(path: Path, predictions: Mapping[str, str]) -> None:
    """Write answers by question id, whole or not at all."""
    write_json(path, dict(predictions))
