"""`babelspan data`: public data sets, and checks of your own."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from babelspan.cli import data_articles
from babelspan.cli.shown import Json, On, Workers, one_line

if TYPE_CHECKING:
    from babelspan.datasets.catalogue import DataSet
    from babelspan.datasets.fetch import Fetched, Watch
    from babelspan.examine.check import Comparison, FileReport, Report

FOUND = 3
"""Exit code of `data check` when it found faults."""

app = typer.Typer(help="List, show, fetch and check data sets.", rich_markup_mode=None)
app.command("articles", short_help="Cut TyDi QA articles into sets.")(data_articles.command)

Name = Annotated[str, typer.Argument(help="A name from `babelspan data list`.")]
Language = Annotated[
    str | None, typer.Option("--language", help="Only sets in this language (a code such as de).")
]
Languages = Annotated[
    list[str] | None,
    typer.Option("--language", help="Fetch only this language; repeatable. Default: all."),
]
Splits = Annotated[
    list[str] | None,
    typer.Option("--split", help="Fetch only this split; repeatable. Default: all."),
]
Out = Annotated[
    Path, typer.Option("--out", help="Folder in which to create the data set's folder.")
]
From = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="FOLDER", help="Folder with the published files, instead of a download."
    ),
]
Changed = Annotated[
    bool,
    typer.Option(
        "--accept-changed", help="Accept files whose length or checksum differs from the list."
    ),
]
Keep = Annotated[bool, typer.Option("--keep", help="Keep the published files in OUT/.downloads.")]
Timeout = Annotated[
    float,
    typer.Option("--timeout", min=0.1, help="Seconds to wait for data before the next attempt."),
]
Dump = Annotated[
    Path, typer.Argument(help="A dump in the export format: XML, .gz or .bz2 (multistream too).")
]
Data = Annotated[list[Path], typer.Argument(help="Files, and folders with any splits.")]
Against = Annotated[
    list[Path] | None,
    typer.Option("--against", help="Test set to compare with, a file or folder; repeatable."),
]
Show = Annotated[int, typer.Option("--show", min=0, help="Number of ids of each kind to print.")]


@app.command("list", short_help="List data sets with languages and licences.")
def list_sets(language: Language = None, as_json: Json = False) -> None:
    """List the data sets with their languages, licences and sizes."""
    from babelspan.datasets.catalogue import load_catalogue

    found = [d for d in load_catalogue().values() if language is None or language in d.languages]
    if as_json:
        print(json.dumps([_record(d) for d in found], ensure_ascii=False, indent=1))
    elif found:
        _table(found)
    else:
        print(
            f"no data set has the language {language!r}; languages are codes such as de, see "
            "`babelspan data list`"
        )


@app.command("show", short_help="Show the details of a data set.")
def show(name: Name, as_json: Json = False) -> None:
    """Show a data set: files, licence, citation, overlap with others."""
    from babelspan.datasets.catalogue import data_set, described

    found = data_set(name)
    if as_json:
        print(json.dumps(_record(found), ensure_ascii=False, indent=1))
    else:
        print(described(found))


@app.command("fetch", short_help="Download, verify and convert a data set.")
def fetch(
    name: Name,
    *,
    out: Out = Path("data"),
    language: Languages = None,
    split: Splits = None,
    taken_from: From = None,
    accept_changed: Changed = False,
    keep: Keep = False,
    timeout: Timeout = 30.0,
    as_json: Json = False,
) -> None:
    """Download a data set, verify it, and write it as OUT/NAME/SPLIT.LANGUAGE.json.gz.

    Rerun the same command to resume. Files that are already there are not fetched again.
    """
    from babelspan.datasets import fetch as fetching
    from babelspan.datasets.catalogue import TERMS, data_set
    from babelspan.datasets.download import Patience

    found = data_set(name)
    sources = fetching.select(found, split or [], language or [])
    print(f"{found.title}: {found.licence}", file=sys.stderr)
    for term in found.terms:
        print(f"note: {TERMS[term]}", file=sys.stderr)
    way = fetching.Way(
        taken_from=taken_from,
        accepts_changed=accept_changed,
        keeps=keep,
        patience=Patience(timeout=timeout),
    )
    with _bars() as watch:
        done = fetching.fetch(found, sources, out, way=way, watch=watch)
    if as_json:
        print(json.dumps([{**asdict(f), "path": str(f.path)} for f in done], indent=1))
    else:
        for file in done:
            print(_line(file))


@app.command("check", short_help="Find faults in data, and overlap of train and test.")
def check(data: Data, against: Against = None, show: Show = 5, as_json: Json = False) -> None:
    """Find misplaced answers, repeats, odd characters, and overlap of training and test data.

    The splits of a folder are compared with each other, and each file with --against. Exit code:
    0 if there are no faults (notes are not faults), 3 if there are.
    """
    from babelspan.cli.shown import counting
    from babelspan.examine import check as checking

    with counting("files") as watch:
        report = checking.check(data, against or [], watch=watch)
    if as_json:
        print(json.dumps(_checked(report), indent=1))
    else:
        for file in report.files:
            _tell_file(file, show)
            for comparison in report.comparisons:
                if comparison.path == file.path:
                    _tell_overlap(comparison, show)
        print(f"files: {len(report.files)}, faults: {report.faults:,}")
    if report.faults:
        raise typer.Exit(FOUND)


@app.command("wikipedia", short_help="Make texts of a Wikipedia dump.")
def wikipedia(
    dump: Dump,
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the texts, for all languages.")],
    language: Annotated[
        str | None,
        typer.Option("--language", help="Language of the texts (default: from the dump)."),
    ] = None,
    ranked: Annotated[
        int, typer.Option("--ranked", min=1, help="Number of top pages by PageRank to choose from.")
    ] = 10_000,
    articles: Annotated[
        int, typer.Option("--articles", min=1, help="Number of articles to take.")
    ] = 500,
    paragraphs: Annotated[
        int, typer.Option("--paragraphs", min=1, help="Minimum number of paragraphs in an article.")
    ] = 5,
    characters: Annotated[
        str, typer.Option("--characters", help="Length of a paragraph in characters, from:to.")
    ] = "500:1500",
    on: On = "local",
    workers: Workers = 1,
) -> None:
    """Extract paragraphs of well-linked articles; rerun the same command to resume.

    OUT gets texts.LANGUAGE.json.gz, for `babelspan generate`, and manifest-LANGUAGE.json with the
    licence, and the title and revision of each article.
    """
    from babelspan.cli.shown import tracked
    from babelspan.jobs.shards import Crew
    from babelspan.jobs.wikipedia import Choice, carry_out
    from babelspan.types import ConfigError

    shortest, colon, longest = characters.partition(":")
    if not (colon and shortest.isdecimal() and longest.isdecimal()):
        raise ConfigError(f"--characters: expected a range such as 500:1500, found {characters!r}")
    made = carry_out(
        dump,
        out,
        choice=Choice(
            ranked=ranked,
            articles=articles,
            paragraphs=paragraphs,
            shortest=int(shortest),
            longest=int(longest),
        ),
        language=language,
        crew=Crew(on=on, workers=workers, watch=tracked),
    )
    print(
        f"{made['pages']:,} pages, {made['long_enough']:,} long enough among those ranked highest"
    )
    print(
        f"{len(made['articles']):,} articles, {made['paragraphs']:,} paragraphs ({made['licence']})"
    )


def _record(data_set: "DataSet") -> dict[str, Any]:
    from babelspan.datasets.catalogue import overlapping

    return {
        **data_set.facts,
        "arxiv": data_set.arxiv,
        "counts": data_set.counts,
        "languages": data_set.languages,
        "splits": data_set.splits,
        "bytes": data_set.bytes,
        "by_hand": data_set.by_hand,
        "note": data_set.note,
        "overlaps": overlapping(data_set.name),
        "sources": [asdict(s) for s in data_set.sources],
    }


def _table(found: "list[DataSet]") -> None:
    from rich.console import Console
    from rich.table import Table

    from babelspan.datasets.catalogue import megabytes

    table = Table(show_edge=False, box=None, pad_edge=False)
    for heading in ("name", "languages", "splits", "licence", "to fetch"):
        table.add_column(heading, justify="right" if heading == "to fetch" else "left")
    for entry in found:
        size = "by hand" if entry.by_hand else megabytes(entry.bytes)
        terms = [t for t in entry.terms if t != "not stated"]
        licence = ", ".join([entry.licence, *terms])
        table.add_row(entry.name, " ".join(entry.languages), " ".join(entry.splits), licence, size)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 160
    console.print(table)


def _line(file: "Fetched") -> str:
    if file.questions is None:
        what = "kept unchanged"
    else:
        what = ", ".join(
            [
                f"{file.questions:,} questions",
                *(f"{n:,} {kind}" for kind, n in file.changes.items()),
            ]
        )
    return f"{file.path}  {what}" + (" (already there)" if file.was_there else "")


def _checked(report: "Report") -> dict[str, Any]:
    return {
        "files": [{**asdict(f), "path": str(f.path)} for f in report.files],
        "comparisons": [{**asdict(c), "path": str(c.path)} for c in report.comparisons],
        "faults": report.faults,
    }


def _tell_file(file: "FileReport", show: int) -> None:
    from babelspan.examine.check import FAULTS, NOTES

    print(
        one_line(f"{file.path}: {file.questions:,} questions over {file.paragraphs:,} paragraphs")
    )
    for kind, findings in file.findings.items():
        mark = "fault" if kind in FAULTS else "note"
        shown = [f"{f.id} {f.detail}".strip() for f in findings]
        _tell(mark, len(findings), (FAULTS | NOTES)[kind], shown, show)


def _tell_overlap(comparison: "Comparison", show: int) -> None:
    shared, there = comparison.overlap, comparison.against
    paragraphs = [i if i == other else f"{i} (there {other})" for i, other in shared.paragraphs]
    near = [f"{i} (there {other}, {share:.0%})" for i, other, share in shared.near]
    same = f"paragraphs, with {shared.questions:,} questions, that are in {there}"
    other = f"paragraphs, with {shared.near_questions:,} questions, that are in {there}, edited"
    for mark, found, what in (
        ("fault", paragraphs, same),
        ("fault", near, other),
        ("fault", shared.ids, f"ids that are in {there}"),
        ("note", shared.numbers, f"ids, plain numbers, that are in {there}"),
        ("note", shared.titles, f"titles that are in {there}"),
    ):
        if found:
            _tell(mark, len(found), what, found, show)


def _tell(mark: str, count: int, what: str, found: list[str], show: int) -> None:
    """Print a line with the count of one kind, then its first `show` items."""
    print(f"  {mark:5}  {count:,} {what}")
    for item in found[:show]:
        print("           " + "".join(c if c.isprintable() else " " for c in item))
    if show and count > show:
        print("           …")


@contextmanager
def _bars() -> "Iterator[Watch]":
    """Show a progress bar on standard error for each download."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as progress:

        def watch(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name)
            progress.update(tasks[name], completed=done, total=total)

        yield watch
