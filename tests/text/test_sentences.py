"""Sentences and their places; what is too long for a translator is cut where that does least."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.text.sentences import sentences


def cut(text, language="en"):
    return [span.of(text) for span in sentences(text, language)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "  Mr. Smith paid $3.50. So?\n\nHim! ", ["Mr. Smith paid $3.50.", "So?", "Him!"]),
        ("zh", "巴黎很大。它有公园！", ["巴黎很大。", "它有公园！"]),
        ("ar", "ما هذا؟ هذا كتاب.", ["ما هذا؟", "هذا كتاب."]),
        ("xx", "One. Two.", ["One.", "Two."]),
        ("en", "", []),
        ("en", " \n\t", []),
        ("en", "It \0 was.  Is \ud800 it?", ["It \0 was.", "Is \ud800 it?"]),
    ],
)
def test_sentences(language, text, expected):
    assert cut(text, language) == expected


def test_a_long_sentence_is_cut_behind_its_last_comma():
    assert list(map(len, cut("word " * 150 + "end, " + "word " * 100))) == [754, 499]
    assert list(map(len, cut("字" * 250 + "，" + "字" * 300, "zh"))) == [251, 300]


def test_a_comma_near_the_start_does_not_count():
    assert list(map(len, cut("One, " + "word " * 300))) == [999, 504]


def test_without_commas_it_is_cut_at_spaces_and_without_these_between_letters():
    assert list(map(len, cut("word " * 300))) == [999, 499]
    assert list(map(len, cut("ก" * 300 + " " + "ก" * 200, "th"))) == [300, 200]
    letters = cut("e\u0301" * 600)
    assert "".join(letters) == "e\u0301" * 600
    assert all(part.startswith("e") and len(part) <= 1000 for part in letters)
    assert list(map(len, cut("\u0301" * 1500))) == [1000, 500]


def test_a_sentence_that_is_just_short_enough_stays():
    assert len(cut("x " * 499 + "xx")) == 1
    assert len(cut("x " * 499 + "xxx")) == 2


LETTERS = st.sampled_from("ab. ?\n。，字ก\u0301\u200f\0\ud800<>")


@given(st.text(LETTERS, max_size=60), st.integers(1, 30))
@settings(max_examples=60)
def test_between_sentences_there_is_only_white_space(text, times):
    long = text * times
    spans = sentences(long, "zh")
    assert all(a.end <= b.start for a, b in pairwise(spans))
    inside = {i for span in spans for i in range(span.start, span.end)}
    assert all(c.isspace() for i, c in enumerate(long) if i not in inside)
