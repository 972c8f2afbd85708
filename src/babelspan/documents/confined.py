"""Reading untrusted files in a process with limits: memory, processor time, no writing.

One child process reads many files, one by one; it is restarted if it dies.
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
"""Memory limit of the child process: 1 GiB."""
SECONDS = 60
"""Limit of processor time per file."""
_PATIENCE = 5
"""The limit in wall-clock time is this many times higher, for busy machines."""
_SCRIPT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); "
    "from babelspan.documents.child import main; main()"
)


class Confined:
    """A child process that reads files; threads may share it.

    Args:
        memory: memory limit in bytes.
        seconds: limit of processor time per file.
    """

    def __init__(self, *, memory: int = MEMORY, seconds: int = SECONDS) -> None:
        self._memory = memory
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def read(self, kind: str, name: str, raw: bytes) -> Document:
        """Return the document in a file.

        Args:
            kind: kind of file, as in `documents.reading`.
            name: name of the file.
            raw: bytes of the file.

        Raises:
            DataError: if the file cannot be read, or reading it exceeds the limits.
            ModuleNotFoundError: if the library for this kind is not installed.
        """
        with self._lock:
            reply = self._asked({"kind": kind, "name": name, "size": len(raw)}, raw)
        if reply is None:
            raise DataError(
                f"{name}: reading it took more than {self._seconds} s of processor time or "
                f"{self._memory / 2**20:,.0f} MiB of memory, or crashed the reader; do not trust it"
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
        """Stop the child process."""
        with self._lock:
            self._end()

    def _asked(self, header: dict[str, Any], raw: bytes) -> dict[str, Any] | None:
        """Return the child's reply for a file; None if the child died."""
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
        except BaseException:  # interrupted: a late reply would be taken for the next file's
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
            # -P: the working folder may hold an untrusted html.py, which Python would import
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
    """Return the child of this process; the two end together."""
    return Confined()
