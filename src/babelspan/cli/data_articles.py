"""`babelspan data articles`: sets of articles per language, or per version of their questions."""

from pathlib import Path
from typing import Annotated

import typer

from babelspan.cli.shown import one_line

Files = Annotated[list[Path], typer.Argument(help="Articles of the TyDi QA primary tasks.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for the sets.")]
Languages = Annotated[
    str | None, typer.Option("--languages", help="Language codes separated by commas, as en,ar.")
]
Split = Annotated[str, typer.Option("--split", help="Name of the split, for the file names.")]
Dev = Annotated[
    float, typer.Option("--dev", min=0, max=0.99, help="Share of the articles to hold back.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the choice for --dev.")]
Questions = Annotated[
    Path | None,
    typer.Option(
        "--questions", help="Tab-separated table: id, then a column per version of the question."
    ),
]


def command(
    files: Files,
    *,
    out: Out,
    languages: Languages = None,
    split: Split = "train",
    dev: Dev = 0.0,
    seed: Seed = 0,
    questions: Questions = None,
) -> None:
    """Split articles by language, with a development set; or replace their questions.

    With --languages: OUT/SPLIT.LANGUAGE.jsonl.gz, and with --dev also OUT/dev.LANGUAGE.jsonl.gz;
    all questions on an article go to the same file. With --questions: one file of the same name in
    OUT/VERSION/ for each version, such as typed and transcribed.
    """
    from babelspan.jobs.article_sets import cut_sets, versions_of
    from babelspan.types import ConfigError

    codes = [code.strip() for code in (languages or "").split(",") if code.strip()]
    if bool(codes) == bool(questions):
        raise ConfigError("expected either --languages or --questions, to say what to write")
    if questions is None:
        counts = cut_sets(files, out, split=split, languages=codes, dev=dev, seed=seed)
    else:
        if len(files) > 1 or dev:
            raise ConfigError("--questions takes one file, and no --dev")
        counts = versions_of(files[0], questions, out)
    for path, count in counts.items():
        print(one_line(f"wrote {count} questions to {path}"))
