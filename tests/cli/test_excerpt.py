"""The text around an answer on a terminal: 40 columns a side, whole words."""

import pytest
from rich.cells import cell_len

from babelspan.cli.excerpt import COLUMNS, around
from babelspan.types import Span


def excerpt(text, answer):
    start = text.index(answer)
    return around(text, Span(start, start + len(answer)))


def test_a_short_text_is_shown_whole():
    assert excerpt("Opened in 1894, in London.", "1894") == ("Opened in ", ", in London.")


def test_words_are_not_cut():
    text = "aaaa " * 20 + "1894" + " bbbb" * 20
    assert excerpt(text, "1894") == ("… " + "aaaa " * 8, " bbbb" * 8 + " …")
    text = "aaaaa " * 20 + "1894" + " bbbbb" * 20
    assert excerpt(text, "1894") == ("… " + "aaaaa " * 6, " bbbbb" * 6 + " …")


@pytest.mark.parametrize("letter", ["運", "a", "ค", "\N{REGIONAL INDICATOR SYMBOL LETTER D}"])
def test_no_side_takes_more_columns_than_it_has(letter):
    before, after = excerpt(letter * 500 + "1894" + letter * 500, "1894")
    assert before.startswith("…") and after.endswith("…")
    for side in (before, after):
        assert COLUMNS - 1 <= cell_len(side.strip("…")) <= COLUMNS


def test_marks_take_no_column_but_have_an_end():
    before, after = excerpt("e" + "\u0301" * 5000 + "1894" + "\u0301" * 100, "1894")
    assert before == "…" + "\u0301" * 400
    assert after == "\u0301" * 100


def test_control_characters_do_not_reach_the_terminal():
    assert excerpt("a\x1b[31m\n1894\r\x07", "1894") == ("a [31m ", "  ")
