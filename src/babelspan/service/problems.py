"""Errors sent to clients: RFC 9457, with the same wording as on the command line."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
GONE = 499
"""Status in the log when the client disconnected."""


class Problem(Exception):  # noqa: N818 - the term of RFC 9457
    """An error in a request, or the reason why it cannot be answered now.

    Args:
        status: HTTP status.
        expected: what was expected; or a whole sentence if there is no `found`.
        found: what was found.
        do: what the client can do.
        where: place in the request.
        retry_after: seconds after which the same request may succeed.
        allow: methods that the address supports.
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
        """Return the members of the problem document."""
        title = "Client left" if self.status == GONE else HTTPStatus(self.status).phrase
        about = {"type": "about:blank", "title": title, "status": self.status}
        return {**about, "detail": str(self), **self._parts}

    def response(self) -> Response:
        """Return the problem as a response."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        headers |= {"Allow": self._allow} if self._allow else {}
        return Response(json.dumps(self.body()), self.status, headers, MEDIA_TYPE)


def shown(value: object) -> str:
    """Format a value from a request for an error message: short, on one line."""
    if isinstance(value, str):
        return ascii(value[:40]) + ("" if len(value) <= 40 else f"… ({len(value):,} characters)")
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value):,}"
    named = {"True": "true", "False": "false", "None": "null"}
    return named.get(repr(value)) or ascii(value)[:60]
