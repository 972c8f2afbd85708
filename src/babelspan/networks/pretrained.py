"""Readers from any checkpoint that `AutoModelForQuestionAnswering` loads.

With `export.fused` and `translators.ctranslate2.converted` the one place that imports transformers.
A span head over a pretrained encoder: Devlin et al. (2019), arXiv:1810.04805, Section 4.2; MBERT_QA
of Bornea et al. (2021), arXiv:2012.05958, Eq. 1. Weights are safetensors only, and code that comes
with a checkpoint is never run.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForQuestionAnswering, AutoTokenizer
from transformers.utils import logging

from babelspan.networks.reader import Batch, Reading, collate
from babelspan.networks.texts import Texts, Tokenized, texts_of
from babelspan.reading.windows import Featurizer, Window
from babelspan.types import DataError, Example, Limits

_UNBOUNDED = 10**6
"""A `model_max_length` above this means that the tokenizer names no limit."""


class Encoder(nn.Module):
    """A pretrained encoder with its tokenizer: token ids to vectors. Heads share it.

    Args:
        model: a transformers model whose first output is the vectors of the tokens.
        tokenizer: a fast tokenizer of transformers.
        limits: how long contexts are cut into windows.
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

    def inputs(self, batch: Tokenized) -> dict[str, Tensor]:
        """The arguments of the model for a batch, by name."""
        types = {"token_type_ids": batch.token_type_ids} if self._takes_types else {}
        return {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, **types}

    def texts(self, texts: Sequence[str]) -> Texts:
        """Texts by themselves as a batch; what a window does not hold of a text is left out."""
        return texts_of(self.featurizer, texts)

    def forward(self, batch: Tokenized) -> Tensor:
        """Vectors of all tokens, (B, L, H)."""
        hidden: Tensor = self.model(**self.inputs(batch))[0]
        return hidden


class PretrainedReader(nn.Module):
    """A reader over a transformers checkpoint: an encoder and a span head.

    Args:
        model: with `start_logits` and `end_logits` among its outputs.
        tokenizer: a fast tokenizer of transformers.
        limits: how long contexts are cut into windows.

    Attributes:
        encoder: the model's encoder; other networks may share it.
    """

    kind = "pretrained"

    def __init__(self, model: Any, tokenizer: Any, *, limits: Limits = Limits()) -> None:
        super().__init__()
        self.model = model
        self.tokenizer = tokenizer
        encoder = Encoder(model.base_model, tokenizer, limits=limits)
        self._parts = (encoder,)  # in a tuple: its parameters are the model's, not more of them
        self.featurizer = encoder.featurizer
        names = {name for name, _ in model.named_children()}
        self._has_plain_head = names == {model.base_model_prefix, "qa_outputs"}

    @property
    def encoder(self) -> Encoder:
        """The model's encoder."""
        return self._parts[0]

    @property
    def span_head(self) -> nn.Linear | None:
        """The head, where it is no more than one layer, H to 2."""
        return self.model.qa_outputs if self._has_plain_head else None

    @property
    def width(self) -> int:
        """Width of the encoder's vectors, H."""
        return self.encoder.width

    @property
    def limits(self) -> Limits:
        """How contexts are cut where a call does not say."""
        return self.featurizer.limits

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[Window]:
        """The windows of examples, in order; errors as in `Featurizer.windows`."""
        return self.featurizer.windows(examples, limits)

    def together(self, group: Sequence[Example]) -> Iterator[tuple[Window, ...]]:
        """Windows of examples over one context, as `Featurizer.together`."""
        return self.featurizer.together(group)

    def collate(self, windows: Sequence[Window]) -> Batch:
        """Windows as one batch."""
        return collate(self.featurizer, windows)

    def forward(self, batch: Batch) -> Reading:
        """Logits and vectors of a batch; logits in fp32 whatever the precision of the rest.

        Padding gets the logit minus infinity, so that no loss depends on how much of it there is.
        """
        hidden, logits = self._read(batch)
        padding = batch.attention_mask == 0
        start_logits, last_logits = (
            of_kind.float().masked_fill(padding, -torch.inf) for of_kind in logits
        )
        return Reading(start_logits, last_logits, hidden[:, 0], hidden)

    def _read(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Vectors (B, L, H), start and last logits (B, L).

        A head that is no more than one layer is read here, so that the vectors of the layers below
        need not be kept; another kind of head by the model itself.
        """
        if self._has_plain_head:
            hidden = self.encoder(batch)
            start_logits, last_logits = self.model.qa_outputs(hidden).split(1, dim=-1)
            return hidden, (start_logits.squeeze(-1), last_logits.squeeze(-1))
        output = self.model(**self.encoder.inputs(batch), output_hidden_states=True)
        return output.hidden_states[-1], (output.start_logits, output.end_logits)

    def save(self, folder: Path) -> None:
        """Write config, weights (safetensors) and tokenizer, each file whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-", suffix=".part") as beside:
            self.model.save_pretrained(beside, safe_serialization=True)
            self.tokenizer.save_pretrained(beside)
            for file in sorted(Path(beside).iterdir()):
                file.chmod(0o644)
                file.replace(folder / file.name)


def load(
    name: str,
    *,
    limits: Limits = Limits(),
    gives_new_head: bool = False,
) -> PretrainedReader:
    """The reader of a folder or, by name, of the Hugging Face hub.

    Args:
        name: of the folder or on the hub.
        limits: how long contexts are cut into windows.
        gives_new_head: whether a checkpoint without a span head gets one, to be trained, drawn from
            PyTorch's random state.

    Raises:
        DataError: if there is no such checkpoint, it is broken, weights are missing, or it has no
            fast tokenizer.
    """
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    options = {"trust_remote_code": False, "local_files_only": Path(name).is_dir()}
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, **options)
        model, found = AutoModelForQuestionAnswering.from_pretrained(
            name, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **options
        )
    except Exception as error:  # transformers raises many classes; each means the same to the user
        cause = " ".join(str(error).split())[:300]
        raise DataError(f"reader {name!r}: transformers cannot load it: {cause}") from error
    _refuse_new_weights(name, model, found["missing_keys"], gives_new_head)
    return PretrainedReader(model, tokenizer, limits=limits)


def _refuse_new_weights(name: str, model: Any, missing: set[str], gives_new_head: bool) -> None:
    """Weights that a checkpoint lacks are drawn at random by transformers, without a word."""
    encoder = f"{model.base_model_prefix}."
    of_encoder = sorted(key for key in missing if key.startswith(encoder))
    if of_encoder:
        raise DataError(
            f"reader {name!r}: expected all weights of its encoder, found that {len(of_encoder)} "
            f"tensors are missing, {of_encoder[0]!r} among them; fetch or save it again"
        )
    if missing and not gives_new_head:
        raise DataError(
            f"reader {name!r}: expected a reader that was trained to answer, found an encoder "
            "without a span head; train it first, with `babelspan train`"
        )


def featurizer_of(config: Any, tokenizer: Any, limits: Limits) -> Featurizer:
    """The featurizer of a checkpoint: its tokenizer and its limit of tokens.

    Raises:
        DataError: if the tokenizer is a slow one, which knows no offsets.
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


def _positions(config: Any) -> int:
    """Tokens that the position embeddings reach; RoBERTa's start behind the padding id."""
    positions = int(getattr(config, "max_position_embeddings", 0) or _UNBOUNDED)
    offset_families = ("roberta", "camembert", "xmod", "mpnet", "longformer")
    if any(family in config.model_type for family in offset_families):
        positions -= config.pad_token_id + 1
    return positions
