"""Start of the vectors of a new vocabulary."""

import numpy as np
import pytest

from babelspan.vocabulary.vectors import Settings, start_vectors

OLD = np.random.default_rng(5).normal(size=(6, 4)).astype(np.float32)


def start(**changed):
    arguments = {
        "shared": {0: 3, 1: 4},
        "new_ids": np.array([2, 2, 3, 2]),
        "old_ids": np.array([0, 1, 5, 1]),
        "counts": np.array([1.0, 3.0, 0.5, 1.0], np.float32),
        "rng": np.random.default_rng(0),
    }
    return start_vectors(OLD, 5, **(arguments | changed))


def test_equal_to_a_derivation_with_loops():
    """Counts of piece 2: 1 of old 0, 3 + 1 of old 1. To the power 1.5: 1 and 8. Prior 0.3."""
    found = start()
    assert (found.shared, found.linked, found.unlinked) == (2, 2, 1)
    assert np.array_equal(found.vectors[:2], OLD[[3, 4]])
    middle = OLD[[3, 4]].mean(axis=0)
    usual = np.mean([np.linalg.norm(OLD[i] - middle) for i in (3, 4)])
    for piece, weights in ((2, {0: 1.0, 1: 8.0}), (3, {5: 0.5**1.5})):
        mean = sum(w * OLD[i] for i, w in weights.items()) + 0.3 * middle
        offset = mean / (sum(weights.values()) + 0.3) - middle
        length = np.linalg.norm(offset)
        wanted = length + 0.5 * max(usual - length, 0)
        assert found.vectors[piece] == pytest.approx(middle + offset * wanted / length, abs=1e-5)


def test_nothing_restored_leaves_the_mean_as_it_is():
    found = start(settings=Settings(power=1.0, prior=0.0, restored=0.0))
    assert found.vectors[2] == pytest.approx((OLD[0] + 4 * OLD[1]) / 5, abs=1e-5)
    assert found.vectors[3] == pytest.approx(OLD[5], abs=1e-5)


def test_a_shared_piece_keeps_its_vector_whatever_it_is_linked_to():
    found = start(new_ids=np.array([0, 2, 3, 2]))
    assert np.array_equal(found.vectors[0], OLD[3])
    assert found.unlinked == 1


def test_arrays_of_different_length_are_refused():
    with pytest.raises(ValueError, match="as many new ids as old ids and counts, got 4, 4 and 1"):
        start(counts=np.ones(1, np.float32))
