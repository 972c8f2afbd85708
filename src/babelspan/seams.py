"""Protocols at the edges of the package, where what we do not own begins."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from babelspan.types import Alignment, Example, Limits, SentencePair

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]


class Window(Protocol):
    """What a network reads at once: an example with all of its context, or a part of it."""

    @property
    def example(self) -> Example:
        """What is asked of what."""

    @property
    def length(self) -> int:
        """Tokens: for batches of like length."""

    @property
    def context_at(self) -> int:
        """Index of the first token that can start or end an answer."""

    @property
    def offsets(self) -> NDArray[np.int32]:
        """Characters [start, end) of the context of each token from there on, (T, 2)."""


class Logits(NamedTuple):
    """What a network makes of a window of L tokens; the first token stands for "no answer"."""

    start: FloatArray
    """Start logits, (L,)."""
    last: FloatArray
    """Last logits, (L,)."""


class Engine(Protocol):
    """A reader, ready to run: examples to windows, windows to logits.

    Calls from several threads at once are allowed. An engine keeps its own threads.
    """

    @property
    def limits(self) -> Limits:
        """How contexts are cut where a call does not say."""

    @property
    def workers(self) -> int:
        """Windows that it reads side by side."""

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[Window]:
        """The windows of each example, in order; none for a context without tokens.

        Raises:
            ConfigError: if the limits make no sense for this reader or a question.
            DataError: if a question leaves no room for its context.
        """

    def read(self, windows: Sequence[Any]) -> Generator[Logits, None, None]:
        """Logits of windows of this engine, in order; once closed, it reads no more of them."""


class Translator(Protocol):
    """A machine translation system; languages are ISO 639-1 codes.

    A module of `babelspan.translators` has a function `translator(argument)` that
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
