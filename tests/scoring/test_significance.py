"""Tests and intervals: calibrated, powerful, equal to other programs and to plain loops."""

import itertools
import random
from fractions import Fraction
from operator import mul

import numpy as np
import pytest
from scipy import stats

from babelspan.scoring.significance import (
    CORRECTIONS,
    Clustered,
    _all_exchanges,
    _draws,
    _exchanges,
    benjamini_hochberg,
    benjamini_yekutieli,
    bootstrap,
    clustered,
    holm,
    mcnemar,
    randomisation,
)

ONE = np.ones((1, 1))


def small_table(seed, clusters=7, figures=2, cells=3):
    """F1-like differences of a few questions in clusters of one to four, not all in all cells."""
    rng = np.random.default_rng(seed)
    differences, numbers = [], []
    for _ in range(cells):
        sizes = rng.integers(1, 5, size=clusters)
        sizes[rng.integers(clusters)] = 0
        numbers.append(np.repeat(np.arange(clusters), sizes))
        parts = rng.integers(-6, 7, size=(figures, sizes.sum()))
        differences.append(parts / rng.integers(1, 8, size=parts.shape))
    return differences, numbers


def random_systems(seed, *, experiments=1000, clusters=40, size=5, cells=1, better=0.0):
    """Exact matches of two systems in many experiments: each is good at some paragraphs.

    The chance to be right is drawn for each system and paragraph, the same in all cells, so that
    questions of a paragraph are alike: of two of them the correlation is 1/2.

    Returns:
        Differences, (experiments, questions) for each cell, and the clusters of the questions.
    """
    rng = np.random.default_rng(seed)
    chance = rng.beta(0.5, 0.5, size=(2, experiments, clusters))
    chance[0] = np.where(rng.random(chance[0].shape) < better, 1.0, chance[0])
    numbers = np.repeat(np.arange(clusters), size)
    right = [
        rng.random((2, experiments, len(numbers))) < chance[..., numbers] for _ in range(cells)
    ]
    return [a.astype(float) - b for a, b in right], numbers


def rejected(table, weights=ONE, resamples=1999):
    """Share of experiments in which the difference is significant at 5 percent."""
    return float((randomisation(table, weights, resamples=resamples, seed=3) <= 0.05).mean())


def matrix(parts, rows, clusters):
    """A matrix put together from its parts, which leave nothing out and do not overlap."""
    found, times = np.zeros((rows, clusters)), np.zeros((rows, clusters))
    for of_rows, of_clusters, values in parts:
        found[of_rows, of_clusters] += values
        times[of_rows, of_clusters] += 1
    assert (times == 1).all()
    return found


def test_sums_are_those_of_a_loop():
    differences, numbers = small_table(1)
    table = clustered(differences, numbers)

    for k, figure, cell in itertools.product(range(7), range(2), range(3)):
        inside = [i for i, number in enumerate(numbers[cell]) if number == k]
        assert table.counts[k, cell] == len(inside)
        assert table.sums[k, figure, cell] == pytest.approx(
            sum(differences[cell][figure, i] for i in inside), abs=1e-12
        )
    means = [[row.mean() for row in cell] for cell in differences]
    assert table.parts.sum(axis=0).T.tolist() == pytest.approx(np.array(means), abs=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_exact_p_values_equal_those_of_scipy(seed):
    differences, numbers = small_table(seed)
    table = clustered(differences, numbers)
    found = randomisation(table, np.eye(3), resamples=128, seed=1)

    for figure, cell in itertools.product(range(2), range(3)):
        sums = table.sums[:, figure, cell]
        expected = stats.permutation_test(
            (sums, np.zeros_like(sums)),
            lambda a, b, axis: (a - b).sum(axis=axis),
            permutation_type="samples",
            n_resamples=np.inf,
        )
        assert found[figure, cell] == pytest.approx(expected.pvalue, abs=1e-12)


def test_exact_p_values_of_means_over_cells_equal_those_of_a_loop():
    differences, numbers = small_table(5)
    table = clustered(differences, numbers)
    weights = np.array([[0.5, 0, 0.5], [1 / 3, 1 / 3, 1 / 3]]).T
    found = randomisation(table, weights, resamples=1000, seed=1)

    questions = [len(n) for n in numbers]
    for figure, mean in itertools.product(range(2), range(2)):
        values = [
            abs(
                sum(
                    weights[cell, mean] * signs[k] * d / questions[cell]
                    for cell in range(3)
                    for k, d in zip(numbers[cell], differences[cell][figure], strict=True)
                )
            )
            for signs in itertools.product((1, -1), repeat=7)
        ]
        expected = sum(value >= values[0] - 1e-9 for value in values) / len(values)
        assert found[figure, mean] == expected


def test_random_exchanges_come_near_the_exact_value():
    differences, numbers = small_table(2, clusters=12)
    table = clustered(differences, numbers)
    exact = randomisation(table, np.eye(3), resamples=4096, seed=1)
    drawn = randomisation(table, np.eye(3), resamples=4095, seed=1)

    assert (exact * 4096 == np.rint(exact * 4096)).all()
    assert (drawn * 4096 == np.rint(drawn * 4096)).all()  # one of 4095 drawn and the observed
    assert (drawn != exact).any()
    assert np.abs(drawn - exact).max() < 4 * 0.5 / 4095**0.5


@pytest.mark.parametrize("resamples", [512, 511])
def test_equal_differences_are_equal_whatever_the_rounding(resamples):
    """Sevenths: 1 + 7/7 - 1 is as large as 1 - 7/7 + 1, though not in binary fractions."""
    sums = [Fraction(1, 7)] * 7 + [Fraction(1), Fraction(-1)]
    table = Clustered(np.array(sums, dtype=float)[:, None, None], np.ones((9, 1)))
    signs = matrix(_all_exchanges(9, 10**6), 512, 9) * -2 + 1
    if resamples < 512:
        signs = matrix(_exchanges(9, resamples, 1, 10**6), resamples, 9) * -2 + 1
    totals = [abs(sum(map(mul, map(int, row), sums))) for row in signs]
    reached = sum(total >= 1 for total in totals)

    assert sum(total == 1 for total in totals) >= 5
    expected = reached / 512 if resamples == 512 else (reached + 1) / 512
    assert randomisation(table, ONE, resamples=resamples, seed=1) == expected


def test_the_smallest_p_value_counts_the_observed_difference():
    table = Clustered(np.ones((100, 1, 1)), np.ones((100, 1)))
    assert randomisation(table, ONE, resamples=999, seed=1) == 1 / 1000
    few = Clustered(np.ones((5, 1, 1)), np.ones((5, 1)))
    assert randomisation(few, ONE, resamples=999, seed=1) == 2 / 32


def test_clusters_without_any_difference_do_not_count():
    sums = np.zeros((60, 1, 1))
    sums[[3, 17, 40, 59]] = 0.5
    assert randomisation(Clustered(sums, np.ones((60, 1))), ONE, resamples=16, seed=1) == 2 / 16


def test_systems_that_do_not_differ_have_p_1_and_an_interval_of_nothing():
    table = Clustered(np.zeros((30, 2, 1)), np.ones((30, 1)))
    assert randomisation(table, ONE, resamples=100, seed=1).tolist() == [[1], [1]]
    low, high = bootstrap(table, ONE, resamples=100, seed=1)
    assert low.tolist() == high.tolist() == [[0], [0]]


def test_false_positives_are_5_percent_although_questions_of_a_paragraph_are_alike():
    differences, numbers = random_systems(11)
    assert 0.03 < rejected(clustered(differences, [numbers])) < 0.07

    alone = np.arange(len(numbers))  # each question taken for independent
    assert rejected(clustered(differences, [alone])) > 0.2


def test_false_positives_of_a_mean_over_languages_are_5_percent_although_these_are_parallel():
    differences, numbers = random_systems(12, cells=4, size=2)
    mean = np.full((4, 1), 1 / 4)
    assert 0.03 < rejected(clustered(differences, [numbers] * 4), mean) < 0.07

    apart = [numbers + 40 * cell for cell in range(4)]  # the cells taken for independent
    assert rejected(clustered(differences, apart), mean) > 0.15


def test_a_known_difference_is_found_as_often_as_theory_says():
    """Normal approximation: the power at difference d and standard error s is Phi(d/s - 1.96)."""
    differences, numbers = random_systems(13, clusters=100, better=0.3)
    of_clusters = differences[0].reshape(1000, 100, 5).mean(axis=2)
    error = of_clusters.std(axis=1).mean() / 100**0.5
    expected = stats.norm.cdf(0.3 / 2 / error - 1.96)

    assert 0.7 < expected < 0.85
    found = rejected(clustered(differences, [numbers]))
    assert found == pytest.approx(expected, abs=0.04)


def test_the_bootstrap_equals_a_loop_over_the_same_draws():
    differences, numbers = small_table(7)
    weights = np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]]).T
    found = bootstrap(clustered(differences, numbers), weights, resamples=50, seed=4, level=0.8)

    members = [[np.flatnonzero(n == k) for k in range(7)] for n in numbers]
    values = []
    for times in matrix(_draws(7, 50, 4, 10**6), 50, 7).astype(int):
        drawn = np.repeat(np.arange(7), times)
        cells = [
            d[:, np.concatenate([of[k] for k in drawn])].mean(axis=1)
            for d, of in zip(differences, members, strict=True)
        ]
        values.append([cells[0], np.mean(cells, axis=0)])
    low, high = np.quantile(values, [0.1, 0.9], axis=0)
    for ours, expected in zip(found, (low, high), strict=True):
        np.testing.assert_allclose(ours.T, expected, atol=1e-12)


def test_draws_are_those_of_clusters_with_replacement():
    """Each count is binomial, n = K, p = 1/K; two counts have covariance -1/K."""
    clusters, rows = 600, 4000
    times = matrix(_draws(clusters, rows, 1, 10**5), rows, clusters)
    assert (times.sum(axis=1) == clusters).all()
    counts = np.array([(times == n).mean(axis=0) for n in range(4)])
    expected = stats.binom.pmf(np.arange(4), clusters, 1 / clusters)[:, None]
    deviations = (counts - expected) / (expected * (1 - expected) / rows) ** 0.5
    assert np.abs(deviations).max() < 5
    assert deviations.std() == pytest.approx(1, abs=0.05)
    apart = np.corrcoef(times.T) + (1 - np.eye(clusters)) / (clusters - 1) - np.eye(clusters)
    assert np.abs(apart).max() * rows**0.5 < 6
    halves = times[:, :256].sum(axis=1)  # of one block; with the others it makes up K
    assert halves.var() == pytest.approx(256 * (1 - 256 / clusters), rel=0.1)


def test_exchanges_are_fair_and_independent():
    clusters, rows = 600, 4000
    exchanged = matrix(_exchanges(clusters, rows, 1, 10**5), rows, clusters)
    assert set(np.unique(exchanged)) == {0, 1}
    signs = 2 * exchanged - 1
    correlations = signs.T @ signs / rows
    assert np.abs(signs.mean(axis=0)).max() * rows**0.5 < 5
    assert np.abs(correlations - np.eye(clusters)).max() * rows**0.5 < 6
    every = matrix(_all_exchanges(5, 40), 32, 5)
    assert sorted(every.tolist()) == [list(bits) for bits in itertools.product((0, 1), repeat=5)]


def test_draws_without_a_question_of_a_cell_are_left_out_of_that_cell():
    """Three clusters, the second without a question of the second cell.

    Drawn n1, n2, n3 times they give (n1 + n2) / 3 and (n1 + 3 n3) / (n1 + n3), which is nothing
    for n2 = 3. The least and the largest mean of both are at 3, 0, 0: 1, and at 0, 2, 1: 11/6.
    """
    sums = np.array([[[1.0, 1.0]], [[1.0, 0.0]], [[0.0, 3.0]]])
    counts = np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    weights = np.array([[1, 0], [0, 1], [0.5, 0.5]]).T
    low, high = bootstrap(Clustered(sums, counts), weights, resamples=2000, seed=1, level=1.0)

    assert low == pytest.approx(np.array([[0, 1, 1]]), abs=1e-12)
    assert high == pytest.approx(np.array([[1, 3, 11 / 6]]), abs=1e-12)


def test_intervals_hold_the_true_difference_95_times_in_100():
    differences, numbers = random_systems(14, clusters=100, better=0.1)
    sized = np.random.default_rng(0).random(len(numbers)) < 0.7  # clusters of unequal size
    differences, numbers = [differences[0][:, sized]], numbers[sized]
    low, high = bootstrap(clustered(differences, [numbers]), ONE, resamples=999, seed=5)

    holds = (low <= 0.1 / 2) & (high >= 0.1 / 2)
    assert 0.93 < holds.mean() < 0.97
    alone = clustered(differences, [np.arange(len(numbers))])
    low, high = bootstrap(alone, ONE, resamples=999, seed=5)
    assert ((low <= 0.1 / 2) & (high >= 0.1 / 2)).mean() < 0.85


@pytest.mark.parametrize("test", [randomisation, bootstrap])
def test_results_depend_on_the_seed_and_not_on_how_much_is_held_at_a_time(test):
    differences, numbers = small_table(9, clusters=300)
    table = clustered(differences, numbers)
    weights = np.full((3, 1), 1 / 3)
    found = [
        np.array(test(table, weights, resamples=501, seed=seed, room=room)).tolist()
        for seed, room in [(1, 10**6), (1, 10**6), (1, 1), (1, 7 * 256 + 3), (2, 10**6)]
    ]
    assert found[0] == found[1] == found[2] == found[3]
    assert found[0] != found[4]


def test_all_exchanges_are_the_same_in_parts():
    table = clustered(*small_table(9, clusters=9))
    found = [
        randomisation(table, np.eye(3), resamples=600, seed=1, room=room).tolist()
        for room in (10**6, 1, 100)
    ]
    assert found[0] == found[1] == found[2]


def test_the_order_of_clusters_has_no_effect_on_exact_values():
    table = clustered(*small_table(3))
    order = random.Random(1).sample(range(7), 7)
    other = Clustered(table.sums[order], table.counts[order])
    found = [randomisation(t, np.eye(3), resamples=128, seed=1).tolist() for t in (table, other)]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("only_a", "only_b", "expected"),
    [(0, 0, 1), (3, 3, 1), (0, 5, 2 / 32), (9, 1, 2 * 11 / 1024), (1, 0, 1)],
)
def test_mcnemar_by_hand(only_a, only_b, expected):
    assert mcnemar(only_a, only_b) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("only_a", "only_b"), [(12, 30), (180, 140), (4000, 4200), (60_000, 500)])
def test_mcnemar_equals_the_binomial_test_of_scipy(only_a, only_b):
    expected = stats.binomtest(only_a, only_a + only_b).pvalue
    assert mcnemar(only_a, only_b) == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert mcnemar(only_a, only_b) == mcnemar(only_b, only_a)


P = np.array([0.04, 0.001, 0.03, 0.6, 0.03])


def test_corrections_by_hand():
    """Sorted: 0.001, 0.03, 0.03, 0.04, 0.6; five tests, 1 + 1/2 + 1/3 + 1/4 + 1/5 = 137/60.

    Holm multiplies by 5, 4, 3, 2, 1: 0.005, 0.12, 0.09, 0.08, 0.6, and none may fall below one
    before it. Benjamini and Hochberg multiply by 5, 5/2, 5/3, 5/4, 1: 0.005, 0.075, 0.05, 0.05,
    0.6, and none may exceed one after it.
    """
    assert holm(P).tolist() == pytest.approx([0.12, 0.005, 0.12, 0.6, 0.12])
    assert benjamini_hochberg(P).tolist() == pytest.approx([0.05, 0.005, 0.05, 0.6, 0.05])
    assert benjamini_yekutieli(P).tolist() == pytest.approx(
        [0.05 * 137 / 60, 0.005 * 137 / 60, 0.05 * 137 / 60, 1, 0.05 * 137 / 60]
    )


def test_false_discovery_rates_equal_those_of_scipy():
    p_values = np.random.default_rng(1).random(49) ** 3
    for ours, theirs in ((benjamini_hochberg, "bh"), (benjamini_yekutieli, "by")):
        assert ours(p_values) == pytest.approx(
            stats.false_discovery_control(p_values, method=theirs)
        )


@pytest.mark.parametrize("correction", CORRECTIONS.values())
def test_corrected_values_are_never_smaller_nor_above_1(correction):
    p_values = np.random.default_rng(2).random(20)
    corrected = correction(p_values)
    assert (corrected >= p_values).all()
    assert (corrected <= 1).all()
    assert correction(p_values[:1]).tolist() == p_values[:1].tolist()
    assert (np.diff(corrected[np.argsort(p_values)]) >= 0).all()
