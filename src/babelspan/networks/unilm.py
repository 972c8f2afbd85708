"""A pretrained encoder as a sequence-to-sequence model: UniLM masks and a key-value cache.

Dong et al. (2019), arXiv:1905.03197, Figure 1: source tokens attend to the source, generated tokens
attend to the source and to earlier generated tokens.

Shape letters: B texts, S source tokens, T generated tokens, L = S + T, H width, E embedding width.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, DynamicCache

from babelspan.networks.pretrained import first_position
from babelspan.types import ConfigError

FAMILIES = ("bert", "camembert", "electra", "ernie", "rembert", "roberta", "xlm-roberta", "xmod")
"""Encoder families for which decoding with a cache equals the full forward pass (tested)."""
_EAGER = ("rembert",)
"""Families of these that accept such a mask only with eager attention."""


def unilm_mask(source_lengths: Tensor, source: int, written: int) -> Tensor:
    """The attention mask, (B, 1, L, L); true where a token attends to another.

    Args:
        source_lengths: number of tokens of each source, (B,), at least 1; the rest is padding.
        source: number of source columns, S.
        written: number of generated columns, T.
    """
    columns = torch.arange(source, device=source_lengths.device)
    is_source_BS = columns < source_lengths[:, None]
    sees_BLL = is_source_BS.new_zeros(len(source_lengths), source + written, source + written)
    sees_BLL[:, :, :source] = is_source_BS[:, None]
    sees_BLL[:, source:, source:] = is_source_BS.new_ones(written, written).tril()
    return sees_BLL[:, None]


class UnilmEncoder(nn.Module):
    """An encoder with an explicit attention mask and a cache.

    Args:
        model: an encoder of one of `FAMILIES`, built with `is_decoder`.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self._first_position = first_position(model.config)
        self._takes_types = getattr(model.config, "type_vocab_size", 0) > 1

    @property
    def width(self) -> int:
        """Width of the vectors, H."""
        return int(self.model.config.hidden_size)

    @property
    def pieces(self) -> nn.Embedding:
        """The embeddings of the tokenizer's pieces, (V, E)."""
        embeddings: nn.Embedding = self.model.get_input_embeddings()
        return embeddings

    def forward(
        self,
        embedded: Tensor,
        types: Tensor,
        places: Tensor,
        sees: Tensor,
        cache: DynamicCache | None = None,
    ) -> Tensor:
        """Vectors after the last layer, (B, L, H).

        Args:
            embedded: embeddings of the tokens, (B, L, E).
            types: 0 for source tokens and 1 for generated tokens, (B, L).
            places: positions of the tokens, from 0, (B, L).
            sees: attention mask, (B, 1, L, C); C counts cached columns and L.
            cache: keys and values of earlier tokens; those of these tokens are added.
        """
        hidden_by = torch.finfo(embedded.dtype).min
        mask = torch.zeros(sees.shape, dtype=embedded.dtype, device=sees.device)
        kept = {} if cache is None else {"past_key_values": cache, "use_cache": True}
        if self._takes_types:
            kept["token_type_ids"] = types
        output = self.model(
            inputs_embeds=embedded,
            attention_mask=mask.masked_fill_(~sees, hidden_by),
            position_ids=places + self._first_position,
            **kept,
        )
        hidden: Tensor = output[0]
        return hidden


def built(config: Any) -> UnilmEncoder:
    """Build an encoder for generation from a config, with random weights.

    Raises:
        ConfigError: if the family is not supported.
    """
    if config.model_type not in FAMILIES:
        raise ConfigError(
            f"expected an encoder of the families {', '.join(FAMILIES)}, found "
            f"{config.model_type!r}, which cannot write questions; choose another checkpoint"
        )
    config = copy.deepcopy(config)
    config.is_decoder = True
    config.use_cache = False  # unless a call brings a cache
    if config.model_type == "xmod" and config.default_language is None:
        config.default_language = config.languages[0]
    eager = {"attn_implementation": "eager"} if config.model_type in _EAGER else {}
    model = AutoModel.from_config(config, **eager)
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return UnilmEncoder(model)


def writing(model: Any) -> UnilmEncoder:
    """A copy of an encoder, for generation; errors are those of `built`."""
    encoder = built(model.config)
    weights = {k: v for k, v in model.state_dict().items() if not k.startswith("pooler.")}
    encoder.model.load_state_dict(weights)
    return encoder
