"""A table as a job: translations, then rows, then the table; a stopped job goes on.

Rows are independent of each other, so that several can be trained side by side.
"""

import multiprocessing
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

from babelspan.augment.strategies import STRATEGIES
from babelspan.data.folder import DataFile, describe, inside
from babelspan.jobs import train as train_job
from babelspan.jobs import translate as translate_job
from babelspan.jobs.reproduce.papers import (
    START,
    Letters,
    Paper,
    Row,
    Scale,
    Translation,
    languages_of,
    settings_of,
)
from babelspan.jobs.reproduce.units import Unit, cells_of, do
from babelspan.jobs.shards import Crew, Watch
from babelspan.readers import load_checkpoint
from babelspan.scoring.scorers import load_scorer
from babelspan.translators import load_translator
from babelspan.types import ConfigError, DataError


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be made, and from what.

    Attributes:
        paper: whose table.
        scale: at which scale.
        rows: by key.
        data: the folder that the scale's paths are relative to.
        out: the folder of the job.
        reader: where training starts.
        seeds: how many, from 1.
        start: a reader that takes the place of the scale's first stage; None to train one.
        translator: for translations that name none.
        translated: folder of translations that are there; None to make them.
        settings: of all rows, over those of the scale.
    """

    paper: Paper
    scale: Scale
    rows: dict[str, Row]
    data: Path
    out: Path
    reader: str
    seeds: int
    start: str | None = None
    translator: str | None = None
    translated: Path | None = None
    settings: tuple[str, ...] = ()

    @property
    def train(self) -> Path:
        """The source examples."""
        return self.data / self.scale.train

    @cached_property
    def _translations(self) -> list[DataFile]:
        split = describe(self.train).split
        found = inside(self.translated or self.out / "translated")
        return [file for file in found if file.split == split]

    def learns_from(self, row: Row) -> tuple[Path, ...]:
        """The files of a row: the source examples, then each strategy in each language.

        Raises:
            DataError: if a translation is missing.
        """
        files = [self.train]
        for strategy, language in product(row.strategies, languages_of(row, self.scale)):
            question = language if "q" in strategy else self.scale.source
            context = language if "c" in strategy else self.scale.source
            found = [
                f
                for f in self._translations
                if (f.question_language, f.context_language) == (question, context)
            ]
            if len({f.whole for f in found}) > 1:
                raise DataError(
                    f"expected one set of translations with questions in {question!r} and contexts "
                    f"in {context!r}, found {', '.join(sorted(str(f.whole) for f in found))}; "
                    "remove what is out of date"
                )
            if not found:
                raise DataError(
                    f"{self.translated or self.out / 'translated'}: expected translations with "
                    f"questions in {question!r} and contexts in {context!r}, found none; make them "
                    "with babelspan translate, or choose other --rows"
                )
            files += [f.path for f in found]
        return tuple(files)


def check(job: Job) -> None:
    """See that data and tests are there and right, before anything slow begins.

    Raises:
        DataError: if data or the reader are missing, or cannot be measured on.
        ConfigError: for a setting or scorer that is unknown, or probes of a test that is not
            crossed.
    """
    stages = [
        (row.method, settings_of(k, row, job.scale, job.settings)) for k, row in job.rows.items()
    ]
    for method, settings in [*stages, ("fine_tune", job.scale.start or ())]:
        if any(setting.startswith(("seed=", "run.seed=")) for setting in settings):
            raise ConfigError("expected no setting of the seed, found one; use --seeds")
        train_job.resolve(method, settings=settings)
    if job.scale.probe and not job.scale.tests[0].crossed:
        raise ConfigError(f"probes need a test that is crossed, {job.scale.tests[0].name!r} is not")
    if not job.train.is_file():
        raise DataError(
            f"{job.train}: expected the source examples, found no such file; name the folder that "
            "holds them with --data"
        )
    for test in job.scale.tests:
        load_scorer(test.scorer)
        cells_of(test, job.data)
    load_checkpoint(job.start or job.reader, gives_new_head=True)


def translate(job: Job, *, workers: int, watch: Watch) -> None:
    """Make the translations that the rows learn from.

    Raises:
        ConfigError: if a translation has no translator.
        DataError, TranslationError: as `babelspan translate` does.
    """
    if job.translated is not None:
        return
    for translation in job.scale.translations:
        for strategy in _needed(job, translation):
            _translate(job, translation, strategy, workers, watch)


def units(job: Job, *, workers: int = 0) -> tuple[list[Unit], list[Unit]]:
    """First stages, and the rows that go on from them, seed by seed.

    Args:
        job: the job; its translations are there.
        workers: of each unit; see `Unit`.

    Raises:
        DataError: if a translation is missing.
    """
    scale = job.scale
    first = Unit(
        folder=job.out,
        key=START,
        seed=1,
        method="fine_tune",
        reader=job.reader,
        train=(job.train,),
        settings=scale.start or (),
        data=job.data,
        source=scale.source,
    )
    begins_anew = scale.start is not None and job.start is None
    seeds = range(1, job.seeds + 1)
    firsts = [replace(first, seed=seed) for seed in seeds] if begins_anew else []
    rows = [
        Unit(
            folder=job.out,
            key=key,
            seed=seed,
            method=row.method,
            reader=str(firsts[seed - 1].run) if begins_anew else job.start or job.reader,
            train=job.learns_from(row),
            settings=settings_of(key, row, scale, job.settings),
            data=job.data,
            source=scale.source,
            tests=scale.tests,
            int8=scale.int8,
            probe=scale.probe,
            workers=workers,
        )
        for seed in seeds
        for key, row in job.rows.items()
    ]
    return firsts, rows


def carry_out(stages: Iterable[Sequence[Unit]], *, jobs: int, watch: Watch) -> None:
    """Do units, those of a stage in any order, `jobs` of them side by side.

    With several jobs each writes what it has to say to `logs/<row>.seed-<n>.txt` of the folder.

    Raises:
        ConfigError: if a process was killed; and as `units.do` does.
    """
    for stage in stages:
        if jobs == 1:
            for unit in stage:
                do(unit, watch)
        else:
            for _ in watch(_side_by_side(stage, jobs), "rows", len(stage)):
                pass


def _side_by_side(stage: Sequence[Unit], jobs: int) -> Iterator[Unit]:
    """Units as they are finished."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context) as pool:
        running = {pool.submit(_do_apart, unit): unit for unit in stage}
        try:
            for finished in as_completed(running):
                unit = running[finished]
                if finished.exception():
                    print(f"{unit.key}, seed {unit.seed}: failed", file=sys.stderr)
                finished.result()
                yield unit
        except BrokenProcessPool:
            raise ConfigError(
                "a process was killed, most often for want of memory; what is finished is kept: "
                "start again, with fewer --jobs"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _do_apart(unit: Unit) -> None:
    """A unit in a process of its own."""
    log = unit.folder / "logs" / f"{unit.key}.seed-{unit.seed}.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("a", encoding="utf-8", buffering=1) as file,
        redirect_stdout(file),
        redirect_stderr(file),
    ):
        do(unit, lambda predictions, _, __: predictions)


def _needed(job: Job, translation: Translation) -> list[Letters]:
    """The strategies that some row needs in a language of a translation."""
    found: list[Letters] = []
    for row in job.rows.values():
        if set(languages_of(row, job.scale)) & set(translation.to):
            found += [strategy for strategy in row.strategies if strategy not in found]
    return found


def _translate(
    job: Job, translation: Translation, strategy: Letters, workers: int, watch: Watch
) -> None:
    spec = translation.translator.replace("{data}", str(job.data)) or job.translator
    if spec is None:
        raise ConfigError(
            f"translations into {', '.join(translation.to)} are to be made and this scale names no "
            "translator: name one with --translator, or a folder of translations with --translated"
        )
    folder = job.out.resolve() / "translated" / "-".join(translation.to)
    shards, paragraphs = translate_job.plan_shards(job.train, None)
    made = translate_job.Job(
        data=job.train.resolve(),
        split=describe(job.train).split,
        source=job.scale.source,
        targets=translation.to,
        strategies=STRATEGIES[strategy],
        carriers=translation.answers,
        translator=spec,
        out=folder / strategy,
        cache=folder / "cache",
        links=None,
        shards=shards,
        paragraphs=paragraphs,
    )
    identity = load_translator(spec).identity
    what = f"{strategy} {', '.join(translation.to)}"
    named: Watch = lambda shards, _, count: watch(shards, what, count)  # noqa: E731
    translate_job.carry_out(made, identity, crew=Crew(workers=workers, watch=named))
