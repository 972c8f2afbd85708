"""The child process of `documents.confined`: reads files from standard input, one by one."""

import contextlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from babelspan.data.documents import Document
from babelspan.documents.docx import docx
from babelspan.documents.epub import epub
from babelspan.documents.html import html
from babelspan.documents.pdf import pdf
from babelspan.types import DataError

READERS: dict[str, Callable[[str, bytes], Document]] = {
    "html": html,
    "pdf": pdf,
    "docx": docx,
    "epub": epub,
}
_OPEN_FILES = 32


def main() -> None:
    """Read files until the input ends; arguments: memory limit in bytes, seconds per file."""
    memory, seconds = map(int, sys.argv[1:])
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # keep the output of libraries out of the replies
    _limit(memory)
    while header := sys.stdin.buffer.readline():
        asked = json.loads(header)
        _limit_time(seconds)
        reply = _reply(asked, sys.stdin.buffer)
        replies.write(json.dumps(reply).encode() + b"\n")
        replies.flush()


def _reply(asked: dict[str, Any], source: BinaryIO) -> dict[str, Any]:
    try:
        document = READERS[asked["kind"]](asked["name"], source.read(asked["size"]))
        return {
            "text": document.text,
            "parts": [part.packed() for part in document.parts],
            "headings": [(span.start, span.end) for span in document.headings],
        }
    except DataError as error:
        return {"error": str(error)}
    except ModuleNotFoundError as error:
        return {"missing": error.name}
    except RecursionError:
        return {"error": f"{asked['name']}: the file is nested too deeply; do not trust it"}
    except MemoryError:
        os._exit(1)  # nothing in this process can be relied on now
    except Exception as error:  # a library may raise anything on an unexpected file
        return {"error": f"{asked['name']}: the file is broken ({type(error).__name__}: {error})"}


def _limit(memory: int) -> None:
    """Limit memory and open files, and forbid writing, if the system supports it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        if hard == resource.RLIM_INFINITY or most <= hard:
            with contextlib.suppress(ValueError, OSError):  # macOS has no memory limit
                resource.setrlimit(what, (most, hard))


def _limit_time(seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    if hard == resource.RLIM_INFINITY or soft <= hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
