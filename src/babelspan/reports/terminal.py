"""The matrix on a terminal."""

from math import ceil
from typing import TYPE_CHECKING, Any

from babelspan.reports.wording import percent, title_of
from babelspan.scoring.matrix import Grid

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def show(matrix: Grid[Any], metric: str, console: "Console") -> None:
    """Print one metric, questions in rows and contexts in columns, then XLT and G-XLT.

    A matrix that is too wide for the terminal is split into several tables; nothing is left out.
    A file has no width limit.
    """
    contexts = matrix.context_languages
    if not console.is_terminal:
        console.width = max(console.width, 40 + 12 * len(contexts))
    anything = console.options.update(width=10_000)
    for parts in range(1, len(contexts) + 1):
        size = ceil(len(contexts) / parts)
        starts = range(0, len(contexts), size)
        tables = [_table(matrix, contexts[s : s + size], metric) for s in starts]
        widest = max(console.measure(table, options=anything).maximum for table in tables)
        if widest <= console.width:
            break
    console.print(f"[italic]{title_of(metric)}, percent")
    for table in tables:
        console.print(table)
    means = {"XLT": matrix.xlt(metric), "G-XLT": matrix.g_xlt(metric)}
    console.print("   ".join(f"{name} {percent(value)}" for name, value in means.items()))
    console.print()


def _table(matrix: Grid[Any], contexts: list[str], metric: str) -> "Table":
    from rich.table import Table

    table = Table(show_edge=False)
    table.add_column("question \\ context", style="bold")
    for language in contexts:
        table.add_column(language, justify="right", no_wrap=True)
    for question in matrix.question_languages:
        values = [matrix.value((question, context), metric) for context in contexts]
        table.add_row(question, *(percent(value) for value in values))
    return table
