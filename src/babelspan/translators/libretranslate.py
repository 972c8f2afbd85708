"""Translation by a LibreTranslate server, over HTTP.

`libretranslate:URL[,option=value…]`; options: `Options`. An API key, if the server needs one, is
read from the environment variable BABELSPAN_LIBRETRANSLATE_KEY, and never shown.

Uses urllib of the standard library: one connection at a time, with retries.
"""

import html
import http.client
import json
import os
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field

from babelspan.config import split_options
from babelspan.types import ConfigError, TranslationError

KEY = "BABELSPAN_LIBRETRANSLATE_KEY"
_SPEC = "/spec"
_LARGEST = 16 * 2**20
"""Maximum size of a response in bytes."""
_LONGEST_WAIT = 600.0
"""Maximum seconds to wait if the server asks for it; beyond, the request fails."""
_PASSING = {408, 429, 500, 502, 503, 504}
"""HTTP status codes of temporary errors, which are retried."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options that can follow the address."""

    batch: Annotated[int, Field(ge=1)] = 32
    """Maximum number of texts per request."""
    characters: Annotated[int, Field(ge=1)] = 5000
    """Maximum number of characters per request; a longer text is sent alone."""
    rate: Annotated[float, Field(ge=0)] = 0.0
    """Maximum number of requests per second; 0 for no limit."""
    retries: Annotated[int, Field(ge=0)] = 5
    """Number of retries, after 1, 2, 4… seconds or as long as the server asks for."""
    timeout: Annotated[float, Field(gt=0)] = 120.0
    """Seconds without data after which a request fails."""


def translator(argument: str) -> "LibreTranslate":
    """Create the translator for `URL[,option=value…]`; nothing is sent yet.

    Raises:
        ConfigError: if the address is invalid, or an option is unknown or has a wrong type.
    """
    url, options = split_options(Options, argument, "libretranslate")
    return LibreTranslate(url, options, key=os.environ.get(KEY, ""))


class LibreTranslate:
    """A `Translator` that uses a server. Thread-safe.

    Args:
        url: address of the server, with any path before `/translate`.
        options: options of the requests.
        key: the API key, or "".
        sleep: function that waits for some seconds.
        clock: function that returns a time in seconds.

    Raises:
        ConfigError: if `url` is not an HTTP address, or contains credentials or a query.
    """

    def __init__(
        self,
        url: str,
        options: Options = Options(),
        *,
        key: str = "",
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = _address(url)
        self.options = options
        self._key = key
        self._sleep = sleep
        self._clock = clock
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._turn = threading.Lock()
        self._next = clock()

    @cached_property
    def identity(self) -> str:
        """The server's address, and its version if the server reports it.

        Raises:
            TranslationError: if the server cannot be reached.
        """
        try:
            version = self._asked(_SPEC)["info"]["version"]
        except (TypeError, KeyError):  # servers that are only similar to LibreTranslate
            version = "unknown"
        return f"libretranslate:{self.url} version={version}"

    def translate(
        self, texts: Sequence[str], *, source: str, target: str, tags: Sequence[str] = ()
    ) -> list[str]:
        """Translate texts, in order; empty texts and white space are returned unchanged.

        Raises:
            ConfigError: if the server does not translate from `source` to `target`, needs a key or
                another key, or redirects.
            TranslationError: if it still fails after retries, or returns something unexpected.
        """
        source, target = self._pair(source, target)
        found = list(texts)
        sent = {i: _escaped(t, tags) if tags else t for i, t in enumerate(texts) if t.strip()}
        for indices in self._batches(sent):
            asked = {
                "q": [sent[i] for i in indices],
                "source": source,
                "target": target,
                "format": "html" if tags else "text",
            }
            for index, text in zip(indices, self._translated(asked), strict=True):
                found[index] = _unescaped(text, tags) if tags else text
        return found

    def _batches(self, texts: dict[int, str]) -> Iterator[list[int]]:
        """Indices of the texts in each request."""
        batch: list[int] = []
        size = 0
        for index, text in texts.items():
            full = len(batch) == self.options.batch or size + len(text) > self.options.characters
            if batch and full:
                yield batch
                batch, size = [], 0
            batch.append(index)
            size += len(text)
        if batch:
            yield batch

    def _translated(self, asked: dict[str, Any]) -> list[str]:
        answer = self._asked("/translate", asked)
        texts = answer.get("translatedText") if isinstance(answer, dict) else None
        if not isinstance(texts, list):
            raise self._failed(f"expected {{'translatedText': [...]}}, found {_short(answer)}")
        good = sum(isinstance(text, str) for text in texts)
        if good != len(asked["q"]) or good != len(texts):
            raise self._failed(
                f"expected {len(asked['q'])} translations, found {len(texts)} items, "
                f"{good} of them texts"
            )
        return texts

    def _pair(self, source: str, target: str) -> tuple[str, str]:
        """The server's codes for two languages."""
        known = self._languages
        first = _code(source, known)
        if first is None:
            raise ConfigError(f"{self.url}: translates from {_listed(known)}, not from {source!r}")
        last = _code(target, known[first])
        if last is None:
            raise ConfigError(
                f"{self.url}: translates from {source!r} to {_listed(known[first])}, "
                f"not to {target!r}"
            )
        return first, last

    @cached_property
    def _languages(self) -> dict[str, list[str]]:
        """Language code -> codes of its target languages."""
        answer = self._asked("/languages")
        try:
            codes = [str(entry["code"]) for entry in answer]
            return {e["code"]: [str(t) for t in e.get("targets", codes)] for e in answer}
        except (TypeError, KeyError, AttributeError):
            raise self._failed(
                f"/languages: expected a list of languages, found {_short(answer)}"
            ) from None

    def _asked(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON response to a request, with retries for temporary errors."""
        wait = 1.0
        for left in range(self.options.retries, -1, -1):
            self._await_turn()
            try:
                return self._answer(path, body)
            except urllib.error.HTTPError as error:
                if error.code == 404 and path == _SPEC:
                    return None
                with error:
                    reason = self._told(error)
                    asked_wait = _retry_after(error.headers.get("Retry-After"))
                self._refuse_for_good(error, path, reason)
            except (OSError, http.client.HTTPException) as error:
                asked_wait, reason = None, _cause(error)
            delay = wait if asked_wait is None else asked_wait
            if left and delay <= _LONGEST_WAIT:
                self._sleep(delay)
                wait *= 2
                continue
            tries = self.options.retries - left + 1
            more = f"; it asks to wait {delay:.0f} seconds" if delay > _LONGEST_WAIT else ""
            raise self._failed(f"{path}: {reason} (tried {tries} times){more}")
        raise AssertionError("the last try returns or raises")

    def _answer(self, path: str, body: dict[str, Any] | None) -> Any:
        request = urllib.request.Request(self.url + path)
        if body is not None:
            sent = body | ({"api_key": self._key} if self._key else {})
            request.data = json.dumps(sent).encode()
            request.add_header("Content-Type", "application/json")
        with self._opener.open(request, timeout=self.options.timeout) as response:
            raw = response.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise self._failed(f"{path}: the answer has more than {_LARGEST} bytes")
        if response.length:  # bytes announced and not sent, which a bounded read does not detect
            raise http.client.IncompleteRead(raw, response.length)
        try:
            return json.loads(raw)
        except ValueError:
            raise self._failed(
                f"{path}: expected JSON, found {_short(raw.decode(errors='replace'))}; is it a "
                "LibreTranslate server?"
            ) from None

    def _refuse_for_good(self, error: urllib.error.HTTPError, path: str, reason: str) -> None:
        """Raise an error for a status that retries cannot help."""
        if error.code in _PASSING:
            return
        if 300 <= error.code < 400:
            place = str(error.headers.get("Location")).partition("?")[0]
            raise ConfigError(
                f"{self.url}: redirects to {place.removesuffix(path)}; use that address"
            )
        if error.code in (401, 403):
            raise ConfigError(f"{self.url}: {reason}; set {KEY} to a key of this server")
        raise self._failed(f"{path}: {reason}")

    def _told(self, error: urllib.error.HTTPError) -> str:
        """Status and message of an error, with the key removed in case the server repeats it."""
        try:
            raw = error.read(10_000)
        except (OSError, http.client.HTTPException):
            raw = b""
        try:
            message = json.loads(raw)["error"]
        except (ValueError, TypeError, KeyError):
            message = error.reason
        told = f"{error.code} {' '.join(str(message).split())[:300]}"
        return told.replace(self._key, "<key>") if self._key else told

    def _await_turn(self) -> None:
        if not self.options.rate:
            return
        with self._turn:
            now = self._clock()
            delay = max(0.0, self._next - now)
            self._next = now + delay + 1 / self.options.rate
        if delay:
            self._sleep(delay)

    def _failed(self, what: str) -> TranslationError:
        return TranslationError(f"{self.url}: {what}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Treats redirects as errors: following one would turn a POST into a GET, or leak the key."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or not re.fullmatch(r"[!-~]+", url):
        raise ConfigError(
            "libretranslate: expected an address such as http://localhost:5000, "
            f"found {url.rpartition('@')[2]!r}"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            "libretranslate: expected an address without user, password, ? and #, "
            f"for {parts.hostname}; put the key into {KEY}"
        )
    return url.rstrip("/")


def _escaped(text: str, tags: Sequence[str]) -> str:
    """Escape a text as HTML, except the tags."""
    parts = re.split(f"({_markup(tags)})", text)
    return "".join(p if i % 2 else html.escape(p, quote=False) for i, p in enumerate(parts))


def _unescaped(text: str, tags: Sequence[str]) -> str:
    """Convert the output of a server from HTML to text with tags.

    Servers since version 1.3 resolve entities themselves. This is detected by a `<` or `&` that is
    not valid in HTML.
    """
    bare = re.sub(_markup(tags), "", text)
    if re.search(r"<|&(?!#?\w+;)", bare):
        return text
    return html.unescape(text)


def _markup(tags: Sequence[str]) -> str:
    return f"</?(?:{'|'.join(map(re.escape, tags))})>"


def _code(language: str, codes: Sequence[str] | dict[str, Any]) -> str | None:
    """A server's code for a language: `zh` may be `zh-Hans` there."""
    if language in codes:
        return language
    return min((code for code in codes if code.startswith(f"{language}-")), default=None)


def _retry_after(value: str | None) -> float | None:
    """The seconds to wait, from a `Retry-After` header with a number or a date."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _cause(error: Exception) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(inner, TimeoutError):
        return "no answer in time"
    if isinstance(inner, ConnectionRefusedError):
        return "no server answers there"
    return f"the connection broke: {inner or type(inner).__name__}"


def _listed(codes: Sequence[str] | dict[str, Any]) -> str:
    return ", ".join(sorted(codes)) or "no language"


def _short(value: Any) -> str:
    return repr(value)[:80]
