"""Neural translation by CTranslate2: OPUS-MT and other Marian models, M2M-100, NLLB, MADLAD-400.

`ctranslate2:FOLDER_OR_NAME[,option=value…]`, where the folder, here or on the Hugging Face hub,
holds a model that `babelspan convert` or CTranslate2's own converters wrote. Options: `Options`.

Tags are text to such a model and go through it as characters. Texts of like length share a batch
and have one limit of length, which no other text changes; so a translation does not depend on its
neighbours but for rounding.
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
"""Tokens that a translation may have beyond `max_ratio` times its source."""
_COMPUTE = Literal[
    "int8", "int8_float32", "int8_float16", "int8_bfloat16", "float16", "bfloat16", "float32"
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What can follow the folder."""

    beam: Annotated[int, Field(ge=1)] = 2
    """Hypotheses kept at each step; 1 is greedy."""
    compute: _COMPUTE = "int8"
    """Type of the weights while they run, whatever type they are stored in."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto` is `cuda` where there is one."""
    batch_tokens: Annotated[int, Field(ge=1)] = 2048
    """Source tokens of a batch, padding included."""
    inter: Annotated[int, Field(ge=1)] = 1
    """Batches side by side."""
    intra: Annotated[int, Field(ge=0)] = 0
    """Threads of each; 0 leaves it to CTranslate2."""
    max_ratio: Annotated[float, Field(gt=0)] = 3.0
    """Tokens of a translation for each of its source, at most, and 16 more."""
    source: str = ""
    """Languages that a Marian model translates from, as `es+fr`, where its files do not say it."""
    target: str = ""
    """The same of those it translates to."""


def translator(argument: str) -> "CTranslate2":
    """The translator that `FOLDER_OR_NAME[,option=value…]` says.

    Raises:
        ConfigError: if an option is unknown or of a wrong type, or CTranslate2 is not installed.
        DataError: if there is no such model or it is broken.
    """
    name, options = split_options(Options, argument, "ctranslate2")
    if not name:
        raise ConfigError("ctranslate2: expected a folder, as in ctranslate2:FOLDER, found none")
    return CTranslate2(local_copy(name, (*WEIGHTS, *TOKENIZERS, *DOCUMENTS)), options)


class CTranslate2:
    """A `Translator` around a converted model.

    Args:
        folder: of the model.
        options: how it runs.

    Raises:
        ConfigError: if CTranslate2 is not installed, or the device cannot do as the options say.
        DataError: if the folder holds no model or a broken one.
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
        """Of the weights, or "not stated"."""
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
        """Checksum of weights and tokenizer, CTranslate2's version, and what else changes texts."""
        chosen, engine = self.options, self._engine
        return (
            f"ctranslate2:{_checksum(self._model.folder)[:16]} ctranslate2={self._version} "
            f"device={engine.device} compute={engine.compute_type} beam={chosen.beam} "
            f"max_ratio={chosen.max_ratio:g}"
        )

    def translate(
        self, texts: Sequence[str], *, source: str, target: str, tags: Sequence[str] = ()
    ) -> list[str]:
        """Translations of `texts`, in order; what is empty or white space stays as it is.

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
        """Indices of texts of like length and their translations to be, the longest first."""
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
        """Tokens that a translation of a source of `length` tokens may have."""
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
    """SHA-256, in hexadecimal, over the names and bytes of what makes the translations."""
    digest = hashlib.sha256()
    for file in sorted({f for pattern in (*WEIGHTS, *TOKENIZERS) for f in folder.glob(pattern)}):
        with file.open("rb") as content:
            digest.update(
                f"{file.name}\0".encode() + hashlib.file_digest(content, "sha256").digest()
            )
    return digest.hexdigest()
