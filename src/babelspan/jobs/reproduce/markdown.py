"""A table as Markdown, for a terminal and for docs/results."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from babelspan.jobs.reproduce.job import Job
from babelspan.jobs.reproduce.papers import title_of
from babelspan.jobs.reproduce.table import DIAGONAL, GENERAL, Line, Spread, Table
from babelspan.reports.wording import p_value, with_sd
from babelspan.scoring.comparison import Difference

_PROBED = {
    "first.accuracy": "language named from the first token",
    "mean.accuracy": "from the mean of the question",
    "mean.cosine": "cosine with its translation",
    "mean.unrelated": "with other questions",
    "mean.retrieval": "translation is the nearest",
}
"""Figures of a probe, and their columns."""

_EQUAL = {
    "updates": "The budget of a row is in the table.",
    "exposure": "Budgets are such that all rows see as many windows of source examples.",
}


def markdown(job: Job, found: Sequence[Table]) -> str:
    """All tables of a job, F1 in percent, as mean ± standard deviation where there are seeds."""
    parts = [f"## {job.paper.title}", f"{job.scale.about} {_EQUAL[job.scale.equal]}", _made_of(job)]
    for table in found:
        parts += _of_test(job, table)
    if found and found[0].lines[0].probes:
        parts += _of_probes(found[0])
    return "\n\n".join(parts) + "\n"


def _made_of(job: Job) -> str:
    """What the words of the scale do not say, or the user has changed."""
    seeds = f"{job.seeds} seed{'s' if job.seeds > 1 else ''}"
    if job.start is not None:
        begins = "all seeds from one reader, given"
    elif job.scale.start is not None:
        begins = f"a first stage for each seed ({', '.join(job.scale.start)})"
    else:
        begins = f"from {Path(job.reader).name}"
    measured = "int8" if job.scale.int8 else "as trained"
    settings = ", ".join((*job.scale.settings, *job.settings))
    return f"{seeds}; {begins}; measured {measured}; settings of all rows: `{settings}`."


def _of_test(job: Job, table: Table) -> list[str]:
    test, lines = table.test, table.lines
    columns = list(lines[0].f1)
    mean_of = GENERAL if GENERAL in columns else DIAGONAL
    others = [key for key in job.scale.against if any(key in line.against for line in lines)]
    printed = [
        name for name in (GENERAL, DIAGONAL) if any(name in line.published for line in lines)
    ]
    head = ["row", "updates × windows", *columns]
    head += [f"{mean_of} less {title_of(job.rows[key], job.scale)} (95 %), p" for key in others]
    head += [f"paper, {test.beside}: {name}" for name in printed]
    body = [
        [
            line.name,
            f"{line.updates} × {line.windows}{f', {line.steps} steps' if line.steps > 1 else ''}",
            *(_spread(line.f1[name]) for name in columns),
            *(_difference(line.against.get(key, {}).get(mean_of)) for key in others),
            *(_beside(line, name) for name in printed),
        ]
        for line in lines
    ]
    sampled = "" if test.sample is None else f", a fixed sample of {test.sample} questions a pair"
    parts = [f"### {test.name}{sampled}; F1, scorer `{test.scorer}`", _rows(head, body)]
    own = [f"{line.name}: `{', '.join(line.settings)}`" for line in lines if line.settings]
    notes = "p-values are of single comparisons, not corrected for the number of rows."
    if own:
        notes += f" Settings of rows: {'; '.join(own)}."
    return [*parts, notes, f"`{table.signature}`"]


def _of_probes(table: Table) -> list[str]:
    head = ["row", *_PROBED.values()]
    body = [[line.name, *(_probed(line.probes, path) for path in _PROBED)] for line in table.lines]
    chance = table.lines[0].probes[0]["chance"]
    about = (
        f"What question vectors tell, on {table.test.name} (a fresh discriminator; chance is "
        f"{100 * chance:.1f})"
    )
    return [f"### {about}", _rows(head, body)]


def _probed(probes: Sequence[dict[str, Any]], path: str) -> str:
    vector, _, figure = path.partition(".")
    return f"{100 * mean(probe[vector][figure] for probe in probes):.1f}"


def _spread(value: Spread) -> str:
    return with_sd(100 * value.mean, None if value.sd is None else 100 * value.sd)


def _beside(line: Line, name: str) -> str:
    value = line.published.get(name)
    return "" if value is None else with_sd(value, line.published.get(f"{name}-sd"))


def _difference(found: Difference | None) -> str:
    if found is None:
        return ""
    values = (f"{100 * v:+.1f}" for v in (found.difference, found.low, found.high))
    difference, low, high = values
    return f"{difference} ({low} to {high}), {p_value(found.p_value)}"


def _rows(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
