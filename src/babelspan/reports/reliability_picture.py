"""A reliability diagram as an SVG: predicted against observed share of right answers."""

import html
import math
from collections.abc import Iterator, Mapping, Sequence

from babelspan.scoring.calibration import Bin, expected_calibration_error

Kinds = Mapping[str, Sequence[Bin]]
"""Bins of the same answers by quantity: "score", "probability"."""

COLUMNS = 4
SIDE = 170
"""Side of a panel's square in pixels."""
LEFT, TOP, WIDTH, HEIGHT = 52, 64, 240, 286
"""Position of the square in its panel, and size of a panel with its margins."""
HEAD = 66
"""Height of the title and the legend, above all panels."""
COLOURS = {"score": "#9a6700", "probability": "#00695c"}
SMALLEST, LARGEST = 2.5, 7.0
"""Range of a dot's radius; its area grows with the number of answers."""


def reliability_svg(title: str, panels: Mapping[str, Kinds]) -> str:
    """Return a picture with a panel per set of answers, such as "all" or "en-de", four per row.

    A dot is a bin: its x is the mean predicted share, its y the share of right answers. Dots on the
    diagonal are well calibrated; dots below it are overconfident.
    """
    rows = math.ceil(len(panels) / COLUMNS)
    width, height = WIDTH * min(COLUMNS, max(2, len(panels))), HEAD + HEIGHT * rows
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        'role="img" font-family="system-ui, sans-serif" font-size="11" fill="#24292f">',
        f"<title>{html.escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="26" font-size="15" font-weight="bold">{html.escape(title)}</text>',
        *_key(next(iter(panels.values()))),
    ]
    for number, (name, kinds) in enumerate(panels.items()):
        x, y = WIDTH * (number % COLUMNS), HEAD + HEIGHT * (number // COLUMNS)
        lines += [f'<g transform="translate({x} {y})">', *_panel(name, kinds), "</g>"]
    return "\n".join([*lines, "</svg>\n"])


def _key(kinds: Kinds) -> Iterator[str]:
    x = 22
    for kind in kinds:
        yield f'<circle cx="{x}" cy="45" r="5" fill="{COLOURS[kind]}"/>'
        yield f'<text x="{x + 10}" y="49">{kind}</text>'
        x += 90
    yield f'<text x="{x - 6}" y="49" fill="#57606a">larger dot: more answers</text>'


def _panel(name: str, kinds: Kinds) -> Iterator[str]:
    known = [b for b in next(iter(kinds.values())) if b.answers]
    answers = sum(b.answers for b in known)
    right = sum(b.answers * b.right for b in known) / answers
    errors = " → ".join(f"{100 * expected_calibration_error(b):.1f}" for b in kinds.values())
    yield f'<text x="16" y="20" font-size="13" font-weight="bold">{html.escape(name)}</text>'
    yield f'<text x="16" y="36">{answers:,} answers, {right:.0%} right</text>'
    yield f'<text x="16" y="51">calibration error {errors} %</text>'
    yield from _frame()
    most = max(b.answers for bins in kinds.values() for b in bins)
    for kind, bins in kinds.items():
        yield from _dots(bins, COLOURS[kind], most)


def _frame() -> Iterator[str]:
    edge = 'fill="none" stroke="#d0d7de"'
    yield f'<rect x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}" {edge}/>'
    yield (
        f'<line x1="{LEFT}" y1="{TOP + SIDE}" x2="{LEFT + SIDE}" y2="{TOP}" '
        'stroke="#8c959f" stroke-dasharray="4 4"/>'
    )
    for share in (0.0, 0.5, 1.0):
        x, y = _place(share, share)
        yield f'<text x="{x}" y="{TOP + SIDE + 15}" text-anchor="middle">{share:.0%}</text>'
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{share:.0%}</text>'
    middle = TOP + SIDE / 2
    yield (
        f'<text x="{LEFT + SIDE / 2}" y="{TOP + SIDE + 32}" text-anchor="middle" '
        'fill="#57606a">score or probability</text>'
    )
    yield (
        f'<text x="14" y="{middle}" text-anchor="middle" fill="#57606a" '
        f'transform="rotate(-90 14 {middle})">answers right</text>'
    )


def _dots(bins: Sequence[Bin], colour: str, most: int) -> Iterator[str]:
    known = [b for b in bins if b.answers]
    path = " ".join(f"{x:g},{y:g}" for x, y in (_place(b.said, b.right) for b in known))
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    for b in known:
        x, y = _place(b.said, b.right)
        radius = SMALLEST + (LARGEST - SMALLEST) * math.sqrt(b.answers / most)
        yield (
            f'<circle cx="{x:g}" cy="{y:g}" r="{radius:.1f}" fill="{colour}" fill-opacity="0.8">'
            f"<title>said {b.said:.0%}, right {b.right:.0%}, {b.answers:,} answers</title></circle>"
        )


def _place(said: float, right: float) -> tuple[float, float]:
    return round(LEFT + SIDE * said, 1), round(TOP + SIDE * (1 - right), 1)
