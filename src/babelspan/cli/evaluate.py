"""`babelspan evaluate`: the q/c matrix of a reader."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from babelspan.cli.shown import (
    Also,
    AlsoBy,
    AlsoCache,
    Cross,
    Json,
    NoAnswer,
    On,
    PivotLanguage,
    PivotName,
    Sample,
    Split,
    Workers,
    languages_of,
)

if TYPE_CHECKING:
    from babelspan.data.folder import DataFile
    from babelspan.jobs.answer import ReaderSpec
    from babelspan.reports.evaluation import Evaluation
    from babelspan.scoring.matrix import Pair
    from babelspan.types import Example

Reader = Annotated[str, typer.Argument(help='"default", a folder or a hub name.')]
Data = Annotated[list[Path], typer.Argument(help="Files and folders in the SQuAD layout.")]
ScorerName = Annotated[
    str,
    typer.Option(
        "--scorer", help="squad, squad2, mlqa, korquad, drcd, cmrc, tydiqa or unicode (ours)."
    ),
]
Besides = Annotated[
    list[Path] | None,
    typer.Option(
        "--beside",
        help="File of the same questions and texts in another language, to be read beside them; "
        "repeatable.",
    ),
]
Only = Annotated[
    Path | None,
    typer.Option(
        "--only",
        help="Ask only questions whose ids are in this file: one a line, or a data set, also one "
        "that was translated from this one.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Folder for predictions and matrix; also resumes a job."),
]
Reports = Annotated[
    list[Path] | None,
    typer.Option("--report", help="Also write a report: .html, .csv, .png or .json; repeatable."),
]
Keep = Annotated[
    bool, typer.Option("--keep-misplaced", help="Score answers that are not at the stated offset.")
]


def command(
    reader: Reader,
    data: Data,
    *,
    cross: Cross = False,
    scorer: ScorerName = "squad",
    split: Split = None,
    sample: Sample = None,
    only: Only = None,
    no_answer: NoAnswer = False,
    out: Out = None,
    report: Reports = None,
    keep_misplaced: Keep = False,
    as_json: Json = False,
    pivot: PivotName = None,
    pivot_language: PivotLanguage = "en",
    beside: Besides = None,
    also: Also = None,
    translator: AlsoBy = None,
    cache: AlsoCache = None,
    on: On = "local",
    workers: Workers = 1,
) -> None:
    """Measure a reader on every pair of question and context language, with XLT and G-XLT."""
    from babelspan.cli.shown import tracked
    from babelspan.data.files import write_json
    from babelspan.data.folder import find
    from babelspan.jobs.answer import ReaderSpec
    from babelspan.jobs.evaluate import evaluate, load_cells
    from babelspan.jobs.only import digest_of, ids_of, kept
    from babelspan.jobs.shards import Crew
    from babelspan.reports.kinds import write_report
    from babelspan.scoring.scorers import load_scorer

    rules = load_scorer(scorer)
    files = find(data, split=split)
    crew = Crew(on=on, workers=workers, watch=tracked)
    spec = ReaderSpec(
        reader=reader,
        pivot=pivot,
        pivot_language=pivot_language,
        also=languages_of(also),
        translator=translator,
        cache=cache,
        threads=crew.threads,
    )
    others = find(beside or [], split=split)
    _check_reports(report or [], [*files, *others], spec)
    cells = load_cells(files, crossed=cross, sample=sample, keep_misplaced=keep_misplaced)
    ids = None if only is None else ids_of(only)
    cells = cells if ids is None else kept(cells, ids)
    together = _together(spec, cells, others)
    _tell([e for of_pair in cells.values() for e in of_pair], no_answer)
    evaluation = evaluate(
        spec,
        files,
        together,
        rules,
        sample=sample,
        allows_no_answer=no_answer,
        keep=out,
        crew=crew,
        beside=others,
        only=None if ids is None else digest_of(ids),
    )
    _show(evaluation, as_json)
    if out is not None:
        write_json(out / f"matrix.{scorer}.json", evaluation.to_json())
    for path in report or []:
        write_report(path, evaluation)


def _together(
    spec: "ReaderSpec", cells: "Mapping[Pair, Sequence[Example]]", others: "list[DataFile]"
) -> "Mapping[Pair, Sequence[Example]]":
    """The questions with those of other files beside them; what is missing is printed."""
    from babelspan.cli.shown import tell_unread
    from babelspan.jobs.beside import with_files
    from babelspan.readers import languages_beside

    read = languages_beside(spec.reader)
    tell_unread(read, [*spec.also, *(file.context_language for file in others)])
    together = with_files(cells, others, read=read)
    for line in together.summary():
        print(line, file=sys.stderr)
    return together.cells


def _show(evaluation: "Evaluation", as_json: bool) -> None:
    from rich.console import Console

    from babelspan.reports.reliability import diagram, errors_table, together
    from babelspan.reports.terminal import show
    from babelspan.reports.wording import TITLES

    if as_json:
        print(json.dumps(evaluation.to_json(), indent=1))
        return
    console = Console(highlight=False)
    for metric in TITLES:
        show(evaluation.matrix, metric, console)
    if reliability := evaluation.reliability():
        console.print(errors_table({p: {"probability": b} for p, b in reliability.items()}))
        print(f"\n{diagram(together(reliability.values()))}\n")
    print(evaluation.signature)


def _check_reports(reports: "list[Path]", files: "list[DataFile]", spec: "ReaderSpec") -> None:
    """See that reports can be written, and replace nothing that is read."""
    from babelspan.data.places import refuse_overwriting, refuse_unwritable
    from babelspan.readers import parts_of
    from babelspan.reports.kinds import check_reports

    check_reports(reports)
    inputs = [*(file.path for file in files), *parts_of(spec.reader)]
    for path in reports:
        refuse_overwriting(path, inputs, option="--report")
        refuse_unwritable(path)


def _tell(examples: "list[Example]", no_answer: bool) -> None:
    """Say on standard error what figures are to be read with."""
    from babelspan.cli.shown import tell_misplaced
    from babelspan.data.squad import misplaced

    tell_misplaced(misplaced(examples))
    without = sum(e.answers == () for e in examples)
    if without and not no_answer:
        print(
            f"{without} questions have no answer, but the reader has to give one; "
            "allow it to say so with --no-answer",
            file=sys.stderr,
        )
