"""`babelspan evaluate-retrieval`: how often the right passage is found."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from babelspan.cli.shown import Cross, Json, Sample, Split, counting

if TYPE_CHECKING:
    from babelspan.jobs.evaluate_retrieval import Retrieval

Data = Annotated[list[Path], typer.Argument(help="Files and folders in the SQuAD layout.")]
TranslatorName = Annotated[
    str | None,
    typer.Option(
        "--translator",
        help="For other languages than the question's: lexicon:FOLDER of dictionaries, another "
        "translator, or none. [default: the dictionaries of the package]",
    ),
]


def command(
    data: Data,
    *,
    cross: Cross = False,
    split: Split = None,
    sample: Sample = None,
    translator: TranslatorName = None,
    as_json: Json = False,
) -> None:
    """Measure how often the search of `ask --in` finds the text of a question.

    Each question is searched for among all texts of the files in its context language. R@k is the
    share of questions whose own text is among the first k; MRR@10 is the mean of 1/rank up to
    rank 10. Both are in percent, with 95 % intervals (bootstrap over paragraphs).
    """
    from babelspan.data.folder import find
    from babelspan.jobs.evaluate_retrieval import evaluate_retrieval

    with counting("questions") as watch:
        found = evaluate_retrieval(
            find(data, split=split),
            crossed=cross,
            sample=sample,
            translator=translator,
            watch=watch,
        )
    if as_json:
        print(json.dumps(_record(found), indent=1))
    else:
        _show(found)


def _record(found: "Retrieval") -> dict[str, object]:
    return {
        "cells": [
            {
                "question": question,
                "context": context,
                "questions": found.questions[question, context],
                "passages": found.passages[context],
                **{name: asdict(interval) for name, interval in of_cell.items()},
            }
            for (question, context), of_cell in found.cells.items()
        ],
        "means": {
            name: {figure: asdict(interval) for figure, interval in of_mean.items()}
            for name, of_mean in found.means.items()
        },
        "signature": found.signature,
    }


def _show(found: "Retrieval") -> None:
    from rich.console import Console
    from rich.table import Table

    from babelspan.scoring.retrieval import FIGURES

    console = Console(highlight=False)
    table = Table(show_edge=False)
    for column in ("question", "context", "questions", "passages", *FIGURES):
        left = column in ("question", "context")
        table.add_column(column, justify="left" if left else "right", no_wrap=True)
    for (question, context), of_cell in found.cells.items():
        counts = str(found.questions[question, context]), str(found.passages[context])
        values = [f"{interval.value:.1f}" for interval in of_cell.values()]
        table.add_row(question, context, *counts, *values)
    for name, of_mean in found.means.items():
        values = [f"{i.value:.1f} ({i.low:.1f}-{i.high:.1f})" for i in of_mean.values()]
        table.add_row(name, "", "", "", *values)
    if not console.is_terminal:
        console.width = 200
    console.print(table)
    print(found.signature)
