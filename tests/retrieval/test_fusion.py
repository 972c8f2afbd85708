"""Several lists as one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.retrieval.fusion import by_reciprocal_rank, coverage_weight, rank_weight, with_share

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


def test_a_passage_weighs_by_its_rank_and_by_how_much_of_the_question_it_contains():
    assert [rank_weight(rank) for rank in (1, 2, 4)] == pytest.approx([1, 2**-1.5, 1 / 8])
    assert coverage_weight(0.8, 0.8) == 1
    assert coverage_weight(0.3, 0.8) == pytest.approx(1 / 32)
    assert coverage_weight(0.0, 0.0) == 1
