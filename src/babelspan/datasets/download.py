"""Downloading a file over HTTP, verified; an interrupted download is resumed.

Ranges and conditions: RFC 9110, Sections 13.1.5 (If-Range) and 14.
"""

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from babelspan.data.files import digest
from babelspan.types import DataError
from babelspan.version import VERSION

Watch = Callable[[int, int | None], None]
"""Called with the bytes received so far and the total, which is None if unknown."""

LARGEST = 16 * 2**30
"""Maximum number of bytes to download of a file of unknown length."""

_CHUNK = 1 << 18
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_WAIT = 60.0
_CHANGED = "the file has changed since it was listed; accept it with --accept-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When to give up.

    Attributes:
        timeout: seconds without data after which a connection is closed.
        attempts: maximum number of attempts in a row without new data.
        wait: seconds before the second attempt; doubled for each further one.
    """

    timeout: float = 30.0
    attempts: int = 5
    wait: float = 1.0


class _PassingError(Exception):
    """A failure that another attempt may fix; the server asks to wait for `after` seconds."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class _Part:
    """The bytes received so far, in a file next to the target, with the version they belong to."""

    def __init__(self, path: Path, url: str) -> None:
        self._bytes = path.with_name(path.name + ".part")
        self._facts = path.with_name(path.name + ".part.json")
        self._url = url

    @property
    def size(self) -> int:
        """Number of bytes received."""
        return self._bytes.stat().st_size if self._bytes.exists() else 0

    @property
    def validator(self) -> str:
        """Entity tag or date of the version they belong to; empty if the server sent none."""
        try:
            facts = json.loads(self._facts.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        return str(facts.get("validator", "")) if facts.get("url") == self._url else ""

    def begin(self, validator: str) -> None:
        """Start over with the version identified by `validator`."""
        self._bytes.write_bytes(b"")
        facts = {"url": self._url, "validator": validator}
        self._facts.write_text(json.dumps(facts), encoding="utf-8")

    def open(self) -> IO[bytes]:
        """Open the file for appending."""
        return self._bytes.open("ab")

    def drop(self) -> None:
        """Delete it."""
        self._bytes.unlink(missing_ok=True)
        self._facts.unlink(missing_ok=True)

    def finish(self, path: Path) -> None:
        """Rename it to its final name."""
        with self._bytes.open("rb") as file:
            os.fsync(file.fileno())
        self._bytes.replace(path)
        self._facts.unlink(missing_ok=True)

    def sha256(self) -> str:
        """Return the checksum of the bytes in hexadecimal."""
        return digest(self._bytes)


def download(
    url: str,
    path: Path,
    *,
    length: int | None = None,
    sha256: str | None = None,
    watch: Watch | None = None,
    patience: Patience | None = None,
) -> None:
    """Download `url` to `path`, resuming from what an earlier call left in `path` + `.part`.

    Bytes of two versions are never mixed: the rest is requested on the condition that the file has
    not changed (If-Range), and if the server does not identify the version it sends, the download
    starts over.

    Args:
        url: an http or https address.
        path: the file to write; it appears only when it is complete and verified.
        length: its length in bytes; None if unknown.
        sha256: its checksum in hexadecimal; None if unknown.
        watch: called as bytes arrive.
        patience: when to give up.

    Raises:
        DataError: if the server cannot be reached, does not have the file, sends something else,
            or keeps interrupting the download.
    """
    patience = patience or Patience()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(path, url)
    best, barren = 0, 0
    while True:
        try:
            _attempt(url, part, length, watch or (lambda done, total: None), patience.timeout)
            break
        except _PassingError as trouble:
            barren = 0 if part.size > best else barren + 1
            best = max(best, part.size)
            if barren >= patience.attempts:
                raise DataError(
                    f"{url}: {trouble}, {barren} times in a row; rerun the same command to resume"
                ) from None
            pause = max(patience.wait * 2.0 ** max(barren - 1, 0), trouble.after)
            time.sleep(min(pause, _LONGEST_WAIT))
    _verify(url, part, length, sha256)
    part.finish(path)


def _attempt(url: str, part: _Part, length: int | None, watch: Watch, timeout: float) -> None:
    """Request the missing bytes once and store what arrives."""
    if length is not None and part.validator and part.size == length:
        return  # everything had arrived before the interruption
    with _answer(url, part, timeout) as answer:
        total = _accept(url, part, answer, length)
        _take(url, part, answer, total, watch)
    if total is not None and part.size < total:
        raise _PassingError(f"the connection broke off after {_of(part.size, total)}")


def _answer(url: str, part: _Part, timeout: float) -> Any:
    """Return the server's response to a request for the whole file, or for the rest of it."""
    headers = {"User-Agent": f"babelspan/{VERSION}", "Accept-Encoding": "identity"}
    if part.size and part.validator:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": part.validator}
    try:
        request = urllib.request.Request(url, headers=headers)
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(url, part, error) from None
    except urllib.error.URLError as error:
        reason = error.reason
        if isinstance(reason, TimeoutError | ConnectionResetError):
            raise _PassingError(f"the server does not respond ({_why(reason)})") from None
        raise DataError(f"{url}: cannot reach {urlsplit(url).hostname}: {_why(reason)}") from None
    except (OSError, http.client.HTTPException) as error:
        raise _PassingError(f"the server does not respond ({_why(error)})") from None


def _refusal(url: str, part: _Part, error: urllib.error.HTTPError) -> Exception:
    """Return the error to raise for a response other than success."""
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.drop()
        return _PassingError("the server has no more of the file than has arrived")
    if error.code in _BUSY:
        asked = error.headers.get("Retry-After") or ""
        after = float(asked) if asked.isdecimal() else 0.0
        return _PassingError(f"the server answers {error.code} {error.reason}", after)
    if 300 <= error.code < 400:
        return DataError(f"{url}: the server redirects in a loop or to nowhere ({error.code})")
    return DataError(
        f"{url}: the server answers {error.code} {error.reason}; the file may have moved"
    )


def _accept(url: str, part: _Part, answer: Any, length: int | None) -> int | None:
    """Check the response and prepare `part` for it; return the file's length, None if unknown."""
    if "text/html" in answer.headers.get("Content-Type", ""):
        raise _not_the_file(url)
    total = _number(answer.headers.get("Content-Length"))
    validator = _validator(answer)
    if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
        first, total = _range(answer.headers.get("Content-Range", ""))
        if first != part.size or validator not in ("", part.validator):
            part.drop()
            raise _PassingError("the server sent another part of the file than requested")
    else:
        part.begin(validator)
    if length is not None and total is not None and total != length:
        part.drop()
        raise DataError(
            f"{url}: expected {length:,} bytes, the server announces {total:,}; {_CHANGED}"
        )
    return total if total is not None else length


def _take(url: str, part: _Part, answer: Any, total: int | None, watch: Watch) -> None:
    """Append bytes as they arrive."""
    done = part.size
    with part.open() as file:
        while chunk := _chunk(answer, done, total):
            if not done and chunk.lstrip()[:1] == b"<":
                raise _not_the_file(url)
            file.write(chunk)
            done += len(chunk)
            watch(done, total)
            if done > (LARGEST if total is None else total):
                file.close()
                part.drop()
                expected = "" if total is None else f", expected {total:,}"
                raise DataError(
                    f"{url}: the server sends more than {done:,} bytes{expected}; stopped"
                )


def _chunk(answer: Any, done: int, total: int | None) -> bytes:
    """Return the next bytes; empty at the end."""
    try:
        return bytes(answer.read1(_CHUNK))
    except (OSError, http.client.HTTPException) as error:
        raise _PassingError(
            f"the connection broke off after {_of(done, total)} ({_why(error)})"
        ) from None


def _verify(url: str, part: _Part, length: int | None, sha256: str | None) -> None:
    problem = ""
    if length is not None and part.size != length:
        problem = f"expected {length:,} bytes, found {part.size:,}"
    elif sha256 is not None and part.sha256() != sha256:
        problem = f"expected the SHA-256 {sha256}, found {part.sha256()}"
    if problem:
        part.drop()
        raise DataError(f"{url}: {problem}; the transfer was damaged, or {_CHANGED}")


def _validator(answer: Any) -> str:
    """Return a strong entity tag, else the date of the last change; empty if neither is sent."""
    tag = answer.headers.get("ETag") or ""
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified") or ""


def _range(header: str) -> tuple[int | None, int | None]:
    """Return first byte and length of the file, from a Content-Range header."""
    span, _, total = header.removeprefix("bytes ").partition("/")
    return _number(span.partition("-")[0]), _number(total)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _of(size: int, total: int | None) -> str:
    return f"{size:,} bytes" if total is None else f"{size:,} of {total:,} bytes"


def _why(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _not_the_file(url: str) -> DataError:
    return DataError(
        f"{url}: expected the file, the server sends a web page; open the address in a browser"
    )
