"""The span loss against a version with loops and a derivation with pencil."""

import math

import pytest
import torch

from babelspan.losses.span import span_loss, span_losses


def by_loops(start_logits, last_logits, answers):
    total = 0.0
    for starts, lasts, (start, last) in zip(
        start_logits.tolist(), last_logits.tolist(), answers.tolist(), strict=True
    ):
        for logits, gold in ((starts, start), (lasts, last)):
            share = math.exp(logits[gold]) / math.fsum(math.exp(logit) for logit in logits)
            total -= math.log(share) / 2
    return total / len(answers)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 3), (8, 40)])
def test_equals_the_version_with_loops(shape):
    rng = torch.Generator().manual_seed(shape[1])
    start_logits, last_logits = 3 * torch.randn(2, *shape, generator=rng, dtype=torch.float64)
    answers = torch.randint(shape[1], (shape[0], 2), generator=rng)

    loss = span_loss(start_logits, last_logits, answers)

    assert loss.ndim == 0
    assert loss.item() == pytest.approx(by_loops(start_logits, last_logits, answers), rel=1e-12)


def test_with_pencil():
    """Start: the shares are 1/6, 2/6, 3/6; last: 1/3 each. Gold are tokens 2 and 0.

    -1/2 (log 3/6 + log 1/3) = 1/2 log 6.
    """
    start_logits = torch.tensor([[math.log(1), math.log(2), math.log(3)]], dtype=torch.float64)
    last_logits = torch.zeros(1, 3, dtype=torch.float64)

    loss = span_loss(start_logits, last_logits, torch.tensor([[2, 0]]))

    assert loss.item() == pytest.approx(math.log(6) / 2, rel=1e-14)


def test_start_and_last_are_not_exchanged():
    start_logits = torch.tensor([[9.0, 0.0]])
    last_logits = torch.tensor([[0.0, 9.0]])

    right = span_loss(start_logits, last_logits, torch.tensor([[0, 1]]))
    wrong = span_loss(start_logits, last_logits, torch.tensor([[1, 0]]))

    assert right < 0.001
    assert wrong == pytest.approx(9.0, abs=0.001)


def test_padding_at_minus_infinity_counts_for_nothing():
    logits = torch.tensor([[1.0, 2.0, 3.0]])
    padded = torch.cat([logits, torch.full((1, 4), -torch.inf)], dim=1).requires_grad_()
    answers = torch.tensor([[1, 2]])

    loss = span_loss(padded, padded, answers)
    loss.backward()

    assert loss == span_loss(logits, logits, answers)
    assert torch.isfinite(padded.grad).all()
    assert (padded.grad[0, 3:] == 0).all()


def test_shapes_that_do_not_fit_are_named():
    logits = torch.zeros(2, 5)
    for start, last, answers in (
        (logits, torch.zeros(2, 4), torch.zeros(2, 2)),
        (logits, logits, torch.zeros(3, 2)),
        (logits, logits, torch.zeros(2)),
    ):
        found = f"{tuple(start.shape)}, {tuple(last.shape)} and {tuple(answers.shape)}"
        with pytest.raises(ValueError) as error:
            span_loss(start, last, answers.long())
        assert str(error.value) == f"expected logits (B, L), (B, L) and answers (B, 2), got {found}"


def test_losses_of_windows_have_the_loss_as_mean_and_its_gradients_bit_for_bit():
    torch.manual_seed(0)
    for size in (1, 3, 12, 32):
        logits = [torch.randn(size, 40, requires_grad=True) for _ in range(2)]
        answers = torch.randint(40, (size, 2))
        losses = span_losses(*logits, answers)
        whole = span_loss(*logits, answers)
        assert losses.shape == (size,)
        assert losses.mean().item() == pytest.approx(whole.item(), rel=1e-6)
        ours, theirs = (torch.autograd.grad(x, logits) for x in (losses.mean(), whole))
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
        one = span_loss(*(x[:1] for x in logits), answers[:1])
        assert losses[0].item() == pytest.approx(one.item(), rel=1e-6)


def test_no_windows_have_no_losses():
    none = torch.zeros(0, 5, requires_grad=True)
    losses = span_losses(none, none, torch.zeros(0, 2, dtype=torch.int64))
    losses.sum().backward()
    assert losses.shape == (0,)
