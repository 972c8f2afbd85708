"""`babelspan train`: a method, a reader and labelled examples in; a trained reader out."""

from pathlib import Path
from typing import Annotated

import typer

Method = Annotated[str, typer.Argument(help="A method, by its file in babelspan.methods.")]
Reader = Annotated[str, typer.Option("--reader", help="Where to start: a folder or a hub name.")]
Train = Annotated[
    list[Path], typer.Option("--train", help="Labelled examples; once for each file or folder.")
]
Out = Annotated[Path, typer.Option("--out", help="Folder of the run and of the trained reader.")]
Dev = Annotated[
    list[Path] | None, typer.Option("--dev", help="Examples to evaluate on while training.")
]
Recipe = Annotated[
    str | None,
    typer.Option("--recipe", help="A TOML file, or the name of a recipe in the package."),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="key=value over the recipe; may be repeated.")
]
Split = Annotated[
    str | None, typer.Option("--split", help="Which split of a folder, of --train and of --dev.")
]
Keep = Annotated[
    bool,
    typer.Option("--keep-misplaced", help="Pass over answers that are not where the file says."),
]


def command(
    method: Method,
    *,
    reader: Reader,
    train: Train,
    out: Out,
    dev: Dev = None,
    recipe: Recipe = None,
    settings: Settings = None,
    split: Split = None,
    keep_misplaced: Keep = False,
) -> None:
    """Train a reader. Stopped and started again with the same words, it goes on where it was."""
    from babelspan.jobs import train as train_job

    plan = train_job.plan(
        method=method,
        reader=reader,
        train=train,
        dev=dev or [],
        recipe=recipe,
        settings=settings or [],
        split=split,
        keep_misplaced=keep_misplaced,
    )
    train_job.carry_out(plan, out)
