"""The order of training: the items of each update, a pure function of seed and epoch.

Items (windows, pairs of windows, sentence pairs, …) are shuffled, split into pools, sorted by
length within a pool and split into joint batches, which are shuffled again: there is little padding
and the order is still random. The joint batch of an update is divided into shares, one for each
process and micro-batch; each share is weighted by its number of items, so the sum of their
gradients is the gradient of the joint batch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from babelspan.training.run import Run
from babelspan.types import ConfigError, DataError

_POOL = 64
"""Joint batches in a pool that is sorted by length."""

Indices = NDArray[np.int64]


class Moved(Protocol):
    """A batch, the argument of a step: tensors that are moved to a device together."""

    @property
    def tokens(self) -> int:
        """Number of tokens without padding, for the displayed speed."""

    def to(self, device: torch.device) -> Self:
        """A copy on a device."""


Item = TypeVar("Item")
B = TypeVar("B", bound=Moved)
C = TypeVar("C", bound=Moved)


@dataclass(frozen=True, slots=True, eq=False)
class Share(Generic[B]):
    """One process's part of a micro-batch; `weight` is its weight in the mean over the update."""

    batch: B
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How items are ordered and divided.

    Attributes:
        seed: seed of the order.
        batch_size: maximum windows per update.
        batch_tokens: maximum tokens per update, padding included; None for no limit. Whichever
            limit is reached first applies.
        epochs: passes over the items.
        updates: number of updates; None to derive it from `epochs`.
        accumulation: micro-batches per update.
        process: index of this process.
        processes: number of processes that share the updates.
        is_full: whether every update has `batch_size` windows; the last updates of an epoch are
            filled with items from its start, so all shares have the same weight.
    """

    seed: int
    batch_size: int
    batch_tokens: int | None = None
    epochs: int = 1
    updates: int | None = None
    accumulation: int = 1
    process: int = 0
    processes: int = 1
    is_full: bool = False

    @classmethod
    def of(cls, run: Run) -> "Order":
        """The order that a run's settings ask for."""
        config, place = run.config, run.place
        return cls(
            seed=config.seed,
            batch_size=config.batch_size,
            batch_tokens=config.batch_tokens,
            epochs=config.epochs,
            updates=config.updates,
            accumulation=config.accumulation,
            process=place.process,
            processes=place.processes,
        )

    @property
    def shares(self) -> int:
        """Number of shares per update."""
        return self.accumulation * self.processes


class Updates(Protocol[C]):
    """All updates of a stage."""

    updates: int
    """Number of updates."""

    def starting_at(self, update: int) -> Iterator[list[Share[C]]]:
        """The shares of this process in each update from number `update` on."""


class Source(Protocol[C]):
    """The source of the batches of a stage."""

    def in_order(self, order: Order) -> Updates[C]:
        """The updates; errors as in `Stream.in_order`."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Stream(Generic[Item, B]):
    """Training items, and the function that collates them into a batch.

    Attributes:
        items: the items; they may be on disk (`training.spool`).
        lengths: number of tokens of each item's longest part, (N,).
        collate: makes a batch from items. With a GPU it runs in a separate thread, so it must not
            draw numbers from PyTorch's random state.
        together: number of windows, or other parts, per item; each counts towards the batch size.
        texts: number of texts that are read for each part; they count towards the tokens of an
            update, not towards the batch size.
        unit: name of a part in messages.
    """

    items: Sequence[Item]
    lengths: Indices
    collate: Callable[[Sequence[Item]], B]
    together: int = 1
    texts: int = 1
    unit: str = "window"

    def in_order(self, order: Order) -> "StreamUpdates[Item, B]":
        """All updates of a stage.

        Raises:
            ConfigError: if an update would have fewer items than shares.
            DataError: if there are fewer items than shares.
        """
        return StreamUpdates(self, order)


class StreamUpdates(Generic[Item, B]):
    """The updates of a stream; see `Stream.in_order`."""

    def __init__(self, stream: Stream[Item, B], order: Order) -> None:
        _check(stream, order)
        self._stream = stream
        self._order = order
        self._size = order.batch_size // stream.together
        if order.is_full and self._size % order.shares:
            raise ConfigError(
                f"expected a batch_size that {order.processes} processes can share equally, got "
                f"{order.batch_size}, which is {self._size} times {stream.together} {stream.unit}s"
            )
        planned = [len(self._plan(e)) for e in range(order.epochs)] if not order.updates else []
        self.updates = order.updates or sum(planned)

    def starting_at(self, update: int) -> Iterator[list[Share[B]]]:
        """The shares of this process in each update from number `update` on."""
        number = 0
        epoch = 0
        while number < self.updates:
            for joint in self._plan(epoch)[: self.updates - number]:
                if number >= update:
                    yield self._shares(joint)
                number += 1
            epoch += 1

    def _plan(self, epoch: int) -> list[Indices]:
        """Indices of the items of each update of an epoch."""
        lengths, order = self._stream.lengths, self._order
        rng = np.random.default_rng([order.seed, epoch])
        shuffled = rng.permutation(len(lengths))
        pool = self._size * _POOL
        joint: list[Indices] = []
        for at in range(0, len(shuffled), pool):
            part = shuffled[at : at + pool]
            joint += self._cut(part[np.argsort(lengths[part], kind="stable")])
        least = self._size if order.is_full else order.shares
        return [_filled(joint[i], shuffled, least) for i in rng.permutation(len(joint))]

    def _cut(self, by_length: Indices) -> Iterator[Indices]:
        """Split items sorted by length into joint batches within both limits."""
        lengths, tokens = self._stream.lengths, self._order.batch_tokens
        first = 0
        for at in range(1, len(by_length) + 1):
            is_full = at - first == self._size or at == len(by_length)
            if not is_full and tokens is not None:
                texts = (at - first + 1) * self._stream.together * self._stream.texts
                is_full = texts * lengths[by_length[at]] > tokens
            if is_full:
                yield by_length[first:at]
                first = at

    def _shares(self, joint: Indices) -> list[Share[B]]:
        """This process's micro-batches of a joint batch; every share gets items of all lengths."""
        order = self._order
        mine = [
            joint[order.process * order.accumulation + m :: order.shares]
            for m in range(order.accumulation)
        ]
        return [
            Share(
                self._stream.collate([self._stream.items[int(i)] for i in part]),
                len(part) * order.processes / len(joint),
            )
            for part in mine
        ]


def _check(stream: Stream[Any, Any], order: Order) -> None:
    together = stream.together
    least = order.shares * together
    each = f"one {stream.unit}" if together == 1 else f"{together} {stream.unit}s"
    if order.batch_size < least:
        raise ConfigError(
            f"batch_size must be at least {least}, {each} for each process and "
            f"micro-batch, got {order.batch_size}"
        )
    if len(stream.items) * together < least:
        raise DataError(
            f"expected at least {least} {stream.unit}s to learn from, {each} for each process and "
            f"micro-batch, got {len(stream.items) * together}"
        )


def _filled(joint: Indices, others: Indices, least: int) -> Indices:
    """Fill `joint` up to `least` items with the first items of the epoch, repeated if needed."""
    missing = max(0, least - len(joint))
    return np.concatenate([joint, np.resize(others, missing)]) if missing else joint


@dataclass(frozen=True, slots=True, eq=False)
class Several(Generic[B, C]):
    """One batch of one stream and several of another: the argument of a step over `both`."""

    one: B
    others: tuple[C, ...]

    @property
    def tokens(self) -> int:
        """Number of tokens of all batches."""
        return self.one.tokens + sum(batch.tokens for batch in self.others)

    def to(self, device: torch.device) -> "Several[B, C]":
        """A copy on a device."""
        return Several(self.one.to(device), tuple(batch.to(device) for batch in self.others))


@dataclass(frozen=True, slots=True, eq=False)
class Both(Generic[B, C]):
    """The source returned by `both`."""

    one: Source[B]
    other: Source[C]
    times: int

    def in_order(self, order: Order) -> "BothUpdates[B, C]":
        """The updates, as many as the first source has.

        Raises:
            ConfigError: with gradient accumulation, a token limit, or shares of unequal size.
            DataError: if one of the sources has too few items.
        """
        if order.accumulation != 1 or order.batch_tokens is not None:
            raise ConfigError(
                "this method reads two streams, which needs accumulation = 1 and no batch_tokens, "
                f"got {order.accumulation} and {order.batch_tokens}"
            )
        return BothUpdates(self, replace(order, is_full=True))


class BothUpdates(Generic[B, C]):
    """The updates of two sources read in parallel; see `Both.in_order`."""

    def __init__(self, both: Both[B, C], order: Order) -> None:
        self._times = both.times
        self._one = both.one.in_order(order)
        self.updates = self._one.updates
        self._other = both.other.in_order(
            replace(order, seed=2 * order.seed + 1, updates=self.updates * both.times)
        )

    def starting_at(self, update: int) -> Iterator[list[Share[Several[B, C]]]]:
        """The shares of this process in each update from number `update` on."""
        others = self._other.starting_at(update * self._times)
        for (share,) in self._one.starting_at(update):
            read = [of_other.batch for (of_other,) in islice(others, self._times)]
            yield [Share(Several(share.batch, tuple(read)), share.weight)]


def both(one: Source[B], other: Source[C], *, times: int = 1) -> Both[B, C]:
    """Combine two sources: each step gets one batch of one and `times` batches of the other.

    For example, a discriminator may get k batches for each batch of the reader. All batches are
    full, so those of all processes have the same weight.
    """
    if times < 1:
        raise ValueError(f"times must be 1 or more, got {times}")
    return Both(one, other, times)
