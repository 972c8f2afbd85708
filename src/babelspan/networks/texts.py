"""Batches of single texts, for training on sentence pairs and plain text.

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
    """A batch of token ids: of windows or of texts.

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
        text_mask: (B, L), whether a token belongs to the text and is not a special token.
        parts: the tokens of each text that are in the batch, with their offsets.
        first: index in the batch of the first token of each text.
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor
    text_mask: Tensor
    parts: tuple[Tokens, ...]
    first: int

    @property
    def tokens(self) -> int:
        """Number of tokens, without padding."""
        around = self.input_ids.shape[1] - max((len(p.ids) for p in self.parts), default=0)
        return sum(len(part.ids) + around for part in self.parts)

    def to(self, device: torch.device) -> "Texts":
        """A copy on a device."""
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
    """A network that encodes single texts, such as the encoder of a pretrained reader."""

    @property
    def layers(self) -> int:
        """Number of layers."""

    @property
    def width(self) -> int:
        """Width of the vectors, H."""

    @property
    def word_vectors(self) -> Tensor:
        """The token embeddings, (V, E)."""

    @property
    def featurizer(self) -> Featurizer:
        """The featurizer, with the tokenizer."""

    def texts(self, texts: Sequence[str]) -> Texts:
        """Collate texts into a batch, truncated to a window."""

    def __call__(self, batch: Tokenized, layer: int | None = None) -> Tensor:
        """Vectors of all tokens after a layer, 0 to `layers`, or None for the last, (B, L, H)."""

    def after(self, batch: Tokenized, layers: Sequence[int]) -> list[Tensor]:
        """Vectors of all tokens after each of these layers, in one forward pass, (B, L, H) each."""


def encoder_of(reader: Any, layer: int | None = None) -> TextEncoder:
    """The encoder of a reader, after checking that it has the layer.

    Raises:
        ConfigError: if the reader has no encoder that reads single texts, or too few layers.
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
    """Collate texts into a batch, padded on the right; texts that are too long are truncated.

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
