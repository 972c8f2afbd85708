"""`babelspan predict`: answers to a file of questions."""

from pathlib import Path
from typing import Annotated

import typer

from babelspan.cli.shown import PivotLanguage, PivotName, load_questions, load_reader, tracked

Reader = Annotated[str, typer.Argument(help='"default", a folder or a hub name.')]
Data = Annotated[Path, typer.Argument(help="Questions in the SQuAD layout, .json or .json.gz.")]
Out = Annotated[Path, typer.Option("--out", help="Where {id: text} goes.")]
NoAnswer = Annotated[
    bool, typer.Option("--no-answer", help="Let the empty answer compete (SQuAD 2).")
]


def command(
    reader: Reader,
    data: Data,
    *,
    out: Out,
    no_answer: NoAnswer = False,
    pivot: PivotName = None,
    pivot_language: PivotLanguage = "en",
) -> None:
    """Answer every question of a file and write {id: text}."""
    from babelspan.data.folder import describe
    from babelspan.data.predictions import save_predictions
    from babelspan.types import ConfigError

    if out.is_dir():
        raise ConfigError(f"{out}: expected a file to write to, found a folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    examples = load_questions(describe(data))
    answerer = load_reader(reader, pivot, pivot_language)
    predicted = answerer.predict(examples, allows_no_answer=no_answer)
    texts = {p.id: p.text for p in tracked(predicted, "questions", len(examples))}
    save_predictions(out, texts)
    print(f"wrote {len(texts)} answers to {out}")
