"""The matrix on a terminal, narrow and wide."""

import io

import pytest
from rich.console import Console

from babelspan.reports.terminal import show
from reported import evaluated, parallel_cells

LANGUAGES = ("ar", "de", "en", "ko", "zh")


def printed(width, *, terminal=True):
    """What is printed, line by line."""
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=terminal, color_system=None, highlight=False
    )
    evaluation = evaluated(
        parallel_cells(*LANGUAGES), lambda pair, e: e.answers[0].text if pair[0] == "de" else "x"
    )
    show(evaluation.matrix, "f1", console)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_wide_terminal_has_one_table():
    lines = printed(80)

    assert lines[0] == "F1, percent"
    assert lines[1].split(" ┃ ") == [
        " question \\ context",
        "   ar",
        "   de",
        "   en",
        "   ko",
        "   zh",
    ]
    assert lines[3].split("│") == [" ar                 ", *["   0.0 "] * 4, "   0.0"]
    assert lines[4].split("│") == [" de                 ", *[" 100.0 "] * 4, " 100.0"]
    assert lines[8:] == ["XLT 20.0   G-XLT 20.0", ""]


@pytest.mark.parametrize(("width", "tables"), [(60, 1), (50, 2), (38, 3)])
def test_a_narrow_terminal_has_several_tables_and_every_column(width, tables):
    lines = printed(width)
    heads = [line for line in lines if "┃" in line]

    assert len(heads) == tables
    assert max(map(len, lines)) <= width
    columns = [code for head in heads for code in head.split() if code in LANGUAGES]
    assert columns == list(LANGUAGES)
    assert sum(line.count("100.0") for line in lines) == 5
    assert "…" not in "".join(lines)


def test_a_file_has_one_table_whatever_the_width():
    assert len([line for line in printed(20, terminal=False) if "┃" in line]) == 1
