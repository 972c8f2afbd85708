"""A reader whose windows are read by replicas, processes of a Ray cluster (extra `cluster`).

Only reading happens there. Requests, their queue, deadlines and clients that leave stay where the
service is: to its crew, the replicas are one engine that reads as many windows side by side. So a
replica that is lost had at most the windows under way; another one reads them, a new replica takes
the place, and no accepted request is lost.
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
"""Replicas that may be lost over one window; then it may be the window that kills them."""
_LOOK_EVERY = 0.05
_STARTED_WITHIN = 300.0
"""Seconds that a cluster may take to start a replica."""
_AGAIN_AFTER = 5.0
"""Seconds between two replicas in one place that do not get ready."""


class OnRay:
    """An exported reader with replicas; each reads one window at a time, with one thread.

    Args:
        engine: the reader here, which cuts texts into windows.
        source: the reader as replicas find it: "default", or a folder at the same path everywhere.
        replicas: how many; 0 for one for each CPU of the cluster.

    Raises:
        ConfigError: if the reader is no exported one, or a replica has another version of it.
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
        self._is_whole = isinstance(engine.featurizer, WordFeaturizer)  # it reads letters, too
        self._source = source if source == DEFAULT else str(folder_of(source).absolute())
        self._identity = (VERSION, checksum_of(source))
        self.workers = replicas or max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._replicas = [_Replica(self._source) for _ in range(self.workers)]
        self._choosing = threading.Lock()
        for one in self._replicas:
            self._refuse_another(one.greeting())

    @property
    def limits(self) -> Limits:
        """How contexts are cut where a call does not say."""
        return self._engine.limits

    def windows(self, examples: Iterable[Any], limits: Limits | None = None) -> Iterator[Window]:
        """The windows of each example, cut here."""
        return self._engine.windows(examples, limits)

    def read(self, windows: Sequence[Any]) -> Generator[Logits, None, None]:
        """Logits of windows, each read by a replica.

        Raises:
            RuntimeError: if `LOSSES` replicas were lost over one window, or none gets ready.
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
        raise RuntimeError(f"{LOSSES} replicas were lost while they read one window")

    def _chosen(self) -> "_Replica":
        """The replica that is ready and has least to do; waits for one where there is none."""
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
        raise RuntimeError(f"no replica got ready within {_STARTED_WITHIN:.0f} s")

    def _renew(self) -> None:
        """Put new replicas in the places of lost ones."""
        for place, one in enumerate(self._replicas):
            if one.is_lost and time.monotonic() - one.made > _AGAIN_AFTER * (not one.was_ready):
                self._replicas[place] = _Replica(self._source)

    def _refuse_another(self, identity: tuple[str, str]) -> None:
        if identity != self._identity:
            raise ConfigError(
                f"--on ray: expected version {self._identity[0]} and reader "
                f"{self._identity[1][:12]} on every machine, found {identity[0]} and "
                f"{identity[1][:12]}; install the same version and copy the same folder everywhere"
            )


class _Replica:
    """A place for an actor, whether it can read, and how many windows it has."""

    def __init__(self, source: str) -> None:
        import ray

        self.actor = ray.remote(scheduling_strategy="SPREAD")(_Actor).remote(source)
        self._greets = self.actor.identity.remote()
        self.made = time.monotonic()
        self.under_way = 0
        self.was_ready = self.is_lost = False

    def greeting(self) -> tuple[str, str]:
        """Version and checksum of what it has loaded, once it has; its errors are raised."""
        import ray

        try:
            found: tuple[str, str] = ray.get(self._greets, timeout=_STARTED_WITHIN)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayActorError as error:
            raise DataError(f"--on ray: a replica ended: {' '.join(str(error).split())}") from None
        except ray.exceptions.GetTimeoutError:
            raise ConfigError(
                f"--on ray: a replica did not start within {_STARTED_WITHIN:.0f} s; see with "
                "`ray status` whether the cluster has a free CPU for each of --workers"
            ) from None
        self.was_ready = True
        return found

    def is_ready(self) -> bool:
        """Whether it can read; one that could not be made is lost."""
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
        self._engine = load_answerer(source).engine  # which reads a window with one thread
        self._identity = (VERSION, checksum_of(source))

    def identity(self) -> tuple[str, str]:
        return self._identity

    def read(self, window: Any) -> Logits:
        (logits,) = self._engine.read([window])
        return logits


def _light(window: Any) -> Any:
    """A window without the texts that it was cut from: a replica reads its tokens only."""
    if isinstance(window, ParallelWindow):
        others = tuple(None if one is None else _light(one) for one in window.others)
        return ParallelWindow(_light(window.own), others)
    return replace(window, example=replace(window.example, question="", context="", others=()))
