"""`babelspan reproduce`: reproduce the tables of a paper."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from babelspan.cli.shown import Json, Sample
from babelspan.machine import cores

if TYPE_CHECKING:
    from babelspan.jobs.reproduce.papers import Scale
    from babelspan.jobs.reproduce.reproduction import Reproduction

PaperName = Annotated[str, typer.Argument(metavar="PAPER", help="A paper, such as bornea2021.")]
ScaleName = Annotated[
    str, typer.Option("--scale", help="A scale of the paper, or a TOML file of your own.")
]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the data (default: that of a TOML scale, or data)."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Folder of the reproduction (default: runs/PAPER-SCALE)."),
]
Reader = Annotated[
    str | None, typer.Option("--reader", help="Reader to start from, instead of the scale's.")
]
Start = Annotated[
    str | None,
    typer.Option("--start", help="Trained reader that replaces the scale's first stage."),
]
Rows = Annotated[str | None, typer.Option("--rows", help="Keys of rows, separated by commas.")]
Seeds = Annotated[int | None, typer.Option("--seeds", min=1, help="Number of seeds: 1 to N.")]
Translator = Annotated[
    str | None, typer.Option("--translator", help="Translator, if the scale names none.")
]
Translated = Annotated[
    Path | None, typer.Option("--translated", help="Folder with existing translations.")
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="key=value for all rows; repeatable.")
]
Int8 = Annotated[
    bool | None,
    typer.Option("--int8/--no-int8", help="Measure int8 exports on the CPU, or trained weights."),
]
Equal = Annotated[
    Literal["updates", "exposure"] | None,
    typer.Option("--equal", help="What to keep equal for all rows (default: the scale's choice)."),
]
Jobs = Annotated[
    int,
    typer.Option("--jobs", min=1, help="Number of rows to train in parallel, one process each."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be trained, and stop.")]
Results = Annotated[
    Path | None, typer.Option("--results", help="Also write the tables to this Markdown file.")
]


def command(
    paper: PaperName,
    *,
    scale: ScaleName = "mini",
    data: Data = None,
    out: Out = None,
    reader: Reader = None,
    start: Start = None,
    rows: Rows = None,
    seeds: Seeds = None,
    sample: Sample = None,
    translator: Translator = None,
    translated: Translated = None,
    settings: Settings = None,
    int8: Int8 = None,
    equal: Equal = None,
    jobs: Jobs = 1,
    results: Results = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Train the rows of a paper's table, measure them, and print them with the paper's figures.

    Rerun the same command to resume; rows and seeds may be added. OUT gets table.md and table.json,
    and the curves of the scale as curve-*.csv and curve-*.png.
    """
    from babelspan.cli.reproduce_articles import Given, refuse_idle_options, reproduce_articles
    from babelspan.cli.shown import tracked
    from babelspan.jobs.reproduce.papers import choose_rows, choose_scale, load_paper
    from babelspan.jobs.reproduce.planned import planned
    from babelspan.jobs.reproduce.primary.papers import papers as papers_over_articles
    from babelspan.jobs.reproduce.reproduction import Reproduction, check_inputs
    from babelspan.jobs.reproduce.translations import translate
    from babelspan.jobs.reproduce.units import run_units, units_of

    if paper in papers_over_articles():
        refuse_idle_options(
            start=start,
            sample=sample,
            translated=translated,
            int8=int8,
            equal=equal,
            dry_run=dry_run or None,
        )
        given = Given(
            scale, data, out, reader, rows, seeds, translator, settings, jobs, results, as_json
        )
        reproduce_articles(paper, given)
        return
    _refuse_unknown(paper)
    of_paper = load_paper(paper)
    chosen = _changed(choose_scale(of_paper, scale), sample, int8, equal)
    home = Path(scale).parent if scale.endswith(".toml") else Path("data")
    folder = data or home
    job = Reproduction(
        paper=of_paper,
        scale=chosen,
        rows=choose_rows(
            of_paper, chosen, [r.strip() for r in (rows or "").split(",") if r.strip()]
        ),
        data=folder,
        out=out or Path("runs") / f"{paper}-{Path(scale).stem}",
        reader=reader or _reader(chosen.reader, folder),
        seeds=seeds or chosen.seeds,
        start=start,
        translator=translator,
        translated=translated or (folder / chosen.translated if chosen.translated else None),
        settings=tuple(settings or ()),
    )
    if dry_run:
        print(*planned(job), sep="\n")
        return
    check_inputs(job)
    translate(job, workers=jobs, watch=tracked)
    run_units(units_of(job), processes=jobs, workers=_workers(jobs), watch=tracked)
    _write(job, results, as_json)


def _changed(
    scale: "Scale",
    sample: int | None,
    int8: bool | None,
    equal: Literal["updates", "exposure"] | None,
) -> "Scale":
    """Return a scale with the choices of the command line."""
    from dataclasses import replace

    tests = scale.tests
    if sample is not None:
        tests = tuple(replace(test, sample=sample) for test in tests)
    is_int8 = scale.int8 if int8 is None else int8
    return replace(scale, tests=tests, int8=is_int8, equal=equal or scale.equal)


def _refuse_unknown(paper: str) -> None:
    """Raise ConfigError for an unknown paper; the message names the papers of both kinds."""
    from babelspan.config import nearest
    from babelspan.jobs.reproduce.papers import papers
    from babelspan.jobs.reproduce.primary.papers import papers as papers_over_articles
    from babelspan.types import ConfigError

    if paper not in papers():
        known = [*papers(), *papers_over_articles()]
        raise ConfigError(f"unknown paper {paper!r}{nearest(paper, known)}")


def _reader(name: str, data: Path) -> str:
    """Return the reader that a scale names: a folder in its data, or a name on the hub."""
    return str(data / name) if (data / name).is_dir() else name


def _workers(jobs: int) -> int:
    """Return the number of parallel windows for each of `jobs` processes."""
    return 0 if jobs == 1 else max(1, cores() // jobs)


def _write(job: "Reproduction", results: Path | None, as_json: bool) -> None:
    """Write and print the tables; generators of synthetic questions are measured for them."""
    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.markdown import Markdown

    from babelspan.cli.shown import tracked
    from babelspan.data.files import write_json, write_whole
    from babelspan.jobs.reproduce.correlation import Correlation, correlations
    from babelspan.jobs.reproduce.curve_figures import curves, save
    from babelspan.jobs.reproduce.data_sets import training_sets
    from babelspan.jobs.reproduce.markdown import markdown
    from babelspan.jobs.reproduce.table import tables, to_json
    from babelspan.scoring.comparison import Settings

    made, sets = tables(job, Settings()), training_sets(job)
    found = curves(job, made)
    fixed = {**to_json(job, made, sets), "curves": [asdict(curve) for curve in found]}

    def written(related: Sequence[Correlation]) -> tuple[str, dict[str, Any]]:
        text = markdown(job, made, sets, related, found)
        record = {**fixed, "correlations": [asdict(one) for one in related]}
        write_json(job.out / "table.json", record)
        for path in (job.out / "table.md", *([results] if results else [])):
            write_whole(path, text)
        return text, record

    written([])  # generators take long to measure; the tables are safe before
    save(found, job.out)
    text, record = written(correlations(job, made, tracked))
    console = Console(highlight=False)
    if as_json:
        print(json.dumps(record, indent=1, ensure_ascii=False))
    elif console.is_terminal:
        console.print(Markdown(text))
    else:
        print(text, end="")
