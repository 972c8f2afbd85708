"""Protocols for external components: engines, translators, aligners and passage indexes."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from babelspan.types import Alignment, Example, Limits, SegmentedPair

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]


class Window(Protocol):
    """The input of one forward pass: a question with all of its context, or a part of it."""

    @property
    def example(self) -> Example:
        """The example that the window was cut from."""

    @property
    def length(self) -> int:
        """Number of tokens; used to batch windows of similar length."""

    @property
    def context_at(self) -> int:
        """Index of the first token that can start or end an answer."""

    @property
    def offsets(self) -> NDArray[np.int32]:
        """Characters [start, end) of each context token of the window, in the context, (T, 2)."""


class Logits(NamedTuple):
    """The output of a network for a window of L tokens; the first token stands for "no answer"."""

    start: FloatArray
    """Logit of each token as the first of the answer, (L,)."""
    last: FloatArray
    """Logit of each token as the last of the answer, (L,)."""


class Engine(Protocol):
    """Inference with a reader: it cuts examples into windows and computes their logits.

    An engine is thread-safe and manages its own threads.
    """

    @property
    def limits(self) -> Limits:
        """Default limits for cutting contexts into windows."""

    @property
    def workers(self) -> int:
        """Number of windows read in parallel."""

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[Window]:
        """The windows of each example, in order; a context without tokens has none.

        Raises:
            ConfigError: if the limits do not fit this reader or a question.
            DataError: if a question leaves no room for its context.
        """

    def read(self, windows: Sequence[Any]) -> Generator[Logits, None, None]:
        """The logits of windows made by this engine, in order; closing the generator stops it."""


@runtime_checkable
class Knowing(Protocol):
    """An engine or a reader that reports which characters are in its tokenizer's vocabulary."""

    def known(self, text: str) -> NDArray[np.int32]:
        """Characters [start, end) of each token of a text except unknown tokens, (T, 2)."""


@runtime_checkable
class Glossing(Protocol):
    """An engine that may add translations of a question's words to the question."""

    def read_as(self, example: Example) -> Example:
        """The example as the engine reads it: unchanged, or with translated question words."""


class Translator(Protocol):
    """A machine translation system; languages are ISO 639-1 codes.

    Each module of `babelspan.translators` has a function `translator(argument)`, which builds a
    translator from the part after the colon of a name `<module>:<argument>`.
    """

    @property
    def identity(self) -> str:
        """Name and version of the system; equal identities give equal translations."""

    def translate(
        self, texts: Sequence[str], *, source: str, target: str, tags: Sequence[str] = ()
    ) -> list[str]:
        """Translate texts; returns one translation for each, in order.

        Args:
            texts: plain text, about a sentence each (with long input, systems drop sentences).
            source: language of the texts.
            target: language to translate to.
            tags: element names, such as "b". Their tags `<b>` and `</b>` in the texts are markup
                and enclose the same words in the translation. Everything else is literal, `<` and
                `&` included, in input and output.

        Raises:
            ConfigError: if the system does not translate from `source` to `target`.
            TranslationError: if the system fails.
        """


class Aligner(Protocol):
    """A word aligner.

    Each module of `babelspan.aligners` has a function `aligner(argument, options)`, which builds an
    aligner from the part after the colon of a name `<module>:<argument>`.
    """

    @property
    def identity(self) -> str:
        """The system and its settings; equal identities give equal links for equal bitext."""

    def align(self, pairs: Sequence[SegmentedPair]) -> list[Alignment]:
        """The word links of each pair, one `Alignment` per pair, in order."""


class Group(NamedTuple):
    """One word of a query with its alternatives, such as translations.

    Attributes:
        alternatives: tuples of terms; a passage matches a tuple if it contains all of its terms.
        weight: weight of the word in the query.
        shares: weight of each alternative, from 0 to 1; () for 1 each.
    """

    alternatives: tuple[tuple[str, ...], ...]
    weight: float = 1.0
    shares: tuple[float, ...] = ()


class Entry(NamedTuple):
    """A passage to be stored in an index.

    Attributes:
        terms: the index terms.
        language: ISO 639-1 code, or "und".
        content: stored with the passage and returned with each hit; JSON.
    """

    terms: Sequence[str]
    language: str
    content: str


class Hit(NamedTuple):
    """A search result: the name of the passage's file, its content, and its score."""

    file: str
    content: str
    score: float


class PassageIndex(Protocol):
    """A searchable store of passages; changes are not visible until they are committed.

    One process writes at a time. Any number of processes may read the last commit meanwhile.
    """

    @property
    def reads_files(self) -> bool:
        """Whether every reader of the index can open the files, so texts need not be stored."""

    def version(self) -> str:
        """An identifier that changes with every commit, by any process."""

    def replace(self, file: str, about: Mapping[str, Any], entries: Iterable[Entry]) -> None:
        """Add a file with its passages, replacing an earlier version of the file.

        Args:
            file: name of the file.
            about: metadata of the file; JSON.
            entries: its passages, in order.
        """

    def renew(self, file: str, about: Mapping[str, Any]) -> None:
        """Replace the metadata of a file and keep its passages."""

    def remove(self, file: str) -> None:
        """Remove a file and its passages."""

    def commit(self) -> None:
        """Make all changes since the last commit permanent and visible, atomically."""

    def reload(self) -> None:
        """Make commits since the index was opened visible, those of other processes included."""

    def close(self) -> None:
        """Release the write lock; changes that are not committed are lost."""

    def search(self, groups: Sequence[Group], *, language: str | None, count: int) -> list[Hit]:
        """The best passages for a query, best first.

        A group counts as one term; its document frequency is that of all its alternatives together.

        Args:
            groups: the words of the query.
            language: language of the passages; None for all.
            count: maximum number of hits.
        """

    def languages(self) -> dict[str, int]:
        """The number of passages in each language."""

    def files(self) -> dict[str, dict[str, Any]]:
        """The metadata of each file, by name."""

    def everything(self) -> Iterator[Hit]:
        """All passages, in no particular order, with a score of 0."""


class Alternatives(Protocol):
    """Translates the words of a question, for cross-language search."""

    def groups(self, question: str, *, source: str, target: str) -> list[Group]:
        """One group for each word of the question that has translations."""
