"""Alignment error rate, by the formula of Och and Ney."""

import pytest

from babelspan.scoring.alignment import link_figures
from babelspan.types import Alignment


def links(*pairs):
    return Alignment(frozenset(pairs))


def test_figures_by_hand():
    """A has 4 links: 2 sure, 1 possible, 1 wrong; S has 3."""
    rated = [
        (links((0, 0), (1, 1)), links((0, 0), (1, 1)), links((0, 0))),
        (links((0, 1), (2, 2)), links((0, 0)), links((0, 0), (2, 2))),
    ]
    found = link_figures(rated)
    assert found.aer == pytest.approx(100 * (1 - (2 + 3) / (4 + 3)))
    assert found.precision == pytest.approx(75.0)
    assert found.recall == pytest.approx(200 / 3)
    assert (found.links, found.sentences) == (4, 2)


def test_nothing_found_or_nothing_to_find():
    assert link_figures([(links(), links((0, 0)), links((0, 0)))])[:3] == (100.0, None, 0.0)
    assert link_figures([])[:3] == (None, None, None)
