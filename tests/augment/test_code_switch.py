"""Code-switched text: words replaced, answers followed."""

import random

import pytest

from babelspan.augment.code_switch import choices, switched, switched_example
from babelspan.types import Answer, Example, Span

GERMAN = {
    "bridge": choices({"Brücke": 1.0}),
    "the": choices({"": 1.0}),
    "old": choices({"alte": 1.0}),
}
CHINESE = {"old": choices({"旧": 1.0}), "bridge": choices({"桥": 1.0})}
TEXT = "See the old bridge, now."


def example():
    return Example(
        id="q",
        question="Which bridge?",
        context=TEXT,
        answers=(Answer("old bridge", 8),),
        question_language="en",
        context_language="en",
    )


def test_words_are_replaced_in_place():
    found = switched(TEXT, GERMAN, language="de", rate=1.0, rng=random.Random(0))
    assert found.text == "See  alte Brücke, now."
    assert found.replaced == 3
    assert switched(TEXT, GERMAN, language="de", rate=0.0, rng=random.Random(0)).text == TEXT


def test_a_language_without_spaces_joins_replaced_words():
    found = switched(TEXT, CHINESE, language="zh", rate=1.0, rng=random.Random(0))
    assert found.text == "See the 旧桥, now."


def test_a_text_without_spaces_gets_them_between_words_of_another_language():
    pytest.importorskip("icu4py", reason="needs ICU")
    english = {"旧": choices({"old": 1.0}), "桥": choices({"bridge": 1.0})}
    found = switched(
        "那座旧桥。", english, language="en", rate=1.0, rng=random.Random(0), source="zh"
    )
    assert found.text == "那座 old bridge。"
    assert found.place(Span(2, 4)).of(found.text) == "old bridge"
    kept = switched(
        "那座旧桥。", CHINESE, language="zh", rate=1.0, rng=random.Random(0), source="zh"
    )
    assert kept.text == "那座旧桥。"


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (Span(8, 18), "alte Brücke"),
        (Span(8, 10), "alte"),
        (Span(4, 11), "alte"),
        (Span(0, 3), "See"),
        (Span(1, 3), "ee"),
        (Span(12, 23), "Brücke, now"),
        (Span(4, 7), None),
        (Span(3, 4), None),
    ],
)
def test_a_span_goes_where_its_words_go(span, expected):
    found = switched(TEXT, GERMAN, language="de", rate=1.0, rng=random.Random(0))
    place = found.place(span)
    assert (None if place is None else place.of(found.text)) == expected


def test_an_example_in_two_languages():
    found = switched_example(
        example(),
        question=(GERMAN, "de", 1.0),
        context=(CHINESE, "zh", 1.0),
        rng=random.Random(0),
    )
    assert found.question == "Which Brücke?"
    assert found.answers == (Answer("旧桥", 8),)
    assert found.answers[0].is_in(found.context)
    assert (found.question_language, found.context_language) == ("de", "zh")
    assert (found.origin, found.strategy) == ("q", "code-switched")


def test_without_dictionaries_only_the_origin_changes():
    found = switched_example(example(), question=None, context=None, rng=random.Random(0))
    assert (found.question, found.context, found.answers) == (
        example().question, TEXT, example().answers,
    )  # fmt: skip


def test_an_answer_that_vanishes():
    gone = {"old": choices({"": 1.0}), "bridge": choices({"": 1.0})}
    assert (
        switched_example(example(), question=None, context=(gone, "de", 1.0), rng=random.Random(0))
        is None
    )


def test_choices_are_drawn_by_weight():
    rng = random.Random(1)
    drawn = [choices({"a": 3.0, "b": 1.0}).draw(rng) for _ in range(4_000)]
    assert drawn.count("a") / len(drawn) == pytest.approx(0.75, abs=0.03)
    with pytest.raises(ValueError, match=r"expected a positive weight among \{'a': 0.0\}"):
        choices({"a": 0.0})
