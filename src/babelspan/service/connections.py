"""Connection limits that uvicorn lacks.

They cover the number of connections, the time to send headers, and the time to accept the response.
"""

import asyncio
import json
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from babelspan.service.answering import Service
from babelspan.service.problems import MEDIA_TYPE, Problem

LOST = "connection lost"
"""Key in a request's state: an event that is set when its connection is lost."""


class Limited(H11Protocol):
    """A connection to `service`; see `limited`."""

    service: ClassVar[Service]
    _patience: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Accept the connection, unless there are too many, and start the timeout for headers."""
        super().connection_made(transport)
        self._lost = asyncio.Event()
        self.app_state = {**self.app_state, LOST: self._lost}
        if len(self.connections) > self.service.settings.connections:
            self.service.metrics.refused.labels("connections").inc()
            self._refuse(Problem(503, "too many connections; ask again", retry_after=1))
            return
        self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        """Process bytes; the first bytes of the next request restart the timeout for headers."""
        is_between = self.cycle is None or self.cycle.response_complete
        if self._patience is None and is_between:
            self._wait_for_headers()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_longer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Set the `LOST` event, so that handlers notice even if they are not reading the body."""
        self._lost.set()
        self._wait_no_longer()
        self._watch_no_longer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Pause until the client has read what was written; abort if it reads nothing in time."""
        super().pause_writing()
        self._watch(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Resume: the client has read most of it."""
        super().resume_writing()
        self._watch_no_longer()

    def _watch(self, left: int) -> None:
        idle = self.service.settings.idle_seconds
        self._taking = self.loop.call_later(idle, self._see_that_it_takes, left)

    def _watch_no_longer(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _see_that_it_takes(self, left: int) -> None:
        now = self.transport.get_write_buffer_size()
        if now >= left:
            self.transport.abort()
        else:
            self._watch(now)

    def send_400_response(self, msg: str) -> None:
        """Answer in our own format that this is not HTTP."""
        self._refuse(Problem(400, "not an HTTP/1.1 request, or its headers are too long"))

    def _refuse(self, problem: Problem) -> None:
        self.transport.write(_raw(problem))
        self.transport.close()

    def _wait_for_headers(self) -> None:
        seconds = self.service.settings.header_seconds
        self._patience = self.loop.call_later(seconds, self.transport.close)

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def limited(service: Service) -> type[asyncio.Protocol]:
    """Return the protocol class for the connections of one service, for uvicorn."""
    return type("Limited", (Limited,), {"service": service})


def _raw(problem: Problem) -> bytes:
    """Return a problem as bytes of an HTTP response, for use outside of a request."""
    body = json.dumps(problem.body()).encode()
    retry = "" if problem.retry_after is None else f"retry-after: {problem.retry_after}\r\n"
    head = (
        f"HTTP/1.1 {problem.status} {problem.body()['title']}\r\ncontent-type: {MEDIA_TYPE}\r\n"
        f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
    )
    return head.encode() + body
