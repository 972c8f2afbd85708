"""Two systems on the primary tasks: figures of the scorer, draws by hand, right and wrong."""

import random

import numpy as np
import pytest

from babelspan.scoring.comparison import Settings
from babelspan.scoring.primary_comparison import Cell, compare_primary
from babelspan.scoring.significance import drawn_sums, mcnemar
from babelspan.scoring.tydi_primary import TASKS, at_best_threshold, primary_figures
from babelspan.types import DataError, PrimaryAnswer, PrimaryQuestion

SETTINGS = Settings(resamples=400, seed=3)


def question(number, passage, place=None, score=0.0, language="finnish", twice=True):
    answer = PrimaryAnswer(
        passage=passage, place=place, yes_no=None, passage_score=score, minimal_score=score
    )
    answers = (answer, answer) if twice else (answer,)
    return PrimaryQuestion(id=number, language=language, answers=answers)


def said(number, passage, place=None, score=0.0, language="finnish"):
    return question(number, passage, place, score, language, twice=False)


def made(seed, count=60, language="finnish"):
    """Gold answers, a third of them none, and answers that are often right."""
    rng = random.Random(seed)
    golds, answers = [], []
    for number in range(count):
        passage = rng.choice([None, 1, 2])
        start = rng.randrange(50)
        golds.append(question(number, passage, passage and (start, start + 10), 0.0, language))
        start += rng.choice([0, 0, 4, 30])
        place = (start, start + 10)
        answers.append(said(number, rng.choice([1, 2]), place, rng.random(), language))
    return golds, answers


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("seed", range(5))
def test_sums_at_the_best_threshold_give_the_f1_of_the_scorer(task, seed):
    golds, answers = made(seed)
    scores, given, has_gold = at_best_threshold(task, golds, answers).sum(axis=1)
    expected = primary_figures(golds, answers).languages["finnish"][f"{task}-best-threshold-f1"]
    assert 2 * scores / (given + has_gold) == pytest.approx(expected)


def test_a_system_without_a_right_answer_has_no_threshold():
    golds = [question(1, 1, (0, 5))]
    found = compare_primary(
        {"fi": Cell(golds, [[said(1, 2, (9, 12))]], [[said(1, 1, (0, 5))]])}, {}, SETTINGS
    )
    difference = found.differences["passage"]["fi"]
    assert (difference.a, difference.b, difference.difference) == (0.0, 1.0, -1.0)


def test_intervals_are_those_of_draws_by_hand():
    """The same draws, made one by one in plain loops."""
    golds, one = made(1)
    _, other = made(2)
    found = compare_primary({"fi": Cell(golds, [one], [other])}, {}, SETTINGS)
    times = drawn_sums(np.eye(60), resamples=400, seed=3)  # how often each question is drawn
    columns = [at_best_threshold("minimal", golds, s) for s in (one, other)]

    def f1(column, weights):
        sums = [sum(w * v for w, v in zip(weights, row, strict=True)) for row in column]
        return 2 * sums[0] / (sums[1] + sums[2])

    spread = [f1(columns[0], t) - f1(columns[1], t) for t in times]
    low, high = np.quantile(spread, [0.025, 0.975])
    difference = found.differences["minimal"]["fi"]
    assert (difference.low, difference.high) == pytest.approx((low, high))
    below = sum(s <= 0 for s in spread)
    assert difference.p_value == pytest.approx(2 * (min(below, 400 - below) + 1) / 401)
    assert difference.low < difference.difference < difference.high


def test_each_draw_has_as_many_questions_as_there_are():
    assert (drawn_sums(np.ones((700, 1)), resamples=50, seed=1) == 700).all()


def test_a_question_asked_in_two_ways_is_drawn_once_for_both():
    """In cells of the same questions a mean of equal cells has the interval of each."""
    golds, one = made(4)
    _, other = made(5)
    cell = Cell(golds, [one], [other])
    found = compare_primary({"x": cell, "y": cell}, {"mean": ["x", "y"]}, SETTINGS)
    of = found.differences["minimal"]
    assert (of["mean"].low, of["mean"].high) == (of["x"].low, of["x"].high)
    assert of["mean"].corrected is None
    assert of["x"].corrected == pytest.approx(min(1, 2 * of["x"].p_value))  # Holm over two cells


def test_each_cell_is_drawn_from_its_own_questions():
    golds, one = made(4)
    _, other = made(5)
    thai, same = made(6, language="thai")
    cells = {"fi": Cell(golds, [one], [other]), "th": Cell(thai, [same], [same])}
    found = compare_primary(cells, {"mean": ["fi", "th"]}, SETTINGS).differences["minimal"]
    assert found["th"].low == found["th"].high == 0.0
    assert found["fi"].low < found["fi"].high
    assert found["mean"].low == pytest.approx(found["fi"].low / 2)


def test_a_system_does_not_differ_from_itself():
    golds, one = made(6)
    found = compare_primary({"fi": Cell(golds, [one], [one])}, {}, SETTINGS)
    difference = found.differences["passage"]["fi"]
    assert (difference.low, difference.high, difference.p_value) == (0.0, 0.0, 1.0)


def test_who_is_right_leaves_out_what_is_partly_right_or_has_no_answer():
    place = (0, 10)
    golds = [question(n, 1, place) for n in range(6)] + [question(6, None)]
    right, wrong, partly = (0, 10), (20, 30), (5, 10)
    of_a = [right, right, wrong, wrong, partly, right, right]
    of_b = [right, wrong, right, wrong, right, wrong, right]
    a, b = ([said(n, 1, p, 1.0) for n, p in enumerate(places)] for places in (of_a, of_b))
    found = compare_primary({"fi": Cell(golds, [a], [b])}, {}, SETTINGS).right["minimal"]["fi"]
    assert (found.both, found.only_a, found.only_b, found.neither, found.partly) == (
        1,
        (1, 5),
        (2,),
        1,
        1,
    )
    assert found.mcnemar_p_value == mcnemar(2, 1)


def test_an_answer_below_the_threshold_is_wrong():
    golds = [question(1, 1, (0, 10)), question(2, None), question(3, None), question(4, 1, (0, 9))]
    answers = [said(1, 1, (0, 10), 9.0), said(4, 1, (0, 9), 0.0)]
    answers += [said(n, 1, (0, 10), 5.0) for n in (2, 3)]
    found = compare_primary({"fi": Cell(golds, [answers], [answers])}, {}, SETTINGS)
    right = found.right["minimal"]["fi"]
    assert (right.both, right.neither) == (1, 1)


def test_most_seeds_decide_and_figures_are_means():
    golds = [question(1, 1, (0, 10))]
    right, wrong = [said(1, 1, (0, 10))], [said(1, 2, (50, 60))]
    found = compare_primary(
        {"fi": Cell(golds, [right, right, wrong], [wrong, wrong, right])}, {}, SETTINGS
    )
    assert found.right["passage"]["fi"].only_a == (1,)
    difference = found.differences["passage"]["fi"]
    assert (difference.a, difference.b) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert difference.a_sd == pytest.approx(3**-0.5)


def test_an_id_twice_is_told():
    golds = [question(1, 1), question(1, 1)]
    with pytest.raises(DataError, match="fi: expected questions with unique ids"):
        compare_primary({"fi": Cell(golds, [[]], [[]])}, {}, SETTINGS)
