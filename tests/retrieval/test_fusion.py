"""Several lists as one, and the score of groups."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.retrieval.fusion import by_reciprocal_rank, with_share
from babelspan.retrieval.score import scores
from babelspan.seams import Group

LISTS = st.lists(st.integers(0, 30), unique=True, max_size=25)


def test_what_is_in_two_lists_goes_first():
    assert by_reciprocal_rank([[1, 2, 3], [3, 4]])[0] == 3
    assert by_reciprocal_rank([]) == []


@settings(max_examples=50, deadline=None)
@given(
    LISTS, st.lists(LISTS, max_size=4), st.integers(1, 40), st.sampled_from([0.0, 0.25, 0.5, 1.0])
)
def test_a_share_is_kept_and_places_are_filled(own, others, count, share):
    best = with_share(own, others, count, share=share)
    everything = {*own, *(i for of_one in others for i in of_one)}
    assert len(best) == len(set(best)) == min(count, len(everything))
    assert set(own[: round(share * count)]) <= set(best)
    if not any(others):
        assert best == own[:count]


def counted(text):
    return Counter(text.split())


def test_alternatives_count_as_one_word():
    """Pirkola: many translations of one word do not outweigh one of another."""
    loose = [Group((("a",),)), Group((("b1",),)), Group((("b2",),)), Group((("b3",),))]
    groups = [Group((("a",),)), Group((("b1",), ("b2",), ("b3",)))]
    both, only = counted("a b1 x x"), counted("b1 b2 b3 x")
    one, other = scores(groups, [10, 10], 100, [both, only])
    assert one > other
    one, other = scores(loose, [10, 10, 10, 10], 100, [both, only])
    assert one < other


def test_all_alternatives_of_a_word_are_counted():
    group = [Group((("b1",), ("b2",)))]
    both, one = scores(group, [5], 100, [counted("b1 b2 x"), counted("b1 x x")])
    assert both > one


def test_a_translation_of_two_words_takes_both():
    group = [Group((("rail", "way"),))]
    both, half = scores(group, [5], 100, [counted("rail way x"), counted("rail x x")])
    assert (both > 0, half) == (True, 0)


def test_bm25_is_that_of_the_book():
    """Computed by hand: k1 0.9, b 0.4, one of two passages of equal length."""
    (given_, nothing) = scores([Group((("a",),))], [1], 2, [counted("a b"), counted("c d")])
    assert given_ == pytest.approx(0.6931471805599453 * 1 * 1.9 / 1.9)
    assert nothing == 0
