"""Cut question and context into windows for a reader, and map tokens to characters.

A window is `prefix question middle part-of-context suffix`; the three fixed parts are the special
tokens that the reader's own tokenizer puts around a pair. Question and context are encoded
separately and joined here, so that the tokenizer never truncates, a context is encoded once for
many questions, and the tokenizer is never reconfigured, which makes it thread-safe.

Shapes: B windows, L tokens of a window, T tokens of a context.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import Unigram

from babelspan.reading.tokens import TokenMemory, Tokens, encoded
from babelspan.seams import IntArray
from babelspan.types import MAX_LENGTH, ConfigError, DataError, Example, Limits, Span

LEAST_CONTEXT = 32
"""Minimum room for context tokens beside a question; smaller windows are useless."""

_SHOWN = 60
"""Number of characters of a question shown in an error message."""
_NO_LIMIT = 2**31 - 1
_UNSEEN = "\U00013000"
"""An Egyptian hieroglyph, which is in no vocabulary."""


class Frame(NamedTuple):
    """The token ids that a tokenizer puts around a pair, and the type ids of each part."""

    prefix: list[int]
    middle: list[int]
    suffix: list[int]
    prefix_types: list[int]
    question_type: int
    middle_types: list[int]
    context_type: int
    suffix_types: list[int]

    @property
    def size(self) -> int:
        """Number of tokens that the frame adds to a pair."""
        return len(self.prefix) + len(self.middle) + len(self.suffix)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A part of an example: its question and consecutive tokens of its context.

    Attributes:
        example: the example.
        frame: the special tokens around question and context.
        question_ids: token ids of the question, (Q,).
        context: the context tokens in the window.
        first_token: index of the first of them among all tokens of the context.
        ends_before: character at which the context token before the window ends; 0 without one.
        goes_on_at: character at which the context token after the window starts; 2**31 - 1
            without one.
    """

    example: Example
    frame: Frame
    question_ids: NDArray[np.int32]
    context: Tokens
    first_token: int
    ends_before: int = 0
    goes_on_at: int = _NO_LIMIT

    @property
    def question_at(self) -> int:
        """Index in the window of its first question token."""
        return len(self.frame.prefix)

    @property
    def context_at(self) -> int:
        """Index in the window of its first context token."""
        return self.question_at + len(self.question_ids) + len(self.frame.middle)

    @property
    def size(self) -> int:
        """Number of context tokens in the window."""
        return len(self.context.ids)

    @property
    def length(self) -> int:
        """Number of tokens of the window, L."""
        return self.frame.size + len(self.question_ids) + self.size

    @property
    def offsets(self) -> NDArray[np.int32]:
        """Characters [start, end) of the window's context tokens, (size, 2)."""
        return self.context.offsets

    def ids(self) -> NDArray[np.int32]:
        """Token ids, (L,)."""
        frame = self.frame
        return np.concatenate(
            [frame.prefix, self.question_ids, frame.middle, self.context.ids, frame.suffix]
        ).astype(np.int32)

    def types(self) -> NDArray[np.int32]:
        """Token type ids, (L,)."""
        frame = self.frame
        question = np.full(len(self.question_ids), frame.question_type)
        part = np.full(self.size, frame.context_type)
        return np.concatenate(
            [frame.prefix_types, question, frame.middle_types, part, frame.suffix_types]
        ).astype(np.int32)

    def tokens_of(self, span: Span) -> tuple[int, int] | None:
        """Indices in the window of the first and last token of a span of the context.

        None if a part of the span lies outside the window, or no token overlaps it.
        """
        tokens = np.flatnonzero((self.offsets[:, 1] > span.start) & (self.offsets[:, 0] < span.end))
        if not len(tokens) or self.ends_before > span.start or self.goes_on_at < span.end:
            return None
        return int(tokens[0]) + self.context_at, int(tokens[-1]) + self.context_at


class Padded(NamedTuple):
    """Windows as arrays, each (B, L)."""

    input_ids: IntArray
    attention_mask: IntArray
    token_type_ids: IntArray


class Featurizer:
    """Cuts examples into windows, with the tokenizer and the limits of a reader. Thread-safe.

    Args:
        tokenizer: any tokenizer of the `tokenizers` library.
        max_positions: maximum length of a window, in tokens, that the reader supports.
        pad_id: id of the padding token.
        limits: default limits for cutting contexts into windows.
        copies: whether to copy the tokenizer, in case other code changes it.

    Raises:
        ConfigError: if windows would be longer than the reader takes.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        max_positions: int,
        pad_id: int,
        limits: Limits | None = None,
        copies: bool = True,
    ) -> None:
        self.tokenizer = Tokenizer.from_str(tokenizer.to_str()) if copies else tokenizer
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.max_positions = max_positions
        self.pad_id = pad_id
        self.limits = self.within(Limits() if limits is None else limits)
        self.frame = _frame(self.tokenizer)
        self.round_a_text = _round_a_text(self.tokenizer)
        self.around_a_text = sum(map(len, self.round_a_text))
        self._known = TokenMemory(self.tokens)

    def __reduce__(self) -> tuple[Any, ...]:
        form: dict[str, Any] = {"max_positions": self.max_positions, "pad_id": self.pad_id}
        return partial(type(self), **form, limits=self.limits, copies=False), (self.tokenizer,)

    def within(self, limits: Limits) -> Limits:
        """The limits, with a default `max_length` lowered to what the reader supports.

        Raises:
            ConfigError: if another `max_length` is longer than the reader supports.
        """
        if limits.max_length <= self.max_positions:
            return limits
        if limits.max_length != MAX_LENGTH:
            raise ConfigError(
                f"windows of {limits.max_length} tokens are too long: this reader takes "
                f"{self.max_positions} or fewer"
            )
        return replace(limits, max_length=self.max_positions)

    @property
    def room_of_a_text(self) -> int:
        """Number of tokens of a single text that fit into a window.

        Raises:
            ConfigError: if none fit.
        """
        around, most = self.around_a_text, self.limits.max_length
        if most <= around:
            raise ConfigError(
                f"max_length must be in [{around + 1}, {self.max_positions}] for single texts, "
                f"got {most}"
            )
        return most - around

    def length_of_a_text(self, text: str) -> int:
        """Number of tokens of a single text in a window, 0 for a text without tokens."""
        tokens = len(self.tokens(text).ids)
        return min(tokens + self.around_a_text, self.limits.max_length) if tokens else 0

    def tokens(self, text: str) -> Tokens:
        """Encode `text` without special tokens; lone surrogates are read as U+FFFD."""
        return encoded(self.tokenizer, text)

    def known(self, text: str) -> NDArray[np.int32]:
        """Characters [start, end) of each token of a text except unknown tokens, (T, 2)."""
        tokens = self.tokens(text)
        known: NDArray[np.int32] = tokens.offsets[tokens.ids != self._unknown_id]
        return known

    @cached_property
    def _unknown_id(self) -> int:
        """Id of the token for unknown characters, or -1."""
        name = getattr(self.tokenizer.model, "unk_token", None)
        if name is not None:
            found = self.tokenizer.token_to_id(name)
            return -1 if found is None else int(found)
        if isinstance(self.tokenizer.model, Unigram):  # has one, but does not expose it
            return int(self.tokens(_UNSEEN).ids[-1])
        return -1

    def frame_of(self, example: Example) -> Frame:
        """The special tokens around question and context; their number is always the same."""
        return self.frame

    def of_question(self, example: Example) -> Tokens:
        """The question's tokens."""
        return self._known(example.question)

    def of_context(self, example: Example) -> Tokens:
        """The context's tokens."""
        return self._known(example.context)

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[Window]:
        """The windows of each example, in order; a context without tokens has none.

        Args:
            examples: in any order; a text shared by several examples is encoded once.
            limits: limits for cutting contexts; None for the featurizer's own.

        Raises:
            ConfigError: if the limits are impossible for this reader or a question.
            DataError: if a question leaves less than `LEAST_CONTEXT` tokens of room.
        """
        limits = self._checked(limits)
        for example in examples:
            question = self.of_question(example).ids
            room = self._room(example, question, limits.max_length)
            context = self.of_context(example)
            for first, end in _cuts(len(context.ids), room, limits):
                yield self._window(example, question, context, first, end)

    def together(
        self, group: Sequence[Example], limits: Limits | None = None
    ) -> Iterator[tuple[Window, ...]]:
        """Windows of examples over one context, cut at the same context tokens for all of them.

        The longest question determines the room for the context.

        Args:
            group: examples with the same context.
            limits: as in `windows`; its errors are raised too.

        Raises:
            ValueError: if the contexts differ.
        """
        limits = self._checked(limits)
        if any(example.context != group[0].context for example in group):
            raise ValueError(
                f"expected examples over one context, got {[e.id for e in group]} over several"
            )
        questions = [self.of_question(example).ids for example in group]
        room = min(
            self._room(example, question, limits.max_length)
            for example, question in zip(group, questions, strict=True)
        )
        contexts = [self.of_context(example) for example in group]
        for first, end in _cuts(len(contexts[0].ids), room, limits):
            yield tuple(
                self._window(example, question, context, first, end)
                for example, question, context in zip(group, questions, contexts, strict=True)
            )

    def _checked(self, limits: Limits | None) -> Limits:
        """The limits, or the featurizer's own, checked against what the reader supports."""
        limits = self.limits if limits is None else self.within(limits)
        least = self.frame.size + LEAST_CONTEXT + 1
        if limits.max_length < least:
            raise ConfigError(
                f"a window must have {least} to {self.max_positions} tokens for this reader "
                f"(--window, max_length), got {limits.max_length}"
            )
        return limits

    def _room(self, example: Example, question: NDArray[np.int32], max_length: int) -> int:
        """Number of context tokens that fit beside a question."""
        room = max_length - self.frame.size - len(question)
        if room < LEAST_CONTEXT:
            wanted = self.frame.size + len(question) + LEAST_CONTEXT
            remedy = "shorten it"
            if wanted <= self.max_positions:
                remedy += f", or set max_length (`ask --window`) to {wanted} or more"
            raise DataError(
                f"question {example.id!r} has {len(question)} tokens, which leaves "
                f"{max(room, 0)} of {max_length} for its context, expected {LEAST_CONTEXT} or "
                f"more; {remedy} (this reader takes {self.max_positions} tokens): "
                f"{example.question[:_SHOWN]!r}…"
            )
        return room

    def _window(
        self, example: Example, question: NDArray[np.int32], context: Tokens, first: int, end: int
    ) -> Window:
        """The window over the context tokens [first, end)."""
        ids, offsets = context.ids, context.offsets
        frame = self.frame_of(example)
        if end - first == len(ids):
            return Window(example, frame, question, context, 0)
        return Window(
            example,
            frame,
            question,
            Tokens(ids[first:end], offsets[first:end]),
            first,
            ends_before=int(offsets[first - 1, 1]) if first else 0,
            goes_on_at=int(offsets[end, 0]) if end < len(ids) else _NO_LIMIT,
        )

    def pad(self, windows: Sequence[Window]) -> Padded:
        """Convert windows to arrays, padded on the right to the longest."""
        shape = (len(windows), max(w.length for w in windows))
        padded = Padded(
            np.full(shape, self.pad_id, np.int64),
            np.zeros(shape, np.int64),
            np.zeros(shape, np.int64),
        )
        for row, window in enumerate(windows):
            padded.input_ids[row, : window.length] = window.ids()
            padded.attention_mask[row, : window.length] = 1
            padded.token_type_ids[row, : window.length] = window.types()
        return padded

    def inputs(self, window: Window) -> dict[str, IntArray]:
        """The inputs of an exported reader for a window, each (1, L)."""
        return self.pad([window])._asdict()


def _cuts(tokens: int, room: int, limits: Limits) -> Iterator[tuple[int, int]]:
    """Context tokens [first, end) of each window; together they cover all tokens."""
    step = limits.step_in(room) if tokens > room else room
    for first in range(0, tokens, step):
        end = min(first + room, tokens)
        yield first, end
        if end == tokens:
            return


def _frame(tokenizer: Tokenizer) -> Frame:
    """The special tokens around a pair, derived from encoding a pair of one-letter texts."""
    encoding = tokenizer.encode("a", "a")
    parts = encoding.sequence_ids
    if 0 not in parts or 1 not in parts:
        raise DataError(
            "the tokenizer gives no token for the letter 'a'; it cannot frame a pair of texts"
        )
    ids, types = encoding.ids, encoding.type_ids
    a, b = parts.index(0), parts.index(1)
    a_end, b_end = len(parts) - parts[::-1].index(0), len(parts) - parts[::-1].index(1)
    if a > b:
        raise DataError(
            "the tokenizer puts the second text before the first; such readers are not supported"
        )
    return Frame(
        prefix=ids[:a],
        middle=ids[a_end:b],
        suffix=ids[b_end:],
        prefix_types=types[:a],
        question_type=types[a],
        middle_types=types[a_end:b],
        context_type=types[b],
        suffix_types=types[b_end:],
    )


def _round_a_text(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """The token ids that the tokenizer puts before and after a single text."""
    encoding = tokenizer.encode("a")
    is_text = [part == 0 for part in encoding.sequence_ids]
    first, last = is_text.index(True), len(is_text) - 1 - is_text[::-1].index(True)
    return encoding.ids[:first], encoding.ids[last + 1 :]
