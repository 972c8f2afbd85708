"""From shares to probabilities: the fit beside another optimiser, and errors worked out by hand."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from babelspan.scoring.calibration import (
    SHARES,
    Bin,
    Calibration,
    bins,
    expected_calibration_error,
    fit,
)
from babelspan.types import DataError


def answers(slope, offset, *, count=4000, seed=0):
    """Shares, and whether each answer was right: as often as a curve says."""
    rng = np.random.default_rng(seed)
    shares = rng.beta(1.2, 0.8, count)
    right = rng.random(count) < expit(slope * logit(shares) + offset)
    return shares.tolist(), right.tolist()


@pytest.mark.parametrize(("slope", "offset"), [(0.5, -1.0), (1.0, 0.0), (2.0, 0.7)])
def test_the_fit_is_that_of_another_optimiser_and_finds_the_curve(slope, offset):
    shares, right = answers(slope, offset)
    weights = np.random.default_rng(1).uniform(0.5, 2, len(shares))
    found = fit(shares, right, weights)
    weights *= len(weights) / weights.sum()
    signs = np.where(right, -1, 1)

    def loss(curve):
        losses = np.logaddexp(0, signs * (curve[0] * logit(shares) + curve[1]))
        return weights @ losses + 5e-4 * ((curve[0] - 1) ** 2 + curve[1] ** 2)

    theirs = minimize(loss, [1.0, 0.0], tol=1e-12).x
    assert (found.slope, found.offset) == pytest.approx(tuple(theirs), abs=1e-4)
    assert (found.slope, found.offset) == pytest.approx((slope, offset), abs=0.15)


def test_fitted_probabilities_err_less_than_shares():
    shares, right = answers(0.5, -1.0)
    curve = fit(shares, right, [1.0] * len(shares))
    others, truth = answers(0.5, -1.0, seed=5)
    before = expected_calibration_error(bins(others, truth))
    after = expected_calibration_error(bins([curve.probability(s) for s in others], truth))
    assert before > 0.2
    assert after < 0.03


def test_answers_that_count_more_pull_the_curve():
    shares = [0.5] * 100
    right = [True] * 50 + [False] * 50
    even = fit(shares, right, [1.0] * 100)
    heavy = fit(shares, right, [3.0] * 50 + [1.0] * 50)
    assert even.probability(0.5) == pytest.approx(0.5, abs=1e-6)
    assert heavy.probability(0.5) == pytest.approx(0.75, abs=1e-3)


def test_a_perfect_reader_has_a_finite_curve():
    curve = fit([0.1] * 50 + [0.9] * 50, [False] * 50 + [True] * 50, [1.0] * 100)
    assert math.isfinite(curve.slope)
    assert curve.probability(0.1) < 0.05
    assert curve.probability(0.9) > 0.95


def test_shares_stay_as_they_are_without_a_curve():
    for share in (1e-5, 0.2, 0.5, 0.99):
        assert SHARES.probability(share) == pytest.approx(share)
    assert 0 < SHARES.probability(0.0) < 1e-6
    assert 1 - 1e-6 < SHARES.probability(1.0) < 1


def test_higher_shares_have_higher_probabilities():
    curve = Calibration(slope=0.3, offset=-2.0)
    said = [curve.probability(share) for share in np.linspace(0, 1, 101)]
    assert said == sorted(said)
    assert all(0 < p < 1 for p in said)


def test_bins_and_error_by_hand():
    said = [0.05, 0.15, 0.19, 0.95, 1.0]
    right = [False, True, False, True, True]
    found = bins(said, right)
    assert len(found) == 10
    assert [b.answers for b in found] == [1, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert (found[1].said, found[1].right) == pytest.approx((0.17, 0.5))
    expected = (1 * 0.05 + 2 * abs(0.17 - 0.5) + 2 * abs(0.975 - 1)) / 5
    assert expected_calibration_error(found) == pytest.approx(expected)
    assert expected_calibration_error([Bin(4, 0.5, 0.5), Bin(0, math.nan, math.nan)]) == 0


@pytest.mark.parametrize(
    ("shares", "right", "message"),
    [
        ([0.5] * 10, [True] * 5 + [False] * 5, "expected 50 answers .* found 10, 5 of them right"),
        ([0.5] * 60, [True] * 60, "some right and some wrong, found 60, 60 of them right"),
        ([0.1] * 50 + [0.9] * 50, [True] * 50 + [False] * 50, "right answers to have higher"),
    ],
)
def test_what_cannot_be_fitted_is_refused(shares, right, message):
    with pytest.raises(DataError, match=message):
        fit(shares, right, [1.0] * len(shares))


def test_no_answers_have_no_error():
    assert expected_calibration_error(bins([], [])) == 0
