"""The picture of a learning curve: lines in their colours, where the figures are."""

import io
import sys
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from babelspan.reports.heat_map import DPI
from babelspan.reports.learning_curve import (
    COLOURS,
    MARKERS,
    WIDTH,
    LearningCurve,
    Point,
    learning_curve,
)
from babelspan.types import ConfigError


def point(x, f1, sd=None):
    return Point(x=x, f1=f1, sd=sd, runs=1, rows=("a",))


RISES = (point(0, 0.2), point(1, 0.8))
FALLS = (point(0, 0.7), point(1, 0.1))
CURVE = LearningCurve(
    name="Figure 1", test="T", mean="XLT", x="share", lines={"a": RISES, "b": FALLS}, missing=(),
    signature="squad|n:3",
)  # fmt: skip


def drawn(curve):
    picture = learning_curve(curve)
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), dtype=float) / 255


def places(pixels, colour, *, below=0):
    """Rows and columns of the pixels of a colour, below a number of pixels from the top."""
    near = np.abs(pixels - to_rgb(colour)).max(axis=2) < 0.02
    rows, columns = np.nonzero(near)
    return rows[rows >= below], columns[rows >= below]


def test_a_line_is_where_its_figures_are():
    pixels = drawn(CURVE)
    assert pixels.shape[1] == round(WIDTH * DPI)
    axes = round(1.3 * DPI)  # title and legend are above
    for colour, rises in zip(COLOURS, (True, False), strict=False):
        rows, columns = places(pixels, colour, below=axes)
        first, last = rows[columns == columns.min()], rows[columns == columns.max()]
        assert (last.mean() < first.mean()) == rises
    assert len(places(pixels, COLOURS[2])[0]) == 0


def test_a_standard_deviation_is_a_bar():
    bars = (point(0, 0.2, 0.0), point(0.5, 0.5, 0.4), point(1, 0.8, 0.0))
    line = replace(CURVE, lines={"a": (RISES[0], point(0.5, 0.5), RISES[1])})
    heights = []
    for points in (bars, line.lines["a"]):
        rows, columns = places(drawn(replace(line, lines={"a": points})), COLOURS[0], below=180)
        middle = rows[np.abs(columns - np.median(columns)) < 8]
        heights.append(np.ptp(middle))
    assert heights[0] > 3 * heights[1]


def test_a_line_without_points_has_no_place_in_the_legend():
    two, one = drawn(CURVE), drawn(replace(CURVE, lines={"a": RISES, "b": ()}))
    assert two.shape[0] > one.shape[0]
    assert len(places(one, COLOURS[1])[0]) == 0


@pytest.mark.parametrize("name", [r"$a\b$/x", "_hidden", "a long name " * 12])
def test_names_are_shown_as_they_are(name):
    """A formula would be an error; a name with an underscore is usually left out of a legend."""
    usual = drawn(CURVE)
    pixels = drawn(replace(CURVE, name=name, test=name, x=name, lines={name: RISES, "b": FALLS}))
    top = round(0.7 * DPI) + pixels.shape[0] - usual.shape[0]
    legend = pixels[top : top + round(0.4 * DPI), round(1.2 * DPI) :]
    assert (legend.min(axis=2) < 0.3).sum() > (
        usual[round(0.7 * DPI) : round(1.1 * DPI), round(1.2 * DPI) :].min(axis=2) < 0.3
    ).sum()


def test_the_signature_is_in_the_file():
    described = Image.open(io.BytesIO(learning_curve(CURVE))).text
    assert described["Description"] == CURVE.signature
    assert described["Software"].startswith("babelspan ")


def test_a_line_needs_two_points_to_be_drawn():
    assert CURVE.is_drawn
    one_each = {"a": RISES[:1], "b": FALLS[1:]}
    assert not replace(CURVE, lines=one_each).is_drawn
    assert not replace(CURVE, lines={}).is_drawn
    drawn(replace(CURVE, lines={"a": RISES, "b": FALLS[:1]}))


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_can_be_seen_on_white(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = np.dot(linear, (0.2126, 0.7152, 0.0722))  # WCAG 2.2, relative luminance
    assert 1.05 / (luminance + 0.05) >= 4.5


def test_many_lines_differ_in_colour_or_marker():
    assert len({(COLOURS[n % len(COLOURS)], MARKERS[n % len(MARKERS)]) for n in range(35)}) == 35


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=r"^a picture of a curve \(\.png\) needs.*\[plots\]"):
        learning_curve(CURVE)
