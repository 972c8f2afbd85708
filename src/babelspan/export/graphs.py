"""Readers as functions of the arrays that an engine gives them, ready to be traced.

Shapes: B windows, L tokens, R texts of a window, N languages beside it.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from babelspan.data.exported import INPUTS, ROWS
from babelspan.networks.adaptive_attention import Texts
from babelspan.networks.parallel_texts import ParallelReader
from babelspan.networks.pretrained import PretrainedReader
from babelspan.networks.reader import Batch, Reader
from babelspan.reading.parallel import ParallelFeaturizer
from babelspan.reading.windows import Featurizer
from babelspan.types import ConfigError

_PROBE = 384
"""Tokens of a window on which an export is compared with PyTorch, at most."""
_LENGTHS = (17, 60, _PROBE)


class Graph(nn.Module):
    """A reader of a kind that can be exported: arrays to start and last logits.

    Attributes:
        inputs: names of the arguments of `forward`, in order.
        featurizer: makes the windows.
        languages: of the translations that it reads beside a text; None where it reads one text.
    """

    inputs: Sequence[str]
    featurizer: Featurizer | ParallelFeaturizer
    languages: tuple[str, ...] | None = None

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

    def _ids(self, *shape: int) -> Tensor:
        """Random tokens."""
        size = self.featurizer.tokenizer.get_vocab_size()
        return torch.randint(size, shape, generator=torch.Generator().manual_seed(0))


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


class ParallelTexts(Graph):
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


def graph_of(reader: Reader) -> Graph:
    """The function that a reader is.

    Raises:
        ConfigError: if readers of this kind cannot be exported.
    """
    if isinstance(reader, PretrainedReader):
        return OneText(reader)
    if isinstance(reader, ParallelReader) and reader.attention is not None:
        return ParallelTexts(reader)
    raise ConfigError(
        f"a reader of the kind {reader.kind!r} cannot be exported yet; use its checkpoint"
    )
