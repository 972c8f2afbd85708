"""Recall at k and reciprocal ranks, against a plain count."""

import numpy as np
import pytest

from babelspan.scoring.retrieval import figures


def test_figures_are_those_of_a_plain_count():
    ranks = [np.array([1, 3, 0, 30]), np.array([11, 1])]
    clusters = [np.array([0, 0, 1, 2]), np.array([3, 4])]
    cells, means = figures(ranks, clusters, {"all": [0, 1], "first": [0]})
    first = {name: interval.value for name, interval in cells[0].items()}
    assert first == {
        "R@1": 25.0,
        "R@5": 50.0,
        "R@20": 50.0,
        "R@100": 75.0,
        "MRR@10": pytest.approx(100 * (1 + 1 / 3) / 4),
    }
    assert means["all"]["R@1"].value == (25.0 + 50.0) / 2
    assert means["first"]["R@5"].value == 50.0
    assert all(i.low <= i.value <= i.high for i in (*cells[0].values(), *means["all"].values()))


def test_intervals_shrink_with_more_questions_and_are_the_same_again():
    rng = np.random.default_rng(1)

    def width(count):
        ranks, clusters = [rng.integers(0, 30, count)], [np.arange(count)]
        (cell,), _ = figures(ranks, clusters, {})
        assert figures(ranks, clusters, {})[0] == [cell]
        return cell["R@5"].high - cell["R@5"].low

    assert width(1000) < width(50) / 2
