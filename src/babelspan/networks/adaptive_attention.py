"""Multilingual adaptive attention from a text to its translations.

Wu et al. (2021), arXiv:2107.05002, Eq. 5 to 17, after Cui et al. (2019), arXiv:1909.00361 (Dual
BERT).

Shapes: B texts, K translations (those that exist), N languages, L tokens, H width, A heads,
D = H / A.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Formula = Literal["heads", "printed"]

_FAR = -1e9
"""Added to the scores of padding. Not minus infinity: a row without keys would give NaN."""


class Texts(NamedTuple):
    """Encoded texts.

    Attributes:
        vectors: (B, L, H).
        mask: (B, L), 1 for tokens and 0 for padding.
    """

    vectors: Tensor
    mask: Tensor


class AdaptiveAttention(nn.Module):
    """Computes G of Eq. 17, (B, L, 2 H), from the vectors of texts and of their translations.

    With "heads", Eq. 10 has the transpose that is in Dual BERT but missing in the paper,
    A_S A_SM A_Mᵀ, multi-head and scaled, with queries from the text, keys and values from the
    translation. It is computed as three ordinary attentions, (A_S Q) (A_M K)ᵀ, without products of
    L x L matrices. With "printed" it is Eq. 5 to 13 as printed: one head, no projections, no
    scaling, A_S A_SM A_M = (A_S B_S) (A_Mᵀ B_M)ᵀ. Padding is masked in both.

    Args:
        width: width of the vectors, H.
        languages: number of languages, N.
        heads: number of heads, A; ignored with the printed formula.
        formula: how attention is computed.

    Raises:
        ValueError: if the width is not a multiple of the heads.
    """

    def __init__(
        self, width: int, languages: int, *, heads: int, formula: Formula = "heads"
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"expected heads that divide the width {width}, got {heads}")
        self.heads = heads
        self.formula = formula
        self.languages = languages
        if formula == "heads":
            self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.join = nn.Linear(max(1, languages) * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, own: Texts, others: Texts, owners: Tensor, rows: Tensor) -> Tensor:
        """G of the texts, (B, L, 2 H).

        Args:
            own: the B texts.
            others: the K translations.
            owners: index of the text of each translation, (K,).
            rows: index of the translation of each text into each language, (B, N); K for none,
                which is replaced by zeros.
        """
        attend = self._by_heads if self.formula == "heads" else _as_printed
        read = attend(own, others, owners)  # Eq. 5 to 13
        nothing = torch.zeros_like(own.vectors[:1], dtype=read.dtype)
        gathered = torch.cat([read, nothing])[rows]  # (B, N, L, H)
        if not self.languages:
            gathered = nothing.expand(len(rows), 1, -1, -1)
        side_by_side = gathered.transpose(1, 2).flatten(2)  # Eq. 14 and 15
        joined = self.join(side_by_side)  # Eq. 16
        return torch.cat([own.vectors, self.norm(own.vectors + joined)], dim=-1)  # Eq. 17

    def _by_heads(self, own: Texts, others: Texts, owners: Tensor) -> Tensor:
        """The output of attention from each text to its translation, (K, L, H)."""
        query = self._parted(self.query(own.vectors))
        key = self._parted(self.key(others.vectors))
        value = self._parted(self.value(others.vectors))
        own_far, far = _far(own.mask, query), _far(others.mask, key)
        query = F.scaled_dot_product_attention(query, query, query, attn_mask=own_far)
        key = F.scaled_dot_product_attention(key, key, key, attn_mask=far)
        read = F.scaled_dot_product_attention(query[owners], key, value, attn_mask=far)
        return read.transpose(1, 2).flatten(2)

    def _parted(self, vectors: Tensor) -> Tensor:
        """Split vectors (B, L, H) into heads, (B, A, L, D)."""
        windows, length, width = vectors.shape
        parts = vectors.reshape(windows, length, self.heads, width // self.heads)
        return parts.transpose(1, 2)


def _as_printed(own: Texts, others: Texts, owners: Tensor) -> Tensor:
    """The output of attention to each translation by Eq. 5 to 13 as printed, (K, L, H)."""
    b_s, b_m = own.vectors, others.vectors
    far = _far(others.mask, b_m)[:, 0]
    a_s = (b_s @ b_s.mT + _far(own.mask, b_s)[:, 0]).softmax(dim=-1)  # Eq. 5
    a_m = (b_m @ b_m.mT + far).softmax(dim=-1)  # Eq. 6 and 7
    a_m = a_m * others.mask[:, :, None]  # padding has no row of its own either
    adaptive = (a_s @ b_s)[owners] @ (a_m.mT @ b_m).mT  # Eq. 8 to 11
    return (adaptive + far).softmax(dim=-1) @ b_m  # Eq. 12 and 13


def _far(mask: Tensor, like: Tensor) -> Tensor:
    """The additive attention mask for padding, (B, 1, 1, L)."""
    added = torch.zeros(mask.shape, dtype=like.dtype, device=like.device)
    return added.masked_fill(mask == 0, _FAR)[:, None, None, :]
