"""The order of training: which windows make up which update, a pure function of seed and epoch.

Windows, or groups of windows that stay together, are shuffled, cut into pools, sorted by length
within a pool and cut into joint batches, so that little is padded and the order still is random. An
update is shared out over processes and micro-batches; every share is weighted by its windows, so
that the sum of their gradients is the gradient of the joint batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from babelspan.networks.reader import Batch, Reader
from babelspan.reading.windows import Window
from babelspan.types import ConfigError, DataError

_POOL = 64
"""Joint batches in a pool that is sorted by length."""

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """One process's part of one micro-batch; `weight` is its part of the mean over the update."""

    batch: Batch
    weight: float


class Batches:
    """All updates of a stage of training.

    Args:
        reader: collates the windows.
        windows: what is learnt from.
        together: how many windows in a row are a group, which stays side by side in one share; the
            windows make whole groups.
        seed: of the order.
        batch_size: windows of an update, at most.
        batch_tokens: tokens of an update, padding included; None for no limit. An update ends at
            whichever of the two comes first.
        epochs: passes over the windows.
        updates: how many updates; None for as many as the epochs give.
        accumulation: micro-batches of an update.
        process: index of this process.
        processes: how many processes share the updates.

    Raises:
        ConfigError: if an update is to have fewer windows than shares.
        DataError: if there are fewer windows than shares.
    """

    def __init__(
        self,
        reader: Reader,
        windows: Sequence[Window],
        *,
        together: int = 1,
        seed: int,
        batch_size: int,
        batch_tokens: int | None = None,
        epochs: int = 1,
        updates: int | None = None,
        accumulation: int = 1,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        least = accumulation * processes * together
        each = "one window" if together == 1 else f"{together} windows"
        if batch_size < least:
            raise ConfigError(
                f"batch_size must be at least {least}, {each} for each process and "
                f"micro-batch, got {batch_size}"
            )
        if len(windows) < least:
            raise DataError(
                f"expected at least {least} windows to learn from, {each} for each process and "
                f"micro-batch, got {len(windows)}"
            )
        self.windows = windows
        self._reader = reader
        self._together = together
        self._lengths = np.array([w.length for w in windows]).reshape(-1, together).max(axis=1)
        self._seed = seed
        self._size = batch_size // together
        self._tokens = batch_tokens
        self._accumulation = accumulation
        self._process = process
        self._processes = processes
        per_epoch = [len(self._plan(epoch)) for epoch in range(epochs)] if updates is None else []
        self.updates = sum(per_epoch) if updates is None else updates

    def starting_at(self, update: int) -> Iterator[list[Share]]:
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
        """Which groups of windows make up each update of an epoch."""
        rng = np.random.default_rng([self._seed, epoch])
        shuffled = rng.permutation(len(self._lengths))
        pool = self._size * _POOL
        joint: list[Indices] = []
        for at in range(0, len(shuffled), pool):
            part = shuffled[at : at + pool]
            joint += self._cut(part[np.argsort(self._lengths[part], kind="stable")])
        least = self._accumulation * self._processes
        return [self._filled(joint[i], shuffled, least) for i in rng.permutation(len(joint))]

    def _cut(self, by_length: Indices) -> Iterator[Indices]:
        """Groups in order of length as joint batches within both limits."""
        first = 0
        for at in range(1, len(by_length) + 1):
            is_full = at - first == self._size or at == len(by_length)
            if not is_full and self._tokens is not None:
                windows = (at - first + 1) * self._together
                is_full = windows * self._lengths[by_length[at]] > self._tokens
            if is_full:
                yield by_length[first:at]
                first = at

    @staticmethod
    def _filled(joint: Indices, others: Indices, least: int) -> Indices:
        """`joint`, with groups from the start of the epoch where some share would be empty."""
        return np.concatenate([joint, others[: max(0, least - len(joint))]])

    def _shares(self, joint: Indices) -> list[Share]:
        """This process's micro-batches of a joint batch; every share has groups of all lengths."""
        parts = self._accumulation * self._processes
        mine = [
            joint[self._process * self._accumulation + m :: parts]
            for m in range(self._accumulation)
        ]
        return [
            Share(
                self._reader.collate([window for i in part for window in self._group(i)]),
                len(part) * self._processes / len(joint),
            )
            for part in mine
        ]

    def _group(self, index: int) -> Sequence[Window]:
        """Windows that stay together."""
        return self.windows[index * self._together : (index + 1) * self._together]
