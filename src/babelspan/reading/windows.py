"""Cut question and context into windows that a reader can take, and know every character's place.

A window is `prefix question middle part-of-context suffix`, the three fixed parts being whatever
the reader's own tokenizer puts round a pair. Question and context are encoded apart and put
together here, so that nothing is ever truncated by the tokenizer, one context serves
many questions, and the tokenizer is never reconfigured, which is what makes it safe under threads.

Shapes: B windows, L tokens of a window, T tokens of a context.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from babelspan.seams import IntArray
from babelspan.types import ConfigError, DataError, Example, Span

MAX_LENGTH = 384
OVERLAP = 128
LEAST_CONTEXT = 32
"""Context tokens that must fit beside a question; below that a window shows next to nothing."""

_KEPT_TEXTS = 32
_SURROGATE = re.compile("[\ud800-\udfff]")


class Frame(NamedTuple):
    """The token ids that a tokenizer puts round a pair, and the type ids of each part."""

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
        """How many tokens the frame adds to a pair."""
        return len(self.prefix) + len(self.middle) + len(self.suffix)


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """A text as token ids (T,) with the characters [start, end) of each token, (T, 2)."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Part of an example: its question and the context tokens `first_token` to `last_token`."""

    example: Example
    frame: Frame
    question_ids: NDArray[np.int32]
    context: Tokens
    first_token: int
    last_token: int

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
        """Context tokens in the window."""
        return self.last_token - self.first_token + 1

    @property
    def length(self) -> int:
        """Tokens of the window, L."""
        return self.frame.size + len(self.question_ids) + self.size

    @property
    def offsets(self) -> NDArray[np.int32]:
        """Characters [start, end) of the window's context tokens, (size, 2)."""
        return self.context.offsets[self.first_token : self.last_token + 1]

    def ids(self) -> NDArray[np.int32]:
        """Token ids, (L,)."""
        part = self.context.ids[self.first_token : self.last_token + 1]
        frame = self.frame
        return np.concatenate(
            [frame.prefix, self.question_ids, frame.middle, part, frame.suffix]
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
        """First and last index in the window of the tokens that cover a span of the context.

        None when a part of the span lies outside the window, or no token shows any of it.
        """
        touching = (self.context.offsets[:, 1] > span.start) & (
            self.context.offsets[:, 0] < span.end
        )
        tokens = np.flatnonzero(touching)
        if not len(tokens) or tokens[0] < self.first_token or tokens[-1] > self.last_token:
            return None
        shift = self.context_at - self.first_token
        return int(tokens[0]) + shift, int(tokens[-1]) + shift

    def token_of(self, other: "Window", token: int) -> int | None:
        """The index in this window of a token of another window over the same context.

        The first token of all, which stands for "not in this window", stays the first. None for
        other tokens that are not of the context, or that this window does not hold.

        Args:
            other: the window in which `token` is an index.
            token: an index, from 0.

        Raises:
            ValueError: if the windows are over different contexts.
        """
        if self.example.context != other.example.context:
            raise ValueError(
                f"expected two windows over one context, got those of {self.example.id!r} and "
                f"{other.example.id!r}"
            )
        if token == 0:
            return 0
        number = token - other.context_at + other.first_token
        shown = range(
            max(self.first_token, other.first_token), min(self.last_token, other.last_token) + 1
        )
        return number - self.first_token + self.context_at if number in shown else None


class Padded(NamedTuple):
    """Windows as arrays, each (B, L)."""

    input_ids: IntArray
    attention_mask: IntArray
    token_type_ids: IntArray


class Encoder:
    """A tokenizer and the limits of its reader: examples in, windows out. Safe under threads.

    Args:
        tokenizer: any tokenizer of the `tokenizers` library; it is copied.
        max_positions: the longest window, in tokens, that the reader was built for.
        pad_id: id of the padding token.
    """

    def __init__(self, tokenizer: Tokenizer, *, max_positions: int, pad_id: int) -> None:
        self.tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.max_positions = max_positions
        self.pad_id = pad_id
        self.frame = _frame(self.tokenizer)
        self._known = lru_cache(maxsize=_KEPT_TEXTS)(self.tokens)

    def tokens(self, text: str) -> Tokens:
        """`text` alone, without special tokens; lone surrogates are read as U+FFFD."""
        encoding = self.tokenizer.encode(_without_surrogates(text), add_special_tokens=False)
        return Tokens(
            np.array(encoding.ids, dtype=np.int32),
            np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2),
        )

    def windows(
        self,
        examples: Iterable[Example],
        *,
        max_length: int = MAX_LENGTH,
        overlap: int = OVERLAP,
    ) -> Iterator[Window]:
        """The windows of each example, in order; none for a context without tokens.

        Args:
            examples: in any order; a text that near neighbours share is encoded once.
            max_length: tokens of a window, at most.
            overlap: context tokens that two neighbouring windows share; where a long question
                leaves less than twice as much room, half of the room.

        Raises:
            ConfigError: if the limits make no sense for this reader.
            DataError: if a question leaves less than `LEAST_CONTEXT` tokens of room.
        """
        if not self.frame.size + LEAST_CONTEXT < max_length <= self.max_positions:
            raise ConfigError(
                "max_length must be in "
                f"[{self.frame.size + LEAST_CONTEXT + 1}, {self.max_positions}] for this reader, "
                f"got {max_length}"
            )
        if overlap < 0:
            raise ConfigError(f"overlap must not be negative, got {overlap}")
        for example in examples:
            question = self._known(example.question).ids
            room = max_length - self.frame.size - len(question)
            if room < LEAST_CONTEXT:
                raise DataError(
                    f"question {example.id!r} has {len(question)} tokens, which leaves "
                    f"{max(room, 0)} of {max_length} for its context, expected {LEAST_CONTEXT} or "
                    "more; shorten it, or raise the window's length (this reader takes "
                    f"{self.max_positions} tokens)"
                )
            context = self._known(example.context)
            for first, last in _cuts(len(context.ids), room, min(overlap, room // 2)):
                yield Window(example, self.frame, question, context, first, last)

    def pad(self, windows: Sequence[Window]) -> Padded:
        """Windows as arrays, padded on the right to the longest."""
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


def _cuts(tokens: int, room: int, overlap: int) -> Iterator[tuple[int, int]]:
    """First and last token of each window; together they cover all tokens."""
    for first in range(0, tokens, room - overlap):
        last = min(first + room, tokens) - 1
        yield first, last
        if last == tokens - 1:
            return


def _frame(tokenizer: Tokenizer) -> Frame:
    """What the tokenizer puts round a pair, read off a pair of one-letter texts."""
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


def _without_surrogates(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)
