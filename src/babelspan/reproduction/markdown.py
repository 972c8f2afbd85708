"""A table as Markdown, for a terminal and for docs/results."""

from collections.abc import Sequence
from statistics import mean
from typing import Any

from babelspan.reproduction.job import Job
from babelspan.reproduction.papers import title_of
from babelspan.reproduction.table import DIAGONAL, GENERAL, Line, Spread, Table
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
    "updates": "All rows have as many updates, unless the table says otherwise.",
    "exposure": "All rows have as many updates as show them the same number of source examples.",
}


def markdown(job: Job, found: Sequence[Table]) -> str:
    """All tables of a job, F1 in percent, as mean ± standard deviation where there are seeds."""
    parts = [f"## {job.paper.title}", f"{job.scale.about} {_EQUAL[job.scale.equal]}"]
    for table in found:
        parts += _of_test(job, table)
    if found and found[0].lines[0].probes:
        parts += _of_probes(found[0])
    return "\n\n".join(parts) + "\n"


def _of_test(job: Job, table: Table) -> list[str]:
    test, lines = table.test, table.lines
    columns = _columns(lines)
    means = [name for name in (GENERAL, DIAGONAL) if name in columns]
    others = [key for key in job.scale.against if any(key in line.against for line in lines)]
    names = {key: title_of(job.rows[key], job.scale) for key in others}
    head = ["row", "updates × windows", *columns]
    head += [f"{means[0]} less {names[key]} (95 %), p" for key in others]
    printed = [name for name in means if any(name in line.published for line in lines)]
    head += [f"paper, {test.beside}: {name}" for name in printed]
    body = [
        [
            line.name,
            f"{line.updates} × {line.windows}",
            *(_spread(line.f1[name]) for name in columns),
            *(_difference(line.against.get(key, {}).get(means[0])) for key in others),
            *(_published(line, name) for name in printed),
        ]
        for line in lines
    ]
    sampled = "" if test.sample is None else f", a fixed sample of {test.sample} questions a pair"
    seeds = f"{lines[0].seeds} seed{'s' if lines[0].seeds > 1 else ''}"
    about = f"{test.name}{sampled}; F1, scorer `{test.scorer}`; {seeds}"
    return [f"### {about}", _rows(head, body), f"`{table.signature}`"]


def _columns(lines: Sequence[Line]) -> list[str]:
    """Context languages and means; where all pairs are of one language, the mean is XLT."""
    columns = list(lines[0].f1)
    if DIAGONAL in columns and lines[0].f1[GENERAL] == lines[0].f1[DIAGONAL]:
        columns.remove(GENERAL)
    return columns


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
    return _with_sd(100 * value.mean, None if value.sd is None else 100 * value.sd)


def _published(line: Line, name: str) -> str:
    value = line.published.get(name)
    return "" if value is None else _with_sd(value, line.published.get(f"{name}-sd"))


def _with_sd(value: float, sd: float | None) -> str:
    return f"{value:.1f}" if sd is None else f"{value:.1f} ± {sd:.1f}"


def _difference(found: Difference | None) -> str:
    if found is None:
        return ""
    values = (f"{100 * v:+.1f}" for v in (found.difference, found.low, found.high))
    difference, low, high = values
    p_value = f"{found.p_value:.4f}" if found.p_value >= 0.0001 else "<0.0001"
    return f"{difference} ({low} to {high}), {p_value}"


def _rows(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
