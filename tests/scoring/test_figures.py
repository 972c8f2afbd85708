"""Figures of a set of questions, and what is common to all scorers."""

import hashlib
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.data.folder import find
from babelspan.scoring.figures import figures, signature
from babelspan.scoring.scorers import mlqa, squad
from babelspan.types import Answer, ConfigError, DataError, Example

FIXTURES = Path(__file__).parents[1] / "fixtures"
SCORERS = pytest.mark.parametrize("scorer", [squad, mlqa], ids=lambda s: s.NAME)


def example(identity, *golds, language="en"):
    return Example(
        id=identity,
        question="?",
        context="",
        answers=tuple(Answer(gold, None) for gold in golds),
        question_language=language,
        context_language=language,
    )


def miniatures(*languages):
    return [
        replace(e, id=f"{f.context_language}-{e.id}")
        for f in find([FIXTURES / "parallel"])
        for e in f.load()
        if f.context_language in languages
    ]


WORDS = st.lists(st.sampled_from(["the", "cat", "der", "東京", "مالك", "。", "1932"]), max_size=4)
TEXT = WORDS.map(" ".join)


@st.composite
def scored_sets(draw):
    """Examples with one to three golds, and predictions for some of them."""
    languages = st.sampled_from(mlqa.LANGUAGES)
    golds = draw(st.lists(st.lists(TEXT, min_size=1, max_size=3), min_size=1, max_size=6))
    examples = [example(f"q{i}", *g, language=draw(languages)) for i, g in enumerate(golds)]
    predictions = draw(st.dictionaries(st.sampled_from([e.id for e in examples]), TEXT))
    return examples, predictions


@SCORERS
def test_perfect_predictions_give_1(scorer):
    examples = miniatures("ar", "de", "en", "zh")
    for which in (0, -1):
        found = figures(examples, {e.id: e.answers[which].text for e in examples}, scorer)

        assert (found.exact_match, found.f1, found.missing, found.questions) == (1, 1, 0, 12)


@SCORERS
@settings(max_examples=50, deadline=None)
@given(scored=scored_sets())
def test_each_question_gets_its_best_gold(scorer, scored):
    examples, predictions = scored
    found = figures(examples, predictions, scorer)

    for i, e in enumerate(examples):
        said = predictions.get(e.id)
        pairs = [(said, a.text, e.context_language) for a in e.answers]
        best = [
            0.0 if said is None else max(figure(*pair) for pair in pairs)
            for figure in (scorer.exact_match, scorer.f1)
        ]
        assert [found.exact_matches[i], found.f1s[i]] == best
    assert found.f1s.min() >= 0 and found.f1s.max() <= 1
    assert set(found.exact_matches) <= {0.0, 1.0}


@SCORERS
@settings(max_examples=50, deadline=None)
@given(scored=scored_sets(), rng=st.randoms(use_true_random=False))
def test_the_order_of_the_questions_does_not_matter(scorer, scored, rng):
    examples, predictions = scored
    order = rng.sample(range(len(examples)), len(examples))
    found = figures(examples, predictions, scorer)
    shuffled = figures([examples[i] for i in order], predictions, scorer)

    assert np.array_equal(shuffled.f1s, found.f1s[order])
    assert np.array_equal(shuffled.exact_matches, found.exact_matches[order])
    assert shuffled.f1 == pytest.approx(found.f1, abs=1e-12)
    assert shuffled.missing == found.missing


@SCORERS
def test_the_sum_over_parts_is_the_whole(scorer):
    examples = miniatures("ar", "de", "en", "zh")
    rng = random.Random(5)
    words = {e.id: e.answers[0].text.split() + e.question.split() for e in examples}
    predictions = {
        i: " ".join(rng.sample(w, min(2, len(w)))) for i, w in words.items() if i != "zh-tabor-3"
    }
    whole = figures(examples, predictions, scorer)
    parts = [figures(examples[i : i + 5], predictions, scorer) for i in (0, 5, 10)]

    assert [p.questions for p in parts] == [5, 5, 2]
    assert sum(p.f1 * p.questions for p in parts) == pytest.approx(whole.f1 * 12, abs=1e-12)
    assert sum(p.exact_match * p.questions for p in parts) == pytest.approx(12 * whole.exact_match)
    assert sum(p.missing for p in parts) == whole.missing == 1
    assert 0 < whole.f1 < 1


@SCORERS
def test_a_missing_prediction_is_wrong_and_counted(scorer):
    examples = [example("q1", "Rhine"), example("q2", "Rhine"), example("q3", "Rhine", "the")]
    found = figures(examples, {"q1": "the Rhine", "another": "Rhine"}, scorer)

    assert (found.exact_match, found.f1, found.missing) == (1 / 3, 1 / 3, 2)
    assert found.exact_matches.tolist() == found.f1s.tolist() == [1, 0, 0]


@SCORERS
def test_an_empty_prediction_is_not_a_missing_one(scorer):
    found = figures([example("q1", "Rhine"), example("q2", "the")], {"q1": "", "q2": ""}, scorer)

    assert found.missing == 0
    assert found.exact_matches.tolist() == [0, 1]
    assert found.f1s.tolist() == [0, 0]


@SCORERS
def test_exact_match_and_f1_take_their_golds_apart(scorer):
    found = figures([example("q1", "the", "cat mat")], {"q1": "a."}, scorer)
    assert (found.exact_match, found.f1) == (1, 0)

    found = figures([example("q1", "red cat", "big red cat mat")], {"q1": "big cat mat"}, scorer)
    assert (found.exact_match, found.f1) == (0, pytest.approx(6 / 7))  # P 3/3, R 3/4


@SCORERS
@pytest.mark.parametrize("answers", [(), None])
def test_a_question_without_a_gold_answer_is_refused(scorer, answers):
    examples = [example("q1", "Rhine"), replace(example("q2"), answers=answers)]
    message = rf"^question 'q2' has no gold answer; the scorer '{scorer.NAME}' needs one"
    for predictions in ({"q1": "Rhine", "q2": ""}, {}):
        with pytest.raises(DataError, match=message):
            figures(examples, predictions, scorer)


@SCORERS
def test_no_question_at_all_is_refused(scorer):
    with pytest.raises(DataError, match=r"^expected questions to score, found none$"):
        figures([], {"q1": "Rhine"}, scorer)


def test_articles_are_those_of_the_context_unless_another_language_is_given():
    german = replace(example("q1", "Rhein", language="de"), question_language="en")
    said = {"q1": "der Rhein"}

    assert figures([german], said, mlqa).exact_match == 1
    assert figures([german], said, mlqa, language="en").exact_match == 0
    assert figures([german], said, squad, language="de").exact_match == 0


def test_a_language_that_mlqa_does_not_know_is_named():
    korean = miniatures("ko")
    predictions = {e.id: e.answers[0].text for e in korean}
    with pytest.raises(ConfigError, match=r"got 'ko'; use another scorer, or name the language"):
        figures(korean, predictions, mlqa)

    assert figures(korean, predictions, mlqa, language="en").exact_match == 1


def test_the_signature_says_what_figures_depend_on():
    data = ["en-de:" + "b" * 64, "de-de:" + "a" * 64]
    line = signature(squad, questions=1190, data=data, version="0.1.0")

    digest = hashlib.sha256("\n".join(sorted(data)).encode()).hexdigest()[:12]
    assert line == (
        "squad|words:space|articles:en|punctuation:ascii|n:1190"
        f"|data:sha256:{digest}|babelspan:0.1.0"
    )
    assert line == signature(squad, questions=1190, data=data[::-1], version="0.1.0")
    other = [data[0].replace("en-de", "zh-de"), data[1]]
    assert line != signature(squad, questions=1190, data=other, version="0.1.0")
    assert signature(mlqa, questions=1, data=[], version="1").startswith(f"mlqa|{mlqa.RULES}|")
