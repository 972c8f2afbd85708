"""Download a file over HTTP, verified; a download that broke off is resumed.

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
"""Called with the bytes that have arrived and the total; None where it is not known."""

LARGEST = 16 * 2**30
"""Bytes after which the download of a file of unknown length stops."""

_CHUNK = 1 << 18
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_WAIT = 60.0
_CHANGED = "the file has changed since it was listed; take it as it is with --accept-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When to give up.

    Attributes:
        timeout: seconds without a byte after which a connection is closed.
        attempts: how many attempts in a row may bring nothing new.
        wait: seconds before the second attempt; doubled for each after it.
    """

    timeout: float = 30.0
    attempts: int = 5
    wait: float = 1.0


class _PassingError(Exception):
    """A failure that another attempt may mend, `after` the seconds that the server asks for."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class _Part:
    """The bytes that have arrived, in a file next to the target, and the version they are of."""

    def __init__(self, path: Path, url: str) -> None:
        self._bytes = path.with_name(path.name + ".part")
        self._facts = path.with_name(path.name + ".part.json")
        self._url = url

    @property
    def size(self) -> int:
        """How many bytes have arrived."""
        return self._bytes.stat().st_size if self._bytes.exists() else 0

    @property
    def validator(self) -> str:
        """The entity tag or date of the version they are of; empty where the server sent none."""
        try:
            facts = json.loads(self._facts.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        return str(facts.get("validator", "")) if facts.get("url") == self._url else ""

    def begin(self, validator: str) -> None:
        """Start over with the version that `validator` names."""
        self._bytes.write_bytes(b"")
        facts = {"url": self._url, "validator": validator}
        self._facts.write_text(json.dumps(facts), encoding="utf-8")

    def open(self) -> IO[bytes]:
        """The file, to append to."""
        return self._bytes.open("ab")

    def drop(self) -> None:
        """Remove it."""
        self._bytes.unlink(missing_ok=True)
        self._facts.unlink(missing_ok=True)

    def finish(self, path: Path) -> None:
        """Give it its name."""
        with self._bytes.open("rb") as file:
            os.fsync(file.fileno())
        self._bytes.replace(path)
        self._facts.unlink(missing_ok=True)

    def sha256(self) -> str:
        """Checksum of the bytes, in hexadecimal."""
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
    """Download `url` to `path`, resuming what an earlier call left in `path` + `.part`.

    Bytes of two versions are never mixed: the rest is asked for on the condition that the file has
    not changed (If-Range), and where the server does not name the version it sends, the download
    starts from the beginning.

    Args:
        url: an address, http or https.
        path: where the file goes; written whole and verified, or not at all.
        length: its length in bytes; None where it is not known.
        sha256: its checksum in hexadecimal; None where it is not known.
        watch: called as bytes arrive.
        patience: when to give up.

    Raises:
        DataError: if the server cannot be reached, does not have the file, sends something else,
            or keeps breaking off.
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
    """Ask once for the missing bytes and store what arrives."""
    if length is not None and part.validator and part.size == length:
        return  # all of it had arrived before the stop
    with _answer(url, part, timeout) as answer:
        total = _accept(url, part, answer, length)
        _take(url, part, answer, total, watch)
    if total is not None and part.size < total:
        raise _PassingError(f"the connection broke off after {_of(part.size, total)}")


def _answer(url: str, part: _Part, timeout: float) -> Any:
    """The server's answer to a request for the whole file, or for the rest of it."""
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
            raise _PassingError(f"the server does not answer ({_why(reason)})") from None
        raise DataError(f"{url}: cannot reach {urlsplit(url).hostname}: {_why(reason)}") from None
    except (OSError, http.client.HTTPException) as error:
        raise _PassingError(f"the server does not answer ({_why(error)})") from None


def _refusal(url: str, part: _Part, error: urllib.error.HTTPError) -> Exception:
    """What to raise for an answer other than success."""
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.drop()
        return _PassingError("the server has no more of the file than has arrived")
    if error.code in _BUSY:
        asked = error.headers.get("Retry-After") or ""
        after = float(asked) if asked.isdecimal() else 0.0
        return _PassingError(f"the server answers {error.code} {error.reason}", after)
    if 300 <= error.code < 400:
        return DataError(f"{url}: the server redirects in a circle or to nowhere ({error.code})")
    return DataError(
        f"{url}: the server answers {error.code} {error.reason}; the file may have moved"
    )


def _accept(url: str, part: _Part, answer: Any, length: int | None) -> int | None:
    """Check what is sent, and prepare `part` for it; the file's length, if it is known."""
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
    """The next bytes; none at the end."""
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
    """A strong entity tag, or else the date of the last change; empty where neither is sent."""
    tag = answer.headers.get("ETag") or ""
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified") or ""


def _range(header: str) -> tuple[int | None, int | None]:
    """First byte and length of the file, from a Content-Range."""
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
