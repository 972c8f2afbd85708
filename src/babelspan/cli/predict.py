"""`babelspan predict`: answer the questions of a file."""

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
Data = Annotated[
    Path,
    typer.Argument(help="Questions in the SQuAD layout, or TyDi QA articles; may be gzipped."),
]
Out = Annotated[
    Path, typer.Option("--out", help="File for {id: text}; for articles, TyDi QA JSON lines.")
]


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

    Unfinished work is kept in OUT.unfinished. TyDi QA articles with passages (the primary tasks)
    need a reader trained by passage_selection.
    """
    from babelspan.data.tydi_articles import are_articles

    if are_articles(data):
        _refuse_idle_options(no_answer, pivot, also, translator, cache)
        _over_articles(reader, data, out, on=on, workers=workers)
        return
    from babelspan.cli.shown import tell_misplaced, tell_unnamed, tell_unread
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
    file = describe(data)
    tell_unnamed([file])
    found = predict(spec, file, out, allows_no_answer=no_answer, crew=crew)
    tell_misplaced(found.misplaced)
    print(one_line(f"wrote {found.questions} answers to {out}"))


def _over_articles(reader: str, data: Path, out: Path, *, on: On, workers: int) -> None:
    from babelspan.cli.shown import tracked
    from babelspan.jobs.predict_articles import PassageReaderSpec, predict_articles
    from babelspan.jobs.shards import Crew

    crew = Crew(on=on, workers=workers, watch=tracked)
    spec = PassageReaderSpec(reader=reader, threads=crew.threads)
    questions = predict_articles(spec, data, out, crew=crew)
    print(one_line(f"wrote {questions} answers to {out}"))


def _refuse_idle_options(
    no_answer: bool, pivot: str | None, also: str | None, translator: str | None, cache: Path | None
) -> None:
    """Raise ConfigError if an option that has no effect on articles is set."""
    from babelspan.types import ConfigError

    options = {
        "--no-answer": no_answer,
        "--pivot": pivot,
        "--also": also,
        "--translator": translator,
        "--cache": cache,
    }
    for option, value in options.items():
        if value:
            raise ConfigError(
                f"{option} has no effect on articles with passages, whose answers have scores for "
                "a threshold; leave it out"
            )
