"""Weights of search terms, the same for every engine.

All alternatives of a word have the same rarity, that of the word: the rarity of all of them
together (Pirkola 1998, *The effects of query structure and dictionary setups in dictionary-based
cross-language information retrieval*). Engines score by BM25, which multiplies each term by its
own rarity; so an engine divides by that again.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from babelspan.seams import Group
from babelspan.text.sounds import MARK
from babelspan.text.terms import is_pair

OTHERS = 0.3
"""Weight of the other alternatives of a word in a passage, relative to the best one."""
COUNTED, ONCE = "counted", "once"
"""Fields with term counts, and without: only the presence of sounds and pairs is stored."""
MOST_TERM = 200
"""Maximum length of a term in characters; longer ones are dropped."""


class Weighed(NamedTuple):
    """An alternative of a word in a search.

    Attributes:
        terms: all of them must be in a passage.
        holding: number of passages that have each term.
        weight: rarity of the word, times the weights of the word and of this alternative.
    """

    terms: tuple[str, ...]
    holding: tuple[int, ...]
    weight: float


def weighed(group: Group, holding: Callable[[str], int], among: int) -> list[Weighed]:
    """Return the alternatives of a group that occur in some passage.

    Args:
        group: a group of the question.
        holding: returns the number of passages that have a term.
        among: number of passages searched.
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
    """Return the BM25 weight of a term from the number of passages that have it; always above 0.

    Engines count removed passages until they rewrite a segment, so the count for a term may exceed
    the number of passages.
    """
    return math.log(1 + (max(among, holding) - holding + 0.5) / (holding + 0.5))


def fitting(groups: Sequence[Group], most: int) -> list[Group]:
    """Return groups cut to their best alternatives, so that they have at most `most` terms."""
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
    """Return the field in which an engine stores a term: `COUNTED` or `ONCE`."""
    return ONCE if term.startswith(MARK) or is_pair(term) else COUNTED


def by_field(terms: Sequence[str]) -> dict[str, str]:
    """Return the terms of a passage per field, joined by spaces; without repeats in `ONCE`."""
    found: dict[str, list[str]] = {COUNTED: [], ONCE: []}
    for term in terms:
        if len(term) <= MOST_TERM:
            found[field_of(term)].append(term)
    return {COUNTED: " ".join(found[COUNTED]), ONCE: " ".join(dict.fromkeys(found[ONCE]))}
