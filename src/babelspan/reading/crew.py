"""A thread pool that schedules windows of many requests fairly.

A long text does not delay short questions. Each request has a `Turn`, a queue of windows. Threads
serve the queues round-robin, one window at a time. The first window of a new request takes
precedence, but never twice in a row while others wait: a question with one window is read almost at
once, and a flood of such questions leaves half of the threads to the others.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from typing import Any, Self, TypeVar, cast

from babelspan.seams import Engine, Logits, Window

R = TypeVar("R")

_NEWEST = 0.05
"""Weight of the latest window in the exponential moving average of the time per window."""
_Piece = tuple["Future[Any]", Window, Callable[[Window, Logits], Any]]


class Crew:
    """A pool of threads for one engine, shared by all requests. Close it when they are done.

    Windows are read one by one, so that on the CPU an answer does not depend on what else is read
    (on a GPU it may differ in the last bits from that of `Engine.read`, which reads in batches).

    Args:
        engine: the reader.
        workers: number of threads, each reading one window at a time; None for the number of
            windows that the engine reads in parallel.
        spare: number of additional threads that read only first windows of new requests, while all
            workers read later windows. Such a window shares the cores instead of waiting.
    """

    def __init__(self, engine: Engine, *, workers: int | None = None, spare: int = 0) -> None:
        self.engine = engine
        self.workers = engine.workers if workers is None else workers
        if self.workers < 1:
            raise ValueError(f"workers must be 1 or more, got {self.workers}")
        self._new: deque[Turn] = deque()
        self._round: deque[Turn] = deque()
        self._was_new = False
        self._waiting = 0
        self._at_later = 0  # threads that are reading a window other than a first one
        self.begun = 0
        """Number of windows started since the crew was created."""
        self.seconds = 0.0
        """Exponential moving average of the time per window, in seconds."""
        self._closed = False
        lock = threading.Lock()
        self._changed = threading.Condition(lock)
        self._spare_wanted = threading.Condition(lock)
        self._threads = [
            threading.Thread(
                target=self._work,
                args=(number >= self.workers,),
                name=f"crew-{number}",
                daemon=True,
            )
            for number in range(self.workers + spare)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Number of windows in the queues."""
        return self._waiting

    @property
    def turns(self) -> int:
        """Number of requests with windows in the queues."""
        with self._changed:
            return sum(bool(turn.pieces) for lane in (self._new, self._round) for turn in lane)

    def turn(self) -> "Turn":
        """A queue for a new request."""
        return Turn(self)

    def read(self, windows: Sequence[Any]) -> Generator[Logits, None, None]:
        """Like `Engine.read`, scheduled with other requests; closing the generator cancels it."""
        turn = self.turn()
        results = _results(turn, [turn.read(window, _logits) for window in windows])
        next(results)  # from here on, closing the generator ends the turn
        return cast(Generator[Logits, None, None], results)

    def close(self) -> None:
        """Cancel queued windows, and wait for those being read."""
        with self._changed:
            self._closed = True
            turns = [*self._new, *self._round]
            self._changed.notify_all()
            self._spare_wanted.notify_all()
        for turn in turns:
            turn.leave()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _line_up(self, turn: "Turn", piece: _Piece) -> None:
        with self._changed:
            if self._closed:
                raise RuntimeError("the crew is closed: it reads no more windows")
            turn.pieces.append(piece)
            self._waiting += 1
            if not turn.stands_in_line:
                (self._new if turn.is_new else self._round).append(turn)
                turn.stands_in_line = True
            self._changed.notify()
            self._call_spare()

    def _drop(self, turn: "Turn", unwanted: "set[Future[Any]] | None") -> list[_Piece]:
        with self._changed:
            dropped = [p for p in turn.pieces if unwanted is None or p[0] in unwanted]
            kept = [p for p in turn.pieces if unwanted is not None and p[0] not in unwanted]
            turn.pieces = deque(kept)
            self._waiting -= len(dropped)
        return dropped

    def _work(self, is_spare: bool) -> None:
        while (taken := self._take(is_spare)) is not None:
            piece, is_first = taken
            self._read(*piece)
            del taken, piece  # so that a waiting thread keeps no reference to the last request
            if not is_first:
                with self._changed:
                    self._at_later -= 1

    def _read(
        self, future: "Future[Any]", window: Window, then: Callable[[Window, Logits], Any]
    ) -> None:
        """Read a window, unless it has been cancelled."""
        if not future.set_running_or_notify_cancel():
            return
        try:
            began = time.perf_counter()
            (logits,) = self.engine.read([window])
            result = then(window, logits)
            taken = time.perf_counter() - began
            self.seconds += (taken - self.seconds) * (_NEWEST if self.seconds else 1)
            future.set_result(result)
        except BaseException as error:  # it fails the request, not the thread
            future.set_exception(error)

    def _take(self, is_spare: bool) -> tuple[_Piece, bool] | None:
        """Wait for the next window; returns it and whether it is the first of its turn.

        Returns None when the crew is closed.
        """
        with self._changed:
            while (turn := self._of_spare() if is_spare else self._whose_turn()) is None:
                if self._closed:
                    return None
                (self._spare_wanted if is_spare else self._changed).wait()
            is_first, turn.is_new = turn.is_new, False
            self._waiting -= 1
            self.begun += 1
            piece = turn.pieces.popleft()
            turn.stands_in_line = bool(turn.pieces)
            if turn.pieces:
                self._round.append(turn)
            if not is_first:
                self._at_later += 1
                self._call_spare()
            return piece, is_first

    def _call_spare(self) -> None:
        """Wake a spare thread if there is a window that it may read."""
        if self._new and self._at_later >= self.workers:
            self._spare_wanted.notify()

    def _of_spare(self) -> "Turn | None":
        """Remove and return the next new turn, if a spare thread may start it."""
        return self._next_of(self._new) if self._at_later >= self.workers else None

    def _whose_turn(self) -> "Turn | None":
        """Remove and return the turn that is due; cancelled turns are skipped."""
        lanes = (self._round, self._new) if self._was_new else (self._new, self._round)
        for lane in lanes:
            if (turn := self._next_of(lane)) is not None:
                self._was_new = lane is self._new
                return turn
        return None

    def _next_of(self, lane: "deque[Turn]") -> "Turn | None":
        """Remove and return the first turn of a lane that has windows to read."""
        while lane:
            turn = lane.popleft()
            if turn.pieces:
                return turn
            turn.stands_in_line = False
        return None


class Turn:
    """The queue of windows of one request; created by `Crew.turn`."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self.pieces: deque[_Piece] = deque()
        self.is_new = True
        self.stands_in_line = False

    def read(self, window: Any, then: Callable[[Any, Logits], R]) -> "Future[R]":
        """Queue a window; the result is `then(window, logits)`, called in the reading thread.

        Raises:
            RuntimeError: if the crew is closed.
        """
        future: Future[R] = Future()
        self._crew._line_up(self, (future, window, then))
        return future

    def drop(self, futures: "Iterable[Future[Any]]") -> None:
        """Cancel those of these windows that are still queued."""
        for future, *_ in self._crew._drop(self, set(futures)):
            future.cancel()

    def leave(self) -> None:
        """Cancel all queued windows. More can be queued later."""
        for future, *_ in self._crew._drop(self, None):
            future.cancel()


def _logits(_: Window, logits: Logits) -> Logits:
    return logits


def _results(turn: Turn, begun: "Sequence[Future[Logits]]") -> Generator[Logits | None, None, None]:
    """Yield None, then the results in order."""
    try:
        yield None
        for future in begun:
            yield future.result()
    finally:
        turn.leave()
