"""Prefetch the next batches while the device is busy."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

T = TypeVar("T")

_DEPTH = 2
"""Maximum number of updates whose batches are prefetched."""


@contextmanager
def ahead(items: Iterator[T], device: torch.device) -> Iterator[Iterator[T]]:
    """Iterate over the items; on a GPU they are made in a separate thread.

    Making items draws no random numbers from PyTorch, so thread scheduling does not affect
    training. On the CPU, whose cores are busy with the network, items are made on request.
    """
    if device.type == "cpu":
        yield items
        return
    with in_a_thread(items) as made:
        yield made


@contextmanager
def in_a_thread(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """Iterate over the items, made by a thread that is two ahead and ends with the block."""
    waiting: queue.Queue[Any] = queue.Queue(_DEPTH)
    over = threading.Event()

    def put(item: Any) -> None:
        while not over.is_set():
            try:
                waiting.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def make() -> None:
        try:
            for item in items:
                put((item, None))
                if over.is_set():
                    return
            put((None, StopIteration()))
        except BaseException as error:
            put((None, error))

    thread = threading.Thread(target=make, name="batches", daemon=True)
    thread.start()
    try:
        yield _taken(waiting)
    finally:
        over.set()
        thread.join()


def _taken(waiting: "queue.Queue[Any]") -> Iterator[Any]:
    while True:
        item, error = waiting.get()
        if isinstance(error, StopIteration):
            return
        if error is not None:
            raise error
        yield item
