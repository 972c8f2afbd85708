"""How much of a question each of the passages found for it contains."""

import math
from collections.abc import Container, Sequence

from babelspan.seams import Group


def coverages(groups: Sequence[Group], passages: Sequence[Container[str]]) -> list[float]:
    """Return the share of a question that each passage contains, in [0, 1].

    A word counts more if few of the passages contain it: words that they all contain do not tell
    them apart, however rare they are in the collection. The measure of rarity is that of BM25
    (Robertson and Sparck Jones 1976), over these passages. A repeated word counts once.

    Args:
        groups: the words of the question with their alternatives.
        passages: the index terms of each passage.
    """
    shares = [[_share(group, terms) for terms in passages] for group in groups]
    rarities = [_rarity(sum(share > 0 for share in of_word), len(passages)) for of_word in shares]
    total = sum(rarities)
    if not total:
        return [0.0] * len(passages)
    return [
        sum(of_word[n] * rarity for of_word, rarity in zip(shares, rarities, strict=True)) / total
        for n in range(len(passages))
    ]


def _share(group: Group, terms: Container[str]) -> float:
    """Return the weight of the best alternative of a word that a passage contains, or 0."""
    shares = group.shares or (1.0,) * len(group.alternatives)
    found = [
        share
        for alternative, share in zip(group.alternatives, shares, strict=True)
        if all(term in terms for term in alternative)
    ]
    return max(found, default=0.0)


def _rarity(having: int, passages: int) -> float:
    return math.log(1 + (passages - having + 0.5) / (having + 0.5))
