"""The heat map: a PNG of the right size whose colours follow the figures."""

import io
import struct
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from babelspan.reports.heat_map import BOTTOM, CELL, DARK, DPI, LEFT, TOP, heat_map, size
from babelspan.types import ConfigError
from reported import evaluated, parallel_cells


def right_in_english(pair, example):
    return example.answers[0].text if pair == ("en", "en") else "x"


def pixels_of(picture):
    return np.asarray(Image.open(io.BytesIO(picture)).convert("L"), dtype=float)


def corner_of_cell(pixels, row, column):
    """The brightness near the corner of a cell, where no figure is written."""
    y = (TOP + CELL * (row + 0.15)) * DPI
    x = (LEFT + CELL * (column + 0.15)) * DPI
    return pixels[int(y), int(x)]


@pytest.mark.parametrize("languages", [("en",), ("ar", "de", "en", "ko", "zh")])
def test_it_is_a_png_of_the_size_that_is_said(languages):
    picture = heat_map(evaluated(parallel_cells(*languages), right_in_english))

    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = size(len(languages), len(languages))
    assert struct.unpack(">II", picture[16:24]) == (round(width * DPI), round(height * DPI))
    assert width >= LEFT + CELL * len(languages)
    assert height == TOP + CELL * len(languages) + BOTTOM


def test_better_cells_are_darker_and_absent_ones_are_empty():
    cells = parallel_cells("de", "en")
    del cells["de", "en"]
    evaluation = evaluated(cells, right_in_english)
    pixels = pixels_of(heat_map(evaluation))

    assert (list(evaluation.matrix.cells)) == [("de", "de"), ("en", "de"), ("en", "en")]
    assert corner_of_cell(pixels, 0, 1) == 255
    assert 240 < corner_of_cell(pixels, 0, 0) == corner_of_cell(pixels, 1, 0) < 255
    assert corner_of_cell(pixels, 1, 1) < 60
    other = pixels_of(heat_map(evaluated(cells, lambda *_: "x"), metric="exact_match"))
    assert corner_of_cell(other, 1, 1) == corner_of_cell(pixels, 0, 0)


def test_the_signature_is_in_the_file():
    evaluation = evaluated(parallel_cells("en"), right_in_english)
    described = Image.open(io.BytesIO(heat_map(evaluation))).text

    assert described["Description"] == evaluation.signature
    assert described["Software"].startswith("babelspan ")


def test_a_name_with_dollars_is_no_formula():
    evaluation = replace(evaluated(parallel_cells("en"), right_in_english), reader=r"$a\b$/x")

    assert heat_map(evaluation).startswith(b"\x89PNG")


@pytest.mark.parametrize("value", np.linspace(0, 1, 41))
def test_figures_can_be_read_on_their_colour(value):
    import matplotlib

    red, green, blue, _ = matplotlib.colormaps["Blues"](value)
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    luminance = np.dot(linear, (0.2126, 0.7152, 0.0722))  # WCAG 2.2, relative luminance
    contrast = 1.05 / (luminance + 0.05) if value > DARK else (luminance + 0.05) / 0.05
    assert contrast >= 4.5


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    evaluation = evaluated(parallel_cells("en"), right_in_english)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=r"^a heat map \(\.png\) needs matplotlib.*\[plots\]"):
        heat_map(evaluation)


def test_reports_are_imported_without_matplotlib():
    found = subprocess.run(
        [sys.executable, "-c", "import sys, babelspan.reports.kinds; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "babelspan.reports.heat_map" in found
    assert "matplotlib" not in found
