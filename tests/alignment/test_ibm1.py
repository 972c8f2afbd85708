"""IBM model 1 in both directions, beside a version with dictionaries and loops."""

import math
import random

import numpy as np
import pytest
from scipy.special import digamma

from babelspan.alignment.ibm1 import Settings, estimate, exp_digamma


def ids(*rows):
    return [np.array(row, np.int32) for row in rows]


def naive(sources, targets, *, settings):
    """p(target | source) and the posteriors of the last iteration, by the book.

    Null words are not estimated: they give a target type by its relative frequency.
    """
    shares = {}
    for row in targets:
        for t in row:
            shares[t] = shares.get(t, 0) + 1
    total = sum(shares.values())
    met = {}
    for source, target in zip(sources, targets, strict=True):
        for s in source:
            met.setdefault(s, set()).update(target)
    table = {(s, t): 1 / len(ts) for s, ts in met.items() for t in ts}
    for _ in range(settings.iterations):
        counts, posteriors = dict.fromkeys(table, 0.0), []
        for source, target in zip(sources, targets, strict=True):
            n, m = len(source), len(target)
            found = [[0.0] * m for _ in range(n)]
            for j, t in enumerate(target):
                near = [
                    math.exp(-settings.tension * abs((i + 0.5) / n - (j + 0.5) / m))
                    for i in range(n)
                ]
                shared = [
                    (1 - settings.null) * near[i] / sum(near) * table[s, t]
                    for i, s in enumerate(source)
                ]
                whole = sum(shared) + settings.null * shares[t] / total
                for i, s in enumerate(source):
                    found[i][j] = shared[i] / whole
                    counts[s, t] += found[i][j]
            posteriors.append(found)
        a = settings.concentration
        sums = {s: sum(counts[s, t] + a for t in ts) for s, ts in met.items()}
        table = {
            (s, t): math.exp(digamma(c + a) - digamma(sums[s])) for (s, t), c in counts.items()
        }
    return table, posteriors


@pytest.fixture(scope="module")
def bitext():
    rng = random.Random(3)
    sources = [[rng.randrange(7) for _ in range(rng.randint(1, 6))] for _ in range(30)]
    targets = [[(s * 3 + 1) % 8 for s in row if rng.random() < 0.8] or [0] for row in sources]
    return sources, targets


@pytest.mark.parametrize(
    "settings", [Settings(), Settings(iterations=2, tension=0.0, null=0.2, concentration=0.5)]
)
def test_both_directions_equal_a_version_with_loops(bitext, settings):
    sources, targets = bitext
    tables = estimate(ids(*sources), ids(*targets), source_size=7, target_size=8, settings=settings)
    forward, to_targets = naive(sources, targets, settings=settings)
    backward, to_sources = naive(targets, sources, settings=settings)
    both = dict.fromkeys(forward, 0.0)
    for source, target, a, b in zip(sources, targets, to_targets, to_sources, strict=True):
        for i, s in enumerate(source):
            for j, t in enumerate(target):
                both[s, t] += a[i][j] * b[j][i]
    assert len(tables.keys) == len(forward)
    for s, t, f, b, c in zip(
        tables.sources, tables.targets, tables.forward, tables.backward, tables.counts, strict=True
    ):
        assert f == pytest.approx(forward[s, t], rel=1e-3, abs=1e-6)
        assert b == pytest.approx(backward[t, s], rel=1e-3, abs=1e-6)
        assert c == pytest.approx(both[s, t], rel=1e-3, abs=1e-5)


def test_a_code_of_words_is_broken():
    rng = np.random.default_rng(0)
    code = rng.permutation(50)
    sources = [rng.integers(0, 50, rng.integers(3, 12)).astype(np.int32) for _ in range(300)]
    targets = [code[row][::-1].astype(np.int32) for row in sources]
    tables = estimate(
        sources, targets, source_size=50, target_size=50, settings=Settings(tension=0.0)
    )
    for s in range(50):
        of_word = tables.sources == s
        assert tables.targets[of_word][tables.counts[of_word].argmax()] == code[s]


def test_posteriors_of_a_pair():
    sources, targets = ids([0, 1], [0], [1]), ids([0, 1], [0], [1])
    tables = estimate(sources, targets, source_size=2, target_size=3)
    forward, backward = tables.posteriors(sources[0], targets[0])
    assert forward.shape == backward.shape == (2, 2)
    assert (forward.sum(axis=0) < 1).all()
    assert (backward.sum(axis=1) < 1).all()
    assert forward.argmax(axis=0).tolist() == [0, 1]
    never_met, _ = tables.posteriors(sources[1], np.array([2], np.int32))
    assert never_met.shape == (1, 1)


def test_empty_sides_are_skipped_and_nothing_at_all_refused():
    tables = estimate(ids([], [1]), ids([0], [0]), source_size=2, target_size=1)
    assert tables.sources.tolist() == [1]
    with pytest.raises(ValueError, match="expected pairs with words on both sides, got none in 1"):
        estimate(ids([]), ids([0]), source_size=1, target_size=1)


def test_exp_digamma():
    x = np.array([0.01, 0.1, 0.5, 1.0, 2.5, 10.0, 1e4])
    assert exp_digamma(x) == pytest.approx(np.exp(digamma(x)), rel=1e-6)
