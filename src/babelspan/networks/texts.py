"""Texts by themselves as tensors: what is learnt from sentence pairs and plain text.

Shapes: B texts of a batch, L tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from babelspan.networks.reader import Player, moved_to
from babelspan.reading.tokens import Tokens
from babelspan.reading.windows import Featurizer
from babelspan.types import ConfigError


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


class TextEncoder(Player, Protocol):
    """A network that reads texts by themselves, such as a pretrained reader's encoder."""

    @property
    def layers(self) -> int:
        """How many layers there are."""

    @property
    def width(self) -> int:
        """Width of the vectors, H."""

    @property
    def word_vectors(self) -> Tensor:
        """What tokens are looked up in, (V, E)."""

    @property
    def featurizer(self) -> Featurizer:
        """What makes its tokens."""

    def texts(self, texts: Sequence[str]) -> Texts:
        """Texts as a batch; what a window does not hold of a text is left out."""

    def __call__(self, batch: Tokenized, layer: int | None = None) -> Tensor:
        """Vectors of all tokens after a layer, 0 to `layers`, or the last one: (B, L, H)."""

    def after(self, batch: Tokenized, layers: Sequence[int]) -> list[Tensor]:
        """Vectors of all tokens after each of some layers, in one reading: (B, L, H) each."""


def encoder_of(reader: Any, layer: int | None = None) -> TextEncoder:
    """The encoder of a reader, which has the layer.

    Raises:
        ConfigError: if the reader has no encoder that reads texts, or it has fewer layers.
    """
    encoder: TextEncoder | None = getattr(reader, "encoder", None)
    if encoder is None or not hasattr(encoder, "texts"):
        raise ConfigError(
            "expected a reader with an encoder that reads single texts, got one of kind "
            f"{reader.kind!r}"
        )
    if layer is not None and not 0 <= layer <= encoder.layers:
        raise ConfigError(f"layer must be in [0, {encoder.layers}] for this reader, got {layer}")
    return encoder


def texts_of(featurizer: Featurizer, texts: Sequence[str]) -> Texts:
    """Texts as a batch, padded on the right; of a text that is too long the end is left out.

    Raises:
        ConfigError: as `Featurizer.room_of_a_text`.
    """
    prefix, suffix = featurizer.round_a_text
    room = featurizer.room_of_a_text
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
