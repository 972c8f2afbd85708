"""A learning curve as a picture: F1 of rows over a quantity, with a line for each kind of rows."""

import math
import textwrap
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

from babelspan.reports.heat_map import DPI, EDGE, needs_matplotlib, signed_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HIGH = 6.4, 2.85
"""Width of the picture and height of the axes in inches."""
LEFT, RIGHT, TOP, BOTTOM = 0.75, 0.25, 0.75, 1.0
"""Margins around the axes in inches, for a name of one line and the signature."""
LINE = 0.2
"""Height of a line of the legend, and of each further line of the name, in inches."""
COLOURS = ("#0072b2", "#c04b00", "#007a59", "#9a4a8d", "#000000")
"""Of lines, told apart with any colour vision; contrast to white is at least 4.5 to 1."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
APART = 0.012
"""Distance between the error bars of lines that share an x, as a fraction of the x axis."""
FEWEST = 2
"""Number of points of a line below which there is nothing to draw."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """F1 at one place of a line.

    Attributes:
        x: place on the x axis.
        f1: mean over runs, as a fraction.
        sd: standard deviation over runs, as a fraction; None with one run.
        runs: number of runs: rows times seeds.
        rows: keys of the rows.
    """

    x: float
    f1: float
    sd: float | None
    runs: int
    rows: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """F1 over a quantity.

    Attributes:
        name: display name.
        test: name of the test set.
        mean: name of the mean that F1 is: "G-XLT" or "XLT".
        x: label of the x axis.
        lines: points of each line by its name, in the order of x; a line may have none.
        missing: keys of rows that were not run, so their points are left out.
        signature: how F1 was computed.
    """

    name: str
    test: str
    mean: str
    x: str
    lines: dict[str, tuple[Point, ...]]
    missing: tuple[str, ...]
    signature: str

    @property
    def is_drawn(self) -> bool:
        """Whether a line has two points."""
        return any(len(points) >= FEWEST for points in self.lines.values())


def learning_curve(curve: LearningCurve) -> bytes:
    """Return a PNG with standard deviations as error bars; no display is needed.

    Raises:
        ConfigError: if matplotlib is not installed.
    """
    needs_matplotlib("a picture of a curve (.png)")
    from matplotlib.figure import Figure

    title = textwrap.wrap(curve.name, width=int(9 * WIDTH))
    top = TOP + LINE * (len(title) - 1)
    height = top + LINE * len(_drawn(curve)) + HIGH + BOTTOM
    figure = Figure(figsize=(WIDTH, height), dpi=DPI)
    wide, high = 1 - (LEFT + RIGHT) / WIDTH, HIGH / height
    _draw(figure.add_axes((LEFT / WIDTH, BOTTOM / height, wide, high)), curve)

    plain: dict[str, Any] = {"parse_math": False}  # `$` in a name is not a formula
    edge = EDGE / WIDTH
    for number, line in enumerate(title):
        place = 1 - (0.3 + LINE * number) / height
        figure.text(edge, place, line, fontsize=12, weight="bold", **plain)
    has_bars = any(point.sd is not None for points in curve.lines.values() for point in points)
    beside = f"{curve.test}{'   bars: standard deviation over runs' if has_bars else ''}"
    figure.text(edge, 1 - (top - 0.23) / height, beside, fontsize=9, **plain)
    return signed_png(figure, curve.signature)


def _drawn(curve: LearningCurve) -> dict[str, tuple[Point, ...]]:
    return {name: points for name, points in curve.lines.items() if points}


def _draw(axes: "Axes", curve: LearningCurve) -> None:
    """Draw the lines that have points, and a legend above the axes."""
    drawn = _drawn(curve)
    places = [point.x for points in drawn.values() for point in points]
    apart = APART * (max(places) - min(places))
    looks = zip(cycle(COLOURS), cycle(MARKERS), strict=False)
    handles = []
    for number, (points, (colour, marker)) in enumerate(zip(drawn.values(), looks, strict=False)):
        moved = apart * (number - (len(drawn) - 1) / 2)
        bars = axes.errorbar(
            [point.x + moved for point in points],
            [100 * point.f1 for point in points],
            yerr=[math.nan if point.sd is None else 100 * point.sd for point in points],
            color=colour, marker=marker, markersize=6, linewidth=1.8, elinewidth=1, capsize=3,
        )  # fmt: skip
        handles.append(bars)
    axes.set_xlabel(curve.x, fontsize=10, parse_math=False)
    axes.set_ylabel(f"F1 ({curve.mean}), percent", fontsize=10, parse_math=False)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    legend = axes.legend(handles, [""] * len(drawn), fontsize=9, frameon=False, **place)
    for text, name in zip(legend.get_texts(), drawn, strict=True):
        text.set(text=name, parse_math=False)  # set here, since a legend skips names with "_"
