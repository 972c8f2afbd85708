"""The tables: F1 of each row for each language pair, the paper's, and whether rows differ.

Each of Tables 2, 3, 7 and 8 of Faisal and Anastasopoulos (2021), arXiv:2109.12028, covers one
split and one task; Table 4 has their rows with sizes; Table 5 has versions of the questions; and
Table 6 counts right answers when a question is asked in the article's language and in another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from babelspan.data.tydiqa import load_primary_golds, load_primary_predictions
from babelspan.jobs.article_sets import DEV
from babelspan.jobs.reproduce.primary.papers import Row, Task
from babelspan.jobs.reproduce.primary.work import TEST, Reproduction
from babelspan.reports.wording import p_value, with_sd
from babelspan.scoring.comparison import Difference, Settings
from babelspan.scoring.primary_comparison import Cell, PrimaryComparison, Right, compare_primary
from babelspan.types import PrimaryQuestion

TASKS: tuple[Task, ...] = ("passage", "minimal")


@dataclass(frozen=True, kw_only=True)
class Table:
    """All rows on one split, or on one version of its questions.

    Attributes:
        name: name of the split or version.
        columns: pairs, then means.
        rows: by key, each minus the row it is tested against; that row minus itself.
    """

    name: str
    columns: tuple[str, ...]
    rows: dict[str, PrimaryComparison]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Each row's minimal answers to the same questions in two languages, all seeds together.

    Attributes:
        rows: by key and pair: A asks in the article's language, B in the first of the pair.
    """

    rows: dict[str, dict[str, Right]]


def tables(job: Reproduction, settings: Settings) -> tuple[list[Table], Asked]:
    """Return the tables of all answers; raises as `load_primary_predictions`."""
    scale = job.scale
    ours = [pair for pair in scale.crossed if pair.startswith(f"{scale.source}-")]
    others = [pair for pair in scale.crossed if pair not in ours]
    means = {f"{scale.source}-xx": ours, f"xx-{scale.source}": others}
    files = dict(job.measured())
    made = [
        _table(job, split, {p: files[f"{split}.{p}"] for p in scale.crossed}, means, settings)
        for split in (TEST, DEV)
    ]
    for version in dict.fromkeys(v.name for v in job.versions):
        of_version = {n: path for n, path in files.items() if n.startswith(f"{version}.")}
        by_pair = {n.partition(".")[2]: path for n, path in of_version.items()}
        made.append(_table(job, version, by_pair, {}, settings))
    return made, _asked(job, settings)


def _table(
    job: Reproduction,
    name: str,
    files: Mapping[str, Path],
    means: Mapping[str, Sequence[str]],
    settings: Settings,
) -> Table:
    golds = {pair: load_primary_golds(path) for pair, path in files.items()}
    others = job.scale.against if job.scale.against in job.rows else next(iter(job.rows))
    answers = {
        key: {pair: _answers(job, key, f"{name}.{pair}") for pair in files} for key in job.rows
    }
    compared = {
        key: compare_primary(
            {p: Cell(golds[p], answers[key][p], answers[others][p]) for p in files},
            means,
            settings,
        )
        for key in job.rows
    }
    return Table(name=name, columns=(*files, *means), rows=compared)


def _asked(job: Reproduction, settings: Settings) -> Asked:
    """Return the counts of Table 6, on the original questions of the test."""
    golds = {code: load_primary_golds(job.set_of(TEST, code)) for code in job.scale.languages}
    rows = {}
    for key in job.rows:
        cells = {
            f"{job.scale.source}-{code}": Cell(
                golds[code],
                _answers(job, key, f"{TEST}.{code}"),
                _answers(job, key, f"{TEST}.{job.scale.source}-{code}"),
            )
            for code in job.scale.languages
        }
        rows[key] = compare_primary(cells, {}, settings).right["minimal"]
    return Asked(rows=rows)


def _answers(job: Reproduction, key: str, name: str) -> list[list[PrimaryQuestion]]:
    """Return a row's answers, one list per seed."""
    seeds = range(1, job.seeds + 1)
    return [load_primary_predictions(job.answers(key, seed, name)) for seed in seeds]


def markdown(job: Reproduction, made: Sequence[Table], asked: Asked) -> str:
    """Return all tables, in percent, with the paper's figures in brackets."""
    scale = job.scale
    settings = f"alignment `{', '.join(scale.align)}`, readers `{', '.join(scale.settings)}`"
    if job.settings:
        settings += f", over them `{', '.join(job.settings)}`"
    seeds = f"{job.seeds} seed{'s' if job.seeds > 1 else ''}"
    about = f"{scale.about} From {Path(job.reader).name}; {seeds}; {settings}."
    parts = [f"## {job.paper.title}", about]
    for table in made:
        for task in TASKS:
            parts += _of_task(job, table, task)
    return "\n\n".join([*parts, *_of_asked(job, asked)]) + "\n"


def _of_task(job: Reproduction, table: Table, task: Task) -> list[str]:
    against = job.scale.against if job.scale.against in job.rows else next(iter(job.rows))
    last = [c for c in table.columns if "xx" in c] or list(table.columns)
    head = ["row", *table.columns]
    head += [f"{column} minus {against} (95 %), p" for column in last]
    body = []
    for key, row in job.rows.items():
        found = table.rows[key].differences[task]
        published = row.published.get(job.scale.beside, {}).get(table.name, {}).get(task, {})
        shown = [_figure(found[c], published.get(c)) for c in table.columns]
        tested = ["" if key == against else _difference(found[c]) for c in last]
        body.append([row.name, *shown, *tested])
    title = f"### {table.name}: F1 of the {task} answer by pair, question first"
    return [title, _rows(head, body)]


def _of_asked(job: Reproduction, asked: Asked) -> list[str]:
    head = ["row", "pair", "both", "own only", "other only", "neither", "p (McNemar)"]
    body = []
    for key, row in job.rows.items():
        for pair, right in asked.rows[key].items():
            counts = (right.both, len(right.only_a), len(right.only_b), right.neither)
            published = _published_right(job, row, pair)
            shown = [f"{n}{p}" for n, p in zip(map(str, counts), published, strict=True)]
            body.append([row.name, pair, *shown, p_value(right.mcnemar_p_value)])
    title = (
        f"### {TEST}: minimal answers that are right when the question is asked in the article's "
        "own language and in the other of the pair"
    )
    return [title, _rows(head, body)]


def _published_right(job: Reproduction, row: Row, pair: str) -> list[str]:
    counts = row.published_right.get(job.scale.beside, {}).get(pair)
    return [""] * 4 if counts is None else [f" ({n})" for n in counts]


def _figure(found: Difference, published: float | None) -> str:
    ours = with_sd(100 * found.a, None if found.a_sd is None else 100 * found.a_sd)
    return ours if published is None else f"{ours} ({published})"


def _difference(found: Difference) -> str:
    bounds = (found.difference, found.low, found.high)
    value, low, high = (f"{100 * bound:+.1f}" for bound in bounds)
    return f"{value} ({low} to {high}), {p_value(found.p_value)}"


def _rows(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def to_json(job: Reproduction, made: Sequence[Table], asked: Asked) -> dict[str, Any]:
    """Return everything in the tables, and what they depend on, as plain values."""
    return {
        "paper": job.paper.title,
        "scale": asdict(job.scale),
        "reader": job.reader,
        "seeds": job.seeds,
        "settings": list(job.settings),
        "tables": {
            table.name: {key: of_row.to_json() for key, of_row in table.rows.items()}
            for table in made
        },
        "right": {
            key: {pair: right.to_json() for pair, right in of_row.items()}
            for key, of_row in asked.rows.items()
        },
        "published": {
            key: row.published.get(job.scale.beside, {}) for key, row in job.rows.items()
        },
    }
