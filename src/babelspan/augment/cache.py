"""Disk cache of translations: a rerun costs nothing, and a killed run loses at most one batch.

One SQLite file per system and direction; processes may share it. Keys are SHA-256 of the input, so
a file contains translations but not their source texts.
"""

import errno
import hashlib
import os
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from babelspan.seams import Translator
from babelspan.types import TranslationError

_AT_ONCE = 500


class Cached:
    """Wraps a `Translator` and sends it only texts that are not in the cache.

    Each text is sent once, however often it occurs in a call. The output is checked: one string for
    each text. A lone surrogate in a translation, which no file can contain, becomes `?`.

    Args:
        translator: the system.
        folder: folder of the cache files; None to store nothing on disk.
    """

    def __init__(self, translator: Translator, folder: Path | None) -> None:
        self._translator = translator
        self._folder = folder
        self._open: dict[tuple[str, str], sqlite3.Connection] = {}
        self.asked = 0
        """Number of texts that the system itself has translated."""
        self.seconds = 0.0
        """Time that the system took for them."""

    def close(self) -> None:
        """Close the files; the next text opens them again."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    @property
    def identity(self) -> str:
        """The identity of the system."""
        return self._translator.identity

    def translate(
        self, texts: Sequence[str], *, source: str, target: str, tags: Sequence[str] = ()
    ) -> list[str]:
        """As the system's `translate`, with the same errors.

        Raises:
            TranslationError: if the system returns another number of items, or not strings.
            OSError: if the disk is full, or a file of the cache is broken.
        """
        keys = {text: _key(text, tags) for text in texts}
        held = self._held(list(keys.values()), source, target)
        missing = [text for text, key in keys.items() if key not in held]
        for start in range(0, len(missing), _AT_ONCE):
            batch = missing[start : start + _AT_ONCE]
            started = perf_counter()
            found = self._translator.translate(batch, source=source, target=target, tags=tags)
            self.seconds += perf_counter() - started
            said = _checked(found, len(batch), self.identity)
            self.asked += len(batch)
            fresh = {keys[text]: new for text, new in zip(batch, said, strict=True)}
            self._keep(fresh, source, target)
            held |= fresh
        return [held[keys[text]] for text in texts]

    def _held(self, keys: list[bytes], source: str, target: str) -> dict[bytes, str]:
        if self._folder is None:
            return {}
        connection = self._connection(source, target)
        found: dict[bytes, str] = {}
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            query = f"SELECT key, text FROM said WHERE key IN ({marks})"
            try:
                found.update(connection.execute(query, some))
            except sqlite3.DatabaseError as error:
                raise _as_oserror(error, self._folder) from None
        return found

    def _keep(self, fresh: dict[bytes, str], source: str, target: str) -> None:
        if self._folder is None:
            return
        connection = self._connection(source, target)
        try:
            with connection:
                connection.executemany("INSERT OR IGNORE INTO said VALUES (?, ?)", fresh.items())
        except sqlite3.DatabaseError as error:
            raise _as_oserror(error, self._folder) from None

    def _connection(self, source: str, target: str) -> sqlite3.Connection:
        assert self._folder is not None
        if (source, target) not in self._open:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{_slug(self.identity)}.{source}-{target}.sqlite"
            try:
                connection = sqlite3.connect(path, timeout=60)
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS said (key BLOB PRIMARY KEY, text TEXT NOT NULL) "
                    "WITHOUT ROWID"
                )
            except sqlite3.DatabaseError as error:
                raise _as_oserror(error, path) from None
            self._open[source, target] = connection
        return self._open[source, target]


def cached(translator: Translator) -> Cached:
    """The translator if it is `Cached`, else wrapped without a folder, to count its texts."""
    return translator if isinstance(translator, Cached) else Cached(translator, None)


def _key(text: str, tags: Sequence[str]) -> bytes:
    asked = "\0".join([*tags, "", text])
    return hashlib.sha256(asked.encode(errors="surrogatepass")).digest()


def _slug(identity: str) -> str:
    """A readable file name that is unique for each identity."""
    readable = re.sub(r"[^\w.-]+", "_", identity)[:60]
    return f"{readable}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def _checked(found: Sequence[object], asked: int, identity: str) -> list[str]:
    """Check that a system returned `asked` texts, and make them encodable as UTF-8."""
    texts = [item for item in found if isinstance(item, str)]
    if not asked == len(found) == len(texts):
        raise TranslationError(
            f"{identity}: expected {asked} translations, found {len(found)} items, "
            f"{len(texts)} of them texts; nothing of this batch is kept"
        )
    return [text.encode(errors="replace").decode() for text in texts]


def _as_oserror(error: sqlite3.Error, path: Path) -> OSError:
    number = errno.ENOSPC if "full" in str(error) else errno.EIO
    reason = os.strerror(number) if number == errno.ENOSPC else f"translation cache: {error}"
    return OSError(number, reason, str(path))
