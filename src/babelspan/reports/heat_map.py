"""The matrix as a picture: questions in rows, contexts in columns, percent in each cell."""

import importlib.util
import io
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from babelspan.reports.evaluation import Evaluation
from babelspan.reports.wording import percent, title_of
from babelspan.scoring.matrix import Grid
from babelspan.types import ConfigError
from babelspan.version import VERSION, how_to_install

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 160
CELL = 0.62
"""Side of a cell in inches."""
LEFT, RIGHT, TOP, BOTTOM = 1.0, 0.3, 1.15, 0.75
"""Margins around the cells in inches, for names and the signature."""
NARROWEST = 4.0
"""Minimum width of the picture in inches, so that title and signature fit with few cells."""
EDGE = 0.15
"""Distance between text and the sides of the picture in inches."""
DARK = 0.71
"""Higher values are written in white; contrast is at least 4.5 to 1 on both sides of this value."""


def needs_matplotlib(what: str = "a heat map (.png)") -> None:
    """Check that matplotlib is installed.

    Args:
        what: what is to be drawn, for the error message.

    Raises:
        ConfigError: if it is not.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ConfigError(
            f"{what} needs matplotlib, which is not installed; run {how_to_install('plots')}"
        )


def size(rows: int, columns: int) -> tuple[float, float]:
    """Return width and height of the picture in inches."""
    return max(NARROWEST, LEFT + CELL * columns + RIGHT), TOP + CELL * rows + BOTTOM


def heat_map(evaluation: Evaluation, *, metric: str = "f1") -> bytes:
    """Return a PNG of one metric, coloured from 0 to 100 percent; no display is needed.

    Raises:
        ConfigError: if matplotlib is not installed.
    """
    return grid_map(evaluation.matrix, metric, evaluation.reader, evaluation.signature)


def grid_map(matrix: Grid[Any], metric: str, name: str, signature: str) -> bytes:
    """Return a PNG of one figure under a display name; as `heat_map`."""
    needs_matplotlib()
    from matplotlib.figure import Figure

    questions, contexts = matrix.question_languages, matrix.context_languages
    width, height = size(len(questions), len(contexts))
    figure = Figure(figsize=(width, height), dpi=DPI)
    wide, high = CELL * len(contexts) / width, CELL * len(questions) / height
    _draw(figure.add_axes((LEFT / width, BOTTOM / height, wide, high)), matrix, metric)

    means = (("XLT", matrix.xlt(metric)), ("G-XLT", matrix.g_xlt(metric)))
    said = "   ".join(f"{name} {percent(mean)}" for name, mean in means)
    title = f"{title_of(metric)}, percent"
    edge = EDGE / width
    figure.text(edge, 1 - 0.3 / height, title, fontsize=12, weight="bold")
    plain: dict[str, Any] = {"parse_math": False}  # `$` in a path is not a formula
    figure.text(edge, 1 - 0.52 / height, f"{name}   {said}", fontsize=9, **plain)
    return signed_png(figure, signature)


def signed_png(figure: "Figure", signature: str) -> bytes:
    """Write a signature at the bottom of a figure, and return the figure as a PNG."""
    width, height = figure.get_size_inches()
    lines = "\n".join(textwrap.wrap(signature, width=int(18 * width)))
    small: dict[str, Any] = {"fontsize": 6, "color": "0.35", "va": "bottom", "parse_math": False}
    figure.text(EDGE / width, EDGE / height, lines, **small)
    file = io.BytesIO()
    described = {"Software": f"babelspan {VERSION}", "Description": signature}
    figure.savefig(file, format="png", dpi=DPI, metadata=described)
    return file.getvalue()


def _draw(axes: "Axes", matrix: Grid[Any], metric: str) -> None:
    """Draw the cells with their values, with languages at the top and on the left."""
    questions, contexts = matrix.question_languages, matrix.context_languages
    values = np.array(
        [[matrix.value((q, c), metric) for c in contexts] for q in questions], dtype=float
    )
    axes.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        shown = percent(None if np.isnan(value) else value)
        colour = "white" if value > DARK else "black"
        axes.text(column, row, shown, ha="center", va="center", color=colour, fontsize=10)
    axes.set_xticks(range(len(contexts)), contexts)
    axes.set_yticks(range(len(questions)), questions)
    axes.set_xticks(np.arange(len(contexts) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(questions) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0, bottom=False, labelbottom=False)
    axes.tick_params(labelsize=11, labeltop=True)
    axes.spines[:].set_visible(False)
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("context", fontsize=10)
    axes.set_ylabel("question", fontsize=10)
