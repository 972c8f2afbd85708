"""The readers of a service by name, each with its crew; one can be reloaded while others answer."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from babelspan.config import nearest
from babelspan.readers import checksum_of, load_answerer, shortened
from babelspan.reading.crew import Crew
from babelspan.seams import Engine
from babelspan.service.problems import Problem
from babelspan.version import VERSION

Where = Literal["local", "ray"]

_PROBE = ("Where is the lake?", "The lake lies in Siberia.")


class Reader:
    """A reader that is loaded, warmed up and has a crew.

    Args:
        name: name used in requests.
        source: "default", a folder or a name on the hub.
        workers: windows read in parallel; 0 for one per core.
        on: "local" for threads of this process, "ray" for one replica per worker on a Ray cluster.

    Raises:
        DataError, ConfigError: as `load_answerer` and `OnRay`, and if it cannot answer a test
            question.
    """

    def __init__(self, name: str, source: str, *, workers: int = 0, on: Where = "local") -> None:
        self.name = name
        self.source = source
        answerer = load_answerer(source, workers=workers)
        self.crew = Crew(_reading(answerer.engine, source, workers, on), spare=1)
        self.answerer = answerer.borrowing(self.crew)
        try:
            self.answerer.ask(_PROBE[0], [_PROBE[1]])
            self.sha256 = checksum_of(source)
        except BaseException:
            self.crew.close()
            raise
        self._users = 0
        self._is_retired = False
        self._lock = threading.Lock()

    @property
    def signature(self) -> str:
        """A string with everything that its answers depend on."""
        limits = self.answerer.limits
        windows = f"windows:{limits.max_length}/{limits.overlap or limits.step or 'default'}"
        return f"babelspan:{VERSION}|reader:{shortened(self.sha256)}|{windows}"

    def about(self) -> dict[str, Any]:
        """Return the entry of this reader in `GET /v1/readers`."""
        limits = self.answerer.limits
        return {
            "name": self.name,
            "sha256": self.sha256,
            "workers": self.crew.workers,
            "window_tokens": limits.max_length,
            "max_answer_tokens": self.answerer.max_answer_tokens,
            "languages_beside": list(self.answerer.languages_beside),
            "windows_waiting": self.crew.waiting,
            "windows_begun": self.crew.begun,
            "signature": self.signature,
        }

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the reader open inside the block, even if it is retired meanwhile."""
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
            self._close_if_idle()

    def retire(self) -> None:
        """Close the crew as soon as no request uses it."""
        self._is_retired = True
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._is_retired and not self._users:
            threading.Thread(target=self.crew.close).start()  # close() waits for windows being read


class Readers:
    """The readers of a service; the first answers requests that name none.

    Args:
        sources: places of the readers, by name.
        workers: as in `Reader`.
        on: as in `Reader`.
    """

    def __init__(
        self, sources: Mapping[str, str], *, workers: int = 0, on: Where = "local"
    ) -> None:
        self._workers, self._on = workers, on
        self._reloading: set[str] = set()
        self._readers: dict[str, Reader] = {}
        for name, source in sources.items():
            self._readers[name] = Reader(name, source, workers=workers, on=on)

    def __iter__(self) -> Iterator[Reader]:
        return iter(list(self._readers.values()))

    def named(self, name: str | None) -> Reader:
        """Return a reader by name; None means the first.

        Raises:
            Problem: 404 if there is no reader of this name.
        """
        if name is None:
            return next(iter(self._readers.values()))
        if name not in self._readers:
            raise Problem(404, f"there is no reader {name!a}{nearest(name, list(self._readers))}")
        return self._readers[name]

    def reload(self, name: str) -> Reader:
        """Reload a reader; the old one serves until the new one has answered a test question.

        Raises:
            Problem: 409 if it is already being reloaded.
            DataError, ConfigError: if it cannot be loaded; the old one is kept.
        """
        old = self.named(name)
        if name in self._reloading:
            raise Problem(409, f"the reader {name!a} is already being loaded; wait for it")
        self._reloading.add(name)
        try:
            new = self._readers[name] = Reader(name, old.source, workers=self._workers, on=self._on)
        finally:
            self._reloading.discard(name)
        old.retire()
        return new

    def close(self) -> None:
        """Close all crews."""
        for reader in self:
            reader.crew.close()


def _reading(engine: Engine, source: str, workers: int, on: Where) -> Engine:
    """Return the engine that reads windows: the local one, or its replicas."""
    if on == "local":
        return engine
    from babelspan.service.on_ray import OnRay

    return OnRay(engine, source, workers)
