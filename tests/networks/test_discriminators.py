"""The language discriminator: its shape, its own random state, its precision."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from babelspan.networks.discriminators import LanguageDiscriminator


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_two_hidden_layers_of_four_times_the_width():
    shapes = [tuple(p.shape) for p in LanguageDiscriminator(6, 3, seed=1).parameters()]
    assert shapes == [(24, 6), (24,), (24, 24), (24,), (3, 24), (3,)]


def test_equals_layers_by_hand():
    discriminator = LanguageDiscriminator(6, 3, seed=1)
    one, two, three = (m for m in discriminator.modules() if isinstance(m, nn.Linear))
    vectors = torch.randn(5, 6)
    expected = F.relu(F.relu(vectors @ one.weight.T + one.bias) @ two.weight.T + two.bias)
    expected = expected @ three.weight.T + three.bias
    torch.testing.assert_close(discriminator(vectors), expected)


def test_its_weights_come_from_its_seed_and_disturb_nothing():
    before = torch.get_rng_state()
    one, same, other = (LanguageDiscriminator(6, 3, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(weights(one), weights(same))
    assert not torch.equal(weights(one), weights(other))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_logits_are_in_full_precision(dtype):
    discriminator = LanguageDiscriminator(6, 3, seed=1)
    vectors = torch.randn(5, 6).to(dtype)
    assert discriminator(vectors).dtype == torch.float32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = discriminator(vectors)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, discriminator(vectors), atol=0.05, rtol=0.05)


def test_every_parameter_and_the_vectors_get_a_gradient():
    discriminator = LanguageDiscriminator(6, 3, seed=1)
    vectors = torch.randn(20, 6, requires_grad=True)
    F.cross_entropy(discriminator(vectors), torch.arange(20) % 3).backward()
    assert all((p.grad != 0).any() for p in discriminator.parameters())
    assert (vectors.grad != 0).any()
