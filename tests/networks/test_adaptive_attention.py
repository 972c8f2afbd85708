"""Adaptive attention against its equations, token by token, in numpy."""

import numpy as np
import pytest
import torch

from babelspan.networks.adaptive_attention import AdaptiveAttention, Texts

WIDTH, LENGTHS = 8, (5, 7, 4)
LONGEST = max(LENGTHS)


def softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def by_rows(matrix):
    return np.array([softmax(row) for row in matrix])


def linear(layer, vectors):
    return vectors @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


def layer_norm(layer, vectors):
    centred = vectors - vectors.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + layer.eps)
    return scaled * layer.weight.detach().numpy() + layer.bias.detach().numpy()


def printed(b_s, b_m):
    """C'_M by Eq. 5 to 13 as they stand, each sum written out."""
    a_s, a_m = by_rows(b_s @ b_s.T), by_rows(b_m @ b_m.T)
    a_sm = b_s @ b_m.T
    adaptive = np.zeros_like(a_sm)
    for i in range(len(b_s)):
        for j in range(len(b_m)):
            adaptive[i, j] = sum(
                a_s[i, k] * a_sm[k, n] * a_m[n, j] for k in range(len(b_s)) for n in range(len(b_m))
            )
    return by_rows(adaptive) @ b_m


def by_heads(module, b_s, b_m):
    """C'_M with A_M transposed, heads, projections and scale: L x L matrices multiplied."""
    size = WIDTH // module.heads
    parts = []
    for head in range(module.heads):
        part = slice(head * size, (head + 1) * size)
        query = linear(module.query, b_s)[:, part]
        key, value = (linear(layer, b_m)[:, part] for layer in (module.key, module.value))
        a_s = by_rows(query @ query.T / size**0.5)
        a_m = by_rows(key @ key.T / size**0.5)
        a_sm = query @ key.T / size**0.5
        parts.append(by_rows(a_s @ a_sm @ a_m.T) @ value)
    return np.concatenate(parts, axis=1)


def expected(module, own, others):
    """G by Eq. 14 to 17; None for a translation that is missing."""
    read = printed if module.formula == "printed" else lambda *b: by_heads(module, *b)
    found = [np.zeros_like(own) if other is None else read(own, other) for other in others]
    joined = linear(module.join, np.concatenate(found or [np.zeros_like(own)], axis=1))
    return np.concatenate([own, layer_norm(module.norm, own + joined)], axis=1)


def vectors_of(*lengths, padding=0.0):
    """Vectors and mask, (rows, LONGEST, WIDTH) and (rows, LONGEST), padded with a number."""
    rng = np.random.default_rng(sum(lengths))
    vectors = np.full((len(lengths), LONGEST, WIDTH), padding)
    mask = np.zeros((len(lengths), LONGEST), np.int64)
    for row, length in enumerate(lengths):
        vectors[row, :length] = rng.normal(size=(length, WIDTH))
        mask[row, :length] = 1
    return torch.tensor(vectors, dtype=torch.float32), torch.tensor(mask)


def gathered(module, own, others, owners, rows):
    with torch.no_grad():
        owners = torch.tensor(owners, dtype=torch.int64)
        return module(Texts(*own), Texts(*others), owners, torch.as_tensor(rows))


@pytest.mark.parametrize(("formula", "heads"), [("heads", 1), ("heads", 4), ("printed", 1)])
@pytest.mark.parametrize("present", [(), (0,), (1,), (0, 1)])
def test_equals_the_equations_with_members_there_and_missing(formula, heads, present):
    torch.manual_seed(0)
    module = AdaptiveAttention(WIDTH, 2, heads=heads, formula=formula)
    torch.nn.init.normal_(module.norm.weight)
    own = vectors_of(LENGTHS[0])
    others = vectors_of(*LENGTHS[1:])
    there = [others[0][list(present)], others[1][list(present)]]
    rows = [[present.index(slot) if slot in present else len(present) for slot in (0, 1)]]
    found = gathered(module, own, there, [0] * len(present), rows)
    unpadded = [
        others[0][slot, : LENGTHS[1 + slot]].numpy() if slot in present else None for slot in (0, 1)
    ]
    wanted = expected(module, own[0][0, : LENGTHS[0]].numpy(), unpadded)
    assert np.abs(found[0, : LENGTHS[0]].numpy() - wanted).max() < 1e-5


def test_no_language_leaves_the_norm_of_the_own_vectors():
    module = AdaptiveAttention(WIDTH, 0, heads=2)
    own = vectors_of(LENGTHS[0])
    found = gathered(module, own, vectors_of(), [], torch.zeros(1, 0, dtype=torch.int64))
    wanted = expected(module, own[0][0, : LENGTHS[0]].numpy(), [])
    assert np.abs(found[0, : LENGTHS[0]].numpy() - wanted).max() < 1e-5


@pytest.mark.parametrize("formula", ["heads", "printed"])
def test_padding_and_company_change_nothing(formula):
    """Two texts with translations in another order, and padding that holds large numbers."""
    torch.manual_seed(0)
    module = AdaptiveAttention(WIDTH, 2, heads=2, formula=formula)
    own, others = vectors_of(5, 3, padding=9.0), vectors_of(7, 4, 2, padding=-9.0)
    both = gathered(module, own, others, [0, 1, 0], [[0, 2], [3, 1]])
    assert torch.isfinite(both).all()
    clean = vectors_of(5, 3), vectors_of(7, 4, 2)
    for row, (mine, rows) in enumerate([((0, 2), [[0, 1]]), ((1,), [[1, 0]])]):
        alone = gathered(
            module,
            [part[row : row + 1] for part in clean[0]],
            [part[list(mine)] for part in clean[1]],
            [0] * len(mine),
            rows,
        )
        length = int(own[1][row].sum())
        assert torch.allclose(both[row, :length], alone[0, :length], atol=1e-5)


def test_the_transpose_matters():
    """As printed and with the transpose differ, also with the same vectors, scale and one head."""
    module = AdaptiveAttention(WIDTH, 1, heads=1)
    with torch.no_grad():
        for layer in (module.query, module.key, module.value):
            layer.weight.copy_(torch.eye(WIDTH))
            layer.bias.zero_()
    own, other = (vectors_of(n)[0][0, :n].numpy() for n in LENGTHS[:2])
    assert np.abs(by_heads(module, own, other) - printed(own, other)).max() > 0.1


def test_a_missing_translation_gets_no_gradient_and_gives_none_that_is_not_finite():
    module = AdaptiveAttention(WIDTH, 2, heads=2)
    own, others = vectors_of(5), vectors_of(7)
    others[0].requires_grad_()
    found = module(Texts(*own), Texts(*others), torch.tensor([0]), torch.tensor([[1, 1]]))
    found.square().sum().backward()
    assert not others[0].grad.any()
    assert all(torch.isfinite(p.grad).all() for p in module.parameters() if p.grad is not None)


def test_heads_that_do_not_divide_the_width_are_told():
    with pytest.raises(ValueError, match="expected heads that divide the width 8, got 3"):
        AdaptiveAttention(WIDTH, 1, heads=3)
