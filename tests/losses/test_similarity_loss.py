"""Mean vectors and their dissimilarity against versions with loops and with pencil."""

import math

import pytest
import torch

from babelspan.losses.similarity import (
    dissimilarity_loss,
    mean_vectors,
    span_likeness,
    span_vectors,
)


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


def by_loops(hidden, first, last):
    """[B_start ; B_end ; mean of softmax(B B^T) B] of one span, Dual BERT, Eq. 10."""
    span = hidden[first : last + 1].tolist()
    attended = []
    for one in span:
        powers = [math.exp(sum(a * b for a, b in zip(one, other, strict=True))) for other in span]
        attended.append(
            [
                sum(p * other[i] for p, other in zip(powers, span, strict=True)) / sum(powers)
                for i in range(len(one))
            ]
        )
    mean = [sum(column) / len(span) for column in zip(*attended, strict=True)]
    return span[0] + span[-1] + mean


SPANS = [[0, 0], [2, 5], [5, 5], [1, 2]]


def test_vectors_of_spans_are_those_of_loops():
    hidden = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(2))
    found = span_vectors(hidden, torch.tensor(SPANS))
    expected = [by_loops(h, *s) for h, s in zip(hidden, SPANS, strict=True)]
    assert torch.allclose(found, torch.tensor(expected), atol=1e-5)
    assert span_vectors(hidden[:0], torch.zeros(0, 2, dtype=torch.int64)).shape == (0, 9)


def test_likeness_is_a_cosine_that_is_never_negative_and_has_no_gradient():
    hidden = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(3), requires_grad=True)
    other = torch.cat([hidden[:2].detach() * 3, -hidden[2:].detach()])
    spans = torch.tensor(SPANS)
    found = span_likeness((hidden, spans), (other, spans))
    assert not found.requires_grad
    assert (found[2:] < 1).all()
    assert (found >= 0).all()
    assert found[0].item() == pytest.approx(1)  # of one token: the same direction
    a, b = (by_loops(h[1], 2, 5) for h in (hidden.detach(), other))
    cosine = sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)
    assert found[1].item() == pytest.approx(max(0, cosine), abs=1e-5)
    assert found[3].item() == 0
