"""The stream format of Apertium: what is sent, and what is made of what comes back."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from babelspan.translators.apertium.stream import decode, encode

FORMAT = ["[3]", "[]", ".[]", "[[0]]", "[[/]]", *r"\^$/@{}<>~*.", "<i>", "&amp;"]
BLANKS = [" ", "  ", "\n\n", "\t", "\0", "\ud800", "\u00a0"]
PARTS = st.sampled_from(["word", "é", "桥", *FORMAT, *BLANKS])
PLAIN = st.lists(PARTS, max_size=8).map("".join)
MARKED = st.lists(st.one_of(PLAIN, PLAIN.map(lambda text: f"<b>a{text}b</b>")), max_size=4)


def sent_back(text, tags=()):
    encoded = encode(text, tags)
    return decode(encoded.stream, encoded)


def answered(text, answer, tags=("b", "i")):
    return decode(answer, encode(text, tags))


@given(MARKED.map("".join))
@example("<b>&</b> and <b></b>")
@example(" <b>word")
@example("</b>word<b>")
@settings(max_examples=100)
def test_what_is_sent_back_as_it_is_was_the_text(text):
    assert sent_back(text) == text
    assert sent_back(text, ["b"]) == text


@given(PLAIN)
@settings(max_examples=100)
def test_nothing_of_a_text_is_taken_for_the_format(text):
    """Between its blanks a stream holds reserved characters behind a backslash only."""
    stream = encode(text).stream
    bare = re.sub(r"\\.|\[\d*\]", "", stream)
    assert not re.search(r"[\[\]{}^$/\\@<>\0-\x1f~]", bare)
    assert stream.endswith(".[]")
    stream.encode("utf-8")


def test_white_space_stands_in_blanks_and_two_line_ends_end_a_sentence():
    encoded = encode(" a\tb\n\nc  d e\n")
    assert encoded.stream == "a[0]b.[][1]c[2]d e.[]"
    assert encoded.blanks == ("\t", "\n\n", "  ")
    assert decode("D e[2]c.[][1]b[0]a.[]", encoded) == " D e  c\n\nb\ta\n"


def test_words_are_bound_to_their_piece_only_where_there_are_tags():
    assert encode("<b>a</b> b").stream == r"\<b\>a\<\/b\> b.[]"
    assert encode("a b", ["b"]).stream == "a b.[]"
    assert encode("x <b>a <i>b</i></b> c", ["b", "i"]).stream == (
        "[[0]]x [[/]][[1]]a [[/]][[2]]b[[/]][[3]] c[[/]].[]"
    )


@pytest.mark.parametrize(
    ("text", "came", "expected"),
    [
        # the words of the element come back in another order, with a word between them
        ("big <b>dog house</b>", "[[1]]casa[[/]] de [[1]]perro[[/]] [[0]]grande[[/]]",
         "<b>casa de perro</b> grande"),
        # a word from outside stands between them
        ("big <b>dog house</b>", "[[1]]casa[[/]] [[0]]grande[[/]] [[1]]perro[[/]]",
         "<b>casa</b> grande <b>perro</b>"),
        # two elements next to each other stay two
        ("<b>a</b> <b>b</b>", "[[2]]B[[/]] [[0]]A[[/]]", "<b>B</b> <b>A</b>"),
        # one in another
        ("<b>a <i>b</i></b> c", "[[2]]C[[/]] [[1]]B[[/]] [[0]]A[[/]]", "C <b><i>B</i> A</b>"),
        # one word from words of several pieces is in the innermost of them
        ("a <b>b</b>", "[[0; 1]]AB[[/]]", "<b>AB</b>"),
        # all words of an element are gone
        ("he <b>does</b> go", "[[0]]va[[/]]", "va"),
        # what comes back with two spaces where a word went has one
        ("he <b>does</b> go", "[[0]]va[[/]]  [[2]]x[[/]] ", "va x"),
    ],
)  # fmt: skip
def test_tags_come_back_round_the_words_they_were_round(text, came, expected):
    assert answered(text, came + ".[]") == expected


def test_a_tag_without_its_other_half_is_text():
    assert encode("a <b> c", ["b"]).stream == r"a \<b\> c.[]"
    assert encode("</b> <b>a</b> </b>", ["b"]).stream == (
        r"[[0]]\<\/b\> [[/]][[1]]a[[/]][[2]] \<\/b\>[[/]].[]"
    )
    crossed = encode("<b>x <i>y</b> z</i>", ["b", "i"])
    assert crossed.names == ("b",)
    assert decode(crossed.stream, crossed) == "<b>x <i>y</b> z</i>"


def test_an_element_without_a_word_is_kept_whole():
    encoded = encode("it is <b>&</b> or <b><i>…</i></b>", ["b", "i"])
    assert encoded.stream == "it is [0] or [1].[]"
    assert encoded.blanks == ("<b>&</b>", "<b><i>…</i></b>")
