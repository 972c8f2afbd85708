"""Spans widened to whole words."""

import pytest

from babelspan.text.borders import LONGEST, whole_words
from babelspan.types import Span


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ("основал Александр Македонский", "лександр", "Александр"),
        ("основал Александр Македонский", "Александр", "Александр"),
        ("основал Александр Македонский", "лександр Маке", "Александр Македонский"),
        ("في القاهرة عام", "قاهرة", "القاهرة"),
        ("the well-known man", "nown", "known"),
        ("in 1939, then", "193", "1939"),
        ("in 1939, then", "1939, t", "1939, then"),
        ("中华人民共和国", "人民", "人民"),
        ("abc中国", "c中", "abc中"),
        ("हिन्दी में", "िन्दी", "हिन्दी"),
        ("a (b) c", "(b)", "(b)"),
        ("او می\u200cخواهد که", "خواه", "می\u200cخواهد"),
        ("서울에서 열린", "서울", "서울"),
        ("הוקם בירושלים בשנת", "ירושלים", "בירושלים"),
        ("im Jahr 2019년에", "2019", "2019"),
    ],
)
def test_whole_words(text, part, expected):
    start = text.index(part)
    assert whole_words(text, Span(start, start + len(part))).of(text) == expected


def test_a_span_at_both_ends_of_the_text():
    assert whole_words("word", Span(1, 3)) == Span(0, 4)
    assert whole_words("word", Span(0, 4)) == Span(0, 4)


def test_a_run_that_is_too_long_for_a_word_is_left_alone():
    long, endless = "x" * (LONGEST + 2), "x" * (LONGEST + 3)
    assert whole_words(long, Span(LONGEST, LONGEST + 1)).of(long) == long
    assert whole_words(endless, Span(0, 1)) == Span(0, 1)
    assert whole_words(endless, Span(LONGEST + 1, LONGEST + 2)) == Span(LONGEST + 1, LONGEST + 3)
