"""Request bodies, read and parsed within limits."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request

from babelspan.service.problems import Problem, shown

Hold = Callable[[int], None]
"""Called with the number of further bytes a request holds; raises a `Problem` if too many."""


async def chunks(request: Request, *, idle: float) -> AsyncIterator[bytes]:
    """Yield the body in chunks as they arrive.

    Raises:
        Problem: 408 if nothing arrives for `idle` seconds, 415 for a compressed body.
        ClientDisconnect: if the client disconnects.
    """
    packed = request.headers.get("content-encoding", "identity")
    if packed != "identity":
        raise Problem(415, "an uncompressed body", found=shown(packed), do="send it uncompressed")
    while True:
        try:
            async with asyncio.timeout(idle):
                message = await request.receive()
        except TimeoutError:
            raise Problem(408, f"no data received for {idle:g} s; send the request again") from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


async def body_of(request: Request, *, largest: int, idle: float, hold: Hold) -> bytes:
    """Return the whole body; raises as `chunks`, and 413 above `largest` bytes."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > largest:
        raise too_large(largest, f"{int(declared):,}")
    taken = bytearray()
    async for chunk in chunks(request, idle=idle):
        hold(len(chunk))
        taken += chunk
        if len(taken) > largest:
            raise too_large(largest, "more")
    return bytes(taken)


def too_large(largest: int, found: str) -> Problem:
    """Return the problem for a body of more than `largest` bytes."""
    return Problem(413, f"at most {largest:,} bytes", found=found, do="send less at once")


def see_that_it_is(request: Request, kind: str) -> None:
    """Check the media type of a body; browsers send this one across origins only after a preflight.

    Raises:
        Problem: 415 if it has another media type.
    """
    found = request.headers.get("content-type", "none").partition(";")[0].strip().lower()
    if found != kind:
        raise Problem(
            415, kind, found=shown(found), where="Content-Type", do=f"send Content-Type: {kind}"
        )


def parsed(raw: bytes, where: str = "the body") -> Any:
    """Parse bytes as JSON, strictly by RFC 8259 and without repeated keys.

    Raises:
        Problem: 400 if it is not valid JSON.
    """
    try:
        text = raw.decode("utf-8-sig")
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_no_number, parse_float=_finite
        )
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        at = f"line {error.lineno} column {error.colno}"
        raise Problem(400, f"{where}: expected JSON, found an error at {at}: {error.msg}") from None
    except UnicodeDecodeError as error:
        found = f"the byte 0x{raw[error.start]:02x} at byte {error.start}"
        raise Problem(400, f"{where}: expected JSON in UTF-8, found {found}") from None
    except UnicodeEncodeError:
        raise Problem(
            400, f"{where}: expected whole characters, found half of a surrogate pair (\\ud800 …)"
        ) from None
    except RecursionError:
        raise Problem(400, f"{where}: the JSON is nested too deeply") from None
    except ValueError as error:
        raise Problem(400, f"{where}: {error}") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"expected each key once, found {shown(key)} twice")
            seen.add(key)
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"expected a number, found {name}, which is not valid JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"expected a number below 1.8e308, found {digits[:40]}")
    return value
