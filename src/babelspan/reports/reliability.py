"""How far scores can be trusted, on a terminal: a table by languages and a reliability diagram."""

from typing import TYPE_CHECKING

from babelspan.scoring.calibration import Bin, expected_calibration_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

_WIDTH = 40


def errors_table(
    rows: "Iterable[tuple[str, str, float, Sequence[Bin], Sequence[Bin]]]",
) -> "Table":
    """A row for each pair of languages: questions, right answers, calibration errors.

    Args:
        rows: languages of question and context, fraction of right answers, bins of shares and of
            probabilities.
    """
    from rich.table import Table

    table = Table(show_edge=False)
    for name in ("question", "context", "questions", "right", "error: score", "probability"):
        table.add_column(name, justify="left" if name in ("question", "context") else "right")
    for question, context, right, shares, said in rows:
        count = sum(b.answers for b in shares)
        errors = (f"{100 * expected_calibration_error(b):.1f}" for b in (shares, said))
        table.add_row(question, context, f"{count:,}", f"{100 * right:.1f} %", *errors)
    return table


def diagram(of_bins: "Sequence[Bin]") -> str:
    """A line for each bin with answers: what was said (|) and what was right (bars)."""
    lines = ["probability    answers   right"]
    for number, one in enumerate(of_bins):
        if not one.answers:
            continue
        low, high = number / len(of_bins), (number + 1) / len(of_bins)
        bar = ["█"] * round(_WIDTH * one.right)
        bar += [" "] * (_WIDTH + 1 - len(bar))
        bar[round(_WIDTH * one.said)] = "|"
        lines.append(
            f"{low:4.0%} to {high:4.0%} {one.answers:9,} {one.right:6.0%}  {''.join(bar).rstrip()}"
        )
    return "\n".join(lines)
