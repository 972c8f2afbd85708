"""`babelspan predict`: answers to a file of questions."""

from pathlib import Path
from typing import Annotated

import typer

from babelspan.cli.shown import (
    Also,
    AlsoBy,
    AlsoCache,
    NoAnswer,
    On,
    PivotLanguage,
    PivotName,
    Workers,
    one_line,
    reader_and_crew,
)

Reader = Annotated[str, typer.Argument(help='"default", a folder or a hub name.')]
Data = Annotated[Path, typer.Argument(help="Questions in the SQuAD layout, .json or .json.gz.")]
Out = Annotated[Path, typer.Option("--out", help="File for {id: text}.")]


def command(
    reader: Reader,
    data: Data,
    *,
    out: Out,
    no_answer: NoAnswer = False,
    pivot: PivotName = None,
    pivot_language: PivotLanguage = "en",
    also: Also = None,
    translator: AlsoBy = None,
    cache: AlsoCache = None,
    on: On = "local",
    workers: Workers = 1,
) -> None:
    """Answer every question of a file; rerun the same command to resume.

    Unfinished work is kept in OUT.unfinished.
    """
    from babelspan.cli.shown import tell_misplaced, tell_unread
    from babelspan.data.folder import describe
    from babelspan.jobs.predict import predict
    from babelspan.readers import languages_beside

    spec, crew = reader_and_crew(
        reader,
        pivot=pivot,
        pivot_language=pivot_language,
        also=also,
        translator=translator,
        cache=cache,
        on=on,
        workers=workers,
    )
    tell_unread(languages_beside(reader), spec.also)
    found = predict(spec, describe(data), out, allows_no_answer=no_answer, crew=crew)
    tell_misplaced(found.misplaced)
    print(one_line(f"wrote {found.questions} answers to {out}"))
