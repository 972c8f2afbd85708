"""A job that translates labelled data; a shard is a run of paragraphs (`jobs.shards`)."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from babelspan.augment.cache import Cached
from babelspan.augment.statistics import Statistics
from babelspan.augment.strategies import Carrier, Made, Strategy, linkable, translated
from babelspan.augment.translate import Direction
from babelspan.data.files import checksum, read_record, write_csv, write_json, write_lines
from babelspan.data.locks import is_unfinished
from babelspan.data.pharaoh import PharaohAligner, save_pairs
from babelspan.data.squad import save_squad
from babelspan.data.stream import count_paragraphs, stream_squad
from babelspan.jobs import shards as sharded
from babelspan.jobs.shards import ALONE, Crew, is_finished, record_of, refuse_changed
from babelspan.seams import Translator
from babelspan.translators import load_translator
from babelspan.types import Answer, DataError, Example
from babelspan.version import VERSION

Paragraph = list[Example]
"""The questions of one paragraph."""

PARAGRAPHS_IN_A_SHARD = 256
_PARAGRAPHS_AT_ONCE = 32
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Effort:
    """The work of one run on a shard; not part of the result."""

    sentences: int
    """Sentences sent to the translator, without those found in the cache."""
    engine_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to translate, and how.

    Attributes:
        data: questions in the SQuAD layout, in one language.
        split: name of the split, for the names of the output files.
        source: language of the data.
        targets: languages to translate to.
        strategies: which data sets to make.
        carriers: ways to carry answers over, most trusted first.
        translator: as in `babelspan.translators`.
        out: folder for the result.
        cache: folder for translations, shared between jobs; None for none.
        links: folder of word links for the carrier "links"; see `data.pharaoh`.
        shards: number of shards.
        paragraphs: number of paragraphs in `data`.
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
        """Return what the result depends on; jobs that differ in it need different folders."""
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

    def start(self) -> Callable[[int, list[Paragraph]], Effort]:
        """Load the translator; return a function that makes a shard (see `jobs.shards.Work`)."""
        translator = load_translator(self.translator)
        return lambda shard, paragraphs: make_shard(self, shard, paragraphs, translator)

    def record(self, shard: int) -> Path:
        """Return the record of a shard; it exists once the shard is finished."""
        return record_of(self.out, shard)

    def file(self, strategy: Strategy, target: str, shard: int) -> Path:
        """Return the file of a shard for one strategy and language."""
        question = self.source if strategy == "T(C)" else target
        context = self.source if strategy == "T(Q)" else target
        pair = question if question == context else f"{question}-{context}"
        part = f".{shard:05d}-of-{self.shards:05d}" if self.shards > 1 else ""
        return self.out / f"{self.split}.{pair}{part}.json.gz"


def plan_shards(data: Path, shards: int | None) -> tuple[int, int]:
    """Return the number of shards (None: one per 256 paragraphs) and of paragraphs.

    Raises:
        DataError: if the file has no paragraphs, or is not JSON.
    """
    paragraphs = count_paragraphs(data)
    if not paragraphs:
        raise DataError(f"{data}: expected paragraphs of the SQuAD layout, found none")
    return min(shards or -(-paragraphs // PARAGRAPHS_IN_A_SHARD), paragraphs), paragraphs


def carry_out(
    job: Job,
    identity: str,
    *,
    crew: Crew = ALONE,
) -> tuple[Statistics, list[Effort]]:
    """Carry out the missing shards and join all shards.

    On Ray, the cache may be a local folder of each machine. It must be local if the shared file
    system is a network file system, where SQLite files cannot be shared.

    Args:
        job: the job.
        identity: identity of the translator.
        crew: the workers.

    Raises:
        ConfigError: if the folder holds another job or other files, or is in use.
        DataError, TranslationError: if the data or the translator is broken.
    """
    manifest = job.out / "manifest.json"
    with sharded.claimed(
        manifest, job.depends_on(identity), under="job", may_stay=lambda p: _may_stay(p, job)
    ):
        todo = [n for n in range(job.shards) if not is_finished(job.out, n)]
        done = sharded.carry_out(job, _inputs(job, todo), count=len(todo), crew=crew)
        efforts = [effort for _, effort in crew.watch(done, "shards", len(todo))]
        return _finish(job), efforts


def make_shard(
    job: Job, shard: int, paragraphs: Sequence[Paragraph], translator: Translator
) -> Effort:
    """Make one shard: first its files, then its record."""
    started = perf_counter()
    made: dict[tuple[Strategy, str], list[Example]] = {
        (s, t): [] for t in job.targets for s in job.strategies
    }
    statistics = Statistics()
    lines: dict[str, list[dict[str, Any]]] = {"dropped": [], "odd": []}
    aligners = {t: PharaohAligner(job.links, t) for t in job.targets if job.links is not None}
    with closing(Cached(translator, job.cache)) as cached:
        for examples in _chunks(paragraphs):
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
        write_lines(sharded.lines_of(job.out, shard, name), records)
    write_json(job.record(shard), {"files": files, "statistics": statistics.to_json()})
    return Effort(cached.asked, cached.seconds, perf_counter() - started)


def write_pairs(job: Job, translator: Translator) -> Iterator[tuple[Path, int]]:
    """Write the sentence pairs for a word aligner, one file per language.

    Yields each file, `pairs.<language>.txt` in the job's folder, with its number of pairs.
    """
    with closing(Cached(translator, job.cache)) as cached:
        for target in job.targets:
            to = Direction(cached, job.source, target)
            pairs = (p for some in _chunks(_paragraphs(job)) for p in linkable(some, to))
            path = job.out / f"pairs.{target}.txt"
            yield path, save_pairs(path, pairs)


def _finish(job: Job) -> Statistics:
    """Join the records of all shards: statistics, lists of lost examples, checksums."""
    statistics = Statistics()
    files: dict[str, str] = {}
    for shard in range(job.shards):
        record = read_record(job.record(shard), ("statistics", "files"))
        statistics.merge(Statistics.from_json(record["statistics"]))
        refuse_changed(job.out, shard, record["files"])
        files |= record["files"]
    for name in ("dropped", "odd"):
        sharded.join_lines(job.out, name, shards=job.shards)
    tables = {"table": statistics.rows(), "survival": statistics.survival(job.carriers)}
    write_json(job.out / "statistics.json", {**statistics.to_json(), **tables})
    write_csv(job.out / "statistics.csv", tables["table"])
    manifest = job.out / "manifest.json"
    write_json(manifest, {**read_record(manifest), "files": dict(sorted(files.items()))})
    return statistics


def _inputs(job: Job, todo: Sequence[int]) -> Iterator[tuple[int, list[Paragraph]]]:
    """Yield the missing shards with their paragraphs, in one pass over the file."""
    paragraphs = _paragraphs(job)
    at = 0
    for shard in todo:
        first, last = (n * job.paragraphs // job.shards for n in (shard, shard + 1))
        yield shard, list(islice(paragraphs, first - at, last - at))
        at = last


def _paragraphs(job: Job) -> Iterator[Paragraph]:
    """Yield the paragraphs; half surrogates, which translators cannot read, become `?`."""
    for paragraph in stream_squad(
        job.data,
        question_language=job.source,
        context_language=job.source,
        keep_misplaced=job.keep_misplaced,
    ):
        yield [_readable(example) for example in paragraph]


def _readable(example: Example) -> Example:
    answers = example.answers or ()
    texts = (example.question, example.context, *(a.text for a in answers))
    if not any(map(_HALF_CHARACTER.search, texts)):
        return example
    question, context, *of_answers = (_HALF_CHARACTER.sub("?", text) for text in texts)
    new = tuple(Answer(text, a.start) for text, a in zip(of_answers, answers, strict=True))
    return replace(
        example,
        question=question,
        context=context,
        answers=None if example.answers is None else new,
    )


def _chunks(paragraphs: Iterable[Paragraph]) -> Iterator[list[Example]]:
    """Yield the examples of some paragraphs at a time."""
    remaining = iter(paragraphs)
    while some := list(islice(remaining, _PARAGRAPHS_AT_ONCE)):
        yield [example for paragraph in some for example in paragraph]


def _note(lines: dict[str, list[dict[str, Any]]], made: Made, target: str) -> None:
    lines["dropped"] += [asdict(d) for d in made.dropped]
    lines["odd"] += [
        {"target": target, "source": source, "translation": translation}
        for source, translation in made.odd
    ]


def _may_stay(path: Path, job: Job) -> bool:
    """Return whether a file may be in the folder of a new job: cache, links, sentence pairs."""
    return is_unfinished(path) or path == job.cache or path in _links(job.out)


def _links(folder: Path) -> list[Path]:
    return sorted(p for name in ("pairs", "links") for p in folder.glob(f"{name}.*.txt"))
