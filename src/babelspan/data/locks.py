"""Locks on job folders, and removal of partly written files left by killed processes."""

import errno
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from babelspan.types import ConfigError

LOCK = ".lock"
_BUSY = (errno.EWOULDBLOCK, errno.EACCES)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder, creating it if needed, so that no other process uses it.

    The lock is an operating system lock (`flock`) on `.lock` in the folder; it ends with the
    process, however that ends. If a file system has no locks, there is a warning; Windows has no
    lock.

    Raises:
        ConfigError: if another process holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = _hold(folder)
    try:
        yield
    finally:
        if held is not None:
            (folder / LOCK).unlink(missing_ok=True)
            os.close(held)


def sweep(folder: Path) -> None:
    """Remove partly written files in and below a folder if the process that wrote them has ended.

    `data.files.replacing` puts the process number into their names, as in `.train.json.123.part`.
    Files with the number of this process are from an earlier one, so call this before the job
    writes anything.
    """
    for path in folder.rglob(".*.part"):
        writer = path.name.split(".")[-2]
        if writer == str(os.getpid()) or not _is_alive(writer):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def is_unfinished(path: Path) -> bool:
    """Return whether a file is a lock or partly written, and so not part of a result."""
    return path.name == LOCK or (path.name.startswith(".") and path.name.endswith(".part"))


def is_free(folder: Path) -> bool:
    """Return whether a folder is new, or empty but for locks and partly written files."""
    return not folder.exists() or (folder.is_dir() and all(map(is_unfinished, folder.iterdir())))


def _hold(folder: Path) -> int | None:
    """Return the open, locked file; None if the file system has no locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    path = folder / LOCK
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            who = os.read(file, 100).decode(errors="replace").strip()
            os.close(file)
            if error.errno in _BUSY:
                raise ConfigError(
                    f"{folder}: another process is at work here ({who or 'it has just started'}); "
                    "wait until it has finished, or choose another folder"
                ) from None
            warnings.warn(f"{path}: cannot be locked: {error.strerror}", stacklevel=3)
            return None
        if _is_still(file, path):
            os.ftruncate(file, 0)
            os.write(file, f"process {os.getpid()} on {os.uname().nodename}\n".encode())
            return file
        os.close(file)  # its former holder has just removed it


def _is_still(file: int, path: Path) -> bool:
    """Return whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _is_alive(process: str) -> bool:
    """Return whether a process runs on this machine; False if it is not a number.

    A process that has ended but was not waited for still has its number, but does not run.
    """
    if not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True  # not Linux
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}
