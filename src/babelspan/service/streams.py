"""Answers sent in parts: an event stream for one question, JSON lines for many."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from babelspan.reading.crew import Crew, Turn
from babelspan.service.answering import Progress, Service
from babelspan.service.bodies import Hold, chunks, too_large
from babelspan.service.connections import LOST
from babelspan.service.logs import problem_of
from babelspan.service.problems import Problem
from babelspan.service.schema import AnswerRequest, BatchLine, built
from babelspan.service.settings import MIB

EVENTS = "text/event-stream"
LINES = "application/x-ndjson"
_TELL_EVERY = 0.25
_PROVISIONAL_AFTER = 1.0
_LINES_AHEAD = 4
"""Lines of a batch that are answered in advance, in addition to one per worker."""

_Lines = asyncio.Queue[asyncio.Task[bytes] | None]

T = TypeVar("T")
Post = Callable[[bytes], Awaitable[None]]


async def client_left(receive: Receive) -> None:
    """Wait until the client disconnects; the body must have been read.

    Raises:
        ClientDisconnect: when it has disconnected.
    """
    while (await receive())["type"] != "http.disconnect":
        pass
    raise ClientDisconnect


async def unless(watch: Coroutine[Any, Any, None], work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`; if `watch` raises (it never returns), cancel `work`."""
    error: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch)
            try:
                return await work
            except Exception as failed:  # kept from the group, whose frames and errors refer to it
                error = failed
            finally:
                watching.cancel()
    except BaseExceptionGroup as errors:
        error = errors.exceptions[0]
    assert error is not None
    try:
        raise error
    finally:
        del error


class EventStream(Response):
    """Answer to one question: events `progress`, `answers` (provisional), and `done` or `error`."""

    def __init__(self, service: Service, request: AnswerRequest, client: str) -> None:
        self._service, self._request, self._client = service, request, client
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream (the ASGI interface)."""
        await _start(send, EVENTS)
        await unless(client_left(receive), self._send_events(_poster(send)))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_events(self, post: Post) -> None:
        began = told = provisional = time.monotonic()

        async def tell(progress: Progress) -> None:
            nonlocal told, provisional
            now = time.monotonic()
            if now - told >= _TELL_EVERY:
                told = now
                await post(_event("progress", {"windows": progress.done, "of": progress.of}))
            if now - began >= _PROVISIONAL_AFTER <= now - provisional:
                provisional = now
                await post(_event("answers", await progress.provisional()))

        try:
            answer = await self._service.answer(self._request, self._client, told=tell)
            await post(_event("done", answer))
        except (ClientDisconnect, ConnectionError):
            raise
        except Exception as error:  # the status is already sent, so send an event
            await post(_event("error", problem_of(error).body()))


class Batch(Response):
    """Many questions, one per line, answered in order; a line is read when there is room.

    Args:
        service: answers the questions.
        request: its body has the lines.
        client: name of the client.
    """

    def __init__(self, service: Service, request: Request, client: str) -> None:
        self._service, self._request, self._client = service, request, client
        self.background = None
        self._hold: Hold = request.scope["state"]["hold"]
        self._turns: dict[Crew, Turn] = {}
        self._tasks: set[asyncio.Task[bytes]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answers (the ASGI interface)."""
        ahead = _LINES_AHEAD + max(reader.crew.workers for reader in self._service.readers)
        under_way: _Lines = asyncio.Queue(ahead)
        await _start(send, LINES)
        try:
            giving = self._give(under_way, _poster(send))
            await unless(self._take(under_way, receive), unless(_lost(scope), giving))
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for turn in self._turns.values():
                turn.leave()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _take(self, under_way: _Lines, receive: Receive) -> None:
        """Start answering lines, up to the limit; then wait for the client to disconnect."""
        number = 0
        try:
            async for line in self._lines():
                number += 1
                await under_way.put(self._begun(self._answer(line, number)))
        except Problem as problem:
            await under_way.put(self._begun(_told(problem)))
        await under_way.put(None)
        await client_left(receive)

    def _begun(self, answer: Coroutine[Any, Any, bytes]) -> asyncio.Task[bytes]:
        task = asyncio.create_task(answer)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _give(self, under_way: _Lines, post: Post) -> None:
        while (task := await under_way.get()) is not None:
            await post(await task)

    async def _lines(self) -> AsyncIterator[bytes]:
        settings = self._service.settings
        largest = settings.body_mib * MIB
        begun = bytearray()
        async for chunk in chunks(self._request, idle=settings.idle_seconds):
            self._hold(len(chunk))
            begun += chunk
            if b"\n" in chunk:
                *whole, begun = begun.split(b"\n")
                for line in whole:
                    if line.strip():
                        yield bytes(line)
                    self._hold(-len(line) - 1)
            if len(begun) > largest:
                raise too_large(largest, "more in one line")
        if begun.strip():
            yield bytes(begun)

    async def _answer(self, line: bytes, number: int) -> bytes:
        identity: Any = None
        service = self._service
        held = 0
        try:
            self._hold(len(line))
            held = len(line)
            value = await service.parsed(line, f"line {number}")
            identity = value.get("id") if isinstance(value, dict) else None
            request = built(BatchLine, value, f"line {number}")
            answer = await service.answer(request, self._client, turns=self._turns)
        except Exception as error:  # it ends only its own line
            return _line({"id": identity, "error": problem_of(error).body()})
        finally:
            self._hold(-held)
        return _line({"id": identity, **answer})


async def _lost(scope: Scope) -> None:
    """Wait until the connection is lost, even if part of the body is unread."""
    await scope["state"].get(LOST, asyncio.Event()).wait()
    raise ClientDisconnect


async def _told(problem: Problem) -> bytes:
    return _line({"id": None, "error": problem.body()})


async def _start(send: Send, kind: str) -> None:
    headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


def _poster(send: Send) -> Post:
    async def post(part: bytes) -> None:
        await send({"type": "http.response.body", "body": part, "more_body": True})

    return post


def _event(name: str, value: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n".encode()


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"
