"""Batches for question generation: sources and gold questions as tensors.

Shape letters: B questions, S source tokens, T pieces of a question with its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from babelspan.networks.reader import moved_to
from babelspan.reading.sources import Source


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Sources and gold questions as tensors.

    Attributes:
        source_ids: (B, S), padded on the right; ids from V on are trained special tokens.
        source_lengths: (B,).
        questions: piece ids with the end, (B, T); T is 0 if questions are to be generated.
        real: true for pieces, false for padding, (B, T).
        sources: the sources that the batch was made from.
    """

    source_ids: Tensor
    source_lengths: Tensor
    questions: Tensor
    real: Tensor
    sources: tuple[Source, ...]

    @property
    def tokens(self) -> int:
        """Number of tokens, without padding."""
        return sum(source.length for source in self.sources)

    def to(self, device: torch.device) -> "Asked":
        """A copy on a device."""
        return Asked(
            moved_to(device, self.source_ids),
            moved_to(device, self.source_lengths),
            moved_to(device, self.questions),
            moved_to(device, self.real),
            self.sources,
        )


def asked_of(sources: Sequence[Source], pad: int) -> Asked:
    """Collate sources into a batch, padded on the right with the id `pad`."""
    sizes = torch.tensor([len(source.question) for source in sources])
    questions = _padded([source.question for source in sources], pad)
    return Asked(
        source_ids=_padded([source.ids for source in sources], pad),
        source_lengths=torch.tensor([len(source.ids) for source in sources]),
        questions=questions,
        real=torch.arange(questions.shape[1]) < sizes[:, None],
        sources=tuple(sources),
    )


def _padded(rows: Sequence[NDArray[np.int32]], pad: int) -> Tensor:
    padded = np.full((len(rows), max((len(row) for row in rows), default=0)), pad, np.int64)
    for number, row in enumerate(rows):
        padded[number, : len(row)] = row
    return torch.from_numpy(padded)
