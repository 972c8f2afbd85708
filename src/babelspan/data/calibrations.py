"""The file in a reader's folder with its calibration curve."""

from pathlib import Path
from typing import Any, NamedTuple

from babelspan.data.files import read_json, write_json
from babelspan.types import DataError

CALIBRATION = "calibration.json"


class Curve(NamedTuple):
    """The content of `calibration.json`: slope and offset, and the reader they were fitted to."""

    slope: float
    offset: float
    reader: str


def load_curve(path: Path) -> Curve:
    """Load the curve in a file.

    Raises:
        DataError: if the file has other content.
    """
    found: Any = read_json(path)
    try:
        slope, offset = float(found["slope"]), float(found["offset"])
        reader = str(found["reader"])
    except (KeyError, TypeError, ValueError):
        slope, offset, reader = 0.0, 0.0, ""
    if not 0 < slope < float("inf") or not abs(offset) < float("inf"):
        raise DataError(
            f"{path}: expected the numbers 'slope' and 'offset' and a 'reader', found something "
            "else; remove the file, or run `babelspan calibrate` again"
        )
    return Curve(slope, offset, reader)


def save_curve(path: Path, curve: Curve, **facts: Any) -> None:
    """Write a curve and information about it."""
    write_json(path, {**curve._asdict(), **facts})
