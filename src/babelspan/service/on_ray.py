"""A reader whose windows are read by replicas, processes of a Ray cluster (extra `cluster`).

Only reading happens there. Requests, their queue, their deadlines and the handling of clients that
disconnect stay in the service: its crew sees the replicas as one engine that reads as many windows
in parallel. A lost replica therefore had at most its current windows; another replica reads them, a
new one replaces it, and no accepted request is lost.
"""

import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from babelspan.engines.onnx import OnnxEngine
from babelspan.readers import DEFAULT, checksum_of, folder_of, load_answerer
from babelspan.reading.parallel import ParallelWindow
from babelspan.reading.words import WordFeaturizer
from babelspan.seams import Logits, Window
from babelspan.service.logs import log
from babelspan.types import ConfigError, DataError, Limits
from babelspan.version import VERSION

LOSSES = 3
"""Number of replicas that may be lost on one window; after that the window itself is suspect."""
_LOOK_EVERY = 0.05
_STARTED_WITHIN = 300.0
"""Seconds that the cluster may take to start a replica."""
_AGAIN_AFTER = 5.0
"""Seconds to wait before replacing a replica that never became ready."""


class OnRay:
    """An exported reader with replicas; each reads one window at a time, in one thread.

    Args:
        engine: the local reader, which cuts texts into windows.
        source: the reader's place for replicas: "default", or a folder at the same path everywhere.
        replicas: number of replicas; 0 for one per CPU of the cluster.

    Raises:
        ConfigError: if the reader is not an exported one, or a replica has another version of it.
        DataError: if a replica cannot load it.
    """

    def __init__(self, engine: Any, source: str, replicas: int = 0) -> None:
        import ray

        if not isinstance(engine, OnnxEngine):
            raise ConfigError(
                f"--on ray with the reader {source!r}: expected an exported reader, found a "
                "checkpoint; export it with `babelspan export`"
            )
        if not ray.is_initialized():
            ray.init(include_dashboard=False, log_to_driver=False, logging_level="error")
        self._engine = engine
        self._is_whole = isinstance(engine.featurizer, WordFeaturizer)  # it also reads letters
        self._source = source if source == DEFAULT else str(folder_of(source).absolute())
        self._identity = (VERSION, checksum_of(source))
        self.workers = replicas or max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._replicas = [self._new() for _ in range(self.workers)]
        self._choosing = threading.Lock()
        for one in self._replicas:
            one.greeting()

    @property
    def limits(self) -> Limits:
        """The window limits used when a call gives none."""
        return self._engine.limits

    def windows(self, examples: Iterable[Any], limits: Limits | None = None) -> Iterator[Window]:
        """Yield the windows of each example, cut locally."""
        return self._engine.windows(examples, limits)

    def read(self, windows: Sequence[Any]) -> Generator[Logits, None, None]:
        """Yield the logits of windows, each read by a replica.

        Raises:
            RuntimeError: if `LOSSES` replicas were lost on one window, or none becomes ready.
        """
        return (self._read(window if self._is_whole else _light(window)) for window in windows)

    def _read(self, window: Any) -> Logits:
        import ray

        for _ in range(LOSSES):
            chosen = self._chosen()
            try:
                found: Logits = ray.get(chosen.actor.read.remote(window))
                return found
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None
            except ray.exceptions.RayActorError as error:
                chosen.is_lost = True
                log({"event": "replica lost", "detail": " ".join(str(error).split())[:200]})
            finally:
                with self._choosing:
                    chosen.under_way -= 1
        raise RuntimeError(f"{LOSSES} replicas were lost while reading one window")

    def _chosen(self) -> "_Replica":
        """Return the ready replica with the fewest windows; wait if none is ready."""
        end = time.monotonic() + _STARTED_WITHIN
        while time.monotonic() < end:
            with self._choosing:
                self._renew()
                ready = [one for one in self._replicas if one.is_ready()]
                if ready:
                    chosen = min(ready, key=lambda one: one.under_way)
                    chosen.under_way += 1
                    return chosen
            time.sleep(_LOOK_EVERY)
        raise RuntimeError(f"no replica became ready within {_STARTED_WITHIN:.0f} s")

    def _renew(self) -> None:
        """Replace lost replicas by new ones."""
        for place, one in enumerate(self._replicas):
            if one.is_lost and time.monotonic() - one.made > _AGAIN_AFTER * (not one.was_ready):
                self._replicas[place] = self._new()

    def _new(self) -> "_Replica":
        return _Replica(self._source, self._identity)


class _Replica:
    """An actor, whether it is ready, and how many windows it has.

    Args:
        source: as in `OnRay`, but an absolute path.
        identity: version and checksum that it must have.
    """

    def __init__(self, source: str, identity: tuple[str, str]) -> None:
        import ray

        self.actor = ray.remote(scheduling_strategy="SPREAD")(_Actor).remote(source)
        self._identity = identity
        self._greets = self.actor.identity.remote()
        self.made = time.monotonic()
        self.under_way = 0
        self.was_ready = self.is_lost = False

    def greeting(self) -> None:
        """Wait until it is loaded with the right version and checksum; raises as `OnRay`."""
        import ray

        try:
            version, checksum = ray.get(self._greets, timeout=_STARTED_WITHIN)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayActorError as error:
            raise DataError(f"--on ray: a replica failed: {' '.join(str(error).split())}") from None
        except ray.exceptions.GetTimeoutError:
            raise ConfigError(
                f"--on ray: a replica did not start within {_STARTED_WITHIN:.0f} s; check with "
                "`ray status` whether the cluster has a free CPU for each of --workers"
            ) from None
        if (version, checksum) != self._identity:
            raise ConfigError(
                f"--on ray: expected version {self._identity[0]} and reader "
                f"{self._identity[1][:12]} on every machine, found {version} and "
                f"{checksum[:12]}; install the same version and copy the same folder everywhere"
            )
        self.was_ready = True

    def is_ready(self) -> bool:
        """Return whether it is ready; one that failed to start, or has another reader, is lost."""
        import ray

        if not self.was_ready and not self.is_lost and ray.wait([self._greets], timeout=0)[0]:
            try:
                self.greeting()
            except Exception as error:
                self.is_lost = True
                log({"event": "replica not ready", "detail": str(error)[:200]})
        return self.was_ready and not self.is_lost


class _Actor:
    """A process of a Ray cluster that reads windows."""

    def __init__(self, source: str) -> None:
        self._engine = load_answerer(source).engine  # reads a window with one thread
        self._identity = (VERSION, checksum_of(source))

    def identity(self) -> tuple[str, str]:
        return self._identity

    def read(self, window: Any) -> Logits:
        (logits,) = self._engine.read([window])
        return logits


def _light(window: Any) -> Any:
    """Return a window without its source texts: a replica reads only the tokens."""
    if isinstance(window, ParallelWindow):
        others = tuple(None if one is None else _light(one) for one in window.others)
        return ParallelWindow(_light(window.own), others)
    return replace(window, example=replace(window.example, question="", context="", others=()))
