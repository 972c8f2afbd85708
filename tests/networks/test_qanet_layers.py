"""The layers of QANet against plain loops."""

import numpy as np
import pytest
import torch

from babelspan.networks.qanet_layers import (
    Block,
    Drop,
    Row,
    SelfAttention,
    Separable,
    Trilinear,
    WordInput,
    dropout,
    waves,
)

WIDTH = 6
QUESTION, CONTEXT = [1, 2], [0, 3, 4, 5, 6]  # token 0 is [NONE], 7 and 8 are padding


@pytest.fixture
def row():
    mask = torch.tensor([[1] * 7 + [0] * 2])
    part = torch.tensor([[1, 0, 0, 1, 1, 1, 1, 0, 0]])
    first = torch.tensor([[True] + [False] * 8])
    return Row.of(mask, part, first)


@pytest.fixture
def x():
    torch.manual_seed(0)
    return torch.randn(1, 9, WIDTH)


def softmax(scores):
    shifted = np.exp(scores - scores.max())
    return shifted / shifted.sum()


def numpy(tensor):
    return tensor.detach().double().numpy()


def test_where_the_parts_are(row):
    assert np.flatnonzero(row.question[0]).tolist() == QUESTION
    assert np.flatnonzero(row.context[0]).tolist() == CONTEXT
    assert row.places[0].tolist()[:7] == [0, 0, 1, 1, 2, 3, 4]
    assert [np.flatnonzero(p[0, :, 0]).tolist() for p in row.parts] == [QUESTION, CONTEXT[1:]]


def test_a_convolution_reaches_its_own_part_only(row, x):
    layer = Separable(WIDTH, 5)
    found = layer(x, row.parts)[0]
    filters, across, bias = map(
        numpy, (layer.along.weight[:, 0], layer.across.weight, layer.across.bias)
    )
    for part in (QUESTION, CONTEXT[1:]):
        for token in part:
            moved = np.zeros(WIDTH)
            for k in range(5):
                other = token + k - 2
                if other in part:
                    moved += filters[:, k] * numpy(x)[0, other]
            expected = np.maximum(across @ moved + bias, 0)
            np.testing.assert_allclose(numpy(found[token]), expected, atol=1e-6)


def test_self_attention_by_hand(row, x):
    layer = SelfAttention(WIDTH, 2)
    found = layer(x, row.apart)[0]
    inner = numpy(layer.inner(x))[0].reshape(9, 3, 2, WIDTH // 2)
    for part in (QUESTION, CONTEXT):
        for token in part:
            heads = []
            for head in range(2):
                query = inner[token, 0, head]
                scores = np.array([query @ inner[o, 1, head] for o in part]) / (WIDTH // 2) ** 0.5
                heads.append(softmax(scores) @ inner[part, 2, head])
            joined = numpy(layer.outer.weight) @ np.concatenate(heads) + numpy(layer.outer.bias)
            np.testing.assert_allclose(numpy(found[token]), joined, atol=1e-6)


def test_context_query_attention_by_hand(row, x):
    """Yu et al. (2018), Section 2.2: f(q, c) = W [q, c, q * c], A = S Q, B = S Sᵀ C."""
    layer = Trilinear(WIDTH, 0.0)
    found = layer(x, row)[0]
    v = numpy(x)[0]
    of_c, of_q = numpy(layer.of_context.weight)[0], numpy(layer.of_question.weight)[0]
    both = numpy(layer.of_both)
    scores = np.array(
        [[of_c @ v[c] + of_q @ v[q] + both @ (v[c] * v[q]) for q in QUESTION] for c in CONTEXT]
    )
    by_row = np.stack([softmax(line) for line in scores])
    by_column = np.stack([softmax(line) for line in scores.T]).T
    a = by_row @ v[QUESTION]
    b = by_row @ by_column.T @ v[CONTEXT]
    own = v[CONTEXT]
    joined = np.concatenate([own, a, own * a, own * b], axis=1)
    expected = joined @ numpy(layer.join.weight).T + numpy(layer.join.bias)
    np.testing.assert_allclose(numpy(found[CONTEXT]), expected, atol=1e-6)


def test_an_empty_question_gives_nothing(x):
    mask = torch.tensor([[1] * 5 + [0] * 4])
    alone = Row.of(mask, torch.ones(1, 9, dtype=torch.long), mask.cumsum(1) == 1)
    layer = Trilinear(WIDTH, 0.0)
    found = layer(x, alone)[0, :5]
    own = torch.cat([x, torch.zeros(1, 9, 3 * WIDTH)], dim=-1)
    torch.testing.assert_close(found, layer.join(own)[0, :5])


def test_words_letters_and_highways_by_hand():
    torch.manual_seed(1)
    layer = WordInput(4, (10, 3), WIDTH, (0.0, 0.0)).eval()
    words, spelt = torch.randn(1, 2, 4), torch.tensor([[[1, 2, 3, 0], [4, 0, 0, 0]]])
    found = layer(words, spelt)[0]
    table, filters = numpy(layer.letters.weight), numpy(layer.spelling.weight)
    for word in range(2):
        letters = table[spelt[0, word].numpy()]
        padded = np.pad(letters, ((2, 2), (0, 0)))
        moved = [
            np.einsum("oik,ki->o", filters, padded[at : at + 5]) + numpy(layer.spelling.bias)
            for at in range(4)
        ]
        x = np.concatenate([numpy(words)[0, word], np.maximum(moved, 0).max(axis=0)])
        x = numpy(layer.projection.weight) @ x + numpy(layer.projection.bias)
        for carry, change in zip(layer.carry, layer.change, strict=True):
            gate = 1 / (1 + np.exp(-(numpy(carry.weight) @ x + numpy(carry.bias))))
            new = np.maximum(numpy(change.weight) @ x + numpy(change.bias), 0)
            x = gate * new + (1 - gate) * x
        np.testing.assert_allclose(numpy(found[word]), x, atol=1e-6)


def test_each_word_of_a_batch_is_spelt_once_in_training():
    """Vectors and gradients are those of all tokens; occurrences of a word share dropout."""
    torch.manual_seed(1)
    layer = WordInput(4, (10, 3), WIDTH, (0.0, 0.0))
    words = torch.randn(2, 3, 4)
    spelt = torch.tensor([[[1, 2], [4, 0], [1, 2]], [[4, 0], [0, 0], [2, 1]]])
    found, gradients = [], []
    for mode in (True, False):
        found.append(layer.train(mode)(words, spelt))
        grown = torch.autograd.grad(found[-1].square().sum(), layer.parameters())
        gradients.append(grown)
    torch.testing.assert_close(*found)
    torch.testing.assert_close(*gradients)
    layer = WordInput(4, (10, 3), WIDTH, (0.0, 0.5)).train()
    again = layer(words[:, :1].expand(-1, 3, -1), spelt)
    assert torch.equal(again[0, 0], again[0, 2])


def test_a_frequent_word_has_its_whole_gradient_in_bf16():
    """A sum of 2,000 gradients in bf16 would stop growing at 256 times one of them."""
    torch.manual_seed(1)
    layer = WordInput(4, (10, 3), WIDTH, (0.0, 0.0)).train()
    words, spelt = torch.zeros(20, 100, 4), torch.tensor([5, 6]).expand(20, 100, 2)
    gradients = []
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            found = layer(words, spelt)
        gradients += torch.autograd.grad(found.float().sum(), [layer.spelling.weight])
    assert (gradients[1] - gradients[0]).norm() < 0.02 * gradients[0].norm()


RATES = {0.1: 6554, 0.5: 2**15, 0.999999: 2**16 - 1}
"""Rates of dropout, and how many of 2^16 values are dropped."""


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_keeps_and_scales_by_the_rounded_rate(rate, dtype):
    torch.manual_seed(3)
    x = torch.ones(1001, 999, dtype=dtype, requires_grad=True)
    found = dropout(x, rate, True)
    assert found.dtype == dtype
    assert found.shape == x.shape
    share = 1 - RATES[rate] / 2**16
    kept = int((found != 0).sum())
    assert abs(kept - share * x.numel()) < 5 * (share * (1 - share) * x.numel()) ** 0.5
    assert kept > 0
    tolerance = 1e-6 if dtype == torch.float32 else 2**-8
    assert found.max().item() == pytest.approx(1 / share, rel=tolerance)
    assert found[found != 0].min() == found.max()
    found.sum().backward()
    assert torch.equal(x.grad, found.detach())


def test_dropout_is_drawn_from_the_random_state():
    x = torch.ones(1000)
    torch.manual_seed(3)
    one, other = dropout(x, 0.1, True), dropout(x, 0.1, True)
    assert not torch.equal(one, other)
    torch.manual_seed(3)
    assert torch.equal(dropout(x, 0.1, True), one)


def test_dropout_elsewhere_is_that_of_pytorch():
    assert dropout(torch.empty(3, device="meta"), 0.5, True).device.type == "meta"


def test_neighbours_are_dropped_independently():
    """Four elements come from one drawn number: their parts must not depend on each other."""
    torch.manual_seed(4)
    kept = (dropout(torch.ones(4 * 50_000), 0.3, True) != 0).view(-1, 4).double()
    np.testing.assert_allclose(np.cov(kept.T.numpy()), 0.21 * np.eye(4), atol=0.004)


@pytest.mark.parametrize(("rate", "training"), [(0.0, True), (0.3, False)])
def test_no_dropout(rate, training):
    x = torch.randn(7)
    assert torch.equal(dropout(x, rate, training), x)


def test_waves_of_places():
    found = waves(torch.tensor([[0, 3]]), 6)[0]
    rates = [1, 10_000**-0.5, 1e-4]
    np.testing.assert_allclose(found[0], [0, 0, 0, 1, 1, 1])
    angles = 3 * np.array(rates)
    expected = np.concatenate([np.sin(angles), np.cos(angles)])
    np.testing.assert_allclose(found[1], expected, rtol=1e-5)


def test_sublayers_are_left_out_the_later_the_likelier(row, x):
    """Six sublayers of two blocks: number n of 12 is left out with chance 0.6 n / 12."""
    drop = Drop(0.0, 0.4, first=7, of=12)
    block = Block(WIDTH, 2, 4, 3, drop).train()
    torch.manual_seed(0)
    drawn = np.mean([[block._is_left_out(n) for n in range(6)] for _ in range(2000)], axis=0)
    np.testing.assert_allclose(drawn, [0.6 * n / 12 for n in range(7, 13)], atol=0.04)
    assert not any(block.eval()._is_left_out(n) for n in range(6))
    one = block(x, row.places, row.parts, row.apart)
    assert torch.equal(one, block(x, row.places, row.parts, row.apart))


def test_a_block_without_its_sublayers_adds_places_only(row, x):
    block = Block(WIDTH, 2, 1, 3, Drop(0.0, 1e-9, first=100, of=100)).train()
    found = block(x, row.places, row.parts, row.apart)
    torch.testing.assert_close(found, x + waves(row.places, WIDTH))
