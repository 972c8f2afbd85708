"""`babelspan calibrate`: from a reader's scores to probabilities that answers are right."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from babelspan.cli.shown import Cross, Json, Sample, Split
from babelspan.types import ConfigError

if TYPE_CHECKING:
    from babelspan.jobs.calibrate import Trust

Reader = Annotated[str, typer.Argument(help='"default" or a folder.')]
Data = Annotated[
    list[Path],
    typer.Argument(help="Files and folders in the SQuAD layout: development data, not test data."),
]
Check = Annotated[
    bool, typer.Option("--check", help="Measure the reader's calibration without fitting.")
]

Diagram = Annotated[
    Path | None,
    typer.Option(
        "--diagram",
        metavar="FILE.svg",
        help="Also draw the reliability diagram, overall and for each language pair.",
    ),
]


def command(
    reader: Reader,
    data: Data,
    *,
    check: Check = False,
    cross: Cross = False,
    split: Split = None,
    sample: Sample = None,
    diagram: Diagram = None,
    as_json: Json = False,
) -> None:
    """Fit probabilities to a reader's scores, on questions with known answers.

    A score compares an answer with other spans of the text. A probability says how often answers
    with this score are right. The fit is saved as calibration.json in the reader's folder; `ask`
    then shows probabilities. All language pairs have the same weight.

    The error is the expected calibration error (10 bins): the mean difference between the predicted
    and the observed share of right answers, in percent. It is measured by cross-fitting: the
    questions are split into halves, and each half is judged by a fit to the other half.
    """
    from babelspan.cli.shown import tracked
    from babelspan.data.folder import find
    from babelspan.jobs import calibrate as job
    from babelspan.jobs.evaluate import load_cells
    from babelspan.readers import parts_of

    files = find(data, split=split)
    if diagram is not None:
        _check_place(diagram, [*(file.path for file in files), *parts_of(reader)])
    cells = load_cells(files, crossed=cross, sample=sample, keep_misplaced=True)
    if check:
        trust = job.check(reader, cells, tracked=tracked)
    else:
        trust = job.calibrate(reader, files, cells, tracked=tracked)
    if diagram is not None:
        _draw(diagram, reader, trust)
    if as_json:
        print(json.dumps(trust.to_json(), indent=1))
    else:
        _show(trust)


def _check_place(path: Path, inputs: list[Path]) -> None:
    """Check that the diagram can be written and does not overwrite an input file."""
    from babelspan.data.places import refuse_overwriting, refuse_unwritable

    if path.suffix.lower() != ".svg":
        raise ConfigError(f"--diagram {path}: expected a name that ends in .svg")
    refuse_overwriting(path, inputs, option="--diagram")
    refuse_unwritable(path)


def _draw(path: Path, reader: str, trust: "Trust") -> None:
    from babelspan.data.files import write_whole
    from babelspan.reports.reliability_picture import reliability_svg

    panels = {"all": trust.whole.by_kind} if len(trust.cells) > 1 else {}
    panels |= {"-".join(pair): of_pair.by_kind for pair, of_pair in trust.cells.items()}
    write_whole(path, reliability_svg(f"How often answers of {reader} are right", panels))


def _show(trust: "Trust") -> None:
    from rich.console import Console

    from babelspan.reports.reliability import diagram, errors_table

    rows = {pair: r.by_kind for pair, r in trust.cells.items()}
    if len(rows) > 1:
        rows["all", ""] = trust.whole.by_kind
    Console(highlight=False).print(errors_table(rows))
    print(f"\n{diagram(trust.whole.probabilities)}")
