"""`babelspan evaluate`: the q/c matrix of a reader."""

import json
from pathlib import Path
from typing import Annotated

import typer

from babelspan.cli.shown import Cross, Json, PivotLanguage, PivotName, Sample, Split

Reader = Annotated[str, typer.Argument(help='"default", a folder or a hub name.')]
Data = Annotated[list[Path], typer.Argument(help="Files and folders in the SQuAD layout.")]
ScorerName = Annotated[
    str,
    typer.Option(
        "--scorer", help="squad, squad2, mlqa, korquad, drcd, cmrc, tydiqa or unicode (ours)."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Keep predictions and matrix here, and go on from them."),
]
Reports = Annotated[
    list[Path] | None,
    typer.Option("--report", help="Also write a report: .html, .csv, .png or .json; repeatable."),
]
Keep = Annotated[
    bool, typer.Option("--keep-misplaced", help="Score answers that are not where the file says.")
]


def command(
    reader: Reader,
    data: Data,
    *,
    cross: Cross = False,
    scorer: ScorerName = "squad",
    split: Split = None,
    sample: Sample = None,
    out: Out = None,
    report: Reports = None,
    keep_misplaced: Keep = False,
    as_json: Json = False,
    pivot: PivotName = None,
    pivot_language: PivotLanguage = "en",
) -> None:
    """Measure a reader on every pair of question and context language, with XLT and G-XLT."""
    from rich.console import Console

    from babelspan.cli.shown import load_reader, tell_misplaced, tracked
    from babelspan.data.files import write_json
    from babelspan.data.folder import find
    from babelspan.jobs.evaluate import identity_of, load_cells, measure, signature_of
    from babelspan.readers import checksum_of
    from babelspan.reading.pivot import Pivot
    from babelspan.reports.evaluation import Evaluation
    from babelspan.reports.kinds import check_reports, write_report
    from babelspan.reports.terminal import show
    from babelspan.reports.wording import TITLES
    from babelspan.scoring.scorers import load_scorer

    check_reports(report or [])
    rules = load_scorer(scorer)
    files = find(data, split=split)
    cells = load_cells(files, crossed=cross, sample=sample, keep_misplaced=keep_misplaced)
    tell_misplaced(e for examples in cells.values() for e in examples)
    answerer = load_reader(reader, pivot, pivot_language)
    made_of = identity_of(checksum_of(reader), files, sample=sample)
    if isinstance(answerer, Pivot):
        made_of["pivot"] = answerer.identity
    matrix, predictions = measure(
        answerer, cells, rules, keep=out, depends_on=made_of, watch=tracked
    )
    signature = signature_of(matrix, files, rules, sample=sample)
    evaluation = Evaluation(
        reader=reader,
        scorer=scorer,
        signature=signature,
        cells=cells,
        predictions=predictions,
        matrix=matrix,
    )
    for path in report or []:
        write_report(path, evaluation)
    record = evaluation.to_json()
    if out is not None:
        write_json(out / f"matrix.{scorer}.json", record)
    if as_json:
        print(json.dumps(record, indent=1))
        return
    console = Console(highlight=False)
    for metric in TITLES:
        show(matrix, metric, console)
    print(signature)
