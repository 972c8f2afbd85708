"""A probabilistic dictionary from the links of any aligner, by counting linked words.

`alignment.dictionary` instead derives one from the expected counts of IBM model 1.
"""

from collections.abc import Iterator
from typing import NamedTuple

from babelspan.types import Alignment, SegmentedPair

MOST_HELD = 5_000_000
"""Maximum number of word pairs in memory; beyond it, the rarest are dropped."""


class Entry(NamedTuple):
    """A translation, its relative frequency among the word's links, and its number of links."""

    source: str
    target: str
    probability: float
    links: int


class LinkCounts:
    """Counts of linked words, in lower case.

    Args:
        most_held: maximum number of word pairs in memory.
    """

    def __init__(self, most_held: int = MOST_HELD) -> None:
        self._most_held = most_held
        self._pairs: dict[tuple[str, str], int] = {}
        self._links: dict[str, int] = {}
        self._forgotten = 0

    def add(self, pair: SegmentedPair, alignment: Alignment) -> None:
        """Count the links of a sentence pair."""
        sources, targets = ([word.lower() for word in side] for side in pair.words)
        for i, j in alignment.links:
            key = sources[i], targets[j]
            self._pairs[key] = self._pairs.get(key, 0) + 1
            self._links[key[0]] = self._links.get(key[0], 0) + 1
        while len(self._pairs) > self._most_held:
            self._forgotten += 1
            self._pairs = {k: n for k, n in self._pairs.items() if n > self._forgotten}

    def entries(
        self, *, probability: float = 0.08, count: int = 2, most: int = 4
    ) -> Iterator[Entry]:
        """Translations, the most frequent first, so that the first is also best in reverse.

        Args:
            probability: minimum probability of a translation given the word.
            count: minimum number of links of a translation.
            most: maximum number of translations of a word.
        """
        given: dict[str, int] = {}
        for (source, target), number in sorted(
            self._pairs.items(), key=lambda item: (-item[1], item[0])
        ):
            share = number / self._links[source]
            if number >= count and share >= probability and given.get(source, 0) < most:
                given[source] = given.get(source, 0) + 1
                yield Entry(source, target, share, number)
