"""The tables of a page: one metric of a matrix, or the first matrix minus the second."""

from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from babelspan.reports.wording import percent
from babelspan.scoring.matrix import Grid, Pair

MEANS = {
    "XLT": "mean over the pairs of one language with itself",
    "G-XLT": "mean over all pairs of languages",
}


def matrix_table(matrices: Sequence[Grid[Any]], metric: str, title: str) -> str:
    """Return a table: questions in rows, contexts in columns, each cell a link to its questions.

    Args:
        matrices: one matrix, or two of the same pairs to show the first minus the second.
        metric: name of the metric.
        title: the table's caption.
    """
    first = matrices[0]
    values = {pair: _shown([m.value(pair, metric) for m in matrices]) for pair in first.cells}
    largest = max((abs(value) for value in values.values() if value is not None), default=0)
    scale = None if len(matrices) == 1 else largest
    names = [escape(context) for context in first.context_languages]
    lines = [
        f'<div class="scroll"><table class="matrix"><caption>{escape(title)}</caption>',
        "<thead><tr><td>question \\ context</td>"
        + "".join(f'<th scope="col">{name}</th>' for name in names)
        + "</tr></thead>\n<tbody>",
    ]
    for question in first.question_languages:
        pairs = [(question, context) for context in first.context_languages]
        cells = "".join(_cell(pair, values.get(pair), scale) for pair in pairs)
        lines.append(f'<tr><th scope="row">{escape(question)}</th>{cells}</tr>')
    return "\n".join([*lines, "</tbody></table></div>"])


def mean_line(matrices: Sequence[Grid[Any]], metric: str) -> str:
    """Return XLT and G-XLT as a paragraph; for two matrices the difference, then each."""
    means: dict[str, list[float | None]] = {
        "XLT": [m.xlt(metric) for m in matrices],
        "G-XLT": [m.g_xlt(metric) for m in matrices],
    }
    said = []
    for name, values in means.items():
        label = f'<abbr title="{MEANS[name]}">{name}</abbr>'
        shown = percent(_shown(values), signed=len(values) > 1)
        each = [f"{system} {percent(value)}" for system, value in zip("AB", values, strict=False)]
        note = f" ({', '.join(each)})" if len(each) > 1 else ""
        said.append(f"<span>{label} <b>{shown}</b>{note}</span>")
    return f'<p class="means">{" ".join(said)}</p>'


def _shown(values: Sequence[float | None]) -> float | None:
    """Return the only value, or the first minus the second; None if one is missing."""
    known = [value for value in values if value is not None]
    return known[0] - sum(known[1:]) if len(known) == len(values) else None


def _cell(pair: Pair, value: float | None, scale: float | None) -> str:
    context = escape(pair[1])
    if value is None:
        return f'<td data-context="{context}">–</td>'
    shown = percent(value, signed=scale is not None)
    label = f"{shown}, questions in {escape(pair[0])}, contexts in {context}"
    link = f'<a href="#{quote("-".join(pair))}" aria-label="{label}">{shown}</a>'
    shade = _shade(value, scale)
    return f'<td data-context="{context}" data-value="{value:.6f}" class="{shade}">{link}</td>'


def _shade(value: float, scale: float | None) -> str:
    """Return the CSS class of a colour; the classes are in `page.css`.

    Args:
        value: a fraction, or a difference of two.
        scale: the largest difference, which gets the strongest colour; None for a fraction.
    """
    if scale is None:
        return f"s{round(10 * value)}"
    step = round(5 * value / scale) if scale else 0
    return f"more{step}" if step > 0 else f"less{-step}" if step < 0 else "same"
