"""Clusters of questions whose scores are not independent."""

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from babelspan.config import nearest
from babelspan.scoring.matrix import Pair
from babelspan.types import ConfigError, DataError, Example

_OF: Mapping[str, Callable[[Example], Hashable]] = {
    "question": lambda e: e.id,
    "paragraph": lambda e: (e.context_language, e.context),
    "article": lambda e: (e.context_language, e.title),
}
UNITS = tuple(_OF)


def clusters(cells: Mapping[Pair, Sequence[Example]], unit: str) -> dict[Pair, NDArray[np.intp]]:
    """Return the cluster of each question, numbered from 0 over all cells.

    Questions are linked if they share an id (in any cell) or a unit in the same language; each
    connected component is a cluster. So a paragraph of a parallel set is one cluster in all its
    languages.

    Args:
        cells: examples by pair.
        unit: "question", "paragraph" or "article".

    Returns:
        Cluster numbers for each pair, (Q,), in the order of the examples.

    Raises:
        ConfigError: if there is no such unit.
        DataError: if an article has no title.
    """
    if unit not in _OF:
        raise ConfigError(f"unknown clusters {unit!r}{nearest(unit, UNITS)}")
    parents: dict[Hashable, Hashable] = {}
    for example in (e for examples in cells.values() for e in examples):
        if unit == "article" and not example.title:
            raise DataError(
                f"question {example.id!r}: its article has no title, so its cluster is not known; "
                "use --clusters paragraph"
            )
        parents[_root(parents, example.id)] = _root(parents, (unit, _OF[unit](example)))
    numbers: dict[Hashable, int] = {}
    return {
        pair: np.array([numbers.setdefault(_root(parents, e.id), len(numbers)) for e in examples])
        for pair, examples in cells.items()
    }


def _root(parents: dict[Hashable, Hashable], node: Hashable) -> Hashable:
    """Return the representative of the component of `node`; shorten the path to it."""
    while (parent := parents.setdefault(node, node)) != node:
        parents[node] = parents[parent]
        node = parent
    return node
