"""The SQuAD 2.0 rule: by pencil, and its thresholds against a search through all of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.scoring.figures import figures
from babelspan.scoring.scorers import squad, squad2
from babelspan.types import Answer, DataError, Example

BY_PENCIL = [
    # prediction, gold, exact match, F1
    ("The Cat", "cat", 1, 1),
    ("cat sat", "the cat sat down", 0, 4 / 5),  # P 2/2, R 2/3
    ("东京。", "东京", 0, 0),  # as in SQuAD 1.1
    ("", "", 1, 1),
    ("the.", "", 1, 1),  # neither side has a word, which SQuAD 1.1 gives an F1 of 0
    ("cat", "", 0, 0),
    ("", "cat", 0, 0),
]


def example(identity, *golds):
    return Example(
        id=identity,
        question="?",
        context="",
        answers=tuple(Answer(gold, None) for gold in golds),
        question_language="en",
        context_language="en",
    )


@pytest.mark.parametrize(("prediction", "gold", "exact_match", "f1"), BY_PENCIL)
def test_figures_by_pencil(prediction, gold, exact_match, f1):
    assert squad2.exact_match(prediction, gold, "en") == exact_match
    assert squad2.f1(prediction, gold, "en") == pytest.approx(f1, abs=1e-12)


def test_golds_that_are_nothing_are_dropped():
    assert squad2.golds({"The", "cat", "..."}) == {"cat"}
    assert squad2.golds({"The", "..."}) == {""}
    assert squad2.golds(set()) == {""}

    examples = [example("q1", "the", "cat"), example("q2", "the"), example("q3")]
    empty = dict.fromkeys(["q1", "q2", "q3"], "")
    assert figures(examples, empty, squad2).f1s.tolist() == [0, 1, 1]
    assert figures(examples[:2], empty, squad).exact_matches.tolist() == [1, 1]


def test_a_question_without_a_prediction_is_not_counted():
    examples = [example("q1", "cat"), example("q2", "cat"), example("q3"), example("q4")]
    found = figures(examples, {"q1": "cat", "q3": "cat", "q4": ""}, squad2)

    assert np.isnan(found.f1s).tolist() == [False, True, False, False]
    assert (found.exact_match, found.f1) == pytest.approx((2 / 3, 2 / 3))
    assert (found.questions, found.counted, found.missing) == (4, 3, 1)
    assert squad2.details(examples, found) == {
        "total": 3,
        "HasAns_exact": 1,
        "HasAns_f1": 1,
        "HasAns_total": 1,
        "NoAns_exact": 0.5,
        "NoAns_f1": 0.5,
        "NoAns_total": 2,
    }


def test_a_group_without_questions_is_left_out():
    examples = [example("q1"), example("q2")]
    found = figures(examples, {"q1": "", "q2": "cat"}, squad2)
    assert squad2.details(examples, found) == {
        "total": 2,
        "NoAns_exact": 0.5,
        "NoAns_f1": 0.5,
        "NoAns_total": 2,
    }


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(DataError, match=r"^none of the 1 questions has a prediction$"):
        figures([example("q1", "cat")], {"q2": "cat"}, squad2)
    unknown = Example(
        id="q1",
        question="?",
        context="",
        answers=None,
        question_language="en",
        context_language="en",
    )
    with pytest.raises(DataError, match=r"'q1' has no gold answer; the scorer 'squad2'"):
        figures([unknown], {"q1": ""}, squad2)


def test_above_the_threshold_a_question_is_not_answered():
    examples = [example("q1", "cat"), example("q2"), example("q3"), example("q4", "cat")]
    said = {"q1": "cat", "q2": "cat", "q3": "cat"}
    odds = {"q1": 3.2, "q2": 1.0, "q3": 1.01, "q4": 9.0, "another": 0.0}
    found = figures(examples, said, squad2)

    of_default = squad2.thresholded(examples, found, odds)  # 1, though these are no probabilities
    assert of_default.f1s[:3].tolist() == of_default.exact_matches[:3].tolist() == [0, 0, 1]
    assert np.isnan(of_default.f1s[3])
    at_4 = squad2.thresholded(examples, found, odds, threshold=4)
    assert at_4.f1s[:3].tolist() == [1, 0, 0]
    assert found.f1s[:3].tolist() == [1, 0, 0]


def test_null_odds_that_are_missing_are_named():
    examples = [example("q1", "cat"), example("q2", "cat")]
    said = {"q1": "cat", "q2": "cat"}
    found = figures(examples, said, squad2)
    message = r"^question 'q2' has a prediction but no null odds$"
    with pytest.raises(DataError, match=message):
        squad2.thresholded(examples, found, {"q1": 0.5})
    with pytest.raises(DataError, match=message):
        squad2.best_thresholds(examples, said, found, {"q1": 0.5})


@pytest.mark.parametrize(
    ("odds", "best", "threshold"),
    [
        ({"right": 0.5, "wrong": 0.5}, 1.0, 0.5),  # the fault: no threshold parts the two
        ({"wrong": 0.5, "right": 0.5}, 0.5, 0.0),
        ({"wrong": 0.7, "right": 0.5}, 1.0, 0.5),
        ({"wrong": 0.4, "right": 0.5}, 0.5, 0.0),  # answering nothing is as good, and comes first
    ],
)
def test_the_best_threshold_by_pencil(odds, best, threshold):
    examples = [example("right", "cat"), example("wrong")]
    said = {"right": "cat", "wrong": "cat"}
    found = squad2.best_thresholds(examples, said, figures(examples, said, squad2), odds)
    assert found == {
        "best_exact": best,
        "best_exact_thresh": threshold,
        "best_f1": best,
        "best_f1_thresh": threshold,
    }


SAID = st.sampled_from(["", "the", "cat mat", "cat sat", "dog"])  # F1 with "cat mat": 0, 1/2 or 1


@st.composite
def scored_sets(draw):
    """Questions with and without an answer, predictions to most, odds with ties in any order."""
    size = draw(st.integers(1, 7))
    examples = [example(f"q{i}", *draw(st.sampled_from([(), ("cat mat",)]))) for i in range(size)]
    said = {e.id: draw(SAID) for e in examples if e.id == "q0" or draw(st.integers(0, 5))}
    order = draw(st.permutations([e.id for e in examples]))
    return examples, said, {i: draw(st.sampled_from([-1.5, 0.0, 0.5, 2.0])) for i in order}


@settings(max_examples=100)
@given(scored=scored_sets())
def test_the_best_threshold_is_that_of_a_search_through_all(scored):
    examples, said, odds = scored
    found = figures(examples, said, squad2)
    best = squad2.best_thresholds(examples, said, found, odds)

    answerable = {e.id: bool(e.answers) for e in examples}
    order = sorted((i for i in odds if i in said), key=odds.get)
    for name, scores in (("exact", found.exact_matches), ("f1", found.f1s)):
        of_id = dict(zip((e.id for e in examples), scores, strict=True))
        sums = []
        for answered in range(len(order) + 1):
            total = 0.0
            for i in answerable:
                if i in order[:answered]:
                    total += of_id[i] if answerable[i] else said[i] == ""
                else:
                    total += not answerable[i]
            sums.append(total)
        first = sums.index(max(sums))
        assert best[f"best_{name}"] == max(sums) / len(said)
        assert best[f"best_{name}_thresh"] == (odds[order[first - 1]] if first else 0.0)
