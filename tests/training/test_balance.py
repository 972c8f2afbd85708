"""Caps and temperature over languages."""

from collections import Counter

import numpy as np
import pytest

from babelspan.training.balance import Balance, balanced
from babelspan.training.spool import Chosen

GROUPS = ["de"] * 80 + ["sw"] * 5 + ["fr"] * 20


def counts(balance, seed=1):
    chosen = balanced(GROUPS, balance, seed=seed)
    return dict(Counter(GROUPS[i] for i in chosen))


def test_sizes_stay_as_they_are():
    assert balanced(GROUPS, Balance(), seed=1).tolist() == list(range(105))


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        (Balance(exponent=0.0), {"de": 80, "sw": 80, "fr": 80}),
        (Balance(exponent=0.5), {"de": 80, "sw": 20, "fr": 40}),
        (Balance(most=10), {"de": 10, "sw": 5, "fr": 10}),
        (Balance(most=20, exponent=0.5), {"de": 20, "sw": 10, "fr": 20}),
    ],
)
def test_shares(balance, expected):
    assert counts(balance) == expected


def test_all_items_of_a_small_language_are_repeated_alike():
    chosen = Counter(balanced(GROUPS, Balance(exponent=0.4), seed=1).tolist())
    of_sw = [chosen[i] for i in range(80, 85)]
    assert sum(of_sw) == round(80 * (5 / 80) ** 0.4)
    assert max(of_sw) - min(of_sw) == 1


def test_a_seed_says_which():
    capped = Balance(most=10)
    one, again = (balanced(GROUPS, capped, seed=1) for _ in range(2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, balanced(GROUPS, capped, seed=2))
    assert len(set(one.tolist())) == len(one)


def test_nothing():
    assert len(balanced([], Balance(), seed=1)) == 0


def test_chosen_items():
    items = Chosen("abcd", np.array([3, 1, 1]))
    assert list(items) == ["d", "b", "b"]
    assert items[1:] == ["b", "b"]
    assert (items[-1], len(items)) == ("b", 3)
