"""The web page: one file that makes no requests to other hosts.

Its policy allows the browser to run its one script, use its one style and call only this service.
"""

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import NamedTuple

from starlette.responses import Response

_HERE = Path(__file__).parent


class Page(NamedTuple):
    """The page, and the values for its response headers."""

    html: str
    policy: str
    tag: str


@lru_cache(maxsize=1)
def made_page() -> Page:
    """Build the page from its three files."""
    style, script, template = (
        (_HERE / name).read_text("utf-8") for name in ("page.css", "page.js", "page.html")
    )
    html = Template(template).substitute(style=style, script=script)
    policy = (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; "
        f"script-src 'sha256-{_digest(script)}'; img-src data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Page(html, policy, f'"{_digest(html)[:16]}"')


def page_response(known: str | None) -> Response:
    """Return the page, or status 304 if the browser's copy is up to date."""
    page = made_page()
    headers = {
        "content-security-policy": page.policy,
        "etag": page.tag,
        "cache-control": "no-cache",
    }
    if known == page.tag:
        return Response(status_code=304, headers=headers)
    return Response(page.html, headers=headers, media_type="text/html")


def _digest(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
