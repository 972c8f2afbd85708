"""`babelspan train`: train a reader with a method on labelled examples."""

from pathlib import Path
from typing import Annotated

import typer

Method = Annotated[str, typer.Argument(help="Name of a method, such as fine_tune (see PAPERS.md).")]
Reader = Annotated[
    str, typer.Option("--reader", help="Where to start: default, a folder or a hub name.")
]
Train = Annotated[
    list[Path] | None,
    typer.Option("--train", help="File or folder of labelled examples; repeatable."),
]
First = Annotated[
    list[Path] | None,
    typer.Option("--first", help="Examples of a first stage, such as synthetic ones; repeatable."),
]
Target = Annotated[
    list[Path] | None,
    typer.Option(
        "--target",
        help="Examples like the questions you expect, which weigh the training sets "
        "(multilingual_attention only); repeatable.",
    ),
]
Bitext = Annotated[
    list[Path] | None,
    typer.Option("--bitext", help="File or folder of sentence pairs (.tsv); repeatable."),
]
Texts = Annotated[
    list[Path] | None,
    typer.Option("--texts", help="File or folder of plain text (.txt); repeatable."),
]
Articles = Annotated[
    list[Path] | None,
    typer.Option("--articles", help="File or folder of TyDi QA articles (.jsonl); repeatable."),
]
Out = Annotated[Path, typer.Option("--out", help="Folder of the run and of the trained reader.")]
Dev = Annotated[
    list[Path] | None,
    typer.Option("--dev", help="Examples to evaluate on during training; repeatable."),
]
Scorer = Annotated[
    str, typer.Option("--dev-scorer", help="Scorer of the development data, such as squad2.")
]
Recipe = Annotated[
    str | None,
    typer.Option("--recipe", help="A TOML file, or the name of a recipe in the package."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="key=value that replaces a setting of the recipe; repeatable."),
]
Split = Annotated[
    str | None, typer.Option("--split", help="Split to use in folders of --train and --dev.")
]
Sample = Annotated[
    str | None,
    typer.Option(
        "--sample",
        metavar="N or LANGUAGE=N",
        help="Use only N labelled examples of each language, or of the one named.",
    ),
]
Keep = Annotated[
    bool,
    typer.Option(
        "--keep-misplaced",
        help="Accept files with answers that are not at the stated offset; these are not learnt.",
    ),
]


def command(
    method: Method,
    *,
    reader: Reader,
    out: Out,
    train: Train = None,
    first: First = None,
    target: Target = None,
    bitext: Bitext = None,
    texts: Texts = None,
    articles: Articles = None,
    dev: Dev = None,
    dev_scorer: Scorer = "squad",
    recipe: Recipe = None,
    settings: Settings = None,
    split: Split = None,
    sample: Sample = None,
    keep_misplaced: Keep = False,
) -> None:
    """Train a reader. If it is stopped, rerun the same command to resume."""
    from babelspan.cli.shown import tell_unnamed
    from babelspan.jobs import train as train_job
    from babelspan.jobs.corpora import Paths

    plan = train_job.plan(
        method=method,
        reader=reader,
        data=Paths(
            labelled=tuple(map(str, train or ())),
            first=tuple(map(str, first or ())),
            target=tuple(map(str, target or ())),
            bitext=tuple(map(str, bitext or ())),
            passages=tuple(map(str, texts or ())),
            articles=tuple(map(str, articles or ())),
        ),
        dev=dev or [],
        dev_scorer=dev_scorer,
        recipe=recipe,
        settings=[*(settings or []), *([f"run.sample='{sample}'"] if sample else [])],
        split=split,
        keep_misplaced=keep_misplaced,
    )
    tell_unnamed(plan.files.get("labelled", ()))
    train_job.carry_out(plan, out)
