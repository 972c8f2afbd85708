"""The primary tasks of TyDi QA: by pencil, fault by fault, and against a search in plain loops."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.scoring import tydi_primary
from babelspan.scoring.tydi_primary import (
    Outcome,
    minimal_outcome,
    passage_outcome,
    place_f1,
    primary_figures,
)
from babelspan.types import DataError, PrimaryAnswer, PrimaryQuestion


def answer(passage=None, place=None, yes_no=None, score=0.0):
    return PrimaryAnswer(
        passage=passage, place=place, yes_no=yes_no, passage_score=score, minimal_score=score
    )


def question(identity, *answers, language="finnish"):
    return PrimaryQuestion(id=identity, language=language, answers=answers)


NONE = answer()


@pytest.mark.parametrize(
    ("predicted", "gold", "f1"),
    [
        ((0, 4), (0, 4), 1),
        ((0, 4), (2, 4), 2 / 3),  # P 2/4, R 2/2
        ((1, 5), (3, 9), 2 / 5),  # P 2/4, R 2/6
        ((0, 4), (4, 8), 0),  # ends are exclusive
        ((4, 4), (0, 8), 0),  # no bytes at all
        ((4, 4), (4, 4), 0),
    ],
)
def test_f1_of_places_by_pencil(predicted, gold, f1):
    assert place_f1(predicted, gold) == pytest.approx(f1)
    assert place_f1(gold, predicted) == pytest.approx(f1)


@settings(max_examples=80)
@given(*[st.tuples(st.integers(0, 12), st.integers(1, 12)) for _ in range(2)])
def test_f1_of_places_is_that_of_sets_of_bytes(one, other):
    ours, theirs = (range(start, start + length) for start, length in (one, other))
    shared = len(set(ours) & set(theirs))
    f1 = place_f1((ours[0], ours[-1] + 1), (theirs[0], theirs[-1] + 1))
    assert f1 == pytest.approx(2 * shared / (len(ours) + len(theirs)))


@pytest.mark.parametrize(
    ("golds", "predicted", "outcome"),
    [
        ([answer(2), answer(3), NONE], answer(3, score=1.5), Outcome(True, True, 1, 1.5)),
        ([answer(2), answer(3), NONE], answer(4), Outcome(True, True, 0, 0)),
        ([answer(2), answer(3), NONE], NONE, Outcome(True, False, 0, 0)),
        ([answer(2), NONE, NONE], answer(2), Outcome(False, True, 0, 0)),  # one annotator of three
        ([NONE, NONE, NONE], NONE, Outcome(False, False, 0, 0)),
        ([answer(2), answer(3), NONE], None, Outcome(True, False, 0, 0)),
        ([answer(2), NONE, NONE], None, Outcome(False, True, 0, 0)),  # the fault
    ],
)
def test_outcomes_of_passages(golds, predicted, outcome):
    assert passage_outcome(golds, predicted) == outcome


A, B = answer(place=(10, 20)), answer(place=(12, 16))
YES, NO = answer(yes_no="yes"), answer(yes_no="no")


@pytest.mark.parametrize(
    ("golds", "predicted", "outcome"),
    [
        ([A, B, NONE], answer(place=(10, 20), score=2), Outcome(True, True, 1, 2)),
        ([A, B, NONE], answer(place=(12, 18)), Outcome(True, True, 4 / 5, 0)),  # B: P 4/6, R 4/4
        ([A, B, NONE], answer(place=(30, 40)), Outcome(True, True, 0, 0)),
        ([A, NONE, NONE], answer(place=(10, 20)), Outcome(False, True, 0, 0)),
        ([A, YES, NONE], YES, Outcome(True, True, 1, 0)),  # one annotator of two said yes
        ([A, YES, NONE], NO, Outcome(True, True, 0, 0)),
        ([A, YES, NONE], answer(place=(10, 20)), Outcome(True, True, 1, 0)),
        ([YES, NO, NONE], answer(place=(10, 20)), Outcome(True, True, 0, 0)),
        ([YES, NO, NONE], NONE, Outcome(True, False, 0, 0)),
        ([YES, NONE, NONE], YES, Outcome(False, True, 0, 0)),
        ([A, B, NONE], None, Outcome(True, False, 0, 0)),
        ([NONE, NONE, NONE], None, Outcome(False, True, 0, 0)),  # the fault
    ],
)
def test_outcomes_of_minimal_answers(golds, predicted, outcome):
    found = minimal_outcome(golds, predicted)
    assert found == pytest.approx(outcome)


def golden(identity, language="finnish"):
    """A question with an answer, in passage 1."""
    return question(identity, answer(1), answer(1), NONE, language=language)


def said(identity, passage, score, language="finnish"):
    return question(identity, answer(passage, score=score), language=language)


def test_the_best_threshold_by_pencil():
    golds = [golden(i) for i in (1, 2, 3, 4)]
    predictions = [said(1, 1, 4.0), said(2, 5, 3.0), said(3, 1, 2.0), said(4, 5, 1.0)]
    found = primary_figures(golds, predictions).languages["finnish"]

    # at 4: P 1/1, R 1/4, F1 2/5; at 3: 1/2, 1/4, 1/3; at 2: 2/3, 2/4, 4/7; at 1: 2/4, 2/4, 1/2
    assert {k: v for k, v in found.items() if k.startswith("passage")} == pytest.approx(
        {
            "passage-best-threshold-f1": 4 / 7,
            "passage-best-threshold-precision": 2 / 3,
            "passage-best-threshold-recall": 2 / 4,
            "passage-best-threshold": 2.0,
            "passage-recall-at-precision>=0.5": 2 / 4,
            "passage-precision-at-precision>=0.5": 2 / 3,  # the first of equal recall
            "passage-recall-at-precision>=0.75": 1 / 4,
            "passage-precision-at-precision>=0.75": 1,
            "passage-recall-at-precision>=0.9": 1 / 4,
            "passage-precision-at-precision>=0.9": 1,
        }
    )
    assert set(v for k, v in found.items() if k.startswith("minimal")) == {0}


def test_equal_scores_are_counted_together():
    golds = [golden(1), golden(2)]
    found = primary_figures(golds, [said(1, 1, 3.0), said(2, 5, 3.0)]).languages["finnish"]
    assert found["passage-best-threshold-precision"] == 1 / 2
    assert found["passage-recall-at-precision>=0.75"] == 0


def test_the_mean_is_over_languages_without_english_that_have_a_prediction():
    golds = [golden(1), golden(2), golden(3, "korean"), golden(4, "english"), golden(5, "thai")]
    predictions = [said(1, 1, 1.0), said(2, 1, 1.0), said(3, 5, 1.0, "korean")]
    predictions += [said(4, 1, 1.0, "english"), said(9, 1, 1.0), said(8, 1, 1.0, "klingon")]
    found = primary_figures(golds, predictions)

    assert list(found.languages) == ["english", "finnish", "korean"]  # the fault: no Thai
    assert found.means["avg_passage_f1"] == found.means["avg_passage_recall"] == 1 / 2
    assert (found.missing, found.unexpected) == (1, 2)


def test_a_language_with_predictions_and_no_questions_counts_as_0():
    found = primary_figures([golden(1)], [said(1, 1, 1.0), said(2, 1, 1.0, "thai")])
    assert found.means["avg_passage_f1"] == 1 / 2
    assert set(found.languages["thai"].values()) == {0}


def test_a_prediction_under_another_language_is_not_that_of_the_question():
    found = primary_figures([golden(1), golden(2)], [said(1, 1, 1.0, "thai"), said(2, 1, 1.0)])
    assert (found.missing, found.unexpected) == (1, 1)
    assert found.languages["finnish"]["passage-best-threshold-recall"] == 1 / 2


def test_no_predictions_at_all_are_refused():
    with pytest.raises(DataError, match=r"^expected predictions in one of english, arabic, "):
        primary_figures([golden(1)], [said(1, 1, 1.0, "klingon")])


ANSWERS = st.one_of(
    st.builds(answer, st.sampled_from([None, 0, 1]), st.none(), st.sampled_from([None, "yes"])),
    st.builds(answer, st.integers(0, 1), st.sampled_from([(0, 2), (1, 3), (6, 9)])),
)


@st.composite
def scored_sets(draw):
    size = draw(st.integers(1, 7))
    golds = [question(i, *draw(st.lists(ANSWERS, min_size=3, max_size=3))) for i in range(size)]
    predictions = []
    for i in range(size):
        if i == 0 or draw(st.integers(0, 5)):
            a = draw(ANSWERS)
            score = draw(st.sampled_from([-2.5, -1.0, 0.0, 0.5, 3.0]))
            predictions.append(question(i, answer(a.passage, a.place, a.yes_no, score)))
    return golds, predictions


@settings(max_examples=100)
@given(scored=scored_sets())
def test_thresholds_are_those_of_a_search_through_all(scored):
    golds, predictions = scored
    found = primary_figures(golds, predictions).languages["finnish"]
    by_id = {p.id: p.answers[0] for p in predictions}
    for task, outcome in (("passage", passage_outcome), ("minimal", minimal_outcome)):
        outcomes = [outcome(g.answers, by_id.get(g.id)) for g in golds]
        gold = sum(o.has_gold for o in outcomes)
        points = {}
        for threshold in sorted({o.score for o in outcomes}, reverse=True):
            kept = [o for o in outcomes if o.score >= threshold]
            shared, answered = sum(o.f1 for o in kept), sum(o.is_answered for o in kept)
            precision, recall = shared / answered if answered else 0, shared / gold if gold else 0
            both = precision + recall
            points[threshold] = (2 * precision * recall / both if both else 0, precision, recall)

        best = max(f1 for f1, _, _ in points.values())
        assert found[f"{task}-best-threshold-f1"] == pytest.approx(best)
        if best:
            at_best = points[found[f"{task}-best-threshold"]]
            names = [f"{task}-best-threshold-{name}" for name in ("f1", "precision", "recall")]
            assert [found[name] for name in names] == pytest.approx(list(at_best))
        for target in tydi_primary.PRECISIONS:
            reached = max((r for _, p, r in points.values() if p >= target), default=0)
            assert found[f"{task}-recall-at-precision>={target}"] == pytest.approx(reached)
