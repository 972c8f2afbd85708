"""Shared by the commands: options, loading of readers and questions, progress bars."""

import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from babelspan.types import ConfigError

if TYPE_CHECKING:
    from rich.progress import Progress

    from babelspan.data.folder import DataFile
    from babelspan.jobs.answer import Answers, ReaderSpec
    from babelspan.jobs.shards import Crew
    from babelspan.types import Example

T = TypeVar("T")

PivotName = Annotated[
    str | None,
    typer.Option(
        "--pivot",
        help="Answer in another language: translate question and text with this translator (as in "
        "`babelspan translate`), and find the answer in the original.",
    ),
]
PivotLanguage = Annotated[
    str, typer.Option("--pivot-language", help="Language to answer in, with --pivot.")
]
Also = Annotated[
    str | None,
    typer.Option(
        "--also",
        metavar="LANGUAGES",
        help="Also read translations of each text into these languages, such as es,it (for "
        "readers trained with multilingual_attention).",
    ),
]
AlsoBy = Annotated[
    str | None,
    typer.Option("--translator", help="Translator for --also."),
]
AlsoCache = Annotated[
    Path | None,
    typer.Option("--cache", help="Folder in which to cache the translations for --also."),
]
Cross = Annotated[
    bool,
    typer.Option(
        "--cross",
        help="Combine questions and contexts of all languages (parallel data only).",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Split = Annotated[str | None, typer.Option("--split", help="Split to use in folders.")]
Sample = Annotated[
    int | None,
    typer.Option(
        "--sample", min=1, help="Number of questions per language pair, chosen by a hash of the id."
    ),
]
NoAnswer = Annotated[
    bool,
    typer.Option(
        "--no-answer", help="Allow an empty answer, for questions that have none (SQuAD 2)."
    ),
]
On = Annotated[
    Literal["local", "ray"],
    typer.Option("--on", help="Where to run: this machine, or a Ray cluster."),
]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Number of parallel workers.")]


def load_questions(file: "DataFile") -> "list[Example]":
    """Load the questions of a file for scoring by id; print the count of misplaced answers."""
    from babelspan.data.squad import misplaced, refuse_repeated_ids

    examples = file.load(keep_misplaced=True)
    refuse_repeated_ids(examples, file.path)
    tell_misplaced(misplaced(examples))
    return examples


def load_reader(
    reader: str,
    pivot: str | None,
    pivot_language: str,
    *,
    also: str | None = None,
    translator: str | None = None,
    cache: Path | None = None,
    **limits: int | None,
) -> "Answers":
    """Load a reader, with translation around it if a translator is named.

    Args:
        reader: as in `load_answerer`.
        pivot: name of a translator, or None.
        pivot_language: the language to answer in.
        also: languages of translations to read with a text, separated by commas; None for none.
        translator: name of the translator for `also`.
        cache: folder for its translations.
        limits: limits of windows and answers, as in `load_answerer`; None for the default.

    Raises:
        ConfigError: if languages are given without a translator, or a limit is invalid.
    """
    from babelspan.jobs.answer import check_also

    check_also(languages_of(also), translator, pivot)
    if pivot is None:
        _refuse_idle_pivot_language(pivot_language)
    from babelspan.readers import load_answerer

    answerer = load_answerer(reader, **{name: n for name, n in limits.items() if n is not None})
    tell_unread(answerer.languages_beside, languages_of(also))
    if pivot is None and translator is None:
        return answerer
    from babelspan.augment.cache import Cached
    from babelspan.reading.beside import Beside
    from babelspan.reading.pivot import Pivot
    from babelspan.translators import load_translator

    if translator is not None:
        return Beside(answerer, Cached(load_translator(translator), cache), languages_of(also))
    assert pivot is not None
    return Pivot(answerer, load_translator(pivot), language=pivot_language)


def reader_and_crew(
    reader: str,
    *,
    pivot: str | None,
    pivot_language: str,
    also: str | None,
    translator: str | None,
    cache: Path | None,
    on: Literal["local", "ray"],
    workers: int,
) -> "tuple[ReaderSpec, Crew]":
    """Return the reader and the workers of a long job, from the options."""
    from babelspan.jobs.answer import ReaderSpec
    from babelspan.jobs.shards import Crew

    crew = Crew(on=on, workers=workers, watch=tracked)
    spec = ReaderSpec(
        reader=reader,
        pivot=pivot,
        pivot_language=pivot_language,
        also=languages_of(also),
        translator=translator,
        cache=cache,
        threads=crew.threads,
    )
    return spec, crew


def languages_of(also: str | None) -> tuple[str, ...]:
    """Return the languages of --also."""
    named = (language.strip() for language in (also or "").split(","))
    return tuple(dict.fromkeys(language for language in named if language))


def tell_unnamed(files: "Iterable[DataFile]") -> None:
    """Print a line on standard error if names of files lack a language."""
    from babelspan.types import UNDETERMINED

    unnamed = [
        file.path for file in files if file.question_language == UNDETERMINED and file.path.exists()
    ]
    if unnamed:
        more = f" (and {len(unnamed) - 1} more)" if unnamed[1:] else ""
        print(
            f"babelspan: {unnamed[0]}{more}: the name has no language, so it counts as unknown "
            "(und); rename it, for example test.en.json",
            file=sys.stderr,
        )


def tell_unread(read: Sequence[str], given: Iterable[str]) -> None:
    """Print on standard error which translations the reader could use but does not get."""
    lacking = [language for language in read if language not in set(given)]
    if lacking:
        print(
            f"this reader can also read translations into {', '.join(lacking)}, but none were "
            "given",
            file=sys.stderr,
        )


def _refuse_idle_pivot_language(language: str) -> None:
    if language != "en":
        raise ConfigError(f"--pivot-language {language} has no effect without --pivot")


def tell_misplaced(count: int) -> None:
    """Print on standard error how many answers are known by their text only, if any."""
    if count:
        print(
            f"{count} answers are not at the stated offset; they are scored by text only",
            file=sys.stderr,
        )


def one_line(text: str) -> str:
    """Return `text` with control characters replaced by spaces, so that none reach the terminal."""
    return "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error; call the result with (done, total) to move it."""
    with _progress() as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def tracked(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yield `items`, with a progress bar on standard error."""
    with _progress() as progress:
        yield from progress.track(items, total=total, description=what)


def _progress() -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
        redirect_stdout=False,  # else print() would go to standard error meanwhile
    )
