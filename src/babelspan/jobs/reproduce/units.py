"""The work behind one cell of the table: a row with a seed, trained, measured and probed.

All that is made stays in the folder of the reproduction, and what is there is not made again:
`runs/<row>/seed-<n>` as `babelspan train` leaves it, `exported/<row>/seed-<n>`,
`answers/<test>/<row>/seed-<n>` as `babelspan evaluate --out` does, `probes/<row>/seed-<n>.json`.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from babelspan.data.exported import MODEL
from babelspan.data.files import read_json, write_json
from babelspan.data.folder import DataFile, find
from babelspan.jobs import evaluate as evaluate_job
from babelspan.jobs import train as train_job
from babelspan.jobs.answer import Answering
from babelspan.jobs.corpora import Paths
from babelspan.jobs.reproduce.papers import Settings, Test
from babelspan.jobs.shards import Crew, Watch
from babelspan.readers import checksum_of, device, load_answerer, load_checkpoint
from babelspan.scoring.matrix import Pair
from babelspan.scoring.scorers import load_scorer
from babelspan.types import Example, Limits


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A row with a seed; it can be sent to another process.

    Attributes:
        folder: of the reproduction.
        key: of the row.
        seed: of the run.
        method: that trains it.
        reader: where it starts.
        train: the files that it learns from, in order.
        settings: of the run, but for the seed.
        data: folder that the tests' paths are relative to.
        source: language that vectors are compared with.
        tests: what it is measured on; none for a first stage.
        int8: whether it is measured as exported to int8.
        probe: on how many questions its vectors are probed.
        workers: windows that are read side by side when it is measured; 0 for one a core.
    """

    folder: Path
    key: str
    seed: int
    method: str
    reader: str
    train: tuple[Path, ...]
    settings: Settings
    data: Path
    source: str
    tests: tuple[Test, ...] = ()
    int8: bool = False
    probe: int = 0
    workers: int = 0

    @property
    def run(self) -> Path:
        """The folder of the run and of the trained reader."""
        return run_of(self.folder, self.key, self.seed)

    @property
    def probed(self) -> Path:
        """The file of what its vectors tell."""
        return probe_of(self.folder, self.key, self.seed)


def run_of(folder: Path, key: str, seed: int) -> Path:
    """The folder of a row's run."""
    return folder / "runs" / key / f"seed-{seed}"


def probe_of(folder: Path, key: str, seed: int) -> Path:
    """The file of what a row's vectors tell."""
    return folder / "probes" / key / f"seed-{seed}.json"


def answers_of(folder: Path, test: Test, key: str) -> Path:
    """The folder with a row's answers to a test, one folder for each seed."""
    return folder / "answers" / re.sub(r"\W+", "-", test.name.lower()).strip("-") / key


def files_of(test: Test, data: Path) -> list[DataFile]:
    """The files of a test; errors as in `data.folder.find`."""
    return find([data / path for path in test.data], split=test.split)


def cells_of(test: Test, data: Path) -> dict[Pair, list[Example]]:
    """The questions of a test by pair of languages; errors as in `evaluate_job.load_cells`."""
    return evaluate_job.load_cells(
        files_of(test, data), crossed=test.crossed, sample=test.sample, keep_misplaced=True
    )


def do(unit: Unit, watch: Watch) -> None:
    """Train, export, measure and probe, as far as it has not been done.

    Args:
        unit: what to do.
        watch: shows progress while answering.

    Raises:
        ConfigError: if the folder holds the same row with other settings or data.
        DataError: as training and measuring do.
    """
    print(f"{unit.key}, seed {unit.seed}", file=sys.stderr)
    plan = train_job.plan(
        method=unit.method,
        reader=unit.reader,
        data=Paths(labelled=tuple(map(str, unit.train))),
        settings=[*unit.settings, f"run.seed={unit.seed}"],
    )
    train_job.carry_out(plan, unit.run)
    if not unit.tests:
        return
    limits = asdict(plan.run_config.limits)
    _measure(unit, limits, watch)
    if unit.probe:
        _probe(unit, limits)


def _measure(unit: Unit, limits: Mapping[str, Any], watch: Watch) -> None:
    reader = _exported(unit) if unit.int8 else str(unit.run)
    answerer = load_answerer(reader, **limits, workers=unit.workers)
    for test in unit.tests:
        depends_on = evaluate_job.identity_of(
            checksum_of(reader), files_of(test, unit.data), sample=test.sample
        )
        evaluate_job.measure(
            Answering(lambda: answerer, allows_no_answer=test.no_answer),
            cells_of(test, unit.data),
            load_scorer(test.scorer),
            keep=answers_of(unit.folder, test, unit.key) / f"seed-{unit.seed}",
            depends_on=depends_on,
            crew=Crew(watch=watch),
        )


def _exported(unit: Unit) -> str:
    """The row's reader in int8."""
    folder = unit.folder / "exported" / unit.key / f"seed-{unit.seed}"
    record = folder / "from.json"
    made_from = {"reader": checksum_of(str(unit.run))}
    if not (folder / MODEL).exists() or not record.exists() or read_json(record) != made_from:
        from babelspan.export.onnx import export

        export(load_checkpoint(str(unit.run)), folder, int8=True)
        write_json(record, made_from)
    return str(folder)


def _probe(unit: Unit, limits: Mapping[str, Any]) -> None:
    test = unit.tests[0]
    made_of = evaluate_job.identity_of(
        checksum_of(str(unit.run)), files_of(test, unit.data), sample=unit.probe
    )
    if unit.probed.exists() and read_json(unit.probed).get("made_of") == made_of:
        return
    from babelspan.jobs.probe import probe

    diagonal = [pair for pair in cells_of(test, unit.data).items() if len(set(pair[0])) == 1]
    diagonal.sort(key=lambda pair: pair[0][0] != unit.source)  # the source first
    reader = load_checkpoint(str(unit.run), limits=Limits(**limits)).to(device())
    found = probe(
        reader,
        {language: evaluate_job.sampled(e, unit.probe) for (language, _), e in diagonal},
        seed=unit.seed,
    )
    write_json(unit.probed, {"made_of": made_of, **asdict(found)})
