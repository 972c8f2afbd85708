"""The windows of one request, read by a crew and awaited in the event loop."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

from babelspan.reading.crew import Turn
from babelspan.reading.decode import Candidates
from babelspan.seams import Window
from babelspan.service.cut import Job


class Reading:
    """The reading of one request, in the running event loop. Cancel it if no longer needed.

    Args:
        job: what to read.
        windows: windows of the job, each with the number of its example.
        turn: the client's place in the crew.
    """

    def __init__(self, job: Job, windows: list[tuple[int, Window]], turn: Turn) -> None:
        self.of = len(windows)
        self.done = 0
        self._turn = turn
        self._numbers = [number for number, _ in windows]
        self._found: list[Candidates | None] = [None] * self.of
        self._examples = len(job.examples)
        self._error: BaseException | None = None
        self._changed = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._futures = [turn.read(window, job.look) for _, window in windows]
        for place, future in enumerate(self._futures):
            future.add_done_callback(partial(self._tell, loop, place))

    async def steps(self) -> AsyncIterator[int]:
        """Yield the number of windows read so far, whenever it has grown.

        Raises any error of reading a window.
        """
        while self.done < self.of:
            await self._changed.wait()
            self._changed.clear()
            if self._error is not None:
                raise self._error
            yield self.done

    def found(self) -> list[list[Candidates]]:
        """Return the candidates found so far for each example, in window order."""
        found: list[list[Candidates]] = [[] for _ in range(self._examples)]
        for number, candidates in zip(self._numbers, self._found, strict=True):
            if candidates is not None:
                found[number].append(candidates)
        return found

    def cancel(self) -> None:
        """Remove windows that are not yet started from the queue."""
        if self.done < self.of:
            self._turn.drop(self._futures)
        self._futures.clear()  # they refer to this object

    def _tell(
        self, loop: asyncio.AbstractEventLoop, place: int, future: "Future[Candidates]"
    ) -> None:
        if not future.cancelled():
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(self._take, place, future)

    def _take(self, place: int, future: "Future[Candidates]") -> None:
        self._error = self._error or future.exception()
        if self._error is None:
            self._found[place] = future.result()
            self.done += 1
        self._changed.set()
