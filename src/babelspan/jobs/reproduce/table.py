"""The table: what each row got on each test, beside the paper, and whether rows differ."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from babelspan.data.files import checksum, read_json
from babelspan.jobs.compare import load_system
from babelspan.jobs.evaluate import signature_of
from babelspan.jobs.reproduce.job import Job
from babelspan.jobs.reproduce.papers import Row, Test, own_settings, title_of
from babelspan.jobs.reproduce.units import answers_of, cells_of, files_of, probe_of, run_of
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
from babelspan.scoring.matrix import Matrix, Metric
from babelspan.scoring.scorers import load_scorer

GENERAL, DIAGONAL = "G-XLT", "XLT"


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A figure over seeds, a fraction; `sd` is None with one seed."""

    mean: float
    sd: float | None


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row on one test.

    Attributes:
        key: of the row.
        name: for people.
        settings: that not all rows have.
        updates: of the reader, after the first stage.
        windows: of an update, at most.
        steps: of the reader's optimiser in an update, one for each loss.
        f1: by context language and mean ("G-XLT", "XLT"), with the mean over questions' languages.
        exact_match: likewise.
        against: key of another row -> by mean, F1 of this row less that of the other, tested.
        published: F1 of the paper by the same names, percent.
        probes: what the vectors tell, one for each seed; see `babelspan.jobs.probe`.
    """

    key: str
    name: str
    settings: tuple[str, ...]
    updates: int
    windows: int
    steps: int
    f1: dict[str, Spread]
    exact_match: dict[str, Spread]
    against: dict[str, dict[str, Difference]]
    published: Mapping[str, float]
    probes: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Table:
    """All rows on one test."""

    test: Test
    lines: list[Line]
    signature: str


def tables(job: Job, settings: Settings) -> list[Table]:
    """A table for each test, of what the job has made.

    Args:
        job: the job, carried out.
        settings: of the tests of significance.

    Raises:
        DataError: if a row has not been measured.
    """
    return [_table(job, test, settings) for test in job.scale.tests]


def _table(job: Job, test: Test, settings: Settings) -> Table:
    cells, files = cells_of(test, job.data), files_of(test, job.data)
    rules = load_scorer(test.scorer)
    data = {f.path: checksum(f.path) for f in files}
    matrices = {
        key: [
            Matrix({pair: figures(e, of_seed[pair], rules) for pair, e in cells.items()})
            for of_seed in _answers(job, test, key, cells, data)
        ]
        for key in job.rows
    }
    numbers = comparable(cells, settings)
    ids = {pair: [e.id for e in examples] for pair, examples in cells.items()}
    lines = [
        Line(
            key=key,
            name=title_of(row, job.scale),
            settings=own_settings(key, row, job.scale),
            **_budget(run_of(job.out, key, 1)),
            f1=_spreads(matrices[key], "f1"),
            exact_match=_spreads(matrices[key], "exact_match"),
            against={
                other: {
                    name: found["f1"]
                    for name, found in differences(
                        matrices[key], matrices[other], numbers, settings, ids
                    ).items()
                    if isinstance(name, str)
                }
                for other in job.scale.against
                if other in matrices and other != key
            },
            published=_published(job, row, test),
            probes=_probes(job, key),
        )
        for key, row in job.rows.items()
    ]
    line = signature_of(
        matrices[lines[0].key][0],
        files,
        rules,
        sample=test.sample,
        allows_no_answer=test.no_answer,
    )
    tested = f"clusters:{settings.clusters}|resamples:{settings.resamples}|seed:{settings.seed}"
    return Table(test=test, lines=lines, signature=f"{line}|{tested}")


def _answers(
    job: Job, test: Test, key: str, cells: Cells, data: Mapping[Path, str]
) -> list[Answers]:
    """What a row answered, for each seed."""
    folders = [answers_of(job.out, test, key) / f"seed-{n}" for n in range(1, job.seeds + 1)]
    return [load_system(folder, cells, data).seeds[0] for folder in folders]


def _published(job: Job, row: Row, test: Test) -> dict[str, float]:
    """The paper's figures of a row; none of one other language if the scale has another."""
    if row.languages == "one" and job.scale.one != job.paper.one:
        return {}
    return row.published.get(test.beside, {})


def _spreads(matrices: Sequence[Matrix], metric: Metric) -> dict[str, Spread]:
    found: dict[str, list[float]] = {}
    for matrix in matrices:
        for context in sorted(matrix.context_languages):
            of_context = [
                value
                for question in matrix.question_languages
                if (value := matrix.value((question, context), metric)) is not None
            ]
            found.setdefault(context, []).append(mean(of_context))
        if any(question != context for question, context in matrix.cells):
            found.setdefault(GENERAL, []).append(matrix.g_xlt(metric))
        diagonal = matrix.xlt(metric)
        if diagonal is not None:
            found.setdefault(DIAGONAL, []).append(diagonal)
    return {
        name: Spread(mean=mean(of_seeds), sd=stdev(of_seeds) if len(of_seeds) > 1 else None)
        for name, of_seeds in found.items()
    }


def _budget(run: Path) -> dict[str, int]:
    """Updates, windows and steps of a run, as its log and its recipe have them."""
    last = json.loads((run / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    recipe = tomllib.loads(read_json(run / "run.json")["recipe"])
    return {
        "updates": last["update"],
        "windows": recipe["run"]["batch_size"],
        "steps": sum(name.startswith("reader_gradient_norm") for name in last),
    }


def _probes(job: Job, key: str) -> list[dict[str, Any]]:
    if not job.scale.probe:
        return []
    return [read_json(probe_of(job.out, key, seed)) for seed in range(1, job.seeds + 1)]


def to_json(job: Job, found: Sequence[Table]) -> dict[str, Any]:
    """Everything in the tables and what they depend on, as plain values."""
    runs = sorted(path.parent for path in (job.out / "runs").glob("*/seed-*/run.json"))
    translations = (job.translated or job.out / "translated").rglob("manifest.json")
    return {
        "paper": job.paper.title,
        "scale": asdict(job.scale),
        "reader": job.reader,
        "start": job.start,
        "start_sha256": None if job.start is None else checksum_of(job.start),
        "settings": list(job.settings),
        "seeds": job.seeds,
        "runs": {"/".join(run.parts[-2:]): read_json(run / "run.json") for run in runs},
        "translations": [read_json(path)["job"] for path in sorted(translations)],
        "tables": [asdict(table) for table in found],
    }
