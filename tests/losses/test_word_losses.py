"""Losses over word vectors, beside loops."""

import itertools
import math

import pytest
import torch

from babelspan.losses.words import cosine_between, squared_distance

GENERATOR = torch.Generator().manual_seed(0)
VECTORS = torch.randn(7, 5, generator=GENERATOR)
OTHERS = torch.randn(7, 5, generator=GENERATOR)


def test_squared_distance_equals_a_loop():
    expected = sum(
        (a - b) ** 2
        for one, other in zip(VECTORS.tolist(), OTHERS.tolist(), strict=True)
        for a, b in zip(one, other, strict=True)
    )
    assert squared_distance(VECTORS, OTHERS).item() == pytest.approx(expected, rel=1e-5)
    assert squared_distance(VECTORS[:0], OTHERS[:0]).item() == 0
    with pytest.raises(ValueError, match=r"two matrices \(N, H\), got \(7, 5\) and \(6, 5\)"):
        squared_distance(VECTORS, OTHERS[:6])


def test_cosine_between_groups_equals_a_loop():
    group = [0, 0, 0, 1, 1, 3, 3]

    def cosine(a, b):
        product = sum(x * y for x, y in zip(a, b, strict=True))
        return product / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))

    pairs = itertools.combinations(zip(VECTORS.tolist(), group, strict=True), 2)
    cosines = [cosine(a, b) for (a, g), (b, h) in pairs if g != h]
    found = cosine_between(VECTORS, torch.tensor(group)).item()
    assert found == pytest.approx(sum(cosines) / len(cosines), abs=1e-6)
    assert cosine_between(VECTORS, torch.zeros(7, dtype=torch.long)).item() == pytest.approx(0)
    same = VECTORS[:1].repeat(3, 1)
    assert cosine_between(same, torch.arange(3)).item() == pytest.approx(1, abs=1e-5)
