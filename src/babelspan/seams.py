"""Protocols at the edges of the package, for what we do not own."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from babelspan.types import Alignment, Example, Limits, SegmentedPair

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]


class Window(Protocol):
    """What a network reads at once: an example with all of its context, or a part of it."""

    @property
    def example(self) -> Example:
        """The example it was cut from."""

    @property
    def length(self) -> int:
        """Number of tokens, to make batches of similar length."""

    @property
    def context_at(self) -> int:
        """Index of the first token that can start or end an answer."""

    @property
    def offsets(self) -> NDArray[np.int32]:
        """Characters [start, end) in the context of each token from there on, (T, 2)."""


class Logits(NamedTuple):
    """The output of a network for a window of L tokens; the first token stands for "no answer"."""

    start: FloatArray
    """Start logits, (L,)."""
    last: FloatArray
    """Last logits, (L,)."""


class Engine(Protocol):
    """A reader that is ready to run: examples to windows, windows to logits.

    Calls from several threads at once are allowed. An engine keeps its own threads.
    """

    @property
    def limits(self) -> Limits:
        """How contexts are cut, unless a call says otherwise."""

    @property
    def workers(self) -> int:
        """The number of windows that it reads in parallel."""

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[Window]:
        """The windows of each example, in order; no window for a context without tokens.

        Raises:
            ConfigError: if the limits do not fit this reader or a question.
            DataError: if a question leaves no room for its context.
        """

    def read(self, windows: Sequence[Any]) -> Generator[Logits, None, None]:
        """Logits of windows of this engine, in order; once closed, it stops reading."""


@runtime_checkable
class Knowing(Protocol):
    """An engine, or a reader, that can tell which characters its tokenizer knows."""

    def known(self, text: str) -> NDArray[np.int32]:
        """Characters [start, end) of each token of a text that stands for known ones, (T, 2)."""


@runtime_checkable
class Glossing(Protocol):
    """An engine that may read more in a question than was asked."""

    def read_as(self, example: Example) -> Example:
        """The example as it is read: the same, or with the question's words in other languages."""


class Translator(Protocol):
    """A machine translation system; languages are ISO 639-1 codes.

    A module of `babelspan.translators` has a function `translator(argument)` that
    makes one from what follows the colon in `<module>:<argument>` (`babelspan.translators`).
    """

    @property
    def identity(self) -> str:
        """The system and its version: equal identities give equal translations."""

    def translate(
        self, texts: Sequence[str], *, source: str, target: str, tags: Sequence[str] = ()
    ) -> list[str]:
        """Translations of `texts`, one for each, in order.

        Args:
            texts: plain text, about a sentence each: with long input, systems drop sentences.
            source: language of the texts.
            target: language to translate to.
            tags: names of elements, such as "b", whose tags `<b>` and `</b>` in the texts are
                markup; they enclose the same words in the translation. Everything else is literal,
                `<` and `&` included, in input and output.

        Raises:
            ConfigError: if the system does not translate from `source` to `target`.
            TranslationError: if it fails.
        """


class Aligner(Protocol):
    """A word aligner.

    A module of `babelspan.aligners` has a function `aligner(argument, options)` that builds it from
    what follows the colon in `<module>:<argument>` (`babelspan.aligners`).
    """

    @property
    def identity(self) -> str:
        """The system and its settings: equal identities give equal links for equal bitext."""

    def align(self, pairs: Sequence[SegmentedPair]) -> list[Alignment]:
        """Links between the words of each pair, in order and as many."""


class Group(NamedTuple):
    """What a search may find in the place of one word of a question.

    Attributes:
        alternatives: tuples of terms; all terms of a tuple must be in a passage.
        weight: how much the word counts.
        shares: how much each alternative counts, from 0 to 1; () for 1 each.
    """

    alternatives: tuple[tuple[str, ...], ...]
    weight: float = 1.0
    shares: tuple[float, ...] = ()


class Entry(NamedTuple):
    """A passage as an index keeps it.

    Attributes:
        terms: what it is found by.
        language: ISO 639-1 code, or "und".
        content: what comes back when it is found; JSON.
    """

    terms: Sequence[str]
    language: str
    content: str


class Hit(NamedTuple):
    """A passage that was found: the name of its file, its content, and its score."""

    file: str
    content: str
    score: float


class PassageIndex(Protocol):
    """A store of passages that can be searched; what is not committed is not there.

    One process writes; any number read meanwhile what was last committed.
    """

    @property
    def reads_files(self) -> bool:
        """Whether all who ask have the files, so that texts may stay in them."""

    def version(self) -> str:
        """Another one after every commit, also of another process."""

    def replace(self, file: str, about: Mapping[str, Any], entries: Iterable[Entry]) -> None:
        """Put a file and its passages in the place of what there is of it.

        Args:
            file: its name.
            about: what is known of it; JSON.
            entries: its passages, in order.
        """

    def renew(self, file: str, about: Mapping[str, Any]) -> None:
        """Change what is known of a file, and leave its passages."""

    def remove(self, file: str) -> None:
        """Remove a file and its passages."""

    def commit(self) -> None:
        """Make all changes since the last commit last, and seen: all of them or none."""

    def reload(self) -> None:
        """See what has been committed since."""

    def close(self) -> None:
        """Let others write; what is not committed is lost."""

    def search(self, groups: Sequence[Group], *, language: str | None, count: int) -> list[Hit]:
        """The best passages for a question, best first.

        A group counts as one word, which is as rare as its alternatives together.

        Args:
            groups: of the question.
            language: of the passages; None for all.
            count: how many, at most.
        """

    def languages(self) -> dict[str, int]:
        """How many passages there are in each language."""

    def files(self) -> dict[str, dict[str, Any]]:
        """What is known of each file, by its name."""

    def everything(self) -> Iterator[Hit]:
        """All passages, in no order, with a score of 0."""


class Alternatives(Protocol):
    """Translations of the words of a question into another language."""

    def groups(self, question: str, *, source: str, target: str) -> list[Group]:
        """A group for each word of the question that has alternatives."""
