"""Errors as a client gets them: RFC 9457, with the sentences of the command line."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
GONE = 499
"""The status in the log where the client left."""


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """What is wrong with a request, or why it cannot be answered now.

    Args:
        status: of HTTP.
        expected: what should have been there; or a whole sentence, where nothing else is given.
        found: what was there.
        do: what the client can do.
        where: in the request.
        retry_after: seconds after which the same request may succeed.
        allow: methods that the address knows.
    """

    def __init__(
        self,
        status: int,
        expected: str,
        *,
        found: str | None = None,
        do: str | None = None,
        where: str | None = None,
        retry_after: int | None = None,
        allow: Iterable[str] = (),
    ) -> None:
        place = "" if where is None else f"{where}: "
        sentence = expected if found is None else f"expected {expected}, found {found}"
        super().__init__(f"{place}{sentence}{'' if do is None else f'; {do}'}")
        self.status = status
        self.retry_after = retry_after
        self._allow = ", ".join(sorted(allow))
        parts = {"where": where, "expected": expected, "found": found, "do": do}
        self._parts = {} if found is None else {k: v for k, v in parts.items() if v is not None}

    def body(self) -> dict[str, Any]:
        """The members of a problem document."""
        title = "Client left" if self.status == GONE else HTTPStatus(self.status).phrase
        about = {"type": "about:blank", "title": title, "status": self.status}
        return {**about, "detail": str(self), **self._parts}

    def response(self) -> Response:
        """The problem as a response."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        headers |= {"Allow": self._allow} if self._allow else {}
        return Response(json.dumps(self.body()), self.status, headers, MEDIA_TYPE)


def shown(value: object) -> str:
    """A value of a request in an error: short, on one line."""
    if isinstance(value, str):
        return ascii(value[:40]) + ("" if len(value) <= 40 else f"… ({len(value):,} characters)")
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value):,}"
    named = {"True": "true", "False": "false", "None": "null"}
    return named.get(repr(value)) or ascii(value)[:60]
