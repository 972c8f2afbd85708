"""BM25 over groups: how often any alternative stands in a passage, and in how many passages.

Robertson and Zaragoza (2009), *The probabilistic relevance framework*, with the frequencies of a
group as one (Pirkola 1998): tf is the sum over its alternatives, df the size of their union.
"""

import math
from collections import Counter
from collections.abc import Sequence

from babelspan.seams import Group

K1 = 0.9
B = 0.4


def scores(
    groups: Sequence[Group],
    holding: Sequence[int],
    passages: int,
    found: Sequence[Counter[str]],
) -> list[float]:
    """The score of each passage.

    Args:
        groups: of the question.
        holding: how many passages have any alternative of each group.
        passages: how many there are.
        found: how often each term stands in each passage.
    """
    lengths = [counted.total() for counted in found]
    usual = sum(lengths) / max(1, len(lengths))
    rarities = [math.log(1 + (passages - df + 0.5) / (df + 0.5)) for df in holding]
    given = []
    for counted, length in zip(found, lengths, strict=True):
        damping = K1 * (1 - B + B * length / max(usual, 1.0))
        total = 0.0
        for group, rarity in zip(groups, rarities, strict=True):
            frequency = sum(_frequency(a, counted) for a in group.alternatives)
            total += group.weight * rarity * frequency * (K1 + 1) / (frequency + damping)
        given.append(total)
    return given


def _frequency(alternative: tuple[str, ...], counted: Counter[str]) -> int:
    """How often all terms of an alternative stand in a passage."""
    return min(counted[term] for term in alternative)
