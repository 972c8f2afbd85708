"""Cut question and context into windows that a reader can take, and know every character's place.

A window is `prefix question middle part-of-context suffix`, the three fixed parts being whatever
the reader's own tokenizer puts round a pair. Question and context are encoded apart and put
together here, so that nothing is ever truncated by the tokenizer, one context serves
many questions, and the tokenizer is never reconfigured, which is what makes it safe under threads.

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
"""Context tokens that must fit beside a question; below that a window shows next to nothing."""

_SHOWN = 60
"""Characters of a question that an error shows."""
_NO_LIMIT = 2**31 - 1
_UNSEEN = "\U00013000"
"""An Egyptian hieroglyph: no vocabulary has it."""


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
class Window:
    """Part of an example: its question and a run of its context's tokens.

    Attributes:
        example: the example.
        frame: the tokens around question and context.
        question_ids: token ids of the question, (Q,).
        context: the context tokens in the window.
        first_token: index of the first of them among all tokens of the context.
        ends_before: character at which the context token before the window ends; 0 for none.
        goes_on_at: character at which the context token after the window starts; 2**31 - 1 for
            none.
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
        """Context tokens in the window."""
        return len(self.context.ids)

    @property
    def length(self) -> int:
        """Tokens of the window, L."""
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
        """First and last index in the window of the tokens that cover a span of the context.

        None when a part of the span lies outside the window, or no token shows any of it.
        """
        offsets = self.context.offsets
        tokens = np.flatnonzero((offsets[:, 1] > span.start) & (offsets[:, 0] < span.end))
        if not len(tokens) or self.ends_before > span.start or self.goes_on_at < span.end:
            return None
        return int(tokens[0]) + self.context_at, int(tokens[-1]) + self.context_at


class Padded(NamedTuple):
    """Windows as arrays, each (B, L)."""

    input_ids: IntArray
    attention_mask: IntArray
    token_type_ids: IntArray


class Featurizer:
    """A tokenizer and the limits of its reader: examples in, windows out. Safe under threads.

    Args:
        tokenizer: any tokenizer of the `tokenizers` library.
        max_positions: the longest window, in tokens, that the reader was built for.
        pad_id: id of the padding token.
        limits: how contexts are cut where a call does not say.
        copies: whether the tokenizer is copied, since others may change it; False to keep it.

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
        self._known = TokenMemory(self.tokens)

    def __reduce__(self) -> tuple[Any, ...]:
        form: dict[str, Any] = {"max_positions": self.max_positions, "pad_id": self.pad_id}
        return partial(type(self), **form, limits=self.limits, copies=False), (self.tokenizer,)

    def within(self, limits: Limits) -> Limits:
        """The limits, the default length lowered to what the reader takes.

        Raises:
            ConfigError: if another length is more than that.
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
        """Tokens of a text by itself that fit into a window.

        Raises:
            ConfigError: if none do.
        """
        around = sum(map(len, self.round_a_text))
        if self.limits.max_length <= around:
            raise ConfigError(
                f"max_length must be in [{around + 1}, {self.max_positions}] for texts by "
                f"themselves, got {self.limits.max_length}"
            )
        return self.limits.max_length - around

    def tokens(self, text: str) -> Tokens:
        """`text` alone, without special tokens; lone surrogates are read as U+FFFD."""
        return encoded(self.tokenizer, text)

    def known(self, text: str) -> NDArray[np.int32]:
        """Characters [start, end) of each token of a text that stands for known ones, (T, 2)."""
        tokens = self.tokens(text)
        known: NDArray[np.int32] = tokens.offsets[tokens.ids != self._unknown_id]
        return known

    @cached_property
    def _unknown_id(self) -> int:
        """Id of the token that stands for unknown characters, or -1."""
        name = getattr(self.tokenizer.model, "unk_token", None)
        if name is not None:
            found = self.tokenizer.token_to_id(name)
            return -1 if found is None else int(found)
        if isinstance(self.tokenizer.model, Unigram):  # it has one, but does not tell
            return int(self.tokens(_UNSEEN).ids[-1])
        return -1

    def frame_of(self, example: Example) -> Frame:
        """The tokens around question and context of an example; their number never changes."""
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
        """The windows of each example, in order; none for a context without tokens.

        Args:
            examples: in any order; a text that many share is encoded once.
            limits: how contexts are cut; None for the featurizer's own.

        Raises:
            ConfigError: if the limits make no sense for this reader or a question.
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

        The longest question says how much room there is.

        Args:
            group: examples with one context.
            limits: as in `windows`, and so are the errors.

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
        """The limits, or the featurizer's own, as far as the reader takes them."""
        limits = self.limits if limits is None else self.within(limits)
        least = self.frame.size + LEAST_CONTEXT + 1
        if limits.max_length < least:
            raise ConfigError(
                f"max_length must be in [{least}, {self.max_positions}] for this reader, "
                f"got {limits.max_length}"
            )
        return limits

    def _room(self, example: Example, question: NDArray[np.int32], max_length: int) -> int:
        """Context tokens that fit beside a question."""
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
        """The window over the context tokens from `first` up to, not including, `end`."""
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

    def inputs(self, window: Window) -> dict[str, IntArray]:
        """The arrays that an exported reader takes for a window, each (1, L)."""
        return self.pad([window])._asdict()


def _cuts(tokens: int, room: int, limits: Limits) -> Iterator[tuple[int, int]]:
    """First token, and the one after the last, of each window; together they cover all tokens."""
    step = limits.step_in(room) if tokens > room else room
    for first in range(0, tokens, step):
        end = min(first + room, tokens)
        yield first, end
        if end == tokens:
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


def _round_a_text(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """The token ids that the tokenizer puts before and after a text by itself."""
    encoding = tokenizer.encode("a")
    is_text = [part == 0 for part in encoding.sequence_ids]
    first, last = is_text.index(True), len(is_text) - 1 - is_text[::-1].index(True)
    return encoding.ids[:first], encoding.ids[last + 1 :]
