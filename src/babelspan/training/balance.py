"""The share of each language in the training data: caps, and temperature sampling."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt


@dataclass(frozen=True, kw_only=True)
class Balance:
    """The share of each language in an epoch; a table inside [method]."""

    most: PositiveInt | None = None
    """Maximum number of items per language, chosen by the seed."""
    exponent: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Exponent of a language's size in its share, the inverse of a temperature: 1 leaves sizes as
    they are, 0 makes all languages as large as the largest. Smaller languages are repeated."""


def balanced(groups: Sequence[Hashable], balance: Balance, *, seed: int) -> NDArray[np.int64]:
    """Indices of the items that make up an epoch; items of smaller groups are repeated.

    A group of n items gets N (n / N)^exponent places, rounded, where N is the size of the largest
    group: all its items a whole number of times, then a random part of them. Groups are first
    capped at `most` items.

    Args:
        groups: the language or language pair of each item.
        balance: cap and exponent.
        seed: seed of the random choices.
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
