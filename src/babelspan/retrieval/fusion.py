"""Fusion of lists of passages: reciprocal ranks, and a share for the question's language."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)

K = 60
"""Constant of Cormack, Clarke and Buettcher (2009), *Reciprocal rank fusion*."""
RANK_DECAY = 1.5
COVERAGE_POWER = 5
"""Exponents of the rank and of the coverage in the weight of a passage.

Both were chosen on development sets (docs/decisions/0119-passages-weigh-by-what-they-cover.md).
"""
_LEAST_COVERAGE = 0.2
"""Added to a coverage, so that a passage without any word of the question has some weight."""
OWN_SHARE = 0.5
"""Share of the places for the untranslated question, if the collection has its language."""


def by_reciprocal_rank(lists: Sequence[Sequence[T]]) -> list[T]:
    """Return all items of several lists, best first: by the sum of 1 / (60 + rank)."""
    scores: dict[T, float] = {}
    for items in lists:
        for rank, item in enumerate(items, 1):
            scores[item] = scores.get(item, 0.0) + 1 / (K + rank)
    return sorted(scores, key=lambda item: -scores[item])


def with_share(
    own: Sequence[T], others: Sequence[Sequence[T]], count: int, *, share: float = OWN_SHARE
) -> list[T]:
    """Return the best items of one list and of others fused, each item once.

    The first `share` of the places goes to the own list; the rest to the fused others, then to the
    remaining items of the own list. Items are interleaved, so that the first are the best of each.

    Args:
        own: the list with a reserved share.
        others: more lists; if there are none, all places go to the own list.
        count: maximum number of items.
        share: reserved share of the places, from 0 to 1.
    """
    fused = by_reciprocal_rank(others)
    kept = list(own[: round(share * count)]) if fused else list(own[:count])
    added = [item for item in fused if item not in set(kept)][: max(0, count - len(kept))]
    rest = [item for item in own if item not in {*kept, *added}]
    return [*in_turn(kept, added), *rest][:count]


def rank_weight(rank: int) -> float:
    """Return the weight of a passage for its rank, from 1."""
    return float(rank**-RANK_DECAY)


def coverage_weight(coverage: float, best: float) -> float:
    """Return the weight of a passage for how much of a question it contains.

    A reader trained only on texts with an answer finds one in any text. So its odds are multiplied
    by the weights of the passage, similar to the sum of both scores in Yang et al. (2019),
    arXiv:1902.01718.

    Args:
        coverage: share of the question that the passage contains (`coverage.coverages`).
        best: the highest coverage among all passages found, in any language.
    """
    relative = (coverage + _LEAST_COVERAGE) / (best + _LEAST_COVERAGE)
    return float(relative**COVERAGE_POWER)


def in_turn(one: Sequence[T], other: Sequence[T]) -> list[T]:
    """Interleave two lists so that both end at the same time."""
    places = [((n + 0.5) / len(one), 0, item) for n, item in enumerate(one)]
    places += [((n + 0.5) / len(other), 1, item) for n, item in enumerate(other)]
    return [item for _, _, item in sorted(places, key=lambda p: p[:2])]
