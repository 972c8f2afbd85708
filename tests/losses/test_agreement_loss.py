"""The loss of answering otherwise against a version with loops and a derivation with pencil."""

import math

import pytest
import torch

from babelspan.losses.agreement import NOT_TOLD, agreement_loss
from babelspan.losses.span import span_loss


def by_loops(start_logits, last_logits, told):
    total = 0.0
    for starts, lasts, tokens in zip(
        start_logits.tolist(), last_logits.tolist(), told.tolist(), strict=True
    ):
        for logits, token in zip((starts, lasts), tokens, strict=True):
            if token != NOT_TOLD:
                share = math.exp(logits[token]) / math.fsum(math.exp(logit) for logit in logits)
                total -= math.log(share) / 2
    return total / len(told)


def drawn(windows, tokens):
    rng = torch.Generator().manual_seed(tokens)
    starts, lasts = 3 * torch.randn(2, windows, tokens, generator=rng, dtype=torch.float64)
    return starts, lasts, torch.randint(-1, tokens, (windows, 2), generator=rng)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 3), (40, 9)])
def test_equals_the_version_with_loops(shape):
    starts, lasts, told = drawn(*shape)
    found = agreement_loss(starts, lasts, told)
    assert found.ndim == 0
    assert found.item() == pytest.approx(by_loops(starts, lasts, told), rel=1e-12)


def test_the_places_that_are_not_told_were_drawn():
    assert (drawn(40, 9)[2] == NOT_TOLD).any()


def test_where_all_is_told_it_is_the_span_loss():
    starts, lasts, told = drawn(6, 5)
    told = told.clamp(min=0)
    torch.testing.assert_close(agreement_loss(starts, lasts, told), span_loss(starts, lasts, told))


def test_with_pencil():
    """Two windows, the second told nothing, the first told a start of share 3/6 and no last.

    1/2 log 2 over 2 windows.
    """
    starts = torch.tensor([[math.log(1), math.log(2), math.log(3)]] * 2)
    told = torch.tensor([[2, NOT_TOLD], [NOT_TOLD, NOT_TOLD]])
    loss = agreement_loss(starts, torch.zeros(2, 3), told)
    assert loss.item() == pytest.approx(math.log(2) / 4, rel=1e-6)


def test_told_nothing_it_teaches_nothing():
    starts = torch.randn(2, 4, requires_grad=True)
    loss = agreement_loss(starts, starts, torch.full((2, 2), NOT_TOLD))
    loss.backward()
    assert loss.item() == 0
    assert (starts.grad == 0).all()


def test_the_mean_of_two_halves_is_that_of_the_whole():
    starts, lasts, told = drawn(8, 6)
    halves = [agreement_loss(starts[h], lasts[h], told[h]) for h in (slice(4), slice(4, 8))]
    torch.testing.assert_close(agreement_loss(starts, lasts, told), sum(halves) / 2)


def test_padding_at_minus_infinity_counts_for_nothing():
    starts, lasts, told = drawn(5, 4)
    padding = torch.full((5, 3), -torch.inf, dtype=torch.float64)
    padded = torch.cat([starts, padding], dim=1).requires_grad_()
    loss = agreement_loss(padded, torch.cat([lasts, padding], dim=1), told)
    loss.backward()
    torch.testing.assert_close(loss, agreement_loss(starts, lasts, told))
    assert torch.isfinite(padded.grad).all()


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError) as error:
        agreement_loss(torch.zeros(2, 5), torch.zeros(2, 5), torch.zeros(3, 2).long())
    assert str(error.value) == (
        "expected logits (B, L), (B, L) and spans (B, 2), got (2, 5), (2, 5) and (3, 2)"
    )
