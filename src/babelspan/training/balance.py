"""How much of each language is learnt from: caps, and a temperature."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt


@dataclass(frozen=True, kw_only=True)
class Balance:
    """The share of each language in an epoch, in the table of a method."""

    most: PositiveInt | None = None
    """Items of a language, at most; a seed chooses which."""
    exponent: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Of a language's size in its share, the inverse of a temperature: 1 leaves sizes as they are,
    0 makes all languages as large as the largest. Smaller languages are repeated."""


def balanced(groups: Sequence[Hashable], balance: Balance, *, seed: int) -> NDArray[np.int64]:
    """Which items make up an epoch: indices, those of smaller groups more often.

    A group of n items gets N (n / N)^exponent of them, rounded, N being the size of the largest
    group; all its items, whole times and then some by chance. Groups are cut to `most` before.

    Args:
        groups: of each item, its language or pair of languages.
        balance: caps and exponent.
        seed: of the choice.
    """
    numbers: dict[Hashable, int] = {}
    of_item = np.array([numbers.setdefault(group, len(numbers)) for group in groups], np.int64)
    kept = []
    for number in range(len(numbers)):
        own = np.flatnonzero(of_item == number)
        if balance.most is not None and len(own) > balance.most:
            chosen = np.random.default_rng([seed, number]).permutation(own)[: balance.most]
            own = np.sort(chosen)
        kept.append(own)
    largest = max(map(len, kept), default=0)
    indices = []
    for number, own in enumerate(kept):
        wanted = round(largest * (len(own) / largest) ** balance.exponent)
        whole, rest = divmod(wanted, len(own))
        some = np.random.default_rng([seed, number, 1]).permutation(own)[:rest]
        indices += [*[own] * whole, np.sort(some)]
    return np.sort(np.concatenate(indices)) if indices else of_item
