"""PageRank against networkx."""

import numpy as np
import pytest

from babelspan.data.pagerank import pagerank

networkx = pytest.importorskip("networkx")


@pytest.mark.parametrize("seed", range(5))
def test_ranks_equal_those_of_networkx(seed):
    """Some nodes have no links, and some none to them."""
    rng = np.random.default_rng(seed)
    nodes = 60
    links = {(int(a), int(b)) for a, b in rng.integers(0, nodes - 10, (200, 2)) if a != b}
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(links)
    expected = networkx.pagerank(graph, tol=1e-10, max_iter=1000)
    sources, targets = (np.array(side) for side in zip(*sorted(links), strict=True))
    found = pagerank(sources, targets, nodes, tolerance=1e-10)
    assert np.allclose(found, [expected[n] for n in range(nodes)], atol=1e-8)
    assert found.sum() == pytest.approx(1)


def test_graphs_without_links_or_nodes():
    none = np.zeros(0, np.int64)
    assert pagerank(none, none, 4).tolist() == [0.25] * 4
    assert pagerank(none, none, 0).tolist() == []
