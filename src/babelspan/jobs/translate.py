"""Translation of labelled data as a job: shards that are made once, whole or not at all.

The paragraphs of a file are cut into shards in their order. A shard is finished when its record
stands in `shards/`; a job that was stopped goes on with the shards that have none and ends with
the same bytes. Memory is that of one shard for each worker.
"""

import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from babelspan.augment.cache import Cached
from babelspan.augment.statistics import Statistics
from babelspan.augment.strategies import Carrier, Made, Strategy, linkable, translated
from babelspan.augment.translate import Direction
from babelspan.data.files import checksum, read_json, replacing, write_csv, write_json
from babelspan.data.pharaoh import PharaohAligner, save_pairs
from babelspan.data.squad import save_squad
from babelspan.data.stream import count_paragraphs, stream_squad
from babelspan.seams import Translator
from babelspan.translators import load_translator
from babelspan.types import ConfigError, DataError, Example, TranslationError
from babelspan.version import VERSION

PARAGRAPHS_IN_A_SHARD = 256
_PARAGRAPHS_AT_ONCE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is translated, and how.

    Attributes:
        data: questions in the SQuAD layout, in one language.
        split: first part of the names of the files that are made.
        source: language of the data.
        targets: languages to translate to.
        strategies: which data sets to make.
        carriers: how answers travel, in the order of trust.
        translator: as `babelspan.translators` takes it.
        out: folder for the result.
        cache: folder for translations, shared between jobs; None for none.
        links: folder of word links for the carrier "links"; see `data.pharaoh`.
        shards: how many parts.
        paragraphs: how many `data` has.
        keep_misplaced: as in `load_squad`.
    """

    data: Path
    split: str
    source: str
    targets: tuple[str, ...]
    strategies: tuple[Strategy, ...]
    carriers: tuple[Carrier, ...]
    translator: str
    out: Path
    cache: Path | None
    links: Path | None
    shards: int
    paragraphs: int
    keep_misplaced: bool = False

    def depends_on(self, identity: str) -> dict[str, Any]:
        """What the result depends on; jobs that differ in it may not share a folder."""
        links = {} if self.links is None else {p.name: checksum(p) for p in _links(self.links)}
        return {
            "data": checksum(self.data),
            "split": self.split,
            "source": self.source,
            "targets": list(self.targets),
            "strategies": list(self.strategies),
            "answers": list(self.carriers),
            "translator": identity,
            "links": links,
            "shards": self.shards,
            "keep_misplaced": self.keep_misplaced,
            "babelspan": VERSION,
        }

    def record(self, shard: int) -> Path:
        """The file that says that a shard is finished, and what is in it."""
        return self.out / "shards" / f"{shard:05d}.json"

    def file(self, strategy: Strategy, target: str, shard: int) -> Path:
        """The file of a shard with the examples of one strategy and language."""
        question = self.source if strategy == "T(C)" else target
        context = self.source if strategy == "T(Q)" else target
        pair = question if question == context else f"{question}-{context}"
        part = f".{shard:05d}-of-{self.shards:05d}" if self.shards > 1 else ""
        return self.out / f"{self.split}.{pair}{part}.json.gz"


@dataclass(frozen=True, slots=True)
class Effort:
    """What a run of a shard took; no part of the result."""

    sentences: int
    """Sentences that the translator was asked for, those of the cache left out."""
    engine_seconds: float
    seconds: float


def plan_shards(data: Path, shards: int | None) -> tuple[int, int]:
    """How many shards, and how many paragraphs there are; one for each 256 paragraphs for None.

    Raises:
        DataError: if the file has none, or is not JSON.
    """
    paragraphs = count_paragraphs(data)
    if not paragraphs:
        raise DataError(f"{data}: expected paragraphs of the SQuAD layout, found none")
    return min(shards or -(-paragraphs // PARAGRAPHS_IN_A_SHARD), paragraphs), paragraphs


def claim(job: Job, identity: str) -> list[int]:
    """Make the folder the job's, or see that it is; the shards that are still to be made.

    Raises:
        ConfigError: if the folder holds another job or other files.
    """
    manifest = job.out / "manifest.json"
    depends_on = job.depends_on(identity)
    found = read_json(manifest).get("job") if manifest.exists() else None
    if found is None:
        if job.out.exists() and not all(_may_stay(p, job) for p in job.out.iterdir()):
            raise ConfigError(f"{job.out}: expected an empty or a new folder, found other files")
        write_json(manifest, {"job": depends_on})
    elif found != depends_on:
        differs = [k for k in depends_on if found.get(k) != depends_on[k]]
        raise ConfigError(
            f"{job.out}: holds a job that differs in {', '.join(differs)}; choose another folder"
        )
    return [n for n in range(job.shards) if not job.record(n).exists()]


def run_shard(job: Job, shard: int, translator: Translator) -> Effort:
    """Make one shard: its files first, its record last."""
    started = perf_counter()
    first, last = (n * job.paragraphs // job.shards for n in (shard, shard + 1))
    made: dict[tuple[Strategy, str], list[Example]] = {
        (s, t): [] for t in job.targets for s in job.strategies
    }
    statistics = Statistics()
    lines: dict[str, list[dict[str, Any]]] = {"dropped": [], "odd": []}
    aligners = {t: PharaohAligner(job.links, t) for t in job.targets if job.links is not None}
    with closing(Cached(translator, job.cache)) as cached:
        for examples in _chunks(job, first, last):
            statistics.add_original(examples, job.source)
            for target in job.targets:
                result = translated(
                    examples,
                    Direction(cached, job.source, target),
                    job.strategies,
                    carriers=job.carriers,
                    aligner=aligners.get(target),
                )
                statistics.add(examples, result, target)
                for strategy, new in result.examples.items():
                    made[strategy, target] += new
                _note(lines, result, target)
    files = {}
    for (strategy, target), new in made.items():
        path = job.file(strategy, target, shard)
        save_squad(path, new)
        files[path.name] = checksum(path)
    for name, records in lines.items():
        _write_lines(job.record(shard).with_suffix(f".{name}.jsonl"), records)
    write_json(job.record(shard), {"files": files, "statistics": statistics.to_json()})
    return Effort(cached.asked, cached.seconds, perf_counter() - started)


def run_locally(job: Job, shards: Sequence[int], *, workers: int) -> Iterator[tuple[int, Effort]]:
    """Make shards in this process (one worker) or in several; each as it is finished."""
    if not shards:
        return
    if workers == 1 or len(shards) == 1:
        translator = load_translator(job.translator)
        for shard in shards:
            yield shard, run_shard(job, shard, translator)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(workers, len(shards)), context, initializer=_start_worker, initargs=(job.translator,)
    ) as pool:
        running = {pool.submit(_run_in_worker, job, shard): shard for shard in shards}
        try:
            for done in as_completed(running):
                yield running[done], done.result()
        except BrokenProcessPool:
            raise TranslationError(
                "a worker was killed, most often for want of memory; the shards that are finished "
                "are kept: start again, with fewer --workers"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def run_on_ray(job: Job, shards: Sequence[int], *, workers: int) -> Iterator[tuple[int, Effort]]:
    """Make shards on a Ray cluster, one translator for each actor (extra `cluster`).

    Every machine of the cluster must find data and result by the same paths. The cache may be a
    folder of each machine's own, and has to be where files of SQLite may not be shared: on network
    file systems. A Ray that runs already is used, as RAY_ADDRESS says; else one is started here.
    """
    if not shards:
        return
    import ray

    class Worker:
        def __init__(self) -> None:
            self.translator = load_translator(job.translator)

        def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
            efforts = [asdict(run_shard(job, int(n), self.translator)) for n in batch["id"]]
            return {"shard": batch["id"], "effort": [json.dumps(e) for e in efforts]}

    wanted = [{"id": shard} for shard in shards]
    dataset = ray.data.from_items(wanted, override_num_blocks=len(wanted)).map_batches(
        Worker, batch_size=1, concurrency=min(workers, len(wanted))
    )
    for row in dataset.iter_rows():
        yield int(row["shard"]), Effort(**json.loads(row["effort"]))


def write_pairs(job: Job, translator: Translator) -> Iterator[tuple[Path, int]]:
    """Write the sentence pairs whose words a word aligner is to link, a file for each language.

    They go to the folder of the job as `pairs.<language>.txt`; each comes with its size.
    """
    with closing(Cached(translator, job.cache)) as cached:
        for target in job.targets:
            to = Direction(cached, job.source, target)
            pairs = (p for some in _chunks(job, 0, job.paragraphs) for p in linkable(some, to))
            path = job.out / f"pairs.{target}.txt"
            yield path, save_pairs(path, pairs)


def finish(job: Job) -> Statistics:
    """Put the records of all shards together: statistics, lists of what was lost, checksums.

    What a killed run left half written is removed.
    """
    statistics = Statistics()
    files: dict[str, str] = {}
    for shard in range(job.shards):
        record = read_json(job.record(shard))
        statistics.merge(Statistics.from_json(record["statistics"]))
        files |= record["files"]
    for name in ("dropped", "odd"):
        with replacing(job.out / f"{name}.jsonl") as beside, beside.open("wb") as all_lines:
            for shard in range(job.shards):
                all_lines.write(job.record(shard).with_suffix(f".{name}.jsonl").read_bytes())
    tables = {"table": statistics.rows(), "survival": statistics.survival(job.carriers)}
    write_json(job.out / "statistics.json", {**statistics.to_json(), **tables})
    write_csv(job.out / "statistics.csv", tables["table"])
    for left in job.out.rglob(".*.part"):
        left.unlink()
    manifest = job.out / "manifest.json"
    write_json(manifest, {**read_json(manifest), "files": dict(sorted(files.items()))})
    return statistics


_translator: Translator
"""Of a worker process."""


def _start_worker(spec: str) -> None:
    global _translator
    _translator = load_translator(spec)


def _run_in_worker(job: Job, shard: int) -> Effort:
    return run_shard(job, shard, _translator)


def _chunks(job: Job, first: int, last: int) -> Iterator[list[Example]]:
    """The examples of paragraphs `first` to `last`, some paragraphs at a time."""
    paragraphs = islice(
        stream_squad(
            job.data,
            question_language=job.source,
            context_language=job.source,
            keep_misplaced=job.keep_misplaced,
        ),
        first,
        last,
    )
    while some := list(islice(paragraphs, _PARAGRAPHS_AT_ONCE)):
        yield [example for paragraph in some for example in paragraph]


def _note(lines: dict[str, list[dict[str, Any]]], made: Made, target: str) -> None:
    lines["dropped"] += [asdict(d) for d in made.dropped]
    lines["odd"] += [
        {"target": target, "source": source, "translation": translation}
        for source, translation in made.odd
    ]


def _write_lines(path: Path, records: Sequence[dict[str, Any]]) -> None:
    with replacing(path) as beside, beside.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _may_stay(path: Path, job: Job) -> bool:
    """Whether a file may be in the folder of a new job: the cache, word links and their pairs."""
    return path == job.cache or path in _links(job.out)


def _links(folder: Path) -> list[Path]:
    return sorted(p for name in ("pairs", "links") for p in folder.glob(f"{name}.*.txt"))
