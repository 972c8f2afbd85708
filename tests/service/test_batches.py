"""Lines of a batch: how they are put together from chunks, and what one without room ends."""

import asyncio
import json
import tracemalloc

from starlette.requests import Request
from test_limits import LINES, body_of

from babelspan.service.streams import Batch
from served import TEXT


def test_a_line_without_room_ends_no_other_line(served, monkeypatch):
    lines = [body_of(TEXT), body_of(TEXT * 2), body_of(TEXT)]
    hold, released = served.service.admission.hold, []

    def has_no_room_for_the_second(size):
        hold(2**40 if size == len(lines[1]) else size)
        released.append(-size)

    monkeypatch.setattr(served.service.admission, "hold", has_no_room_for_the_second)
    content = served.call("POST", "/v1/batch", b"\n".join(lines), **LINES)[2]
    first, second, third = map(json.loads, content.splitlines())
    assert first["answers"] and third["answers"]
    assert second["error"]["status"] == 503
    assert "too many texts are waiting" in second["error"]["detail"]
    assert len(lines[0]) in released and len(lines[1]) not in released


def test_a_line_comes_in_many_chunks_and_is_in_memory_once(served, monkeypatch):
    chunk, count = b"x" * 2**16, 64
    peaks = []

    async def chunks(request, *, idle):
        tracemalloc.start()
        for _ in range(count):
            yield chunk
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        for last in (b"\n", b"\n \ny", b"\n", b"z"):
            yield last

    async def lines():
        request = Request({"type": "http", "state": {"hold": lambda size: None}})
        return [line async for line in Batch(served.service, request, "client")._lines()]

    monkeypatch.setattr("babelspan.service.streams.chunks", chunks)
    assert asyncio.run(lines()) == [chunk * count, b"y", b"z"]
    assert peaks[0] < 1.5 * len(chunk) * count
