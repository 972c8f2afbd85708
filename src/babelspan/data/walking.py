"""Finding the files of folders for an index: which ones count, and what has changed."""

import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from babelspan.types import DataError

IGNORE = ".babelspanignore"
"""File in a folder with patterns of names to skip, one per line."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as found by a walk.

    path: absolute path, with links unresolved.
    size: size in bytes.
    changed: time of the last change, in nanoseconds.
    reason: why it cannot be read; "" if it can.
    """

    path: str
    size: int
    changed: int
    reason: str = ""


def walk(folders: Sequence[Path], *, follow: bool = False) -> Iterator[Seen]:
    """Yield the files in and below folders, and named files, sorted and without repeats.

    Hidden files and folders, and those matched by an ignore file, are skipped. Links are not
    followed, unless they are named themselves.

    Args:
        folders: folders and files.
        follow: whether to follow links inside folders as well.

    Raises:
        DataError: if a path is missing or cannot be opened.
    """
    given: set[str] = set()
    entered: set[tuple[int, int]] = set()
    for folder in folders:
        top = os.path.abspath(folder)
        if not os.path.exists(top):
            raise DataError(f"{folder}: there is no such file or folder")
        names = _inside(top, follow, entered) if os.path.isdir(top) else [top]
        for path in names:
            if path not in given:
                given.add(path)
                yield seen(path)


def seen(path: str) -> Seen:
    """Return the current state of a file; a missing one has a reason."""
    try:
        found = os.stat(path)
    except OSError as error:
        return Seen(path, 0, 0, f"cannot be read: {error.strerror}")
    is_file = stat.S_ISREG(found.st_mode)
    reason = "" if is_file else "expected a file, found a pipe, socket or device; leave it out"
    return Seen(path, found.st_size, found.st_mtime_ns, reason)


def is_below(path: str, folders: Sequence[Path]) -> bool:
    """Return whether a file is one of these, or in or below one of these folders."""
    tops = [os.path.abspath(folder) for folder in folders]
    return any(path == top or path.startswith(top.rstrip(os.sep) + os.sep) for top in tops)


def _inside(top: str, follow: bool, entered: set[tuple[int, int]]) -> Iterator[str]:
    patterns = _ignored(top)
    _is_again(top, entered)

    def refuse(error: OSError) -> None:
        if error.filename == top:
            raise DataError(f"{top}: cannot be read: {error.strerror}")

    for place, folders, files in os.walk(top, followlinks=follow, onerror=refuse):
        folders[:] = [
            name
            for name in sorted(folders)
            if _counts(os.path.join(place, name), top, patterns)
            and not (follow and _is_again(os.path.join(place, name), entered))
        ]
        for name in sorted(files):
            path = os.path.join(place, name)
            if _counts(path, top, patterns) and (follow or not os.path.islink(path)):
                yield path


def _counts(path: str, top: str, patterns: Sequence[str]) -> bool:
    name, below = os.path.basename(path), os.path.relpath(path, top)
    return not name.startswith(".") and not any(
        fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(below, pattern) for pattern in patterns
    )


def _ignored(top: str) -> list[str]:
    try:
        with open(os.path.join(top, IGNORE), encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file]
    except OSError:
        return []
    return [line.rstrip("/") for line in lines if line and not line.startswith("#")]


def _is_again(path: str, entered: set[tuple[int, int]]) -> bool:
    """Return whether a folder was entered before, through another link."""
    try:
        found = os.stat(path)
    except OSError:
        return True
    key = found.st_dev, found.st_ino
    is_known = key in entered
    entered.add(key)
    return is_known
