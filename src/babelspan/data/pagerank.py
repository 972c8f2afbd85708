"""PageRank by power iteration.

Page, Brin, Motwani, Winograd (1999), *The PageRank Citation Ranking*, Stanford InfoLab 1999-66.
Shape letters: N nodes, M links.
"""

import numpy as np
from numpy.typing import NDArray

_MOST = 1000
"""Maximum number of iterations; with a damping of 0.85, about 110 reach 1e-8."""


def pagerank(
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    nodes: int,
    *,
    damping: float = 0.85,
    tolerance: float = 1e-8,
) -> NDArray[np.float64]:
    """Return the ranks of the nodes of a graph, (N,); they add up to 1.

    The rank of nodes without outgoing links is shared equally among all nodes.

    Args:
        sources: node at which each link starts, (M,).
        targets: node at which each link ends, (M,); links must be unique.
        nodes: number of nodes, N.
        damping: share of a rank that is passed along links.
        tolerance: sum of absolute changes below which the iteration stops.
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
