"""Admission control: a request is accepted or refused by its cost in windows, bytes and time."""

import asyncio
import math
import time
from collections import OrderedDict

from babelspan.reading.crew import Crew
from babelspan.service.problems import Problem
from babelspan.service.settings import MIB, Settings

_CLIENTS = 10_000
"""Maximum number of clients whose rates are remembered."""
_LOOK_EVERY = 0.05
"""Seconds between two checks for free space in the queue."""
_EXPECTED = 0.7
"""Largest share of its time limit that a request may be expected to take.

The rest is a reserve: some windows take longer, and there is work between windows.
"""


class Admission:
    """The limits of the queue. Use it only in the thread of the event loop.

    Args:
        settings: the limits.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held = 0
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self.is_draining = False

    def refuse_while_draining(self) -> None:
        """Check that the service is not shutting down.

        Raises:
            Problem: 503 if it is shutting down.
        """
        if self.is_draining:
            raise Problem(503, "the service is stopping; try again later", retry_after=5)

    def hold(self, size: int) -> None:
        """Add `size` bytes to the memory held by requests.

        Raises:
            Problem: 503 if all requests together would hold too much.
        """
        if self._held + size > self._settings.queue_mib * MIB:
            raise Problem(503, "too many texts are waiting; try again later", retry_after=1)
        self._held += size

    def release(self, size: int) -> None:
        """Subtract `size` bytes from the memory held by requests."""
        self._held -= size

    def admit(self, windows: int, crew: Crew, *, within: float, partial: bool) -> None:
        """Check that the windows of a request may join the queue.

        Args:
            windows: number of windows of the request.
            crew: crew of its reader.
            within: seconds left for the request.
            partial: whether a partial answer is acceptable.

        Raises:
            Problem: 422 if it would take too long even with an empty queue; 503 if the queue is
                too long.
        """
        self._refuse_more_than_all(windows)
        alone = windows * crew.seconds / crew.workers
        if alone > within and not partial:
            raise Problem(
                422,
                f"texts of {windows:,} windows take about {math.ceil(alone)} s, more than `within` "
                f"({within:.3g} s); raise it, set `partial`, or send less text",
            )
        others = crew.waiting
        takes_turns = windows * (crew.turns + 1) * crew.seconds / crew.workers
        expected = min(takes_turns, alone + others * crew.seconds / crew.workers)
        if others + windows > self._settings.queue_windows or (
            expected > _EXPECTED * within and not partial
        ):
            half = others * crew.seconds / crew.workers / 2
            raise Problem(
                503,
                f"{others:,} windows are waiting, too many to answer in time; try again later",
                retry_after=max(1, math.ceil(half)),
            )

    async def wait_for_room(self, windows: int, crew: Crew) -> None:
        """Wait until the windows of a batch may join the queue.

        Raises:
            Problem: 422 if they exceed the size of the queue.
        """
        self._refuse_more_than_all(windows)
        while crew.waiting + windows > self._settings.queue_windows:
            await asyncio.sleep(_LOOK_EVERY)

    def _refuse_more_than_all(self, windows: int) -> None:
        most = self._settings.queue_windows
        if windows > most:
            do = "send less text at once"
            raise Problem(422, f"texts of at most {most:,} windows", found=f"{windows:,}", do=do)

    def charge(self, client: str, windows: int) -> None:
        """Subtract windows from the client's limit per minute (a token bucket).

        Raises:
            Problem: 429 if the client has too few left. A request above the limit of a minute
                is accepted if the bucket is full.
        """
        rate = self._settings.rate
        if rate is None:
            return
        now = time.monotonic()
        left, then = self._left.pop(client, (float(rate), now))
        left = min(float(rate), left + (now - then) * rate / 60)
        is_enough = left >= min(windows, rate)
        self._left[client] = (left - windows if is_enough else left, now)
        if len(self._left) > _CLIENTS:
            self._left.popitem(last=False)
        if not is_enough:
            wait = math.ceil((min(windows, rate) - left) * 60 / rate)
            raise Problem(
                429,
                f"at most {rate:,} windows per minute and client; try again in {wait} s",
                retry_after=wait,
            )
