"""Answers between tags: what survives, what is repaired, what is refused and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babelspan.augment.mark import Carried, Lost, put_marks, read_marks, tag_for
from babelspan.types import Span

SOURCE = "The capital of France is Paris."
ANSWER = Span(25, 30)


def read(translated):
    return read_marks(translated, SOURCE, ANSWER, "b")


def answer_of(carried):
    return carried.span.of(carried.text)


def test_marks_go_round_the_answer():
    assert put_marks(SOURCE, ANSWER, "b") == "The capital of France is <b>Paris</b>."


def test_tags_that_came_back_whole():
    text = "La capital de Francia es París."
    assert read("La capital de Francia es <b>París</b>.") == Carried(text, Span(25, 30))


@pytest.mark.parametrize(
    "damaged",
    [
        "es < b >París< / b >.",
        "es <B>París</B>.",
        "es ＜b＞París＜／b＞.",
        "es <ｂ>París</ｂ>.",
        "es 《b》París《/b》.",
        "es </b>París<b>.",
        "es <b>París<b>.",
        "es <b><b>París</b></b>.",
        "es <b>París</b><b></b>.",
        "es <negrita>París</negrita>.",
        "es <б>París</б>.",
        "es<b> París </b>.",
        "es <b>París.</b>",
        "es <b>París<b/>.",
        "es <b><b> París </b></b>.",
        "es </negrita>París<negrita>.",
    ],
)
def test_damage_that_is_certain_is_repaired(damaged):
    carried = read(damaged)
    assert answer_of(carried) == "París"
    assert carried.text == "es París."


def test_repairs_are_told():
    assert not read("es <b>París</b>.").repaired
    assert read("es < b >París</b>.").repaired
    assert read("es ＜b＞París＜／b＞.").repaired


def test_an_answer_split_at_a_space_is_one_answer():
    carried = read("es <b>gran</b> <b>París</b>.")
    assert answer_of(carried) == "gran París"


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        ("La capital de Francia es París.", "tags lost"),
        ("La capital de Francia es <b>París.", "one tag lost"),
        ("La capital de Francia es París</b>.", "one tag lost"),
        ("La capital de Francia es <b></b>París.", "tags empty"),
        ("La capital es <b> </b>París.", "tags empty"),
        ("es <b>gran</b> ciudad <b>París</b>.", "answer split"),
        ("es <b>gran<b> ciudad </b>París<b>.", "tags tangled"),
        ("es <b>gran <b>París</b>.", "tags tangled"),
        ("es <b>París</b> grande</b>.", "tags tangled"),
        ("Lo dice 《Guía》 y es <b>París.", "one tag lost"),
        ("Lo dicen 《Guía》 y 《Mapa》: es París.", "tags lost"),
        ("《Guía》: es París, dice 《Guía》.", "tags lost"),
        ("es <uno>París</dos>.", "tags lost"),
        ("es <b>París</negrita>.", "one tag lost"),
        ("<b>La capital de Francia, como todos sabemos desde siempre, es</b> París.", "tags moved"),
    ],
)
def test_damage_that_is_not_certain_is_refused(damaged, reason):
    assert read(damaged) == Lost(reason)


def test_right_to_left_text_keeps_the_logical_order():
    carried = read("عاصمة فرنسا هي <b>باريس</b>.")
    assert answer_of(carried) == "باريس"
    assert carried.text == "عاصمة فرنسا هي باريس."


def test_punctuation_stays_inside_where_the_answer_had_it():
    source = "It cost $5 (more or less), they say."
    span = Span(8, 26)
    carried = read_marks("Costó <b>$5 (más o menos),</b> dicen.", source, span, "b")
    assert answer_of(carried) == "$5 (más o menos),"


def test_a_text_with_tags_gets_another_tag():
    assert tag_for("plain") == "b"
    assert tag_for("if a <b> c") == "i"
    assert tag_for("＜B＞ and <i>") == "u"
    assert tag_for("<b> <i> <u> <em> <q> <tt>") is None


def test_tags_of_the_source_are_left_alone():
    source = "The tag <b> makes text bold."
    span = Span(22, 26)
    carried = read_marks("La etiqueta <b> pone <i>negrita</i>.", source, span, "i")
    assert carried.text == "La etiqueta <b> pone negrita."
    assert answer_of(carried) == "negrita"


def test_tags_of_the_source_are_not_taken_for_ours():
    source = "The tag <b> makes text bold."
    assert read_marks("La etiqueta <b> pone </b>.", source, Span(22, 26), "i") == Lost("tags lost")


TEXT = st.text(st.sampled_from("ab <>&/é東 ا.,b"), max_size=20)


@given(before=TEXT, answer=st.text(st.sampled_from("abé東ا5"), min_size=1, max_size=8), after=TEXT)
def test_a_translation_that_changes_nothing_gives_the_text_and_the_answer_back(
    before, answer, after
):
    text = before + answer + after
    span = Span(len(before), len(before) + len(answer))
    tag = tag_for(text)
    if tag is None:
        return
    assert read_marks(put_marks(text, span, tag), text, span, tag) == Carried(text, span)
