"""The layer in front of all routes: access checks, logging, metrics and error responses."""

import asyncio
import hmac
import secrets
import time
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Message, Receive, Scope, Send

from babelspan.service.answering import Service
from babelspan.service.logs import log, problem_of
from babelspan.service.problems import GONE, Problem, shown
from babelspan.service.settings import LOCAL

OPEN = {"/", "/livez", "/readyz", "/v2/health/live", "/v2/health/ready", "/openapi.json"}
"""Paths that need no token: they reveal nothing beyond what is in the package."""

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_PREFLIGHT = Response(
    status_code=204,
    headers={
        "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
        "Access-Control-Allow-Headers": "authorization, content-type",
        "Access-Control-Max-Age": "600",
    },
)
"""The answer to a browser's preflight request for another origin."""


class Seen:
    """One request as seen by the log."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.id = secrets.token_hex(8)
        self.began = time.monotonic()
        self.status = 0
        self.held = 0
        self.detail: str | None = None
        headers = Headers(scope=scope)
        self.has_unread_body = (
            headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        )

    @property
    def route(self) -> str:
        """Return the route pattern, not the path, so that the number of labels is limited."""
        return getattr(self.scope.get("route"), "path", "none")


class Guard:
    """Access checks, logging and errors around the routes.

    It is pure ASGI, so that the routes notice when a client disconnects.

    Args:
        app: the routes.
        service: source of the settings and metrics.
    """

    def __init__(self, app: Router, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request (the ASGI interface)."""
        assert scope["type"] == "http", scope["type"]
        scope = {**scope, "app": self, "state": {**scope.get("state", {})}}
        seen = Seen(scope)
        scope["state"]["service"] = self._service
        scope["state"]["hold"] = lambda size: self._hold(seen, size)
        guarded = self._guarded(seen, send)
        try:
            answered = await self._passed(seen, _watched(seen, receive), guarded)
            if answered is not None and not seen.status:
                await answered.response()(scope, receive, guarded)
            elif answered is not None and answered.status != GONE:
                raise ConnectionError(str(answered))  # half an answer was sent: close
        finally:
            self._service.admission.release(seen.held)
            self._note(seen)
            del scope["state"]["hold"]  # it refers to `seen`, which refers to the scope

    async def _passed(self, seen: Seen, receive: Receive, send: Send) -> Problem | None:
        """Pass the request to the routes; return the problem if there was one."""
        try:
            self._check(seen.scope)
            is_preflight = seen.scope["method"] == "OPTIONS"
            await (_PREFLIGHT if is_preflight else self._app)(seen.scope, receive, send)
            return None
        except Problem as problem:
            found = problem
        except HTTPException as error:
            said = f"{error.detail} ({seen.scope['method']} here)"
            if error.status_code == 404:
                said = f"there is no {shown(seen.scope['path'])}; GET /openapi.json lists all paths"
            allow = self._methods(seen.scope["path"]) if error.status_code == 405 else ()
            found = Problem(error.status_code, said, allow=allow)
        except (ClientDisconnect, ConnectionError):
            self._service.metrics.cancelled.inc()
            seen.status = seen.status or GONE
            found = Problem(GONE, "the client disconnected")
        except asyncio.CancelledError:
            if not self._service.admission.is_draining:
                raise
            found = Problem(503, "the service stopped before this was answered", retry_after=5)
        except Exception as error:
            found = problem_of(error)
        seen.detail = str(found)
        if found.status in (429, 503):
            self._service.metrics.refused.labels(str(found.status)).inc()
        return found.with_traceback(None)  # else it refers to the frames that refer to it

    def _methods(self, path: str) -> set[str]:
        """Return the methods of all routes that match a path."""
        found = {"OPTIONS"}
        for route in self._app.routes:
            if isinstance(route, Route) and route.path_regex.match(path):
                found |= route.methods or set()
        return found

    def _check(self, scope: Scope) -> None:
        """Check that a request is allowed."""
        headers = Headers(scope=scope)
        settings = self._service.settings
        host = headers.get("host", "")
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        allowed = {*LOCAL, *settings.hosts, settings.host}
        if settings.is_local and name.lower() not in allowed:
            raise Problem(
                421, f"Host: {sorted(allowed)[0]} or --allow-host {shown(name)}", found=shown(host)
            )
        if {"content-length", "transfer-encoding"} <= {*headers}:
            raise Problem(400, "Content-Length or Transfer-Encoding", found="both")
        self._check_origin(headers, host, scope["method"])
        if scope["method"] == "OPTIONS":
            return
        if scope["path"] not in OPEN:
            self._check_token(headers)
            self._service.admission.refuse_while_draining()

    def _check_origin(self, headers: Headers, host: str, method: str) -> None:
        origin = headers.get("origin")
        if origin is None or method in ("GET", "HEAD"):
            return
        own = {f"http://{host}", f"https://{host}"}
        if origin not in own | {*self._service.settings.origins}:
            raise Problem(
                403,
                "a request from this service's own page",
                found=f"Origin: {shown(origin)}",
                do="start the service with --allow-origin to allow other pages",
            )

    def _check_token(self, headers: Headers) -> None:
        token = self._service.token
        if token is None:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        is_known = hmac.compare_digest(given.strip().encode(), token.encode())
        if scheme.lower() != "bearer" or not is_known:
            found = "none" if not given else "another"
            do = "send Authorization: Bearer TOKEN"
            raise Problem(401, "the token of this service", found=found, do=do)

    def _hold(self, seen: Seen, size: int) -> None:
        self._service.admission.hold(size)
        seen.held += size

    def _guarded(self, seen: Seen, send: Send) -> Send:
        """Return `send` with our headers, and with a timeout for clients that do not read."""
        idle = self._service.settings.idle_seconds

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                message = {**message, "headers": self._headers(seen, message["headers"])}
            try:
                async with asyncio.timeout(idle):
                    await send(message)
            except TimeoutError:
                raise ConnectionError("the client does not read its answer") from None

        return guarded

    def _headers(self, seen: Seen, own: Any) -> list[tuple[bytes, bytes]]:
        headers = [*own, *_HEADERS, (b"x-request-id", seen.id.encode())]
        if b"content-security-policy" not in {name for name, _ in own}:
            headers.append(_POLICY)
        origin = Headers(scope=seen.scope).get("origin")
        if origin is not None and origin in self._service.settings.origins:
            headers += [(b"access-control-allow-origin", origin.encode()), (b"vary", b"Origin")]
        if self._service.admission.is_draining or (seen.has_unread_body and seen.status >= 400):
            headers.append((b"connection", b"close"))
        if seen.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        return headers

    def _note(self, seen: Seen) -> None:
        status = str(seen.status or GONE)
        self._service.metrics.requests.labels(seen.route, status).inc()
        entry = {
            "event": "request",
            "request": seen.id,
            "method": seen.scope["method"],
            "route": seen.route,
            "status": int(status),
            "ms": round(1000 * (time.monotonic() - seen.began), 1),
            "bytes": seen.held,
        }
        if self._service.settings.log_texts:
            entry["question"] = seen.scope["state"].get("question")
        if seen.detail is not None and int(status) >= 500:
            entry["detail"] = seen.detail
        log(entry)


def _watched(seen: Seen, receive: Receive) -> Receive:
    """Return `receive`, noting when the whole body was read; else the connection is closed."""

    async def watched() -> Message:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            seen.has_unread_body = False
        return message

    return watched
