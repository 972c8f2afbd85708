"""Readers from any checkpoint that `AutoModelForQuestionAnswering` loads.

Only this module, `unilm`, `export.fused` and `translators.ctranslate2.converted` import
transformers.
A span head on a pretrained encoder: Devlin et al. (2019), arXiv:1810.04805, Section 4.2; MBERT_QA
of Bornea et al. (2021), arXiv:2012.05958, Eq. 1. Only safetensors weights are loaded, and code that
comes with a checkpoint is never run.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForQuestionAnswering, AutoTokenizer
from transformers.utils import logging

from babelspan.data.files import filling, read_json, write_json
from babelspan.networks.reader import Batch, Reading, collate
from babelspan.networks.texts import Texts, Tokenized, texts_of
from babelspan.reading.windows import Featurizer, Window
from babelspan.types import DataError, Example, Limits

_MISMATCH = "ignore_mismatched_sizes"
"""Part of the error message of transformers for weights with mismatched shapes."""
_UNBOUNDED = 10**6
"""A `model_max_length` above this means that the tokenizer has no limit."""


class Encoder(nn.Module):
    """A pretrained encoder with its tokenizer; it may be shared by several heads.

    Args:
        model: a transformers model whose first output is the token vectors.
        tokenizer: a fast tokenizer of transformers.
        limits: default limits for cutting contexts into windows.
    """

    def __init__(self, model: Any, tokenizer: Any, *, limits: Limits = Limits()) -> None:
        super().__init__()
        self.model = model
        self.tokenizer = tokenizer
        self.featurizer = featurizer_of(model.config, tokenizer, limits)
        self._takes_types = getattr(model.config, "type_vocab_size", 0) > 1

    @property
    def width(self) -> int:
        """Width of the vectors, H."""
        return int(self.model.config.hidden_size)

    @property
    def word_vectors(self) -> Tensor:
        """The token embeddings, (V, E); E equals H except in encoders with smaller embeddings."""
        weight: Tensor = self.model.get_input_embeddings().weight
        return weight

    def inputs(self, batch: Tokenized) -> dict[str, Tensor]:
        """The keyword arguments of the model for a batch."""
        types = {"token_type_ids": batch.token_type_ids} if self._takes_types else {}
        return {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, **types}

    def texts(self, texts: Sequence[str]) -> Texts:
        """Collate single texts into a batch, truncated to a window."""
        return texts_of(self.featurizer, texts)

    @property
    def layers(self) -> int:
        """Number of layers."""
        return int(self.model.config.num_hidden_layers)

    def forward(self, batch: Tokenized, layer: int | None = None) -> Tensor:
        """Vectors of all tokens, (B, L, H).

        Args:
            batch: the texts or windows to read.
            layer: layer whose output is returned; 0 for the embeddings, None for the last one.
        """
        if layer is None:
            hidden: Tensor = self.model(**self.inputs(batch))[0]
            return hidden
        return self.after(batch, [layer])[0]

    def after(self, batch: Tokenized, layers: Sequence[int]) -> list[Tensor]:
        """Vectors of all tokens after each of these layers, (B, L, H); 0 for the embeddings."""
        hidden = self.model(**self.inputs(batch), output_hidden_states=True).hidden_states
        return [hidden[layer] for layer in layers]

    def save(self, folder: Path) -> None:
        """Write config, weights (safetensors) and tokenizer; each file atomically."""
        _save(self.model, self.tokenizer, folder)


class PretrainedReader(nn.Module):
    """A reader from a transformers checkpoint: an encoder and a span head.

    Args:
        model: a model with `start_logits` and `end_logits` among its outputs.
        tokenizer: a fast tokenizer of transformers.
        limits: default limits for cutting contexts into windows.

    Attributes:
        encoder: the model's encoder; other networks may share it.
    """

    kind = "pretrained"

    def __init__(self, model: Any, tokenizer: Any, *, limits: Limits = Limits()) -> None:
        super().__init__()
        self.model = model
        self.tokenizer = tokenizer
        encoder = Encoder(model.base_model, tokenizer, limits=limits)
        self._parts = (encoder,)  # in a tuple, so that its parameters are not registered twice
        self.featurizer = encoder.featurizer
        names = {name for name, _ in model.named_children()}
        self._has_plain_head = names == {model.base_model_prefix, "qa_outputs"}

    @property
    def encoder(self) -> Encoder:
        """The model's encoder."""
        return self._parts[0]

    @property
    def span_head(self) -> nn.Linear | None:
        """The span head, if it is a single linear layer, H to 2; else None."""
        return self.model.qa_outputs if self._has_plain_head else None

    @property
    def width(self) -> int:
        """Width of the encoder's vectors, H."""
        return self.encoder.width

    @property
    def limits(self) -> Limits:
        """Default limits for cutting contexts into windows."""
        return self.featurizer.limits

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[Window]:
        """The windows of examples, in order; errors are those of `Featurizer.windows`."""
        return self.featurizer.windows(examples, limits)

    def known(self, text: str) -> NDArray[np.int32]:
        """Characters of the known tokens of a text, as `Featurizer.known`."""
        return self.featurizer.known(text)

    def together(self, group: Sequence[Example]) -> Iterator[tuple[Window, ...]]:
        """Windows of examples over one context, as `Featurizer.together`."""
        return self.featurizer.together(group)

    def collate(self, windows: Sequence[Window]) -> Batch:
        """Collate windows into a batch."""
        return collate(self.featurizer, windows)

    def forward(self, batch: Batch) -> Reading:
        """Logits and vectors of a batch; logits are always in fp32.

        Logits of padding are minus infinity, so losses do not depend on the amount of padding.
        """
        hidden, logits = self._read(batch)
        padding = batch.attention_mask == 0
        start_logits, last_logits = (
            of_kind.float().masked_fill(padding, -torch.inf) for of_kind in logits
        )
        return Reading(start_logits, last_logits, hidden[:, 0], hidden)

    def _read(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Vectors (B, L, H), start and last logits (B, L).

        A head of one layer is run here, so the vectors of lower layers need not be kept; any other
        head is run by the model itself.
        """
        if self._has_plain_head:
            hidden = self.encoder(batch)
            start_logits, last_logits = self.model.qa_outputs(hidden).split(1, dim=-1)
            return hidden, (start_logits.squeeze(-1), last_logits.squeeze(-1))
        output = self.model(**self.encoder.inputs(batch), output_hidden_states=True)
        return output.hidden_states[-1], (output.start_logits, output.end_logits)

    def save(self, folder: Path) -> None:
        """Write config, weights (safetensors) and tokenizer; each file atomically."""
        _save(self.model, self.tokenizer, folder)

    def save_settings(self, folder: Path) -> None:
        """Write the config files of network and tokenizer, without weights and `tokenizer.json`."""
        with filling(folder) as beside:
            self.model.config.save_pretrained(beside)
            _save_tokenizer(self.tokenizer, beside)
            (beside / "tokenizer.json").unlink()


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    with filling(folder) as beside:
        model.save_pretrained(beside, safe_serialization=True)
        _save_tokenizer(tokenizer, beside)


def _save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write a tokenizer, with a class name that transformers 4 also knows."""
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    settings = read_json(path)
    if settings.get("tokenizer_class") == "TokenizersBackend":
        write_json(path, {**settings, "tokenizer_class": "PreTrainedTokenizerFast"})


def load(
    name: str,
    *,
    limits: Limits = Limits(),
    gives_new_head: bool = False,
) -> PretrainedReader:
    """Load a reader from a folder or, by name, from the Hugging Face hub.

    Args:
        name: a folder, or a name on the hub.
        limits: default limits for cutting contexts into windows.
        gives_new_head: whether a checkpoint without a span head gets an untrained one, with weights
            from PyTorch's random state.

    Raises:
        DataError: if there is no such checkpoint, it is broken, weights are missing, or it has no
            fast tokenizer.
    """
    tokenizer, model, found = _loaded(AutoModelForQuestionAnswering, name)
    _refuse_new_weights(name, model, found["missing_keys"], gives_new_head)
    return PretrainedReader(model, tokenizer, limits=limits)


def untrained(folder: Path, *, limits: Limits = Limits()) -> PretrainedReader:
    """Create a reader with the config and tokenizer of a folder, and random weights.

    Raises:
        DataError: if transformers does not support the network.
    """
    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **_options(str(folder)))
        config = AutoConfig.from_pretrained(folder, **_options(str(folder)))
        model = AutoModelForQuestionAnswering.from_config(config, trust_remote_code=False)
    except Exception as error:
        raise DataError(_unloadable(str(folder), error)) from error
    return PretrainedReader(model.float(), tokenizer, limits=limits)


def load_encoder(name: str, *, limits: Limits = Limits()) -> Encoder:
    """Load an encoder from a folder or, by name, from the hub; heads are not loaded.

    Raises:
        DataError: as `load`.
    """
    tokenizer, model, found = _loaded(AutoModel, name)
    missing = sorted(key for key in found["missing_keys"] if not key.startswith("pooler."))
    if missing:
        raise DataError(_lacks(name, missing))
    if found["missing_keys"]:
        model.pooler = None  # randomly initialised by transformers, and not used
    return Encoder(model, tokenizer, limits=limits)


def load_bare(name: str) -> PretrainedReader | Encoder:
    """Load a reader, or only an encoder if there is no span head; errors are those of `load`."""
    try:
        config = AutoConfig.from_pretrained(name, **_options(name))
    except Exception as error:
        raise DataError(_unloadable(name, error)) from error
    answers = any("ForQuestionAnswering" in made for made in config.architectures or ())
    return load(name) if answers else load_encoder(name)


def _loaded(kind: Any, name: str) -> tuple[Any, Any, dict[str, set[str]]]:
    """Load the tokenizer and the model of a checkpoint; also returns loading information."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, **_options(name))
        model, found = kind.from_pretrained(
            name,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            **_options(name),
        )
    except Exception as error:  # transformers raises many classes; all mean the same to users
        raise DataError(_unloadable(name, error)) from error
    return tokenizer, model, found


def _options(name: str) -> dict[str, bool]:
    return {"trust_remote_code": False, "local_files_only": Path(name).is_dir()}


def _unloadable(name: str, error: Exception) -> str:
    cause = " ".join(str(error).split())[:300]
    if _MISMATCH in cause:
        cause = "its weights have other shapes than its config.json says; fetch or save it again"
    return f"reader {name!r}: transformers cannot load it: {cause}"


def _lacks(name: str, missing: list[str]) -> str:
    return (
        f"reader {name!r}: expected all weights of its encoder, found that {len(missing)} "
        f"tensors are missing, {missing[0]!r} among them; fetch or save it again"
    )


def _refuse_new_weights(name: str, model: Any, missing: set[str], gives_new_head: bool) -> None:
    """Refuse missing weights, which transformers would silently initialise at random."""
    encoder = f"{model.base_model_prefix}."
    of_encoder = sorted(key for key in missing if key.startswith(encoder))
    if of_encoder:
        raise DataError(_lacks(name, of_encoder))
    if missing and not gives_new_head:
        raise DataError(
            f"reader {name!r}: expected a reader that was trained to answer, found an encoder "
            "without a span head; train it first, with `babelspan train`"
        )


def featurizer_of(config: Any, tokenizer: Any, limits: Limits) -> Featurizer:
    """The featurizer of a checkpoint, with its tokenizer and its maximum length.

    Raises:
        DataError: if the tokenizer is a slow one, which has no offsets.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise DataError(
            f"the tokenizer {type(tokenizer).__name__} gives no offsets; "
            "expected one with a tokenizer.json"
        )
    pad_id = tokenizer.pad_token_id
    reach = [_positions(config)]
    if tokenizer.model_max_length < _UNBOUNDED:
        reach.append(tokenizer.model_max_length)
    return Featurizer(
        tokenizer.backend_tokenizer,
        max_positions=min(reach),
        pad_id=0 if pad_id is None else pad_id,
        limits=limits,
    )


def first_position(config: Any) -> int:
    """The position id of the first token; in RoBERTa, the one after the padding id."""
    offset_families = ("roberta", "camembert", "xmod", "mpnet", "longformer")
    is_offset = any(family in config.model_type for family in offset_families)
    return int(config.pad_token_id) + 1 if is_offset else 0


def _positions(config: Any) -> int:
    """Number of tokens that the position embeddings support."""
    positions = int(getattr(config, "max_position_embeddings", 0) or _UNBOUNDED)
    return positions - first_position(config)
