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
    """A machine translation system; languages are ISO 639-1 codes.

    A module of `babelspan.engines` that offers one has a function `translator(argument)` that
    builds it from what follows the colon in `<module>:<argument>` (`babelspan.translators`).
    """

    @property
    def identity(self) -> str:
        """The system and its version: equal identities give equal translations."""

    def translate(
        self, texts: Sequence[str], *, source: str, target: str, tags: Sequence[str] = ()
    ) -> list[str]:
        """Translations of `texts`, in order and as many.

        Args:
            texts: plain text, a sentence or so each: long input makes systems drop sentences.
            source: language of the texts.
            target: language to translate to.
            tags: names of elements, such as "b", whose tags `<b>` and `</b>` in the texts are
                markup, to come back round what they were round. All else is literal, `<` and
                `&` included, in what goes in and in what comes out.

        Raises:
            ConfigError: if the system does not translate from `source` to `target`.
            TranslationError: if it fails.
        """


class Aligner(Protocol):
    """A word aligner."""

    def align(self, pairs: Sequence[SentencePair]) -> list[Alignment]:
        """Links between the words of each pair, in order and as many."""
