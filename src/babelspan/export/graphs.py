"""Readers as functions of arrays, for tracing by the exporter.

Shapes: B windows, L tokens, H width.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from babelspan.data.exported import (
    BESIDE,
    BESIDE_INPUTS,
    INPUTS,
    MODEL,
    OUTPUTS,
    PASSAGES,
    TOKENIZER,
    VECTORS,
)
from babelspan.data.files import replacing
from babelspan.export.fused import fused_attention
from babelspan.networks.adaptive_attention import Texts
from babelspan.networks.parallel_texts import ParallelReader
from babelspan.networks.passage_reader import PassageReader
from babelspan.networks.pretrained import PretrainedReader
from babelspan.networks.qanet import QANet
from babelspan.networks.reader import Batch, Reader
from babelspan.reading.windows import Featurizer
from babelspan.types import ConfigError
from babelspan.vocabulary.word_table import FIRST, NONE

_PROBE = 384
"""Maximum number of tokens of the inputs on which an export is compared with PyTorch."""
_LENGTHS = (17, 60, _PROBE)


class Graph(nn.Module):
    """A part of a reader that can be exported: arrays to arrays.

    Attributes:
        inputs: names of the arguments of `forward`, in order.
        outputs: names of its results.
        featurizer: the featurizer of the reader, for windows of a single text.
        kind: "words" for a reader with a table of words, as in `reader.json`; else None.
    """

    inputs: Sequence[str]
    outputs: Sequence[str] = OUTPUTS
    featurizer: Featurizer
    kind: Literal["words"] | None = None

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the network, for error messages."""

    @property
    @abstractmethod
    def word_vectors(self) -> Tensor | None:
        """The token embeddings, (V, H), if they can be quantised to 4 or 8 bits; else None."""

    @abstractmethod
    def attention(self) -> AbstractContextManager[None]:
        """A context in which attention is traced as operators of onnxruntime, if possible."""

    @abstractmethod
    def save_settings(self, folder: Path) -> None:
        """Write the tokenizer or word table, and the settings of the network."""

    @abstractmethod
    def example(self) -> tuple[Tensor, ...]:
        """Arguments for tracing."""

    @abstractmethod
    def dynamic_shapes(self) -> list[dict[int, Any]]:
        """The dynamic dimensions of each argument."""

    @abstractmethod
    def probes(self) -> Iterator[tuple[Tensor, ...]]:
        """Arguments on which an export is compared with PyTorch."""


class OfPieces(Graph):
    """A part of a reader with a transformers encoder and its tokenizer."""

    @property
    @abstractmethod
    def inner(self) -> PretrainedReader:
        """The reader that contains the encoder, the tokenizer and the settings."""

    @property
    def name(self) -> str:
        """The family of the encoder."""
        return str(self.inner.model.config.model_type)

    @property
    def word_vectors(self) -> Tensor | None:
        """See `Graph`."""
        matrix: Tensor = self.inner.model.get_input_embeddings().weight
        return matrix

    def attention(self) -> AbstractContextManager[None]:
        """See `Graph`."""
        return fused_attention(self.inner.model)

    def save_settings(self, folder: Path) -> None:
        """See `Graph`."""
        with replacing(folder / TOKENIZER) as final:
            self.featurizer.tokenizer.save(str(final), pretty=False)
        self.inner.save_settings(folder)


class OneText(OfPieces):
    """A pretrained reader as a function of ids, mask and types of windows, each (B, L)."""

    inputs = INPUTS

    def __init__(self, reader: PretrainedReader | PassageReader) -> None:
        super().__init__()
        self.reader, self.featurizer = reader, reader.featurizer

    @property
    def inner(self) -> PretrainedReader:
        """See `OfPieces`."""
        return self.reader.inner if isinstance(self.reader, PassageReader) else self.reader

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, ...]:
        """Start and last logits, (B, L)."""
        batch = Batch(input_ids, attention_mask, token_type_ids, answers=input_ids, windows=())
        reading = self.reader(batch)
        return reading.start_logits, reading.last_logits

    def example(self) -> tuple[Tensor, ...]:
        """See `Graph`."""
        ids = torch.full((2, 16), self.featurizer.pad_id + 1)
        return ids, torch.ones_like(ids), torch.zeros_like(ids)

    def dynamic_shapes(self) -> list[dict[int, Any]]:
        """See `Graph`."""
        return [{0: torch.export.Dim("windows"), 1: torch.export.Dim("length")}] * len(INPUTS)

    def probes(self) -> Iterator[tuple[Tensor, ...]]:
        """See `Graph`: two windows, the second half padding, then the first alone."""
        length = min(_PROBE, self.featurizer.max_positions)
        ids = self._ids(2, length)
        mask = torch.ones_like(ids)
        mask[1, length // 2 :] = 0
        for count in (2, 1):
            yield ids[:count], mask[:count], torch.zeros_like(ids[:count])

    def _ids(self, *shape: int) -> Tensor:
        """Random tokens."""
        size = self.featurizer.tokenizer.get_vocab_size()
        return torch.randint(size, shape, generator=torch.Generator().manual_seed(0))


class OfPassages(OneText):
    """A reader that selects passages: `OneText` with logits of passages and kinds of answer."""

    outputs = (*OUTPUTS, *PASSAGES)
    reader: PassageReader

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, ...]:
        """Start and last logits, passage logits of tokens (B, L), kind logits (B, 5)."""
        batch = Batch(input_ids, attention_mask, token_type_ids, answers=input_ids, windows=())
        reading = self.reader(batch)
        return reading.start_logits, reading.last_logits, *self.reader.heads(reading)


class OneOfTexts(OneText):
    """The encoder and plain head of a reader of parallel texts: `OneText` with vectors."""

    outputs = (*OUTPUTS, VECTORS)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, ...]:
        """Start and last logits (B, L), vectors (B, L, H)."""
        batch = Batch(input_ids, attention_mask, token_type_ids, answers=input_ids, windows=())
        reading = self.reader(batch)
        return reading.start_logits, reading.last_logits, reading.hidden


class Beside(OfPieces):
    """The second part of a reader of parallel texts: from vectors of all texts to logits."""

    inputs = BESIDE_INPUTS

    def __init__(self, reader: ParallelReader) -> None:
        super().__init__()
        self.reader, self.featurizer = reader, reader.inner.featurizer

    @property
    def inner(self) -> PretrainedReader:
        """See `OfPieces`."""
        return self.reader.inner

    def forward(
        self, own: Tensor, others: Tensor, mask: Tensor, rows: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Start and last logits of the own text, (1, L), from the inputs `BESIDE_INPUTS`."""
        of_own = Texts(own, torch.ones_like(own[..., 0], dtype=mask.dtype))
        owners = torch.zeros_like(mask[:, 0])
        return self.reader.spans(of_own, Texts(others, mask), owners, rows)

    def example(self) -> tuple[Tensor, ...]:
        """See `Graph`."""
        return self._arguments(16, there=2)

    def dynamic_shapes(self) -> list[dict[int, Any]]:
        """See `Graph`."""
        texts, longest = torch.export.Dim("texts"), torch.export.Dim("longest")
        own = {1: torch.export.Dim("length")}
        return [own, {0: texts, 1: longest}, {0: texts, 1: longest}, {}]

    def probes(self) -> Iterator[tuple[Tensor, ...]]:
        """See `Graph`: three lengths, with all translations, one, and none."""
        for length in _LENGTHS:
            for there in sorted({0, 1, len(self.reader.languages)}):
                yield self._arguments(length, there=there)

    def _arguments(self, length: int, *, there: int) -> tuple[Tensor, ...]:
        """Random vectors of a text and `there` translations, each shorter than the last.

        Without translations there is a placeholder that no row refers to.
        """
        given = max(1, there)
        generator = torch.Generator().manual_seed(0)
        own, others = (
            torch.randn(*shape, self.reader.width, generator=generator)
            for shape in ((1, length), (given, length + 3))
        )
        mask = torch.ones(given, length + 3, dtype=torch.int64)
        for number in range(given):
            mask[number, length + 3 - number :] = 0
        rows = torch.full((1, len(self.reader.languages)), given)
        named = min(there, len(self.reader.languages))
        rows[0, :named] = torch.arange(named)
        return own, others, mask, rows


class OfWords(Graph):
    """A QANet as a function of word and letter ids of windows (B, L, 1 + S), masks and types."""

    inputs = INPUTS
    kind = "words"
    name = "qanet"

    def __init__(self, reader: QANet) -> None:
        super().__init__()
        self.reader, self.featurizer = reader, reader.featurizer

    @property
    def word_vectors(self) -> Tensor | None:
        """None: quantisation has not been evaluated."""
        return None

    def attention(self) -> AbstractContextManager[None]:
        """As PyTorch exports it."""
        return nullcontext()

    def save_settings(self, folder: Path) -> None:
        """See `Graph`."""
        self.reader.save_settings(folder)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Start and last logits, (B, L)."""
        batch = Batch(input_ids, attention_mask, token_type_ids, answers=input_ids, windows=())
        reading = self.reader(batch)
        return reading.start_logits, reading.last_logits

    def example(self) -> tuple[Tensor, ...]:
        """See `Graph`."""
        return self._arguments(2, 16)

    def dynamic_shapes(self) -> list[dict[int, Any]]:
        """See `Graph`."""
        return [{0: torch.export.Dim("windows"), 1: torch.export.Dim("length")}] * len(INPUTS)

    def probes(self) -> Iterator[tuple[Tensor, ...]]:
        """See `Graph`: three lengths; two windows, the second partly padding, and one alone."""
        for length in _LENGTHS:
            whole = self._arguments(2, length)
            yield whole
            yield tuple(argument[:1] for argument in whole)

    def _arguments(self, windows: int, length: int) -> tuple[Tensor, ...]:
        """Random words: a third of each window is the question; sides are mixed."""
        table = self.reader.featurizer.table
        drawn = torch.Generator().manual_seed(length)
        shape = (windows, length, table.features)
        most = torch.tensor([table.rows, *[table.letter_rows] * table.spelling])
        ids = (torch.rand(shape, generator=drawn) * most).long()
        ids[..., 0] = ids[..., 0].clamp(min=min(FIRST, table.rows - 1))
        ids[:, 0] = torch.tensor([NONE, *[0] * table.spelling])
        mask = torch.ones(shape[:2], dtype=torch.long)
        mask[1:, length // 2 :] = 0
        types = torch.ones_like(mask)
        types[:, 1 : 1 + length // 3] = 0
        if len(table.sides) > 1:
            types[1:] += 2
        return ids, mask, types


def graphs_of(reader: Reader) -> dict[str, Graph]:
    """The networks of an exported reader, by file name.

    Raises:
        ConfigError: if readers of this kind cannot be exported.
    """
    if isinstance(reader, PretrainedReader):
        return {MODEL: OneText(reader)}
    if isinstance(reader, PassageReader):
        return {MODEL: OfPassages(reader)}
    if isinstance(reader, ParallelReader) and reader.attention is not None:
        return {BESIDE: Beside(reader), MODEL: OneOfTexts(reader.inner)}
    if isinstance(reader, QANet):
        return {MODEL: OfWords(reader)}
    raise ConfigError(f"readers of kind {reader.kind!r} cannot be exported yet; use the checkpoint")
