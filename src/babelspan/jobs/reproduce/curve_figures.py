"""Learning curves of a reproduction: their points from the tables, and their files."""

import math
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from babelspan.data.files import write_csv, write_whole
from babelspan.jobs.reproduce.curves import Curve, slug
from babelspan.jobs.reproduce.reproduction import Reproduction
from babelspan.jobs.reproduce.table import Spread, Table
from babelspan.reports.learning_curve import LearningCurve, Point, learning_curve
from babelspan.types import ConfigError


def curves(job: Reproduction, tables: Sequence[Table]) -> list[LearningCurve]:
    """Return the curves of the scale on each test; rows that were not run are left out.

    Args:
        job: the reproduction, with all its units run.
        tables: its tables.
    """
    return [_curve(curve, table, job.seeds) for curve in job.scale.curve for table in tables]


def name_of(curve: LearningCurve) -> str:
    """Return the name of a curve's files, without suffix."""
    return f"curve-{slug(curve.name)}.{slug(curve.test)}"


def save(curves: Sequence[LearningCurve], folder: Path) -> None:
    """Write figures and pictures of curves that are drawn; without matplotlib, only the figures.

    Files of an earlier run are removed first. Standard error says if pictures are missing.
    """
    for curve in curves:
        for suffix in (".csv", ".png"):
            (folder / f"{name_of(curve)}{suffix}").unlink(missing_ok=True)
    drawn = [curve for curve in curves if curve.is_drawn]
    for curve in drawn:
        write_csv(folder / f"{name_of(curve)}.csv", _rows(curve))
    try:
        for curve in drawn:
            write_whole(folder / f"{name_of(curve)}.png", learning_curve(curve))
    except ConfigError as error:
        print(f"curves are not drawn: {error}", file=sys.stderr)


def _curve(curve: Curve, table: Table, seeds: int) -> LearningCurve:
    f1 = {line.key: line.f1[table.mean] for line in table.lines}
    return LearningCurve(
        name=curve.name,
        test=table.test.name,
        mean=table.mean,
        x=curve.x,
        lines={name: _points(line, f1, seeds) for name, line in curve.lines.items()},
        missing=tuple(key for key in curve.rows if key not in f1),
        signature=table.signature,
    )


def _points(line: Mapping[str, float], f1: Mapping[str, Spread], seeds: int) -> tuple[Point, ...]:
    """Return the points of a line in the order of x; rows with the same x are one point."""
    rows: defaultdict[float, list[str]] = defaultdict(list)
    for key, x in line.items():
        if key in f1:
            rows[x].append(key)
    return tuple(
        _point(x, {key: f1[key] for key in keys}, seeds) for x, keys in sorted(rows.items())
    )


def _point(x: float, f1: Mapping[str, Spread], seeds: int) -> Point:
    """Return the mean and the standard deviation over all runs of rows with `seeds` runs each."""
    runs = seeds * len(f1)
    middle = mean(spread.mean for spread in f1.values())
    squares = sum(
        (seeds - 1) * (spread.sd or 0) ** 2 + seeds * (spread.mean - middle) ** 2
        for spread in f1.values()
    )
    sd = math.sqrt(squares / (runs - 1)) if runs > 1 else None
    return Point(x=x, f1=middle, sd=sd, runs=runs, rows=tuple(f1))


def _rows(curve: LearningCurve) -> list[dict[str, Any]]:
    """Return a line of the CSV for each point; figures are fractions."""
    return [
        {
            "line": name,
            "x": point.x,
            "f1": point.f1,
            "sd": point.sd,
            "runs": point.runs,
            "rows": " ".join(point.rows),
            "signature": curve.signature,
        }
        for name, points in curve.lines.items()
        for point in points
    ]
