"""The log of a service for its operator: lines of JSON on standard error."""

import json
import secrets
import sys
import time
import traceback
from typing import Any

from babelspan.service.problems import Problem


def log(entry: dict[str, Any]) -> None:
    """Write one entry; its text cannot start a new line."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(json.dumps({"time": stamp, **entry}), file=sys.stderr, flush=True)


def problem_of(error: Exception) -> Problem:
    """Return a problem unchanged; log any other error and return a problem with its log number."""
    if isinstance(error, Problem):
        return error
    number = secrets.token_hex(8)
    log(
        {
            "event": "error",
            "number": number,
            "traceback": "".join(traceback.format_exception(error)),
        }
    )
    return Problem(500, f"a bug in Babelspan; report it with the number {number} from the log")
