"""The unit of work behind a row of the table: one row with one seed, trained and measured."""

import multiprocessing
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from babelspan.data.exported import MODEL
from babelspan.data.files import read_json, write_json
from babelspan.jobs import evaluate as evaluate_job
from babelspan.jobs import train as train_job
from babelspan.jobs.answer import Answering
from babelspan.jobs.beside import with_files
from babelspan.jobs.corpora import Paths
from babelspan.jobs.reproduce import synthetic
from babelspan.jobs.reproduce.papers import START, Row, Settings, settings_of
from babelspan.jobs.reproduce.reproduction import Reproduction
from babelspan.jobs.shards import Crew, Watch, end_with_parent
from babelspan.readers import checksum_of, device, load_answerer, load_checkpoint
from babelspan.reading.pivot import Pivot
from babelspan.scoring.scorers import load_scorer
from babelspan.types import ConfigError, Limits

_FIRST_STAGE = Row(name="first stage")


@dataclass(frozen=True)
class Unit:
    """One row with one seed, or the first stage of one seed; it can be sent to another process.

    Attributes:
        job: the reproduction.
        key: key of the row; `START` for a first stage, `questions.<kind>` for a generator and its
            questions, `first.<questions>` for the reader trained on them.
        seed: seed of the run.
    """

    job: Reproduction
    key: str
    seed: int

    @property
    def row(self) -> Row:
        """The row; a first stage is fine-tuned on the source examples."""
        return self.job.rows.get(self.key, _FIRST_STAGE)

    @property
    def trained(self) -> "Unit":
        """The unit whose reader is measured: itself, or that of the row that its pivot names."""
        return replace(self, key=self.job.trained_as(self.key))

    @property
    def reader(self) -> str:
        """The reader to start from."""
        if self.row.generator != "none" and not self.row.one_stage:
            return str(synthetic.first_folder(self.job, self.row, self.seed))
        return self.job.reader if self.key == START else self.job.starts_from(self.seed, self.row)

    @property
    def train(self) -> tuple[Path, ...]:
        """The training files, in order; raises as `Reproduction.learns_from`."""
        return self.job.learns_from(self.row)

    @property
    def stages(self) -> list[tuple[tuple[Path, ...], Path]]:
        """The files and the folder of each stage; raises as `Reproduction.learns_from`."""
        stages = self.job.stages_of(self.row, self.key, self.seed)
        if not self.row.one_stage:
            return stages
        questions = synthetic.questions_folder(self.job, self.row, self.seed)
        return [((questions, *files), folder) for files, folder in stages]

    @property
    def target(self) -> tuple[str, ...]:
        """The questions to resemble, for methods that use them."""
        takes = getattr(train_job.load_method(self.row.method), "TAKES", ())
        wanted = self.job.scale.target and "target" in takes
        return (str(self.job.data / self.job.scale.target),) if wanted else ()

    @property
    def settings(self) -> Settings:
        """The settings of the run, except the seed."""
        if self.key == START:
            return self.job.scale.start or ()
        return settings_of(self.key, self.row, self.job.scale, self.job.settings)

    @property
    def run(self) -> Path:
        """The folder of the run and of the trained reader."""
        return self.job.run_folder(self.key, self.seed)


def units_of(job: Reproduction) -> list[list[Unit]]:
    """Return units in lists to run in order, each seed by seed.

    These are first stages and questions; readers trained on questions; rows; and, if there are any,
    rows with a pivot.

    Raises:
        DataError: if a translation that a row needs is missing.
    """
    for row in job.rows.values():
        job.learns_from(replace(row, strategies=row.needs))
    return in_order(job)


def in_order(job: Reproduction) -> list[list[Unit]]:
    """As `units_of`, without looking for the translations."""
    seeds = range(1, job.seeds + 1)
    firsts = [Unit(job, START, seed) for seed in seeds if job.has_first_stage]
    questions = [f"{synthetic.QUESTIONS}{kind}" for kind in synthetic.kinds_of(job)]
    firsts += [Unit(job, key, seed) for seed in seeds for key in questions]
    readers = [f"{synthetic.FIRST}{name}" for name in synthetic.firsts_of(job)]
    pivots = [key for key, row in job.rows.items() if row.pivot]
    rows = [key for key in job.rows if key not in pivots]
    return [
        firsts,
        *([Unit(job, k, seed) for seed in seeds for k in keys] for keys in (readers, rows)),
        *([[Unit(job, k, seed) for seed in seeds for k in pivots]] if pivots else []),
    ]


def run_units(
    stages: Iterable[Sequence[Unit]], *, processes: int, workers: int = 0, watch: Watch
) -> None:
    """Train and measure units, several at a time; units of a stage run in any order.

    With several processes, the output of each unit goes to `logs/<row>.seed-<n>.txt` in the
    reproduction's folder.

    Args:
        stages: units; those of a stage are independent of each other.
        processes: number of units to run at a time.
        workers: windows that a unit reads in parallel when it is measured; 0 for one per core.
        watch: shows progress.

    Raises:
        ConfigError: if a process was killed; also raises as `train_and_measure`.
    """
    for stage in stages:
        if processes == 1:
            for unit in stage:
                train_and_measure(unit, workers=workers, watch=watch)
        else:
            finished = _run_in_processes(stage, processes, workers)
            for _ in watch(finished, "rows", len(stage)):
                pass


def train_and_measure(unit: Unit, *, workers: int, watch: Watch) -> None:
    """Train, export, measure and probe a unit; reuse existing results.

    Raises:
        ConfigError: if the folder has the same row with other settings or data.
        DataError: as training and measuring do.
    """
    print(f"{unit.key}, seed {unit.seed}", file=sys.stderr)
    if unit.key.startswith(synthetic.QUESTIONS):
        synthetic.ask(unit.job, unit.key.removeprefix(synthetic.QUESTIONS), unit.seed, watch)
        return
    if unit.key.startswith(synthetic.FIRST):
        synthetic.train_first(unit.job, unit.key.removeprefix(synthetic.FIRST), unit.seed)
        return
    if unit.row.pivot:
        _, built = train_job.resolve(unit.trained.row.method, settings=unit.trained.settings)
        _measure(unit, built["run"].limits, workers, watch)
        return
    if unit.row.one_stage:
        synthetic.write_chosen(unit.job, unit.row, unit.seed)
    reader = unit.reader
    for files, folder in unit.stages:
        plan = train_job.plan(
            method=unit.row.method,
            reader=reader,
            data=Paths(labelled=tuple(map(str, files)), target=unit.target),
            settings=[*unit.settings, f"run.seed={unit.seed}"],
        )
        train_job.carry_out(plan, folder)
        reader = str(folder)
    if unit.key != START:
        _measure(unit, plan.run_config.limits, workers, watch)
        if unit.job.scale.probe:
            _probe(unit, plan.run_config.limits)


def _run_in_processes(units: Sequence[Unit], processes: int, workers: int) -> Iterator[Unit]:
    """Yield units as they finish."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=end_with_parent) as pool:
        running = {pool.submit(_run_with_log, unit, workers): unit for unit in units}
        try:
            for finished in as_completed(running):
                unit = running[finished]
                if finished.exception():
                    print(f"{unit.key}, seed {unit.seed}: failed", file=sys.stderr)
                finished.result()
                yield unit
        except BrokenProcessPool:
            raise ConfigError(
                "a process was killed, usually because memory ran out; finished work is kept: "
                "rerun the same command to resume, with fewer --jobs"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _run_with_log(unit: Unit, workers: int) -> None:
    """Train and measure a unit in a separate process, with its output in a log file."""
    log = unit.job.out / "logs" / f"{unit.key}.seed-{unit.seed}.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("a", encoding="utf-8", buffering=1) as file,
        redirect_stdout(file),
        redirect_stderr(file),
    ):
        train_and_measure(unit, workers=workers, watch=lambda predictions, _, __: predictions)


def _measure(unit: Unit, limits: Limits, workers: int, watch: Watch) -> None:
    job = unit.job
    reader = _export_int8(unit.trained) if job.scale.int8 else str(unit.trained.run)
    answerer = load_answerer(reader, **asdict(limits), workers=workers)
    pivot = Pivot(answerer, job.pivot(), language=job.scale.source) if unit.row.pivot else None
    beside = () if pivot else answerer.languages_beside
    for test in job.scale.tests:
        members = job.members_of(test, beside)
        depends_on = evaluate_job.identity_of(
            checksum_of(reader), job.files_of(test), sample=test.sample, beside=members
        )
        depends_on |= {"pivot": pivot.identity} if pivot else {}
        together = with_files(job.cells_of(test), members, read=beside)
        evaluate_job.measure(
            Answering(lambda: pivot or answerer, allows_no_answer=test.no_answer),
            together.cells,
            load_scorer(test.scorer),
            keep=job.answers_folder(test, unit.key) / f"seed-{unit.seed}",
            depends_on=depends_on,
            crew=Crew(watch=watch),
        )


def _export_int8(unit: Unit) -> str:
    """Return the folder of the unit's int8 reader; export it if needed."""
    folder = unit.job.exported_folder(unit.key, unit.seed)
    record = folder / "from.json"
    made_from = {"reader": checksum_of(str(unit.run))}
    if not (folder / MODEL).exists() or not record.exists() or read_json(record) != made_from:
        from babelspan.export.onnx import export

        export(load_checkpoint(str(unit.run)), folder, int8=True)
        write_json(record, made_from)
    return str(folder)


def _probe(unit: Unit, limits: Limits) -> None:
    job, file = unit.job, unit.job.probe_file(unit.key, unit.seed)
    test, questions = job.scale.tests[0], job.scale.probe
    made_of = evaluate_job.identity_of(
        checksum_of(str(unit.run)), job.files_of(test), sample=questions
    )
    if file.exists() and read_json(file).get("made_of") == made_of:
        return
    from babelspan.networks.probe import probe

    diagonal = [(q, examples) for (q, c), examples in job.cells_of(test).items() if q == c]
    diagonal.sort(key=lambda cell: cell[0] != job.scale.source)  # the source first
    reader = load_checkpoint(str(unit.run), limits=limits).to(device())
    probed = probe(
        reader,
        {language: evaluate_job.sampled(cell, questions) for language, cell in diagonal},
        seed=unit.seed,
    )
    write_json(file, {"made_of": made_of, **asdict(probed)})
