"""One list of passages from several: reciprocal ranks, and a share for the question's language."""

import math
from collections.abc import Hashable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)

K = 60
"""Of Cormack, Clarke and Buettcher (2009), *Reciprocal rank fusion*."""
RANK_DECAY = 1.5
SCORE_WEIGHT = 0.2
"""What a point of a search's score counts in log-odds.

Both were chosen on development sets, in one language and two (docs/results/retrieval.md).
"""
OWN_SHARE = 0.5
"""Of the places, for the list of the question as it is, in a collection that has its language."""


def by_reciprocal_rank(lists: Sequence[Sequence[T]]) -> list[T]:
    """All items of several lists, best first: by the sum of 1 / (60 + rank)."""
    scores: dict[T, float] = {}
    for items in lists:
        for rank, item in enumerate(items, 1):
            scores[item] = scores.get(item, 0.0) + 1 / (K + rank)
    return sorted(scores, key=lambda item: -scores[item])


def with_share(
    own: Sequence[T], others: Sequence[Sequence[T]], count: int, *, share: float = OWN_SHARE
) -> list[T]:
    """The best of a list and of others fused, each item once.

    The first `share` of the places is for the own list; what is left is filled by the fused others,
    then by the rest of the own list. Items come in turn, so that the first are the best of each.

    Args:
        own: the list that has a share of its own.
        others: more lists; none leaves all places to the own one.
        count: how many items, at most.
        share: of the places, from 0 to 1.
    """
    fused = by_reciprocal_rank(others)
    kept = list(own[: round(share * count)]) if fused else list(own[:count])
    added = [item for item in fused if item not in set(kept)][: max(0, count - len(kept))]
    rest = [item for item in own if item not in {*kept, *added}]
    return [*in_turn(kept, added), *rest][:count]


def weight_of(rank: int, below: float) -> float:
    """How likely a passage is to hold the answer, beside others.

    A reader that has learnt from texts with an answer finds one in any text. So its odds are
    multiplied by this weight, as Yang et al. (2019), arXiv:1902.01718, add the scores of both.

    Args:
        rank: of the passage, from 1.
        below: its score less that of the best one of its list; 0 or less.
    """
    return float(rank**-RANK_DECAY * math.exp(SCORE_WEIGHT * below))


def in_turn(one: Sequence[T], other: Sequence[T]) -> list[T]:
    """Items of two lists, spread so that each list is used up at its own pace."""
    places = [((n + 0.5) / len(one), 0, item) for n, item in enumerate(one)]
    places += [((n + 0.5) / len(other), 1, item) for n, item in enumerate(other)]
    return [item for _, _, item in sorted(places, key=lambda p: p[:2])]
