"""Who is let in: by what a request costs, in windows, bytes and time."""

import asyncio
import math
import time
from collections import OrderedDict

from babelspan.reading.crew import Crew
from babelspan.service.problems import Problem
from babelspan.service.settings import MIB, Settings

_CLIENTS = 10_000
"""Clients whose rates are remembered."""
_LOOK_EVERY = 0.05
"""Seconds between two looks for room."""
_EXPECTED = 0.7
"""Share of its time that a request may be expected to take.

Not all windows take as long, and what is between two of them is not in the time of a window.
"""


class Admission:
    """The queue's limits. Belongs to the thread of the event loop.

    Args:
        settings: the limits.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held = 0
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self.is_draining = False

    def refuse_while_draining(self) -> None:
        """See that the service is not about to stop.

        Raises:
            Problem: 503 if it is.
        """
        if self.is_draining:
            raise Problem(503, "the service is stopping; ask again in a while", retry_after=5)

    def hold(self, size: int) -> None:
        """Count bytes of a body that a request holds from now on.

        Raises:
            Problem: 503 if all requests together hold too many.
        """
        if self._held + size > self._settings.queue_mib * MIB:
            raise Problem(503, "too many texts are waiting; ask again in a while", retry_after=1)
        self._held += size

    def release(self, size: int) -> None:
        """Count them no longer."""
        self._held -= size

    def admit(self, windows: int, crew: Crew, *, within: float, partial: bool) -> None:
        """Let windows join those that wait for a crew.

        Args:
            windows: of one request.
            crew: of its reader.
            within: seconds that it may still take.
            partial: whether a part of the answer will do.

        Raises:
            Problem: 422 if even a crew of its own could not read them in time; 503 if the queue is
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
                f"{others:,} windows are waiting, too many to be answered in time; ask again later",
                retry_after=max(1, math.ceil(half)),
            )

    async def wait_for_room(self, windows: int, crew: Crew) -> None:
        """Return when windows of a batch may join those that wait for a crew.

        Raises:
            Problem: 422 if they never may.
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
        """Take windows from what a client may have read in a minute (a token bucket).

        Raises:
            Problem: 429 if they are more than it has left; more than a minute's worth is let
                through when the bucket is full.
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
                f"at most {rate:,} windows a minute for a client; ask again in {wait} s",
                retry_after=wait,
            )
