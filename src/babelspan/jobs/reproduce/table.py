"""The table: figures of each row on each test, the paper's, and whether rows differ."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any, TypeVar

from babelspan.data.files import checksum, read_json
from babelspan.jobs.compare import load_system
from babelspan.jobs.evaluate import signature_of
from babelspan.jobs.reproduce.data_sets import TrainingSet
from babelspan.jobs.reproduce.papers import Row, Test, own_settings, title_of
from babelspan.jobs.reproduce.reproduction import Reproduction
from babelspan.readers import checksum_of
from babelspan.scoring.comparison import (
    Answers,
    Cells,
    Difference,
    Settings,
    comparable,
    differences,
)
from babelspan.scoring.figures import figures
from babelspan.scoring.matrix import Matrix, Metric, Pair
from babelspan.scoring.scorers import load_scorer

GENERAL, DIAGONAL = "G-XLT", "XLT"


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A figure over seeds, as a fraction; `sd` is None with one seed."""

    mean: float
    sd: float | None


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row on one test.

    Attributes:
        key: key of the row.
        name: display name.
        settings: settings that not all rows have.
        updates: number of updates of the reader, after the first stage.
        windows: maximum number of windows per update.
        steps: optimiser steps of the reader per update, one per loss.
        f1: by context language and mean ("G-XLT", "XLT"), averaged over question languages.
        exact_match: likewise.
        cells: F1 by question language, then context language.
        against: key of another row -> mean -> tested F1 difference, this row minus the other.
        published: F1 of the paper in percent, by the names of `f1`.
        published_exact_match: likewise.
        published_cells: F1 of the paper in percent, by the languages of `cells`.
        probes: what the vectors reveal, one per seed; see `babelspan.networks.probe`.
    """

    key: str
    name: str
    settings: tuple[str, ...]
    updates: int
    windows: int
    steps: int
    f1: dict[str, Spread]
    exact_match: dict[str, Spread]
    cells: dict[str, dict[str, Spread]]
    against: dict[str, dict[str, Difference]]
    published: Mapping[str, float]
    published_exact_match: Mapping[str, float]
    published_cells: Mapping[str, Mapping[str, float]]
    probes: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Table:
    """All rows on one test."""

    test: Test
    lines: list[Line]
    signature: str

    @property
    def mean(self) -> str:
        """Name of the mean that rows are compared by: "G-XLT", or "XLT" for a test without it."""
        return GENERAL if GENERAL in self.lines[0].f1 else DIAGONAL


def tables(job: Reproduction, settings: Settings) -> list[Table]:
    """Return a table for each test, from the measured answers.

    Args:
        job: the reproduction, with all its units run.
        settings: settings of the significance tests.

    Raises:
        DataError: if a row has not been measured.
    """
    return [_table(job, test, settings) for test in job.scale.tests]


def _table(job: Reproduction, test: Test, settings: Settings) -> Table:
    cells, files = job.cells_of(test), job.files_of(test)
    rules = load_scorer(test.scorer)
    data = {f.path: checksum(f.path) for f in files}
    matrices = {
        key: [
            Matrix({pair: figures(e, of_seed[pair], rules) for pair, e in cells.items()})
            for of_seed in _answers(job, test, key, cells, data)
        ]
        for key in job.rows
    }
    against = _against(job, matrices, cells, settings)
    lines = [_line(job, test, key, matrices[key], against[key]) for key in job.rows]
    line = signature_of(
        matrices[lines[0].key][0],
        files,
        rules,
        sample=test.sample,
        allows_no_answer=test.no_answer,
    )
    tested = f"clusters:{settings.clusters}|resamples:{settings.resamples}|seed:{settings.seed}"
    return Table(test=test, lines=lines, signature=f"{line}|{tested}")


def _line(
    job: Reproduction,
    test: Test,
    key: str,
    matrices: Sequence[Matrix],
    against: dict[str, dict[str, Difference]],
) -> Line:
    row = job.rows[key]
    trained_as = job.trained_as(key)
    trained = job.rows[trained_as]
    return Line(
        key=key,
        name=title_of(row, job.scale),
        settings=own_settings(trained_as, trained, job.scale),
        **_budget([folder for _, folder in job.stages_of(trained, trained_as, 1)]),
        f1=_spreads(matrices, "f1"),
        exact_match=_spreads(matrices, "exact_match"),
        cells=_cells(matrices),
        against=against,
        published=_published(job, row, row.published.get(test.beside, {})),
        published_exact_match=_published(job, row, row.published_exact_match.get(test.beside, {})),
        published_cells=_published(job, row, row.published_cells.get(test.beside, {})),
        probes=_probes(job, key),
    )


def _answers(
    job: Reproduction, test: Test, key: str, cells: Cells, data: Mapping[Path, str]
) -> list[Answers]:
    """Return a row's answers, one set per seed."""
    folder = job.answers_folder(test, key)
    folders = [folder / f"seed-{n}" for n in range(1, job.seeds + 1)]
    return [load_system(of_seed, cells, data).seeds[0] for of_seed in folders]


def _against(
    job: Reproduction,
    matrices: Mapping[str, Sequence[Matrix]],
    cells: Cells,
    settings: Settings,
) -> dict[str, dict[str, dict[str, Difference]]]:
    """Return the differences between each row and the rows it is tested against, by mean."""
    others = [other for other in job.scale.against if other in matrices]
    numbers = comparable(cells, settings)
    ids = {pair: [e.id for e in examples] for pair, examples in cells.items()}
    return {
        key: {
            other: _means(differences(matrices[key], matrices[other], numbers, settings, ids))
            for other in others
            if other != key
        }
        for key in job.rows
    }


def _means(found: Mapping[Pair | str, Mapping[Metric, Difference]]) -> dict[str, Difference]:
    """Return F1 by name of a mean; a test with one language pair is its own mean."""
    if len(found) == 1:
        ((pair, by_metric),) = found.items()
        return {DIAGONAL if pair[0] == pair[1] else GENERAL: by_metric["f1"]}
    return {name: of["f1"] for name, of in found.items() if isinstance(name, str)}


Figures = TypeVar("Figures")


def _published(
    job: Reproduction, row: Row, figures: Mapping[str, Figures]
) -> Mapping[str, Figures]:
    """Return the paper's figures; none for a row of one language if the scale has another."""
    return {} if row.languages == "one" and job.scale.one != job.paper.one else figures


def _cells(matrices: Sequence[Matrix]) -> dict[str, dict[str, Spread]]:
    cells: dict[str, dict[str, Spread]] = {}
    for question, context in sorted(matrices[0].cells):
        values = [float(matrix.cells[question, context].f1) for matrix in matrices]
        cells.setdefault(question, {})[context] = _spread(values)
    return cells


def _spread(values: Sequence[float]) -> Spread:
    return Spread(mean=mean(values), sd=stdev(values) if len(values) > 1 else None)


def _spreads(matrices: Sequence[Matrix], metric: Metric) -> dict[str, Spread]:
    values: dict[str, list[float]] = {}
    for matrix in matrices:
        for context in sorted(matrix.context_languages):
            of_context = [
                value
                for question in matrix.question_languages
                if (value := matrix.value((question, context), metric)) is not None
            ]
            values.setdefault(context, []).append(mean(of_context))
        if any(question != context for question, context in matrix.cells):
            values.setdefault(GENERAL, []).append(matrix.g_xlt(metric))
        diagonal = matrix.xlt(metric)
        if diagonal is not None:
            values.setdefault(DIAGONAL, []).append(diagonal)
    return {name: _spread(of_seeds) for name, of_seeds in values.items()}


def _budget(stages: Sequence[Path]) -> dict[str, int]:
    """Return the total updates of a run's stages, and the last stage's windows and steps."""
    last: dict[str, Any] = {}
    updates = 0
    for run in stages:
        last = json.loads((run / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
        updates += last["update"]
    recipe = tomllib.loads(read_json(stages[-1] / "run.json")["recipe"])
    return {
        "updates": updates,
        "windows": recipe["run"]["batch_size"],
        "steps": sum(name.startswith("reader_gradient_norm") for name in last),
    }


def _probes(job: Reproduction, key: str) -> list[dict[str, Any]]:
    if not job.scale.probe or job.rows[key].pivot:
        return []
    return [read_json(job.probe_file(key, seed)) for seed in range(1, job.seeds + 1)]


def to_json(
    job: Reproduction, tables: Sequence[Table], sets: Sequence[TrainingSet]
) -> dict[str, Any]:
    """Return everything in the tables and what they depend on, as plain values."""
    runs = sorted(path.parent for path in (job.out / "runs").glob("*/seed-*/run.json"))
    manifests = sorted(job.translations.rglob("manifest.json"))
    return {
        "paper": job.paper.title,
        "scale": asdict(job.scale),
        "reader": job.reader,
        "start": job.start,
        "start_sha256": None if job.start is None else checksum_of(job.start),
        "pivot": None if job.pivot_name is None else job.pivot().identity,
        "settings": list(job.settings),
        "seeds": job.seeds,
        "runs": {"/".join(run.parts[-2:]): read_json(run / "run.json") for run in runs},
        "translations": [read_json(path)["job"] for path in manifests],
        "data_sets": [asdict(training_set) for training_set in sets],
        "tables": [asdict(table) for table in tables],
    }
