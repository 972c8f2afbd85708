"""Reliability of probabilities on a terminal: calibration errors by language, and a diagram."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from babelspan.scoring.calibration import Bin, expected_calibration_error
from babelspan.scoring.matrix import Pair

if TYPE_CHECKING:
    from rich.table import Table

_WIDTH = 40


def errors_table(cells: Mapping[Pair, Mapping[str, Sequence[Bin]]]) -> "Table":
    """Return a table per language pair: answers, share right, and calibration errors, in percent.

    Args:
        cells: bins of the same answers by quantity, such as "probability".
    """
    from rich.table import Table

    table = Table(show_edge=False)
    kinds = next(iter(cells.values()))
    for name in ("question", "context"):
        table.add_column(name, no_wrap=True)
    for name in ("answers", "right", *(f"error of {kind}" for kind in kinds)):
        table.add_column(name, justify="right")
    for (question, context), of_cell in cells.items():
        known = [b for b in next(iter(of_cell.values())) if b.answers]
        count = sum(b.answers for b in known)
        right = sum(b.answers * b.right for b in known) / count
        errors = (f"{100 * expected_calibration_error(b):.1f}" for b in of_cell.values())
        table.add_row(question, context, f"{count:,}", f"{100 * right:.1f}", *errors)
    return table


def together(diagrams: Iterable[Sequence[Bin]]) -> list[Bin]:
    """Merge the bins of several sets of answers."""
    joined = []
    for same in zip(*diagrams, strict=True):
        known = [b for b in same if b.answers]
        count = sum(b.answers for b in known)
        means = (
            (sum(b.answers * b.said for b in known), sum(b.answers * b.right for b in known))
            if count
            else (float("nan"), float("nan"))
        )
        joined.append(Bin(count, *(mean / max(count, 1) for mean in means)))
    return joined


def diagram(of_bins: Sequence[Bin]) -> str:
    """Return a reliability diagram: a bar per bin with the share of right answers.

    The stroke in a line marks where the bar would end with perfect calibration.
    """
    lines = ["probability    answers  right"]
    for number, one in enumerate(of_bins):
        if not one.answers:
            continue
        low, high = number / len(of_bins), (number + 1) / len(of_bins)
        bar = ["█"] * round(_WIDTH * one.right)
        bar += [" "] * (_WIDTH + 1 - len(bar))
        bar[round(_WIDTH * one.said)] = "|"
        line = f"{low:4.0%} to {high:4.0%} {one.answers:9,} {one.right:6.0%}  {''.join(bar)}"
        lines.append(line.rstrip())
    return "\n".join(lines)
