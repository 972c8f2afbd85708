"""Protocols at the edges of the package, where what we do not own begins."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from babelspan.types import Alignment, SentencePair

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]


class Engine(Protocol):
    """A reader's network, ready to run: token ids in, start and last logits out.

    Calls from several threads at once are allowed.
    """

    @property
    def batch_tokens(self) -> int:
        """Tokens, padding included, of the batches that this engine runs fastest on."""

    @property
    def workers(self) -> int:
        """How many calls run side by side without slowing each other down."""

    def __call__(
        self, input_ids: IntArray, attention_mask: IntArray, token_type_ids: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Start logits and last logits, each (B, L), of ids, mask and types, each (B, L)."""


class Translator(Protocol):
    """A machine translation system."""

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        """Translations of `texts`, in order and as many, between two ISO 639-1 languages."""


class Aligner(Protocol):
    """A word aligner."""

    def align(self, pairs: Sequence[SentencePair]) -> list[Alignment]:
        """Links between the words of each pair, in order and as many."""
