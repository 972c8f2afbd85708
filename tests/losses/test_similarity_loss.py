"""Mean vectors and their dissimilarity against versions with loops and with pencil."""

import math

import pytest
import torch

from babelspan.losses.similarity import dissimilarity_loss, mean_vectors


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))


def test_means_equal_the_version_with_loops():
    hidden = drawn(4, 6, 3)
    mask = torch.tensor(
        [[0, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1], [1, 0, 1, 0, 1, 0]]
    )
    for kind in (mask, mask.bool()):
        for row, found in enumerate(mean_vectors(hidden, kind)):
            chosen = hidden[row][mask[row].bool()].tolist()
            expected = [sum(values) / len(chosen) for values in zip(*chosen, strict=True)]
            assert found.tolist() == pytest.approx(expected, rel=1e-5)


def test_the_mean_of_nothing_is_zero():
    assert mean_vectors(drawn(1, 3, 2), torch.zeros(1, 3)).tolist() == [[0.0, 0.0]]


def test_many_vectors_of_half_precision_are_summed_in_full():
    hidden = torch.ones(1, 3000, 2, dtype=torch.bfloat16)
    assert mean_vectors(hidden, torch.ones(1, 3000)).tolist() == [[1.0, 1.0]]


def test_dissimilarity_equals_the_version_with_loops():
    one, other = drawn(7, 5), drawn(7, 5).roll(1, dims=0) - 0.3
    expected = 0.0
    for a, b in zip(one.tolist(), other.tolist(), strict=True):
        dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
        expected += (1 - dot / (math.hypot(*a) * math.hypot(*b))) / 7
    assert dissimilarity_loss(one, other).item() == pytest.approx(expected, rel=1e-5)


def test_dissimilarity_with_pencil():
    """The same direction 0, a right angle 1, the opposite 2, 60 degrees 1/2; the mean is 7/8."""
    one = torch.tensor([[1.0, 1.0], [2.0, 0.0], [0.0, 3.0], [1.0, 0.0]])
    other = torch.tensor([[5.0, 5.0], [0.0, 1.0], [0.0, -1.0], [1.0, math.sqrt(3)]])
    assert dissimilarity_loss(one, other).item() == pytest.approx(7 / 8, rel=1e-6)


def test_both_sides_are_pulled():
    one, other = (torch.tensor([v]).requires_grad_() for v in ([1.0, 0.0], [0.0, 1.0]))
    dissimilarity_loss(one, other).backward()
    assert one.grad.tolist() == [[0.0, -1.0]]
    assert other.grad.tolist() == [[-1.0, 0.0]]


def test_a_vector_of_zeros_is_no_error():
    one = torch.zeros(1, 3, requires_grad=True)
    loss = dissimilarity_loss(one, torch.ones(1, 3))
    loss.backward()
    assert loss.item() == 1
    assert torch.isfinite(one.grad).all()


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError) as error:
        dissimilarity_loss(torch.zeros(2, 3), torch.zeros(2, 4))
    assert str(error.value) == "expected two matrices (B, H), got (2, 3) and (2, 4)"
