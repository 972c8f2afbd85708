"""Statistical alignment: IBM model 1 in both directions, trained on the bitext (`alignment.ibm1`).

Two words are linked if the product of the posteriors of both directions is above the threshold.
Words are lower-cased. It needs NumPy only and is language-independent; it is weak on rare words and
small bitexts.

Tables are estimated on at most `MOST_LINKS` possible links; of a larger bitext, evenly spaced
sentence pairs are used. That takes 1 GB of memory at most, whatever the size of the bitext.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from babelspan.aligners import Options
from babelspan.alignment.ibm1 import Settings, Tables, estimate
from babelspan.seams import Aligner
from babelspan.types import Alignment, ConfigError, SegmentedPair

THRESHOLD = 0.1
"""Chosen on development sets (docs/results/word_alignment.md)."""
MOST_LINKS = 10_000_000

Numbers = dict[str, int]


def aligner(argument: str, options: Options) -> Aligner:
    """Create the aligner `ibm1`.

    Raises:
        ConfigError: if an argument or a layer is given.
    """
    if argument or options.layer is not None:
        raise ConfigError(
            f"the aligner ibm1 takes no argument and no layer, got {argument!r} and {options.layer}"
        )
    threshold = THRESHOLD if options.threshold is None else options.threshold
    return CountingAligner(options.bitext, threshold=threshold)


@dataclass(frozen=True, slots=True)
class _Learnt:
    """Tables, and the index of each known word; unknown words get the index after the last."""

    tables: Tables
    numbers: tuple[Numbers, Numbers]


class CountingAligner:
    """An `Aligner` that estimates its tables on first use.

    Args:
        bitext: returns the bitext to align; it may be called several times.
        threshold: threshold of the product of both posteriors, in [0, 1).
        most_links: maximum number of possible links to estimate on.
    """

    def __init__(
        self,
        bitext: Callable[[], Iterable[SegmentedPair]],
        *,
        threshold: float = THRESHOLD,
        most_links: int = MOST_LINKS,
    ) -> None:
        self._bitext = bitext
        self._threshold = threshold
        self._most_links = most_links

    @property
    def identity(self) -> str:
        """The model and its settings; the training data is the bitext itself."""
        return f"ibm1,{Settings()},links={self._most_links},threshold={self._threshold!r}"

    def align(self, pairs: Sequence[SegmentedPair]) -> list[Alignment]:
        """The links of each pair; empty if a side has no words."""
        return [self._links(pair) for pair in pairs]

    def _links(self, pair: SegmentedPair) -> Alignment:
        sides = pair.words
        if not all(sides) or self._learnt is None:
            return Alignment(frozenset())
        tables, numbers = self._learnt.tables, self._learnt.numbers
        source, target = (
            np.array([known.get(word.lower(), len(known)) for word in side], np.int32)
            for side, known in zip(sides, numbers, strict=True)
        )
        forward, backward = tables.posteriors(source, target)
        both = np.argwhere(forward * backward > self._threshold)
        return Alignment(frozenset((i, j) for i, j in both.tolist()))

    @cached_property
    def _learnt(self) -> _Learnt | None:
        """The estimated tables; None if no pair has words on both sides."""
        possible = sum(_possible(pair) for pair in self._bitext())
        if not possible:
            return None
        every = -(-possible // self._most_links)
        numbers: tuple[Numbers, Numbers] = ({}, {})
        rows: tuple[list[NDArray[np.int32]], list[NDArray[np.int32]]] = ([], [])
        for number, pair in enumerate(p for p in self._bitext() if _possible(p)):
            if number % every == 0:
                for side, known, listed in zip(pair.words, numbers, rows, strict=True):
                    ids = [known.setdefault(word.lower(), len(known)) for word in side]
                    listed.append(np.array(ids, np.int32))
        sizes = [len(known) + 1 for known in numbers]
        return _Learnt(estimate(*rows, source_size=sizes[0], target_size=sizes[1]), numbers)


def _possible(pair: SegmentedPair) -> int:
    return len(pair.source_words) * len(pair.target_words)
