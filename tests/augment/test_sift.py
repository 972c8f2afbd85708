"""Filters of questions: each alone, near duplicates in order, languages."""

import pytest

from babelspan.augment.asked import Tally
from babelspan.augment.sift import (
    NEAR,
    NO_FILTERS,
    OTHER_ANSWER,
    OTHER_LANGUAGE,
    REPEATS,
    UNLIKELY,
    WITH_ANSWER,
    Made,
    Sift,
    teller,
)
from babelspan.types import Answer, ConfigError, Example


def made(question, nats=1.0, answer="Anna", text="t1", language="en"):
    return Made(
        Example(
            id=question,
            question=question,
            context="Anna wrote it.",
            answers=(Answer(answer, None),),
            question_language=language,
            context_language="en",
            origin=text,
        ),
        nats,
    )


def reasons(sift, *questions, other=None, told=None):
    return sift.reasons(questions, other or [False] * len(questions), told)


def test_nothing_goes_by_default():
    bad = made("anna anna anna anna", nats=99)
    assert reasons(NO_FILTERS, bad, bad) == [[], []]


def test_unlikely_questions_go():
    assert reasons(Sift(most_nats=2.0), made("a", 2.0), made("b", 2.01)) == [[], [UNLIKELY]]


def test_questions_that_hold_their_answer_go():
    assert reasons(Sift(without_answer=True), made("did ANNA write?"), made("who wrote?")) == [
        [WITH_ANSWER],
        [],
    ]


@pytest.mark.parametrize(
    ("question", "length", "goes"),
    [
        ("what is the the lake?", 1, True),
        ("what is the lake?", 1, False),
        ("how many native american native american?", 2, True),
        ("how many native american, american native?", 2, False),
        ("谁 谁", 1, True),
        ("", 1, False),
    ],
)
def test_questions_that_repeat_themselves_go(question, length, goes):
    assert reasons(Sift(no_repeats=length), made(question)) == [[REPEATS] if goes else []]


def test_questions_in_another_language_go():
    told = teller(["en", "es", "de"])
    found = reasons(
        Sift(right_language=True),
        made("Who wrote the play about the lake?"),
        made("¿Quién escribió la obra sobre el lago?"),
        made("¿Quién escribió la obra sobre el lago?", language="es"),
        told=told,
    )
    assert found == [[], [OTHER_LANGUAGE], []]


@pytest.mark.parametrize(
    ("languages", "said"),
    [(["en"], "in two languages or more"), (["en", "qaa"], "does not recognise qaa; leave")],
)
def test_languages_that_cannot_be_told(languages, said):
    with pytest.raises(ConfigError, match=said):
        teller(languages)


def test_the_later_of_two_like_questions_goes():
    one, like = made("who wrote the play?"), made("who wrote this play?")
    sift = Sift(no_near=0.6)
    assert reasons(sift, one, like) == [[], [NEAR]]
    assert reasons(sift, one, made("who wrote this play?", text="t2")) == [[], []]
    assert reasons(sift, one, made("who wrote this play?", language="de")) == [[], []]
    assert reasons(Sift(no_near=0.61), one, like) == [[], []]  # 3 of 5 words


def test_a_question_that_goes_anyway_is_no_reason_for_another_to_go():
    one, like = made("who wrote the play?"), made("who wrote this play?")
    assert reasons(Sift(no_near=0.6), one, like, other=[True, False]) == [[OTHER_ANSWER], []]


def test_all_reasons_are_told_and_counted():
    bad = made("anna anna", nats=9)
    sift = Sift(most_nats=2, without_answer=True, no_repeats=1)
    (found,) = reasons(sift, bad, other=[True])
    assert found == [UNLIKELY, WITH_ANSWER, REPEATS, OTHER_ANSWER]

    tally = Tally()
    for counted in (found, [UNLIKELY], [], [], [UNLIKELY, REPEATS]):
        tally.judge(("en", "es"), counted)
    tally.merge(Tally.from_json(tally.to_json()))
    together = tally.together()
    assert (together["seen"], together["kept"]) == (10, 4)
    assert {e["reason"]: (e["count"], e["alone"]) for e in together["each"]} == {
        UNLIKELY: (6, 2),
        WITH_ANSWER: (2, 0),
        REPEATS: (4, 0),
        OTHER_ANSWER: (2, 0),
    }
    assert sum(item["count"] for item in together["joint"]) == 10
    assert {"reasons": [UNLIKELY, REPEATS], "count": 2} in together["joint"]
    assert together["kept_by_pair"] == [{"question": "en", "text": "es", "seen": 10, "kept": 4}]
