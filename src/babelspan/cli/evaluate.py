"""`babelspan evaluate`: the q/c matrix of a reader."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from babelspan.scoring.matrix import Matrix, Metric

Reader = Annotated[str, typer.Argument(help='"default", a folder or a hub name.')]
Data = Annotated[list[Path], typer.Argument(help="Files and folders in the SQuAD layout.")]
Cross = Annotated[
    bool,
    typer.Option("--cross", help="Pair questions and contexts of all languages (parallel sets)."),
]
ScorerName = Annotated[str, typer.Option("--scorer", help="squad or mlqa.")]
Split = Annotated[str | None, typer.Option("--split", help="Which split of a folder.")]
Sample = Annotated[
    int | None,
    typer.Option("--sample", min=1, help="So many questions of each pair, chosen by id."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Keep predictions and matrix here, and go on from them."),
]
Keep = Annotated[
    bool, typer.Option("--keep-misplaced", help="Score answers that are not where the file says.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def command(
    reader: Reader,
    data: Data,
    *,
    cross: Cross = False,
    scorer: ScorerName = "squad",
    split: Split = None,
    sample: Sample = None,
    out: Out = None,
    keep_misplaced: Keep = False,
    as_json: Json = False,
) -> None:
    """Measure a reader on every pair of question and context language, with XLT and G-XLT."""
    from babelspan.cli.shown import tell_misplaced, tracked
    from babelspan.data.files import checksum, write_json
    from babelspan.data.folder import find
    from babelspan.measuring import load_cells, load_scorer, measure, signature_of
    from babelspan.readers import checksum_of, load_answerer

    rules = load_scorer(scorer)
    files = find(data, split=split)
    cells = load_cells(files, crossed=cross, sample=sample, keep_misplaced=keep_misplaced)
    tell_misplaced(e for examples in cells.values() for e in examples)
    depends_on = {
        "reader": checksum_of(reader),
        "data": sorted(f"{f.path.name}:{checksum(f.path)}" for f in files),
        "sample": sample,
    }
    matrix = measure(
        load_answerer(reader), cells, rules, keep=out, depends_on=depends_on, watch=tracked
    )
    signature = signature_of(matrix, files, rules, sample=sample)
    record = {"scorer": scorer, **matrix.to_json(), "signature": signature}
    if out is not None:
        write_json(out / f"matrix.{scorer}.json", record)
    if as_json:
        print(json.dumps(record, indent=1))
        return
    _show(matrix, "f1", "F1, percent")
    _show(matrix, "exact_match", "Exact match, percent")
    print(signature)


def _show(matrix: "Matrix", metric: "Metric", title: str) -> None:
    """The matrix as a table: questions in rows, contexts in columns."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_edge=False)
    table.add_column("question \\ context", style="bold")
    for language in matrix.context_languages:
        table.add_column(language, justify="right", no_wrap=True)
    for question in matrix.question_languages:
        values = [matrix.value((question, c), metric) for c in matrix.context_languages]
        table.add_row(question, *(_percent(v) for v in values))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 40 + 8 * len(matrix.context_languages))
    console.print(table)
    means = {"XLT": matrix.xlt(metric), "G-XLT": matrix.g_xlt(metric)}
    console.print("   ".join(f"{name} {_percent(value)}" for name, value in means.items()))
    console.print()


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
