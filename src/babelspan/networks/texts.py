"""Texts by themselves as tensors: what is learnt from sentence pairs and plain text.

Shapes: B texts of a batch, L tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from babelspan.networks.reader import moved_to
from babelspan.reading.tokens import Tokens
from babelspan.reading.windows import Featurizer


class Tokenized(Protocol):
    """Token ids, ready to be read: a batch of windows or of texts.

    Attributes:
        input_ids: (B, L).
        attention_mask: (B, L), 1 for tokens and 0 for padding.
        token_type_ids: (B, L).
    """

    @property
    def input_ids(self) -> Tensor:
        """(B, L)."""

    @property
    def attention_mask(self) -> Tensor:
        """(B, L)."""

    @property
    def token_type_ids(self) -> Tensor:
        """(B, L)."""


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Texts as tensors.

    Attributes:
        input_ids: (B, L).
        attention_mask: (B, L), 1 for tokens and 0 for padding.
        token_type_ids: (B, L), all 0.
        text_mask: (B, L), whether a token is of the text and not put round it.
        parts: the tokens of each text that are in the batch, with their characters.
        first: index of the first of them.
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor
    text_mask: Tensor
    parts: tuple[Tokens, ...]
    first: int

    @property
    def tokens(self) -> int:
        """Tokens without padding."""
        around = self.input_ids.shape[1] - max((len(p.ids) for p in self.parts), default=0)
        return sum(len(part.ids) + around for part in self.parts)

    def to(self, device: torch.device) -> "Texts":
        """The same on a device."""
        ids, attention, types, is_text = (
            moved_to(device, tensor)
            for tensor in (
                self.input_ids,
                self.attention_mask,
                self.token_type_ids,
                self.text_mask,
            )
        )
        return Texts(ids, attention, types, is_text, self.parts, self.first)


def texts_of(featurizer: Featurizer, texts: Sequence[str]) -> Texts:
    """Texts as a batch, padded on the right; of a text that is too long the end is left out."""
    prefix, suffix = featurizer.round_a_text
    room = featurizer.limits.max_length - len(prefix) - len(suffix)
    parts = []
    for text in texts:
        whole = featurizer.tokens(text)
        parts.append(Tokens(whole.ids[:room], whole.offsets[:room]))
    longest = max((len(part.ids) for part in parts), default=0)
    shape = (len(parts), len(prefix) + longest + len(suffix))
    ids = torch.full(shape, featurizer.pad_id)
    attention, is_text = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.bool)
    for row, part in enumerate(parts):
        own = [*prefix, *part.ids.tolist(), *suffix]
        ids[row, : len(own)] = torch.tensor(own)
        attention[row, : len(own)] = 1
        is_text[row, len(prefix) : len(prefix) + len(part.ids)] = True
    return Texts(ids, attention, torch.zeros_like(ids), is_text, tuple(parts), len(prefix))
