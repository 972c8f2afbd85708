"""Neural translation by CTranslate2: OPUS-MT and other Marian models, M2M-100, NLLB, MADLAD-400.

`ctranslate2:FOLDER_OR_NAME[,option=value…]`, where the folder, here or on the Hugging Face hub,
contains a model written by `babelspan convert` or CTranslate2's own converters. Options: `Options`.

Tags are plain text to such a model. Texts of similar length share a batch and a length limit, which
does not depend on other texts; so a translation does not depend on its batch except for rounding.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from babelspan.config import split_options
from babelspan.translators.ctranslate2.converted import (
    DOCUMENTS,
    TOKENIZERS,
    WEIGHTS,
    ConvertedModel,
    Pair,
    licence_of,
)
from babelspan.translators.ctranslate2.hub import local_copy
from babelspan.types import ConfigError, DataError, TranslationError
from babelspan.version import how_to_install

_STEP = 16
"""Source lengths, in tokens, are rounded up to multiples of this."""
_GRACE = 16
"""Tokens allowed in a translation beyond `max_ratio` times its source."""
_COMPUTE = Literal[
    "int8", "int8_float32", "int8_float16", "int8_bfloat16", "float16", "bfloat16", "float32"
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options that can follow the folder."""

    beam: Annotated[int, Field(ge=1)] = 2
    """Beam size; 1 for greedy decoding."""
    compute: _COMPUTE = "int8"
    """Compute type of the weights, whatever type they are stored in."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto` is `cuda` if there is a GPU."""
    batch_tokens: Annotated[int, Field(ge=1)] = 2048
    """Source tokens per batch, padding included."""
    inter: Annotated[int, Field(ge=1)] = 1
    """Number of batches in parallel."""
    intra: Annotated[int, Field(ge=0)] = 0
    """Threads per batch; 0 for CTranslate2's default."""
    max_ratio: Annotated[float, Field(gt=0)] = 3.0
    """Maximum number of target tokens per source token, plus 16."""
    source: str = ""
    """Source languages of a Marian model, such as `es+fr`, if its files do not name them."""
    target: str = ""
    """Target languages of a Marian model, likewise."""


def translator(argument: str) -> "CTranslate2":
    """Create the translator for `FOLDER_OR_NAME[,option=value…]`.

    Raises:
        ConfigError: if an option is unknown or has a wrong type, or CTranslate2 is not installed.
        DataError: if there is no such model or it is broken.
    """
    name, options = split_options(Options, argument, "ctranslate2")
    if not name:
        raise ConfigError("ctranslate2: expected a folder, as in ctranslate2:FOLDER, found none")
    return CTranslate2(local_copy(name, (*WEIGHTS, *TOKENIZERS, *DOCUMENTS)), options)


class CTranslate2:
    """A `Translator` that runs a converted model.

    Args:
        folder: folder of the model.
        options: options of the engine.

    Raises:
        ConfigError: if CTranslate2 is not installed, or the device does not support the options.
        DataError: if the folder contains no model or a broken one.
    """

    def __init__(self, folder: Path, options: Options = Options()) -> None:
        try:
            import ctranslate2
            import sentencepiece  # noqa: F401
        except ImportError as error:
            raise ConfigError(
                f"ctranslate2: {error.name} is not installed: {how_to_install('translate')}"
            ) from None
        self.options = options
        self.licence = licence_of(folder)
        """Licence of the weights, or "not stated"."""
        self._model = ConvertedModel(folder, sources=options.source, targets=options.target)
        self._version = ctranslate2.__version__
        try:
            self._engine = ctranslate2.Translator(
                str(folder),
                device=options.device,
                compute_type=options.compute,
                inter_threads=options.inter,
                intra_threads=options.intra,
            )
        except ValueError as error:
            raise ConfigError(f"ctranslate2: {error}") from None
        except RuntimeError as error:
            raise DataError(f"{folder}: CTranslate2 cannot load it ({error})") from None

    @cached_property
    def identity(self) -> str:
        """Checksum of weights and tokenizer, CTranslate2's version, and options that matter."""
        chosen, engine = self.options, self._engine
        return (
            f"ctranslate2:{_checksum(self._model.folder)[:16]} ctranslate2={self._version} "
            f"device={engine.device} compute={engine.compute_type} beam={chosen.beam} "
            f"max_ratio={chosen.max_ratio:g}"
        )

    def translate(
        self, texts: Sequence[str], *, source: str, target: str, tags: Sequence[str] = ()
    ) -> list[str]:
        """Translate texts, in order; empty texts and white space are returned unchanged.

        Raises:
            ConfigError: if the model does not translate from `source` to `target`.
            TranslationError: if a text is longer than the model can read, or CTranslate2 fails.
        """
        pair = self._model.pair(source, target)
        tokens = {i: self._model.encode(t, pair) for i, t in enumerate(texts) if t.strip()}
        self._refuse_too_long(texts, tokens)
        found = list(texts)
        try:
            for indices, running in list(self._started(tokens, pair)):
                for index, result in zip(indices, running, strict=True):
                    found[index] = self._model.decode(result.result().hypotheses[0])
        except (RuntimeError, ValueError) as error:
            raise TranslationError(f"{self._model.folder}: CTranslate2 failed: {error}") from error
        return found

    def _started(
        self, tokens: dict[int, list[str]], pair: Pair
    ) -> Iterator[tuple[list[int], list[Any]]]:
        """Start batches of similar length, the longest first; yields indices and futures."""
        groups = defaultdict(list)
        for index, source in tokens.items():
            groups[math.ceil(len(source) / _STEP) * _STEP].append(index)
        prefix = self._model.prefix(pair)
        for length in sorted(groups, reverse=True):
            indices = groups[length]
            yield (
                indices,
                self._engine.translate_batch(
                    [tokens[i] for i in indices],
                    target_prefix=[prefix] * len(indices) if prefix else None,
                    max_batch_size=self.options.batch_tokens,
                    batch_type="tokens",
                    asynchronous=True,
                    beam_size=self.options.beam,
                    max_input_length=0,
                    max_decoding_length=self._limit(length),
                ),
            )

    def _limit(self, length: int) -> int:
        """Maximum number of tokens of a translation of `length` source tokens."""
        limit = math.ceil(length * self.options.max_ratio) + _GRACE
        positions = self._model.family.positions
        return limit if positions is None else min(limit, positions - 1)

    def _refuse_too_long(self, texts: Sequence[str], tokens: dict[int, list[str]]) -> None:
        positions = self._model.family.positions
        for index, source in tokens.items():
            if positions is not None and len(source) > positions:
                raise TranslationError(
                    f"text {index}, {texts[index][:40]!r}…: expected at most {positions} tokens, "
                    f"which a {self._model.family.name} model can read, found {len(source)}; split "
                    "it into sentences"
                )


def _checksum(folder: Path) -> str:
    """SHA-256, in hexadecimal, of the names and contents of the files that matter."""
    digest = hashlib.sha256()
    for file in sorted({f for pattern in (*WEIGHTS, *TOKENIZERS) for f in folder.glob(pattern)}):
        with file.open("rb") as content:
            digest.update(
                f"{file.name}\0".encode() + hashlib.file_digest(content, "sha256").digest()
            )
    return digest.hexdigest()
