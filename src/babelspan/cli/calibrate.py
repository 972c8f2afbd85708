"""`babelspan calibrate`: probabilities that answers are right, from a reader's scores."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from babelspan.cli.shown import Cross, Json, Sample, Split

if TYPE_CHECKING:
    from babelspan.jobs.calibrate import Trust

Reader = Annotated[str, typer.Argument(help='"default" or a folder.')]
Data = Annotated[
    list[Path],
    typer.Argument(help="Files and folders in the SQuAD layout: development data, no test data."),
]
Check = Annotated[
    bool, typer.Option("--check", help="Fit nothing: measure the calibration that the reader has.")
]


def command(
    reader: Reader,
    data: Data,
    *,
    check: Check = False,
    cross: Cross = False,
    split: Split = None,
    sample: Sample = None,
    as_json: Json = False,
) -> None:
    """Fit probabilities to a reader's scores, on questions with known answers.

    A score says how an answer compares with other spans of the text. A probability says how often
    such an answer is right, over one text. The fit is kept in calibration.json in the reader's
    folder; `ask` then shows probabilities. Every pair of languages counts alike.

    The error is the mean distance between what is said and what is right, in percent (expected
    calibration error, 10 bins). It is measured on questions that the fit did not see: each half of
    them is judged by a fit to the other half.
    """
    from babelspan.cli.shown import tracked
    from babelspan.data.folder import find
    from babelspan.jobs import calibrate as job
    from babelspan.jobs.evaluate import load_cells

    files = find(data, split=split)
    cells = load_cells(files, crossed=cross, sample=sample, keep_misplaced=True)
    if check:
        trust = job.check(reader, cells, tracked=tracked)
    else:
        trust = job.calibrate(reader, files, cells, tracked=tracked)
    if as_json:
        print(json.dumps(trust.to_json(), indent=1))
    else:
        _show(trust)


def _show(trust: "Trust") -> None:
    from rich.console import Console

    from babelspan.reports.reliability import diagram, errors_table

    rows = {pair: r.by_kind for pair, r in trust.cells.items()}
    if len(rows) > 1:
        rows["all", ""] = trust.whole.by_kind
    Console(highlight=False).print(errors_table(rows))
    print(f"\n{diagram(trust.whole.probabilities)}")
