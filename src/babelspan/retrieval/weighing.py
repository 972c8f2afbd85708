"""What the terms of a search weigh, for every engine alike.

All alternatives of a word are as rare as the word, which has the rarity of them together (Pirkola
1998, *The effects of query structure and dictionary setups in dictionary-based cross-language
information retrieval*). An engine scores by BM25, so it multiplies a term by its own rarity; an
engine divides by that again.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from babelspan.seams import Group
from babelspan.text.sounds import MARK
from babelspan.text.terms import is_pair

OTHERS = 0.3
"""What the other alternatives of a word in a passage count, beside the best one."""
COUNTED, ONCE = "counted", "once"
"""How often a word stands in a passage is kept; of sounds and pairs, only that they do."""
MOST_TERM = 200
"""Characters of a term, at most; longer ones are left out."""


class Weighed(NamedTuple):
    """An alternative of a word in a search.

    Attributes:
        terms: all of them must be in a passage.
        holding: how many passages have each.
        weight: rarity of the word, times what the word and this alternative count.
    """

    terms: tuple[str, ...]
    holding: tuple[int, ...]
    weight: float


def weighed(group: Group, holding: Callable[[str], int], among: int) -> list[Weighed]:
    """The alternatives of a group that are in some passage.

    Args:
        group: of the question.
        holding: gives the number of passages that have a term.
        among: number of passages that are searched.
    """
    counts = [tuple(map(holding, terms)) for terms in group.alternatives]
    shares = group.shares or (1.0,) * len(counts)
    there = sum(share * min(of) for share, of in zip(shares, counts, strict=True))
    word = group.weight * rarity(min(there, among), among)
    return [
        Weighed(terms, of, share * word)
        for terms, share, of in zip(group.alternatives, shares, counts, strict=True)
        if min(of)
    ]


def rarity(holding: float, among: int) -> float:
    """The weight that BM25 gives a term, by how many passages have it; always above 0.

    Engines count passages that were removed until they write their segment anew, so more may have a
    term than there are.
    """
    return math.log(1 + (max(among, holding) - holding + 0.5) / (holding + 0.5))


def fitting(groups: Sequence[Group], most: int) -> list[Group]:
    """Groups with so many of their best alternatives that they have `most` terms, at most."""
    if sum(len(terms) for group in groups for terms in group.alternatives) <= most:
        return list(groups)
    each = max(1, most // len(groups))
    return [_shortened(group, each) for group in groups[:most]]


def _shortened(group: Group, most: int) -> Group:
    shares = group.shares or (1.0,) * len(group.alternatives)
    kept, size = [], 0
    for terms, share in sorted(zip(group.alternatives, shares, strict=True), key=lambda p: -p[1]):
        size += len(terms)
        if size <= most:
            kept.append((terms, share))
    return Group(tuple(t for t, _ in kept), group.weight, tuple(s for _, s in kept))


def field_of(term: str) -> str:
    """Where an engine keeps a term: `COUNTED` or `ONCE`."""
    return ONCE if term.startswith(MARK) or is_pair(term) else COUNTED


def by_field(terms: Sequence[str]) -> dict[str, str]:
    """The terms of a passage for each field, with a space between; in `ONCE` each once."""
    found: dict[str, list[str]] = {COUNTED: [], ONCE: []}
    for term in terms:
        if len(term) <= MOST_TERM:
            found[field_of(term)].append(term)
    return {COUNTED: " ".join(found[COUNTED]), ONCE: " ".join(dict.fromkeys(found[ONCE]))}
