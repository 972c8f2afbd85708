"""Making or updating a collection from folders of documents; only changed files are read.

The store and the list of files change together in one commit, so a process that is killed leaves
the collection as of the last commit; the same command resumes from there.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from babelspan.data.documents import LARGEST_TEXT, Document
from babelspan.data.files import read_bytes, short_checksum, too_large
from babelspan.data.locks import locked, sweep
from babelspan.data.walking import Seen, is_below, seen, walk
from babelspan.documents.reading import read_bytes_as_document
from babelspan.jobs.collections import folder_of, open_collection
from babelspan.retrieval.passages import passages_of
from babelspan.retrieval.stored import entry_of
from babelspan.seams import PassageIndex
from babelspan.types import ConfigError, DataError

COMMIT_CHARACTERS = 50_000_000
"""Commit after this many characters of text."""
COMMIT_SECONDS = 300.0
"""Commit after this many seconds. Each commit adds a segment with its own word list."""

_READINGS = 3
"""Maximum number of attempts to read a file that changes meanwhile."""
_NOT_FOR_EVER = "not installed"
"""Part of the reason for a skipped file that is worth another attempt, even if unchanged."""

Watch = Callable[[int, int], None]


@dataclass(slots=True)
class Report:
    """What was done.

    Attributes:
        added: number of new files.
        changed: number of files that were read again.
        unchanged: number of files that were not.
        removed: number of files that are gone.
        passages: number of passages of all files read.
        skipped: reason why a file cannot be read, by name.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    passages: int = 0
    skipped: dict[str, str] = field(default_factory=dict)


def index(
    folders: Sequence[Path],
    out: Path | str,
    *,
    follow: bool = False,
    rehash: bool = False,
    keep_missing: bool = False,
    prune: bool = False,
    watch: Watch | None = None,
) -> Report:
    """Make or update a collection of folders.

    Args:
        folders: folders and files; files of the collection from elsewhere are kept.
        out: the collection, as in `open_collection`.
        follow: whether to follow links.
        rehash: whether to read files whose size and time are unchanged.
        keep_missing: whether to keep files that are gone.
        prune: whether more than half of the files may be removed.
        watch: called with the number of files done and their total.

    Raises:
        DataError: if a folder is missing, or the collection is damaged.
        ConfigError: if another process is changing it, it was made with other rules, or more than
            half of its files are gone and neither `keep_missing` nor `prune` is set.
    """
    own = [folder for folder in [folder_of(out)] if folder is not None]
    found = [file for file in walk(folders, follow=follow) if not is_below(file.path, own)]
    with _alone(out):
        store = open_collection(out, writes=True)
        try:
            work = _Work(store, rehash=rehash)
            gone = work.gone(found, folders)
            if gone and not keep_missing:
                _refuse_loss(out, len(gone), len(work.known), prune)
                work.remove(gone)
            for number, file in enumerate(found):
                work.look_at(file)
                if watch is not None:
                    watch(number + 1, len(found))
            store.commit()
        finally:
            store.close()
    return work.report


@contextmanager
def _alone(out: Path | str) -> Iterator[None]:
    """Lock a folder against other processes; a server needs no lock."""
    folder = folder_of(out)
    if folder is None:
        yield
        return
    with locked(folder):
        sweep(folder)
        yield


class _Work:
    """Adds files one by one to a store."""

    def __init__(self, store: PassageIndex, *, rehash: bool) -> None:
        self.report = Report()
        self.known = store.files()
        self._store = store
        self._rehash = rehash
        self._characters = 0
        self._committed = time.monotonic()

    def gone(self, found: Sequence[Seen], folders: Sequence[Path]) -> list[str]:
        """Return the files of the store that should have been found but were not."""
        there = {file.path for file in found}
        return [name for name in self.known if name not in there and is_below(name, folders)]

    def remove(self, names: Sequence[str]) -> None:
        for name in names:
            self._store.remove(name)
            self._commit_in_time()
        self.report.removed += len(names)

    def look_at(self, file: Seen) -> None:
        """Read a file if it has changed, and add it to the store."""
        known = self.known.get(file.path)
        is_as_known = known is not None and (known.get("size"), known.get("changed")) == (
            file.size,
            file.changed,
        )
        if known is not None and is_as_known and not self._rehash and _is_settled(known):
            self._leave(file, known)
            return
        try:
            file, raw = _read(file)
        except DataError as error:
            self._skip(file, str(error), known, sha256=None)
            return
        checksum = short_checksum(raw)
        if known is not None and known.get("sha256") == checksum and _is_settled(known):
            if not is_as_known:
                self._store.renew(file.path, known | {"size": file.size, "changed": file.changed})
                self._commit_in_time()
            self._leave(file, known)
            return
        try:
            document = read_bytes_as_document(file.path, raw)
        except DataError as error:
            self._skip(file, str(error), known, sha256=checksum)
            return
        is_there = self._store.reads_files and len(raw) == file.size  # and was not decompressed
        in_file = raw if is_there else b""
        self._put(file, document, in_file, checksum, is_new=known is None)

    def _leave(self, file: Seen, known: dict[str, Any]) -> None:
        """Count a file as unchanged."""
        self.report.unchanged += 1
        if "reason" in known:
            self.report.skipped[file.path] = known["reason"]

    def _put(
        self, file: Seen, document: Document, raw: bytes, checksum: str, *, is_new: bool
    ) -> None:
        passages = passages_of(document)
        about = _about(file, checksum) | {"kind": document.kind, "passages": len(passages)}
        if not passages:
            about["reason"] = "holds no text"
            self.report.skipped[file.path] = about["reason"]
        self._store.replace(file.path, about, (entry_of(p, raw) for p in passages))
        self.report.added += is_new
        self.report.changed += not is_new
        self.report.passages += len(passages)
        self._characters += len(document.text)
        self._commit_in_time()

    def _skip(
        self, file: Seen, reason: str, known: dict[str, Any] | None, *, sha256: str | None
    ) -> None:
        reason = reason.removeprefix(f"{file.path}: ")
        about = _about(file, sha256) | {"reason": reason, "passages": 0}
        if known != about:
            self._store.replace(file.path, about, ())
            self._commit_in_time()
        self.report.skipped[file.path] = reason

    def _commit_in_time(self) -> None:
        waited = time.monotonic() - self._committed
        if self._characters >= COMMIT_CHARACTERS or waited >= COMMIT_SECONDS:
            self._store.commit()
            self._characters, self._committed = 0, time.monotonic()


def _about(file: Seen, checksum: str | None) -> dict[str, Any]:
    return {"size": file.size, "changed": file.changed, "sha256": checksum}


def _is_settled(known: dict[str, Any]) -> bool:
    """Return whether an unchanged file need not be read again."""
    return known.get("sha256") is not None and _NOT_FOR_EVER not in known.get("reason", "")


def _read(file: Seen) -> tuple[Seen, bytes]:
    """Return the bytes of a file that did not change while reading, with its state then."""
    for _ in range(_READINGS):
        if file.reason:
            raise DataError(file.reason)
        if file.size > LARGEST_TEXT:
            raise too_large(file.path, LARGEST_TEXT)
        raw = read_bytes(Path(file.path), largest=LARGEST_TEXT, most=LARGEST_TEXT)
        now = seen(file.path)
        if now == file:
            return file, raw
        file = now
    raise DataError(f"it changed {_READINGS} times while being read; index it later")


def _refuse_loss(out: Path | str, gone: int, known: int, prune: bool) -> None:
    if not prune and 2 * gone > known:
        raise ConfigError(
            f"{out}: {gone} of {known} files are gone from their folders; if this is right, add "
            "--prune; to keep them, as for a disk that is not connected, add --keep-missing"
        )
