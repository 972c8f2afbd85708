"""The two losses of the language game against versions with loops, PyTorch's own, and pencil."""

import math

import pytest
import torch
from torch.nn import functional as F

from babelspan.losses.adversarial import confusion_loss, naming_loss


def drawn(items, classes):
    rng = torch.Generator().manual_seed(items)
    return 3 * torch.randn(items, classes, generator=rng, dtype=torch.float64)


def shares(logits):
    total = math.fsum(math.exp(logit) for logit in logits)
    return [math.exp(logit) / total for logit in logits]


SHAPES = pytest.mark.parametrize("shape", [(1, 2), (7, 2), (5, 6), (32, 11)])


@SHAPES
def test_confusion_equals_the_version_with_loops(shape):
    logits = drawn(*shape)
    expected = 0.0
    for row in logits.tolist():
        for share in shares(row):
            uniform = 1 / shape[1]
            expected += uniform * math.log(uniform / share) / shape[0]
    assert confusion_loss(logits).item() == pytest.approx(expected, rel=1e-5)


@SHAPES
def test_confusion_equals_the_divergence_of_pytorch(shape):
    logits = drawn(*shape).float()
    uniform = torch.full_like(logits, 1 / shape[1])
    expected = F.kl_div(F.log_softmax(logits, dim=-1), uniform, reduction="batchmean")
    torch.testing.assert_close(confusion_loss(logits), expected, rtol=1e-5, atol=1e-6)


def test_confusion_with_pencil():
    """A guess of 1/4 and 3/4: 1/2 log (1/2 / 1/4) + 1/2 log (1/2 / 3/4) = 1/2 log 4/3."""
    logits = torch.tensor([[0.0, math.log(3)]])
    assert confusion_loss(logits).item() == pytest.approx(math.log(4 / 3) / 2, rel=1e-6)


def test_confusion_is_nothing_where_nothing_can_be_told_and_large_where_it_is_sure():
    assert confusion_loss(torch.full((3, 5), 2.5)).item() == pytest.approx(0, abs=1e-6)
    sure = torch.tensor([[100.0, 0.0]])
    assert confusion_loss(sure).item() == pytest.approx(50 - math.log(2), rel=1e-5)


def test_minimising_confusion_hides_the_class():
    """The other divergence, or the sign as the paper prints it, would not end at uniform."""
    logits = drawn(4, 3).float().requires_grad_()
    optimiser = torch.optim.SGD([logits], lr=2.0)
    for _ in range(200):
        optimiser.zero_grad()
        confusion_loss(logits).backward()
        optimiser.step()
    torch.testing.assert_close(
        F.softmax(logits, dim=-1), torch.full((4, 3), 1 / 3), atol=1e-3, rtol=0
    )


@pytest.mark.parametrize("shape", [(3, 1), (3,), (2, 3, 4)])
def test_confusion_refuses_what_is_no_matrix_of_two_classes(shape):
    with pytest.raises(ValueError) as error:
        confusion_loss(torch.zeros(shape))
    assert str(error.value) == f"expected logits (B, C) of 2 classes or more, got {shape}"


@SHAPES
def test_naming_equals_the_version_with_loops(shape):
    logits = drawn(*shape)
    rng = torch.Generator().manual_seed(1)
    classes = torch.randint(shape[1], shape[:1], generator=rng)
    weights = torch.rand(shape[0], generator=rng, dtype=torch.float64)
    expected = 0.0
    for row, right, weight in zip(logits.tolist(), classes.tolist(), weights.tolist(), strict=True):
        expected -= weight * math.log(shares(row)[right]) / shape[0]
    assert naming_loss(logits, classes, weights).item() == pytest.approx(expected, rel=1e-5)


def test_naming_with_weights_of_one_is_cross_entropy():
    logits = drawn(9, 4).float()
    classes = torch.arange(9) % 4
    expected = F.cross_entropy(logits, classes)
    torch.testing.assert_close(naming_loss(logits, classes, torch.ones(9)), expected)


def test_naming_with_pencil():
    """Guesses of 1/4 and 3/4; first item class 0 with weight 2, second class 1 with weight 1/2.

    (2 log 4 + 1/2 log 4/3) / 2.
    """
    logits = torch.tensor([[0.0, math.log(3)]] * 2)
    loss = naming_loss(logits, torch.tensor([0, 1]), torch.tensor([2.0, 0.5]))
    assert loss.item() == pytest.approx(math.log(4) + math.log(4 / 3) / 4, rel=1e-6)


def test_who_cannot_tell_does_best_to_guess_all_classes_alike():
    """Three of four items are of class 0; with weights 2/3 and 2 the best constant is even."""
    classes = torch.tensor([0, 0, 0, 1])
    weights = torch.tensor([2 / 3, 2 / 3, 2 / 3, 2.0])

    def loss(gap):
        return naming_loss(torch.tensor([[gap, 0.0]] * 4), classes, weights).item()

    assert loss(0.0) == pytest.approx(math.log(2), rel=1e-6)
    assert min(loss(0.2), loss(-0.2)) > loss(0.0)


def test_naming_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError) as error:
        naming_loss(torch.zeros(3, 2), torch.zeros(3).long(), torch.ones(2))
    found = "(3, 2), (3,) and (2,)"
    expected = f"expected logits (B, C), classes (B,) and weights (B,), got {found}"
    assert str(error.value) == expected
