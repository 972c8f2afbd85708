"""Sentence pairs as a stream, to learn from parallel text.

Shape letters: B sentence pairs.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from babelspan.networks.pretrained import Encoder
from babelspan.networks.texts import Texts
from babelspan.training.run import Run
from babelspan.training.spool import Spool
from babelspan.training.stream import Stream
from babelspan.types import DataError, SentencePair


@dataclass(frozen=True, slots=True, eq=False)
class Bitext:
    """B sentences and their translations.

    Attributes:
        source: the sentences.
        target: the translations, in the same order.
        pairs: the pairs they were made from.
    """

    source: Texts
    target: Texts
    pairs: tuple[SentencePair, ...]

    @property
    def tokens(self) -> int:
        """Tokens of both sides, without padding."""
        return self.source.tokens + self.target.tokens

    def to(self, device: torch.device) -> "Bitext":
        """The same on a device."""
        return Bitext(self.source.to(device), self.target.to(device), self.pairs)


def sentence_pairs(
    encoder: Encoder, pairs: Iterable[SentencePair], run: Run
) -> Stream[SentencePair, Bitext]:
    """Sentence pairs to learn from; those with a side without tokens are skipped.

    A sentence longer than a window is cut at its end.

    Raises:
        DataError: if there is none.
    """
    kept: Spool[SentencePair] = Spool(folder=run.folder)
    lengths = array("q")
    for pair in pairs:
        sides = [len(encoder.featurizer.tokens(text).ids) for text in (pair.source, pair.target)]
        if all(sides):
            kept.append(pair)
            lengths.append(min(max(sides), encoder.featurizer.limits.max_length))
    if not kept:
        raise DataError("expected sentence pairs to learn from, found none with text on both sides")

    def collate(chosen: Sequence[SentencePair]) -> Bitext:
        return Bitext(
            encoder.texts([pair.source for pair in chosen]),
            encoder.texts([pair.target for pair in chosen]),
            tuple(chosen),
        )

    return Stream(
        items=kept,
        lengths=np.array(lengths, dtype=np.int64),
        collate=collate,
        unit="sentence pair",
    )
