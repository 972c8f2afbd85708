"""Replace the vocabulary of an encoder or a reader: its tokenizer and its token embeddings.

Shapes: N pieces (subwords), H width.
"""

from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn
from transformers import PreTrainedTokenizerFast

from babelspan.networks.pretrained import Encoder, PretrainedReader
from babelspan.types import DataError

N = TypeVar("N", bound=PretrainedReader | Encoder)

_ROLES = ("bos", "cls", "eos", "mask", "pad", "sep", "unk")


def word_vectors(network: PretrainedReader | Encoder) -> NDArray[np.float32]:
    """The token embeddings of a network, (N, H)."""
    vectors: NDArray[np.float32] = network.model.get_input_embeddings().weight.detach().numpy()
    return vectors


def with_vocabulary(network: N, tokenizer: Tokenizer, vectors: NDArray[np.float32]) -> N:
    """Replace a network's vocabulary in place; all other weights are kept.

    Args:
        network: an encoder or a reader.
        tokenizer: the new tokenizer; it includes the special tokens of the old one.
        vectors: embeddings of its pieces, (N, H).

    Raises:
        DataError: if positions are counted from the padding token and its id changes.
    """
    old = network.tokenizer
    roles = {name: t for name, t in old.special_tokens_map.items() if isinstance(t, str)}
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=old.model_max_length,
        model_input_names=old.model_input_names,
        **roles,
    )
    model = network.model
    if made.pad_token_id != old.pad_token_id and _counts_from_padding(model):
        raise DataError(
            f"a {model.config.model_type} encoder counts positions from the padding token: "
            f"expected the id {old.pad_token_id} for it, found {made.pad_token_id}"
        )
    model.resize_token_embeddings(len(vectors), mean_resizing=False)
    embedding = model.get_input_embeddings()
    with torch.no_grad():
        embedding.weight.copy_(torch.from_numpy(vectors))
    if embedding.padding_idx is not None:
        embedding.padding_idx = made.pad_token_id
    _renumber(model.config, made)
    return type(network)(model, made, limits=network.featurizer.limits)


def _counts_from_padding(model: nn.Module) -> bool:
    """Whether positions are counted from the padding id, as in RoBERTa."""
    return any(
        hasattr(part, "padding_idx") and not isinstance(part, nn.Embedding)
        for part in model.modules()
    )


def _renumber(config: Any, tokenizer: Any) -> None:
    """Update the ids of the special tokens in a config."""
    for role in _ROLES:
        if getattr(config, f"{role}_token_id", None) is not None:
            setattr(config, f"{role}_token_id", getattr(tokenizer, f"{role}_token_id"))
