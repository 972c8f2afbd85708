"""PageRank by power iteration.

Page, Brin, Motwani, Winograd (1999), *The PageRank Citation Ranking*, Stanford InfoLab 1999-66.
Shape letters: N nodes, M links.
"""

import numpy as np
from numpy.typing import NDArray

_MOST = 1000
"""Iterations, at most; with a damping of 0.85 some 110 are enough for 1e-8."""


def pagerank(
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    nodes: int,
    *,
    damping: float = 0.85,
    tolerance: float = 1e-8,
) -> NDArray[np.float64]:
    """The ranks of the nodes of a graph, (N,); they add up to 1.

    The rank of nodes without links goes to all nodes alike.

    Args:
        sources: node that each link goes from, (M,).
        targets: node that it goes to, (M,); no link comes twice.
        nodes: how many there are, N.
        damping: share of a rank that follows the links.
        tolerance: sum of absolute changes at which the iteration ends.
    """
    if not nodes:
        return np.zeros(0)
    degrees = np.bincount(sources, minlength=nodes)
    has_none = degrees == 0
    share = 1.0 / np.maximum(degrees, 1)
    ranks = np.full(nodes, 1.0 / nodes)
    for _ in range(_MOST):
        passed = np.bincount(targets, weights=(ranks * share)[sources], minlength=nodes)
        spread = damping * ranks[has_none].sum() + 1.0 - damping
        new = damping * passed + spread / nodes
        change = np.abs(new - ranks).sum()
        ranks = new
        if change < tolerance:
            break
    total: float = ranks.sum()
    return ranks / total
