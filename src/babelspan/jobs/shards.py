"""Work split into shards, each made once, completely or not at all, by any number of workers.

A shard is finished when its record exists in `shards/` of the job's folder; its other files are
written before that. The same command resumes a job that was stopped: finished shards are kept, and
the result has the same bytes. The content of a shard never depends on the workers. One generator
reads the inputs as workers become free, so that a large file is read once and only a few shards of
it are in memory.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import wait as wait_for_end
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from babelspan.data.files import checksum, read_record, replacing, write_json
from babelspan.data.folder import SHARDS
from babelspan.data.locks import is_unfinished, locked, sweep
from babelspan.machine import cores
from babelspan.types import ConfigError, DataError

Input = TypeVar("Input", contravariant=True)
Made = TypeVar("Made", covariant=True)
I = TypeVar("I")  # noqa: E741
M = TypeVar("M")

Watch = Callable[[Iterable[Any], str, int], Iterable[Any]]
"""Shows progress over items; takes the items, a label and their number."""

Where = Literal["local", "ray"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The workers of a job.

    Attributes:
        on: "local" for processes of this machine, "ray" for actors of a Ray cluster (extra
            `cluster`). On Ray, every machine must see the job's folder at the same path; a running
            cluster is used if RAY_ADDRESS names one, else one is started here.
        workers: number of shards made in parallel; a single local worker is this process.
        watch: shows progress.
    """

    on: Where = "local"
    workers: int = 1
    watch: Watch = lambda items, _, __: items

    @property
    def is_elsewhere(self) -> bool:
        """Whether other processes than this one make the shards."""
        return self.workers > 1 or self.on == "ray"

    @property
    def threads(self) -> int:
        """Threads per worker: 0 for all cores, a share of them, or one on a cluster."""
        if self.on == "ray":
            return 1
        return 0 if self.workers == 1 else max(1, cores() // self.workers)


ALONE = Crew()
"""This process, without a progress display."""


class Work(Protocol[Input, Made]):
    """A job split into shards. It is sent to other processes, so it holds plain values."""

    def start(self) -> Callable[[int, Input], Made]:
        """Load what a worker needs; return a function that makes a shard from its number and input.

        The function writes the shard's record last, and returns what the caller needs.
        """


def record_of(folder: Path, shard: int) -> Path:
    """Return the record of a shard: it exists once the shard is finished, and has its content."""
    return folder / SHARDS / f"{shard:05d}.json"


def is_finished(folder: Path, shard: int) -> bool:
    """Return whether a shard is finished, that is, whether its record exists."""
    return record_of(folder, shard).exists()


def cut(items: Iterable[I], size: int) -> Iterator[list[I]]:
    """Yield items in lists of `size`; the last may be shorter. One list is in memory at a time."""
    remaining = iter(items)
    while some := list(islice(remaining, size)):
        yield some


def missing(folder: Path, inputs: Iterable[I]) -> Iterator[tuple[int, I]]:
    """Yield the inputs of unfinished shards, with their numbers."""
    return ((n, given) for n, given in enumerate(inputs) if not is_finished(folder, n))


def refuse_changed(folder: Path, shard: int, files: Mapping[str, str]) -> None:
    """Check that the files of a finished shard have not changed.

    Args:
        folder: folder of the job.
        shard: number of the shard.
        files: name -> SHA-256 of its content, from the shard's record.

    Raises:
        DataError: if a file has changed; the message names it.
    """
    for name, expected in files.items():
        path = folder / name
        found = checksum(path) if path.exists() else "no file"
        if found != expected:
            raise DataError(
                f"{path}: expected the content that was written, SHA-256 {expected[:12]}, found "
                f"{found[:12]}; to make it again, remove {record_of(folder, shard)} and rerun "
                "the same command"
            )


def lines_of(folder: Path, shard: int, name: str) -> Path:
    """Return the file for a shard's part of a list that the job makes, such as "dropped"."""
    return record_of(folder, shard).with_suffix(f".{name}.jsonl")


def join_lines(folder: Path, name: str, *, shards: int) -> None:
    """Join the lists of all shards into `<name>.jsonl` in the job's folder."""
    with replacing(folder / f"{name}.jsonl") as beside, beside.open("wb") as all_lines:
        for shard in range(shards):
            all_lines.write(lines_of(folder, shard, name).read_bytes())


@contextmanager
def claimed(
    record: Path,
    depends_on: Mapping[str, Any],
    *,
    under: str = "",
    may_stay: Callable[[Path], bool] = is_unfinished,
) -> Iterator[None]:
    """Lock the folder of a job; claim it for this job, or check that it belongs to it.

    Partly written files of killed processes are removed.

    Args:
        record: the file in the folder that identifies the job.
        depends_on: everything that the result depends on, as plain JSON values.
        under: key of the record that holds these; empty if they are the whole record.
        may_stay: which other files the folder of a new job may contain.

    Raises:
        ConfigError: if the folder holds another job or other files, or is in use.
        DataError: if the record is broken.
    """
    with locked(record.parent):
        _claim(record, depends_on, under, may_stay)
        sweep(record.parent)
        yield
        sweep(record.parent)  # again, for processes that were still stopping before


def carry_out(
    work: Work[I, M],
    inputs: Iterable[tuple[int, I]],
    *,
    count: int,
    crew: Crew = ALONE,
) -> Iterator[tuple[int, M]]:
    """Make shards; yield each as it is finished.

    Args:
        work: the job.
        inputs: numbers of the missing shards, each with its input.
        count: number of these shards.
        crew: the workers.

    Raises:
        ConfigError: if a worker was killed; also raises any error of making a shard.
    """
    workers = min(crew.workers, count)
    if not count:
        return iter(())
    if crew.on == "ray":
        return _on_ray(work, inputs, workers)
    return _in_processes(work, inputs, workers) if workers > 1 else _here(work.start(), inputs)


def fill(
    work: Work[list[I], Any],
    folder: Path,
    items: Iterable[I],
    *,
    total: int,
    size: int,
    label: str,
    crew: Crew = ALONE,
) -> int:
    """Make the shards that are missing in a folder, with progress; return the number of all shards.

    Args:
        work: the job.
        folder: folder of the shards.
        items: all items, in order.
        total: their number.
        size: number of items in a shard.
        label: what the items are, for the display.
        crew: the workers.

    Raises:
        ConfigError: as `carry_out`.
    """
    count = -(-total // size)
    left = {n: min(size, total - n * size) for n in range(count) if not is_finished(folder, n)}
    done = carry_out(work, missing(folder, cut(items, size)), count=len(left), crew=crew)
    for _ in crew.watch((n for n, _ in done for _ in range(left[n])), label, sum(left.values())):
        pass
    return count


def _claim(
    record: Path, depends_on: Mapping[str, Any], under: str, may_stay: Callable[[Path], bool]
) -> None:
    folder = record.parent
    found = read_record(record) if record.exists() else {}
    earlier = found.get(under) if under else found
    if not earlier or not isinstance(earlier, dict):
        others = [p for p in folder.iterdir() if not (is_unfinished(p) or may_stay(p))]
        if others:
            raise ConfigError(
                f"{folder}: expected an empty or a new folder, found other files, such as "
                f"{min(others).name!r}; choose another folder"
            )
        write_json(record, {under: depends_on} if under else depends_on)
    elif earlier != depends_on:
        keys = [*depends_on, *(k for k in earlier if k not in depends_on)]
        differs = [k for k in keys if earlier.get(k) != depends_on.get(k)]
        raise ConfigError(
            f"{folder}: holds a job that differs in {', '.join(differs)}; choose another folder"
        )


def _here(make: Callable[[int, I], M], inputs: Iterable[tuple[int, I]]) -> Iterator[tuple[int, M]]:
    for shard, given in inputs:
        yield shard, make(shard, given)


def _in_processes(
    work: Work[I, M], inputs: Iterable[tuple[int, I]], workers: int
) -> Iterator[tuple[int, M]]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=end_with_parent) as pool:
        running: dict[Future[M], int] = {}
        try:
            for shard, given in inputs:
                running[pool.submit(_make, work, shard, given)] = shard
                if len(running) > workers:
                    yield from _finished(running)
            while running:
                yield from _finished(running)
        except BrokenProcessPool:
            raise _killed() from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _finished(running: dict[Future[M], int]) -> Iterator[tuple[int, M]]:
    """Wait until at least one shard is finished; yield the finished ones."""
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        yield running.pop(future), future.result()


_started: Callable[[int, Any], Any] | None = None
"""In a worker process: the function that makes a shard."""


def _make(work: Work[I, M], shard: int, given: I) -> M:
    global _started
    if _started is None:
        _started = work.start()
    made: M = _started(shard, given)
    return made


def end_with_parent() -> None:
    """Make a worker process end when the process that started it ends, even if it is killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait_for_end([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _on_ray(
    work: Work[I, M], inputs: Iterable[tuple[int, I]], workers: int
) -> Iterator[tuple[int, M]]:
    """Make shards with actors, each with its loaded models; a lost machine is replaced."""
    import ray

    actor = ray.remote(max_restarts=3, max_task_retries=3, scheduling_strategy="SPREAD")(_Actor)
    idle = [actor.remote(work) for _ in range(workers)]
    running: dict[Any, tuple[int, Any]] = {}

    def finished() -> Iterator[tuple[int, M]]:
        done, _ = ray.wait(list(running))
        for reference in done:
            shard, worker = running.pop(reference)
            idle.append(worker)
            yield shard, ray.get(reference)

    try:
        for shard, given in inputs:
            if not idle:
                yield from finished()
            worker = idle.pop()
            running[worker.make.remote(shard, given)] = shard, worker
        while running:
            yield from finished()
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayActorError as error:
        raise _killed(f" ({' '.join(str(error).split())[:200]})") from None


class _Actor:
    """A worker of a Ray cluster."""

    def __init__(self, work: Work[Any, Any]) -> None:
        self._work = work

    def make(self, shard: int, given: Any) -> Any:
        return _make(self._work, shard, given)


def _killed(cause: str = "") -> ConfigError:
    return ConfigError(
        f"a worker was killed{cause}, usually because memory ran out; finished shards are kept: "
        "rerun the same command to resume, with fewer --workers"
    )
