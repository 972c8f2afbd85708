"""Counts of what translation made and lost; sums of parts are those of the whole."""

import json

import pytest

from babelspan.augment.statistics import ORIGINAL, Statistics, question_type
from babelspan.augment.strategies import STRATEGIES, translated
from babelspan.augment.translate import Direction
from babelspan.types import Answer, Example
from worded import Worded

CONTEXT = "Paris is a city. It has two parks."


def example(identity, question, answer):
    return Example(
        id=identity,
        question=question,
        context=CONTEXT,
        answers=(Answer(answer, CONTEXT.index(answer)),),
        question_language="en",
        context_language="en",
    )


EXAMPLES = [
    example("q1", "What is Paris?", "a city"),
    example("q2", "What has it?", "two parks"),
    example("q3", "In what city are two parks?", "Paris"),
]
WRONG = {"It has <b>two parks</b>.": "Ello tiene dos parques."}


def counted(*examples):
    statistics = Statistics()
    statistics.add_original(examples, "en")
    direction = Direction(Worded(WRONG), "en", "es")
    made = translated(examples, direction, STRATEGIES["all"], carriers=("marks", "match"))
    statistics.add(examples, made, "es")
    return statistics


def test_rows_have_pairs_means_and_types():
    original, questions, contexts, both = counted(*EXAMPLES).rows()
    assert (original["strategy"], original["language"], original["pairs"]) == (ORIGINAL, "en", 3)
    assert original["kept"] == 1
    assert original["words_question"] == pytest.approx((3 + 3 + 6) / 3)
    assert original["words_answer"] == pytest.approx((2 + 2 + 1) / 3)
    assert (original["what"], original["other"], original["how"]) == (2, 1, 0)
    assert (questions["strategy"], questions["language"]) == ("T(Q)", "es")
    assert (contexts["pairs"], both["pairs"]) == (3, 3)
    assert contexts["words_question"] == original["words_question"]


def test_losses_are_counted_by_strategy_language_and_reason():
    direction = Direction(Worded(WRONG), "en", "es")
    statistics = Statistics()
    statistics.add_original(EXAMPLES, "en")
    statistics.add(EXAMPLES, translated(EXAMPLES, direction, STRATEGIES["all"]), "es")
    assert statistics.dropped == {("T(C)", "es", "tags lost"): 1, ("T(Q+C)", "es", "tags lost"): 1}
    assert statistics.carried == {("es", "marks"): 2, ("es", ""): 1}
    _, questions, contexts, _ = statistics.rows()
    assert (questions["pairs"], contexts["pairs"]) == (3, 2)
    assert contexts["kept"] == pytest.approx(2 / 3)
    assert (questions["what"], contexts["what"]) == (2, 1)


def test_carriers_that_would_have_brought_an_answer():
    assert counted(*EXAMPLES).carried == {("es", "marks+match"): 2, ("es", "match"): 1}


def test_what_is_left_of_each_question_type():
    direction = Direction(Worded(WRONG), "en", "es")
    statistics = Statistics()
    statistics.add_original(EXAMPLES, "en")
    statistics.add(EXAMPLES, translated(EXAMPLES, direction, STRATEGIES["c"]), "es")
    original, contexts = statistics.rows()
    kept = [original[f"kept_{t}"] for t in ("what", "how", "other")]
    assert kept == [1, 0, 1]
    kept = [contexts[f"kept_{t}"] for t in ("what", "how", "other")]
    assert kept == [pytest.approx(1 / 2), 0, 1]


def test_survival_by_language_and_carrier():
    statistics = counted(*EXAMPLES)
    statistics.carried.update({("de", ""): 3, ("de", "match"): 1})
    rows = statistics.survival(("marks", "match"))
    assert [(r["language"], r["carrier"], r["arrived"], r["answers"]) for r in rows] == [
        ("de", "marks", 0, 4),
        ("de", "match", 1, 4),
        ("de", "any", 1, 4),
        ("es", "marks", 2, 3),
        ("es", "match", 3, 3),
        ("es", "any", 3, 3),
    ]
    assert rows[3]["share"] == pytest.approx(2 / 3)
    assert [r["carrier"] for r in statistics.survival(("marks",))] == ["marks"] * 2
    assert Statistics().survival(("marks",)) == []


def test_parts_add_up_to_the_whole():
    whole = counted(*EXAMPLES)
    parts = counted(EXAMPLES[0])
    parts.merge(counted(*EXAMPLES[1:]))
    assert parts.to_json() == whole.to_json()


def test_json_and_back():
    record = json.loads(json.dumps(counted(*EXAMPLES).to_json()))
    assert Statistics.from_json(record).to_json() == record


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is it?", "what"),
        ("WHY not?", "why"),
        ("  how many?", "how"),
        ("In what year?", "other"),
        ("What's this?", "other"),
        ("", "other"),
    ],
)
def test_question_types(question, expected):
    assert question_type(question) == expected
