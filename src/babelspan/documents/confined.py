"""Readers of files from strangers in a process with limits: memory, processor time, no writing.

One child serves many files, one after the other, and is started again when it has died.
"""

import json
import subprocess
import sys
from functools import lru_cache
from threading import Lock, Timer
from typing import Any

from babelspan.data.documents import Document
from babelspan.data.parts import Part
from babelspan.types import DataError, Span

MEMORY = 2**30
"""Bytes that the child may have in all: 1 GiB."""
SECONDS = 60
"""Of the processor for one file."""
_PATIENCE = 5
"""Times as many seconds by the clock, for a child on a busy machine."""
_SCRIPT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); "
    "from babelspan.documents.child import main; main()"
)


class Confined:
    """A child that reads files; threads may share it.

    Args:
        memory: bytes that it may have in all.
        seconds: of the processor for one file.
    """

    def __init__(self, *, memory: int = MEMORY, seconds: int = SECONDS) -> None:
        self._memory = memory
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def read(self, kind: str, name: str, raw: bytes) -> Document:
        """The text of a file.

        Args:
            kind: of its reader, as in `documents.reading`.
            name: of the file.
            raw: the file.

        Raises:
            DataError: if it cannot be read, or reading it takes more than the limits.
            ModuleNotFoundError: if the library that reads it is not installed.
        """
        with self._lock:
            reply = self._asked({"kind": kind, "name": name, "size": len(raw)}, raw)
        if reply is None:
            raise DataError(
                f"{name}: reading it took more than {self._seconds} s of the processor or "
                f"{self._memory / 2**20:,.0f} MiB of memory, or broke the reader; do not trust it"
            )
        if "missing" in reply:
            raise ModuleNotFoundError(f"No module named {reply['missing']}", name=reply["missing"])
        if "error" in reply:
            raise DataError(reply["error"])
        return Document(
            name,
            reply["text"],
            kind,
            tuple(Part.unpacked(values) for values in reply["parts"]),
            tuple(Span(*values) for values in reply["headings"]),
        )

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _asked(self, header: dict[str, Any], raw: bytes) -> dict[str, Any] | None:
        """What the child says of a file; None if it has died of it."""
        child = self._running()
        assert child.stdin and child.stdout
        timer = Timer(_PATIENCE * self._seconds, child.kill)
        timer.start()
        try:
            child.stdin.write(json.dumps(header).encode() + b"\n" + raw)
            child.stdin.flush()
            line = child.stdout.readline()
            reply: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        except BrokenPipeError:
            reply = None
        except BaseException:  # interrupted: what the child says later is not of the next file
            self._end()
            raise
        finally:
            timer.cancel()
        if reply is None:
            self._end()
        return reply

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._child is None or self._child.poll() is not None:
            self._end()
            # -P, since the working folder may hold a stranger's html.py, which Python would import
            limits = [str(self._memory), str(self._seconds)]
            paths = [path for path in sys.path if isinstance(path, str)]
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-c", _SCRIPT, *limits, json.dumps(paths)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                process_group=None if sys.platform == "win32" else 0,  # Ctrl-C is for the parent
            )
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


@lru_cache(maxsize=1)
def confined() -> Confined:
    """The child of this process; it ends with it."""
    return Confined()
