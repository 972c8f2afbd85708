"""Readers as functions of the arrays that an engine gives them, ready to be traced.

Shapes: B windows, L tokens, R texts of a window, N languages beside it.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from babelspan.data.exported import INPUTS, ROWS, TOKENIZER
from babelspan.data.files import replacing
from babelspan.export.fused import fused_attention
from babelspan.networks.adaptive_attention import Texts
from babelspan.networks.parallel_texts import ParallelReader
from babelspan.networks.pretrained import PretrainedReader
from babelspan.networks.qanet import QANet
from babelspan.networks.reader import Batch, Reader
from babelspan.reading.parallel import ParallelFeaturizer
from babelspan.reading.windows import Featurizer
from babelspan.types import ConfigError
from babelspan.vocabulary.word_table import FIRST, NONE

_PROBE = 384
"""Tokens of a window on which an export is compared with PyTorch, at most."""
_LENGTHS = (17, 60, _PROBE)


class Graph(nn.Module):
    """A reader of a kind that can be exported: arrays to start and last logits.

    Attributes:
        inputs: names of the arguments of `forward`, in order.
        featurizer: makes the windows.
        languages: of the translations that it reads beside a text; None where it reads one text.
        kind: of its tokens, as `reader.json` says it.
        name: of the network, for errors.
    """

    inputs: Sequence[str]
    featurizer: Featurizer | ParallelFeaturizer
    languages: tuple[str, ...] | None = None
    kind: Literal["pieces", "words"] = "pieces"
    name: str

    @property
    @abstractmethod
    def word_vectors(self) -> Tensor | None:
        """The matrix of word vectors, (V, H), if it may become 4-bit and 8-bit integers."""

    @abstractmethod
    def attention(self) -> AbstractContextManager[None]:
        """Within it, attention is traced as operators of onnxruntime, where that can be."""

    @abstractmethod
    def save_settings(self, folder: Path) -> None:
        """Write what makes windows, and what describes the network."""

    @abstractmethod
    def example(self) -> tuple[Tensor, ...]:
        """Arguments to trace it with."""

    @abstractmethod
    def dynamic_shapes(self) -> list[dict[int, Any]]:
        """Which sizes of each argument may vary."""

    @abstractmethod
    def probes(self) -> Iterator[tuple[Tensor, ...]]:
        """Arguments on which an export is compared with PyTorch."""


class OfPieces(Graph):
    """A reader with an encoder of transformers and its tokenizer."""

    featurizer: Featurizer | ParallelFeaturizer

    @property
    @abstractmethod
    def inner(self) -> PretrainedReader:
        """The reader with the encoder, which has tokenizer and settings, too."""

    @property
    def name(self) -> str:  # type: ignore[override]
        """The family of the encoder."""
        return str(self.inner.model.config.model_type)

    @property
    def word_vectors(self) -> Tensor | None:
        """As of `Graph`."""
        matrix: Tensor = self.inner.model.get_input_embeddings().weight
        return matrix

    def attention(self) -> AbstractContextManager[None]:
        """As of `Graph`."""
        return fused_attention(self.inner.model)

    def save_settings(self, folder: Path) -> None:
        """As of `Graph`."""
        with replacing(folder / TOKENIZER) as final:
            self.featurizer.tokenizer.save(str(final), pretty=False)
        self.inner.save_settings(folder)

    def _ids(self, *shape: int) -> Tensor:
        """Random tokens."""
        size = self.featurizer.tokenizer.get_vocab_size()
        return torch.randint(size, shape, generator=torch.Generator().manual_seed(0))


class OneText(OfPieces):
    """A pretrained reader as a function of ids, mask and types of windows, each (B, L)."""

    inputs = INPUTS

    def __init__(self, reader: PretrainedReader) -> None:
        super().__init__()
        self.reader, self.featurizer = reader, reader.featurizer

    @property
    def inner(self) -> PretrainedReader:
        """As of `Graph`."""
        return self.reader

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Start and last logits, (B, L)."""
        batch = Batch(input_ids, attention_mask, token_type_ids, answers=input_ids, windows=())
        reading = self.reader(batch)
        return reading.start_logits, reading.last_logits

    def example(self) -> tuple[Tensor, ...]:
        """As of `Graph`."""
        ids = torch.full((2, 16), self.featurizer.pad_id + 1)
        return ids, torch.ones_like(ids), torch.zeros_like(ids)

    def dynamic_shapes(self) -> list[dict[int, Any]]:
        """As of `Graph`."""
        return [{0: torch.export.Dim("windows"), 1: torch.export.Dim("length")}] * len(INPUTS)

    def probes(self) -> Iterator[tuple[Tensor, ...]]:
        """As of `Graph`: two windows, the second with half of it padding, and the first alone."""
        length = min(_PROBE, self.featurizer.max_positions)
        ids = self._ids(2, length)
        mask = torch.ones_like(ids)
        mask[1, length // 2 :] = 0
        for count in (2, 1):
            yield ids[:count], mask[:count], torch.zeros_like(ids[:count])


class ParallelTexts(OfPieces):
    """A reader of parallel texts as a function of all texts of a window.

    Ids, mask and types are (R, L), the own text first; `rows` (1, N) is the number of the
    translation into each language among the R - 1, or R - 1 for none.
    """

    inputs = (*INPUTS, ROWS)

    def __init__(self, reader: ParallelReader) -> None:
        super().__init__()
        self.reader, self.featurizer = reader, reader.featurizer
        self.languages: tuple[str, ...] = reader.languages

    @property
    def inner(self) -> PretrainedReader:
        """As of `Graph`."""
        return self.reader.inner

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor, rows: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Start and last logits of the own text, (1, L).

        The own text is attended to as if it were a translation of itself, which no row names, so
        that there is always something to attend to.
        """
        batch = Batch(input_ids, attention_mask, token_type_ids, answers=input_ids, windows=())
        texts = Texts(self.reader.inner(batch).hidden, attention_mask)
        own = Texts(*(part[:1] for part in texts))
        return self.reader.spans(own, texts, torch.zeros_like(input_ids[:, 0]), rows + 1)

    def example(self) -> tuple[Tensor, ...]:
        """As of `Graph`."""
        return self._arguments(16, present=2)

    def dynamic_shapes(self) -> list[dict[int, Any]]:
        """As of `Graph`."""
        sizes = {0: torch.export.Dim("texts"), 1: torch.export.Dim("length")}
        return [sizes, sizes, sizes, {}]

    def probes(self) -> Iterator[tuple[Tensor, ...]]:
        """As of `Graph`: three lengths, with all translations, one and none."""
        for length in _LENGTHS:
            for present in sorted({0, 1, len(self.languages)}):
                yield self._arguments(min(length, self.featurizer.max_positions), present=present)

    def _arguments(self, length: int, *, present: int) -> tuple[Tensor, ...]:
        """Random tokens of an own text and so many translations, each shorter than the last."""
        ids = self._ids(1 + present, length)
        mask = torch.ones_like(ids)
        for row in range(1, 1 + present):
            mask[row, length - row :] = 0
        rows = torch.full((1, len(self.languages)), present)
        there = min(present, len(self.languages))
        rows[0, :there] = torch.arange(there)
        return ids, mask, torch.zeros_like(ids), rows


class OfWords(Graph):
    """A QANet as a function of the words and letters of windows (B, L, 1 + S), masks and types."""

    inputs = INPUTS
    kind = "words"
    name = "qanet"

    def __init__(self, reader: QANet) -> None:
        super().__init__()
        self.reader, self.featurizer = reader, reader.featurizer

    @property
    def word_vectors(self) -> Tensor | None:
        """None: integers have not been measured."""
        return None

    def attention(self) -> AbstractContextManager[None]:
        """As PyTorch writes it."""
        return nullcontext()

    def save_settings(self, folder: Path) -> None:
        """As of `Graph`."""
        self.reader.save_settings(folder)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Start and last logits, (B, L)."""
        batch = Batch(input_ids, attention_mask, token_type_ids, answers=input_ids, windows=())
        reading = self.reader(batch)
        return reading.start_logits, reading.last_logits

    def example(self) -> tuple[Tensor, ...]:
        """As of `Graph`."""
        return self._arguments(2, 16)

    def dynamic_shapes(self) -> list[dict[int, Any]]:
        """As of `Graph`."""
        return [{0: torch.export.Dim("windows"), 1: torch.export.Dim("length")}] * len(INPUTS)

    def probes(self) -> Iterator[tuple[Tensor, ...]]:
        """As of `Graph`: three lengths, two windows, the second partly padding, and one alone."""
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


def graph_of(reader: Reader) -> Graph:
    """The function that a reader is.

    Raises:
        ConfigError: if readers of this kind cannot be exported.
    """
    if isinstance(reader, PretrainedReader):
        return OneText(reader)
    if isinstance(reader, ParallelReader) and reader.attention is not None:
        return ParallelTexts(reader)
    if isinstance(reader, QANet):
        return OfWords(reader)
    raise ConfigError(
        f"a reader of the kind {reader.kind!r} cannot be exported yet; use its checkpoint"
    )
