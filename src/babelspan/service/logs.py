"""What a service says to its operator: lines of JSON on standard error."""

import json
import secrets
import sys
import time
import traceback
from typing import Any

from babelspan.service.problems import Problem


def log(entry: dict[str, Any]) -> None:
    """Write a line; nothing in it can begin another one."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(json.dumps({"time": stamp, **entry}), file=sys.stderr, flush=True)


def problem_of(error: Exception) -> Problem:
    """What a client is told of an error: a problem as it is; of any other its number in the log."""
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
    return Problem(500, f"a bug of ours; report it with the number {number} from the log")
