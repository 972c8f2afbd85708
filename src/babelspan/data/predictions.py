"""Reading and writing predictions: one JSON object, question id -> answer text.

The list for the metrics of Hugging Face, {"id": …, "prediction_text": …}, can be read as well.
"""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from babelspan.data.files import read_json, writing
from babelspan.types import DataError

RECORD = "evaluation.json"
"""The file in a folder of predictions that records which reader and data they depend on."""


def load_predictions(path: Path) -> dict[str, str]:
    """Return the answers by question id.

    Raises:
        DataError: if the file is not an object of strings.
    """
    found = _by_id(_unlisted(read_json(path), path), path, "text")
    if isinstance(found.get("data"), list):
        raise DataError(
            f"{path}: expected predictions, {{id: answer}}, found a data set; give the file that "
            "`babelspan predict` wrote"
        )
    for identity, text in found.items():
        if not isinstance(text, str):
            raise DataError(
                f"{path}: question {identity!r}: expected the text of an answer, "
                f"found {type(text).__name__}"
            )
    return found


def load_null_odds(path: Path) -> dict[str, float]:
    """Return odds of "no answer" against an answer, by question id (SQuAD 2's null odds).

    Raises:
        DataError: if the file is not an object of numbers.
    """
    found = _by_id(read_json(path), path, "number")
    for identity, odds in found.items():
        if not isinstance(odds, int | float) or isinstance(odds, bool) or not math.isfinite(odds):
            raise DataError(
                f"{path}: question {identity!r}: expected a finite number, found {odds!r:.60}"
            )
    return {identity: float(odds) for identity, odds in found.items()}


def save_predictions(path: Path, predictions: Mapping[str, str]) -> None:
    """Write answers by question id, completely or not at all."""
    stream_predictions(path, predictions.items())


def stream_predictions(path: Path, predictions: Iterable[tuple[str, str]]) -> int:
    """Write answers one by one, completely or not at all; return their number.

    All ids must differ.
    """
    count = 0
    with writing(path) as file:
        for identity, text in predictions:
            line = f"{json.dumps(identity, ensure_ascii=False)}: "
            line += json.dumps(text, ensure_ascii=False)
            lead = ",\n " if count else "{\n "
            file.write(f"{lead}{line}".encode(errors="backslashreplace"))
            count += 1
        file.write(b"\n}\n" if count else b"{}\n")
    return count


def _unlisted(found: Any, path: Path) -> Any:
    """Convert a list of records to an object; return anything else unchanged."""
    if not (found and isinstance(found, list) and all(map(_is_record, found))):
        return found
    texts = {str(record["id"]): record["prediction_text"] for record in found}
    if len(texts) < len(found):
        raise DataError(f"{path}: expected one record for each id, found repeated ids")
    return texts


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) and {"id", "prediction_text"} <= value.keys()


def _by_id(found: Any, path: Path, what: str) -> dict[str, Any]:
    """Check that `found` is a JSON object; `what` names the values expected in it."""
    if not isinstance(found, dict):
        raise DataError(
            f"{path}: expected a JSON object {{id: {what}}}, found {type(found).__name__}"
        )
    return found
