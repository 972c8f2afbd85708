"""The tables as Markdown, for the terminal and for docs/results."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from babelspan.augment.statistics import TYPES
from babelspan.jobs.reproduce.correlation import Correlation
from babelspan.jobs.reproduce.curve_figures import name_of
from babelspan.jobs.reproduce.data_sets import TrainingSet
from babelspan.jobs.reproduce.papers import DataSet, title_of
from babelspan.jobs.reproduce.reproduction import Reproduction
from babelspan.jobs.reproduce.table import DIAGONAL, GENERAL, Line, Spread, Table
from babelspan.reports.learning_curve import LearningCurve, Point
from babelspan.reports.wording import p_value, with_sd
from babelspan.scoring.comparison import Difference
from babelspan.scoring.matrix import Pair

_PROBED = {
    "first.accuracy": "language named from the first token",
    "mean.accuracy": "from the mean of the question",
    "mean.cosine": "cosine with its translation",
    "mean.unrelated": "with other questions",
    "mean.retrieval": "translation is the nearest",
}
"""Figures of a probe, and their column titles."""

_EQUAL = {
    "updates": "The budget of a row is in the table.",
    "exposure": "Budgets are such that all rows see as many windows of source examples.",
}


def markdown(
    job: Reproduction,
    tables: Sequence[Table],
    sets: Sequence[TrainingSet],
    related: Sequence[Correlation] = (),
    curves: Sequence[LearningCurve] = (),
) -> str:
    """Return all tables, in percent, as mean ± standard deviation if there are several seeds."""
    parts = [f"## {job.paper.title}", f"{job.scale.about} {_EQUAL[job.scale.equal]}", _made_of(job)]
    for table in tables:
        parts += _of_test(job, table)
        parts += _of_correlations([one for one in related if one.test == table.test.name])
        for line in table.lines:
            if line.published_cells:
                parts += _of_cells(table, line)
    if tables and any(line.probes for line in tables[0].lines):
        parts += _of_probes(tables[0])
    return "\n\n".join([*parts, *_of_curves(curves), *_of_sets(sets)]) + "\n"


def _of_curves(curves: Sequence[LearningCurve]) -> list[str]:
    """Return a table of the points of each curve, and what is left out."""
    parts = ["### Curves"] if curves else []
    for curve in curves:
        parts.append(f"#### {curve.name}; {curve.test}, {curve.mean} F1")
        body = [
            [name, f"{point.x:,.10g}", *_of_point(point)]
            for name, points in curve.lines.items()
            for point in points
        ]
        if body:
            parts.append(_rows(["line", curve.x, "F1", "sd", "runs"], body))
        if curve.is_drawn:
            files = name_of(curve)
            parts.append(
                f"Figures: `{files}.csv`; picture, if matplotlib is installed: `{files}.png`."
            )
        else:
            parts.append("Not drawn: expected a line with two points or more, found none.")
        if curve.missing:
            keys = ", ".join(f"`{key}`" for key in curve.missing)
            parts.append(f"Left out, since these rows were not run: {keys}.")
    return parts


def _of_point(point: Point) -> list[str]:
    sd = "" if point.sd is None else f"{100 * point.sd:.1f}"
    return [f"{100 * point.f1:.1f}", sd, f"{point.runs}"]


def _of_correlations(related: Sequence[Correlation]) -> list[str]:
    """Return a list of the correlations of a test, after a line that says what they are."""
    if not related:
        return []
    lines = []
    for one in related:
        r = "none" if one.r is None else f"{one.r:.2f}"
        interval = "" if one.low is None else f" ({one.low:.2f} to {one.high:.2f})"
        by_question = "".join(f", {name} {of:.2f}" for name, of in one.by_question.items())
        lines.append(f"* `{one.key}`: {r}{interval}, {one.pairs} pairs{by_question}")
    about = "Pearson's r of the generator's BLEU-4 and the reader's F1 over pairs of languages"
    return [f"{about} (95 %), and by question language:", "\n".join(lines)]


def _made_of(job: Reproduction) -> str:
    """Return what the scale's description does not say, or the user has changed."""
    seeds = f"{job.seeds} seed{'s' if job.seeds > 1 else ''}"
    if job.start is not None:
        begins = f"all seeds from {Path(job.start).name}"
    else:
        begins = f"from {Path(job.reader).name}"
        if job.scale.start is not None:
            begins += f" with a first stage for each seed ({', '.join(job.scale.start)})"
    measured = "int8" if job.scale.int8 else "as trained"
    settings = ", ".join((*job.scale.settings, *job.settings))
    if job.pivot_name is not None:
        measured += f"; pivot by `{job.pivot_name}`"
    return f"{seeds}; {begins}; measured {measured}; settings of all rows: `{settings}`."


def _of_test(job: Reproduction, table: Table) -> list[str]:
    test, lines = table.test, table.lines
    columns = list(lines[0].f1)
    mean_of = table.mean
    others = [key for key in job.scale.against if any(key in line.against for line in lines)]
    published = [
        name for name in (GENERAL, DIAGONAL) if any(name in line.published for line in lines)
    ]
    head = ["row", "updates × windows", *columns]
    tested = f"{mean_of} F1" if job.paper.shows_exact_match else mean_of
    titles = [title_of(job.rows[key], job.scale) for key in others]
    head += [f"{tested} minus {title} (95 %), p" for title in titles]
    head += [f"paper, {test.beside}: {name}" for name in published]
    body = [
        [
            line.name,
            f"{line.updates} × {line.windows}{f', {line.steps} steps' if line.steps > 1 else ''}",
            *(_figure(job, line, name) for name in columns),
            *(_difference(line.against.get(key, {}).get(mean_of)) for key in others),
            *(_published(job, line, name) for name in published),
        ]
        for line in lines
    ]
    sampled = "" if test.sample is None else f", a fixed sample of {test.sample} questions per pair"
    metric = "F1 / EM" if job.paper.shows_exact_match else "F1"
    parts = [f"### {test.name}{sampled}; {metric}, scorer `{test.scorer}`", _rows(head, body)]
    own = [f"{line.name}: `{', '.join(line.settings)}`" for line in lines if line.settings]
    notes = "p-values are of single comparisons, not corrected for the number of rows."
    if own:
        notes += f" Settings of rows: {'; '.join(own)}."
    return [*parts, notes, f"`{table.signature}`"]


def _of_cells(table: Table, line: Line) -> list[str]:
    """Return F1 of each cell of a row, followed by the paper's (Table 3 of bornea2021)."""
    ours = {(q, c): f1.mean for q, of_q in line.cells.items() for c, f1 in of_q.items()}
    papers = {(q, c): f1 for q, of_q in line.published_cells.items() for c, f1 in of_q.items()}

    def shown(pairs: Sequence[Pair]) -> str:
        measured = [pair for pair in pairs if pair in ours]
        return _beside([ours[p] for p in measured], [papers[p] for p in measured if p in papers])

    questions, contexts = list(line.cells), sorted({c for _, c in ours})
    body = [
        [q, *(shown([(q, c)]) for c in contexts), shown([(q, c) for c in contexts])]
        for q in questions
    ]
    means = [shown([(q, c) for q in questions]) for c in contexts]
    body.append(["mean", *means, shown(list(ours))])
    paper = f"; in brackets the paper's, {table.test.beside}" if set(ours) & set(papers) else ""
    title = f"### {table.test.name}: F1 of {line.name} by language of question and context{paper}"
    return [title, _rows(["question \\ context", *contexts, "mean"], body)]


def _beside(ours: Sequence[float], papers: Sequence[float]) -> str:
    """Return the mean of fractions in percent, with the paper's mean if it has all of them."""
    if not ours:
        return ""
    value = f"{100 * mean(ours):.1f}"
    return f"{value} ({mean(papers):.1f})" if len(papers) == len(ours) else value


def _of_probes(table: Table) -> list[str]:
    head = ["row", *_PROBED.values()]
    lines = [line for line in table.lines if line.probes]
    body = [[line.name, *(_probed(line.probes, path) for path in _PROBED)] for line in lines]
    chance = lines[0].probes[0]["chance"]
    about = (
        f"What question vectors reveal, on {table.test.name} (a fresh discriminator; chance is "
        f"{100 * chance:.1f})"
    )
    return [f"### {about}", _rows(head, body)]


def _of_sets(sets: Sequence[TrainingSet]) -> list[str]:
    """Return sizes and question types of the training data (Table 1 of bornea2021)."""
    head = ["data", "words of a question", "of an answer", *TYPES, "pairs"]
    body = []
    for training_set in sets:
        body.append(_of_set(training_set.name, training_set.figures))
        if training_set.published:
            body.append(_of_set(f"paper: {training_set.name}", training_set.published))
    title = "### What rows learn from, source examples included, by question word of the original"
    return [title, _rows(head, body)]


def _of_set(name: str, figures: DataSet) -> list[str]:
    words = [f"{figures.question_words:.1f}", f"{figures.answer_words:.1f}"]
    counts = [figures.types[question_word] for question_word in TYPES]
    return [name, *words, *(f"{count:,}" for count in (*counts, figures.pairs))]


def _probed(probes: Sequence[dict[str, Any]], path: str) -> str:
    vector, _, figure = path.partition(".")
    return f"{100 * mean(probe[vector][figure] for probe in probes):.1f}"


def _spread(value: Spread) -> str:
    return with_sd(100 * value.mean, None if value.sd is None else 100 * value.sd)


def _figure(job: Reproduction, line: Line, name: str) -> str:
    """Format F1 of a language or a mean, followed by exact match if the paper has it."""
    shown = [line.f1, line.exact_match] if job.paper.shows_exact_match else [line.f1]
    return " / ".join(_spread(figures[name]) for figures in shown)


def _published(job: Reproduction, line: Line, name: str) -> str:
    """Format the paper's figure like `_figure`; empty if there is none."""
    shown = [line.published, line.published_exact_match]
    return " / ".join(
        with_sd(figures[name], figures.get(f"{name}-sd"))
        for figures in (shown if job.paper.shows_exact_match else shown[:1])
        if name in figures
    )


def _difference(difference: Difference | None) -> str:
    if difference is None:
        return ""
    bounds = (difference.difference, difference.low, difference.high)
    value, low, high = (f"{100 * bound:+.1f}" for bound in bounds)
    return f"{value} ({low} to {high}), {p_value(difference.p_value)}"


def _rows(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
