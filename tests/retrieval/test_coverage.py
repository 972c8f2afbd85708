"""How much of a question passages contain, compared with each other."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.retrieval.coverage import coverages
from babelspan.retrieval.question import own_groups
from babelspan.seams import Group

WORDS = st.sampled_from(["a", "b", "c", "d", "e"])


def one(*words: str) -> list[Group]:
    return [Group(((word,),)) for word in words]


def test_by_hand():
    # "a" is in both passages, "b" in one, "c" in none.
    common, rare, absent = math.log(1 + 0.5 / 2.5), math.log(1 + 1.5 / 1.5), math.log(1 + 2.5 / 0.5)
    total = common + rare + absent
    assert coverages(one("a", "b", "c"), [{"a", "b"}, {"a", "x"}]) == pytest.approx(
        [(common + rare) / total, common / total]
    )


def test_the_best_alternative_of_a_word_counts_and_all_of_its_terms_must_be_there():
    group = Group((("new", "york"), ("york",), ("new",)), shares=(1.0, 0.5, 0.25))
    passages = [{"new", "york"}, {"york"}, {"new", "x"}, {"x"}]
    assert coverages([group], passages) == [1.0, 0.5, 0.25, 0.0]


def test_without_words_or_passages_nothing_is_covered():
    assert coverages([], [{"a"}, set()]) == [0.0, 0.0]
    assert coverages(one("a"), []) == []


@settings(max_examples=60)
@given(st.lists(WORDS, min_size=1, max_size=5), st.lists(st.sets(WORDS), min_size=1, max_size=6))
def test_coverage_is_a_share_and_more_words_never_cover_less(question, passages):
    groups = own_groups(" ".join(question))
    found = coverages(groups, passages)
    assert all(0 <= share <= 1 + 1e-12 for share in found)
    for less, share in zip(passages, found, strict=True):
        for more, other in zip(passages, found, strict=True):
            assert other >= share - 1e-12 or not less <= more
