"""Tables of `babelspan compare`, shared by all kinds of comparison."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from babelspan.reports.wording import p_value, with_sd

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from babelspan.scoring.comparison import Difference


def wide_console() -> "Console":
    """Return a console; if the output is not a terminal, it is at least 100 columns wide."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 100)
    return console


def counts_table(title: str, of: str, columns: Sequence[str]) -> "Table":
    """Return a table without rows: one column of names, then columns of numbers."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_edge=False)
    table.add_column(of, style="bold", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def differences_table(
    title: str, of: str, rows: "Mapping[str, Difference]", correction: str
) -> "Table":
    """Return a table of one metric: both systems and their difference, in percent, per row name."""
    columns = ("A", "B", "A − B", "95 % interval", "p", f"p ({correction})")
    table = counts_table(title, of, columns)
    for name, found in rows.items():
        table.add_row(
            name,
            _percent(found.a, found.a_sd),
            _percent(found.b, found.b_sd),
            f"{100 * found.difference:+.1f}",
            f"{100 * found.low:+.1f} … {100 * found.high:+.1f}",
            p_value(found.p_value),
            "" if found.corrected is None else p_value(found.corrected),
        )
    return table


def _percent(value: float, sd: float | None) -> str:
    return with_sd(100 * value, None if sd is None else 100 * sd)
