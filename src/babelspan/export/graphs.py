"""Readers as functions of the arrays that an engine gives them, ready to be traced.

Shapes: B windows, L tokens, H width.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from babelspan.data.exported import BESIDE, BESIDE_INPUTS, INPUTS, MODEL, OUTPUTS, VECTORS
from babelspan.networks.adaptive_attention import Texts
from babelspan.networks.parallel_texts import ParallelReader
from babelspan.networks.pretrained import PretrainedReader
from babelspan.networks.reader import Batch, Reader
from babelspan.types import ConfigError

_PROBE = 384
"""Tokens of a window on which an export is compared with PyTorch, at most."""
_LENGTHS = (17, 60, _PROBE)


class Graph(nn.Module):
    """A part of a reader that can be exported: arrays to arrays.

    Attributes:
        inputs: names of the arguments of `forward`, in order.
        outputs: names of its results.
    """

    inputs: Sequence[str]
    outputs: Sequence[str] = OUTPUTS

    @property
    @abstractmethod
    def inner(self) -> PretrainedReader:
        """The reader with the encoder, which has tokenizer and settings, too."""

    @abstractmethod
    def example(self) -> tuple[Tensor, ...]:
        """Arguments to trace it with."""

    @abstractmethod
    def dynamic_shapes(self) -> list[dict[int, Any]]:
        """Which sizes of each argument may vary."""

    @abstractmethod
    def probes(self) -> Iterator[tuple[Tensor, ...]]:
        """Arguments on which an export is compared with PyTorch."""


class OneText(Graph):
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
    ) -> tuple[Tensor, ...]:
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

    def _ids(self, *shape: int) -> Tensor:
        """Random tokens."""
        size = self.featurizer.tokenizer.get_vocab_size()
        return torch.randint(size, shape, generator=torch.Generator().manual_seed(0))


class OneOfTexts(OneText):
    """The encoder of a reader of parallel texts, with its plain head: `OneText` and vectors."""

    outputs = (*OUTPUTS, VECTORS)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, ...]:
        """Start and last logits (B, L), vectors (B, L, H)."""
        batch = Batch(input_ids, attention_mask, token_type_ids, answers=input_ids, windows=())
        reading = self.reader(batch)
        return reading.start_logits, reading.last_logits, reading.hidden


class Beside(Graph):
    """What a reader of parallel texts makes of the vectors of a text and its translations."""

    inputs = BESIDE_INPUTS

    def __init__(self, reader: ParallelReader) -> None:
        super().__init__()
        self.reader = reader

    @property
    def inner(self) -> PretrainedReader:
        """As of `Graph`."""
        return self.reader.inner

    def forward(
        self, own: Tensor, others: Tensor, mask: Tensor, rows: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Start and last logits of the own text, (1, L), from what `BESIDE_INPUTS` says."""
        of_own = Texts(own, torch.ones_like(own[..., 0], dtype=mask.dtype))
        owners = torch.zeros_like(mask[:, 0])
        return self.reader.spans(of_own, Texts(others, mask), owners, rows)

    def example(self) -> tuple[Tensor, ...]:
        """As of `Graph`."""
        return self._arguments(16, there=2)

    def dynamic_shapes(self) -> list[dict[int, Any]]:
        """As of `Graph`."""
        texts, longest = torch.export.Dim("texts"), torch.export.Dim("longest")
        own = {1: torch.export.Dim("length")}
        return [own, {0: texts, 1: longest}, {0: texts, 1: longest}, {}]

    def probes(self) -> Iterator[tuple[Tensor, ...]]:
        """As of `Graph`: three lengths, with all translations, one and none."""
        for length in _LENGTHS:
            for there in sorted({0, 1, len(self.reader.languages)}):
                yield self._arguments(length, there=there)

    def _arguments(self, length: int, *, there: int) -> tuple[Tensor, ...]:
        """Random vectors of an own text and so many translations, each shorter than the last.

        Where there are none, something that no row names stands in their place.
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


def graphs_of(reader: Reader) -> dict[str, Graph]:
    """The functions that a reader consists of, by the file of an export that each is in.

    Raises:
        ConfigError: if readers of this kind cannot be exported.
    """
    if isinstance(reader, PretrainedReader):
        return {MODEL: OneText(reader)}
    if isinstance(reader, ParallelReader) and reader.attention is not None:
        return {BESIDE: Beside(reader), MODEL: OneOfTexts(reader.inner)}
    raise ConfigError(
        f"a reader of the kind {reader.kind!r} cannot be exported yet; use its checkpoint"
    )
