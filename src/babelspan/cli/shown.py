"""What verbs share: the reader and the questions they work on, and progress on a terminal."""

import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from babelspan.types import UNDETERMINED

if TYPE_CHECKING:
    from rich.progress import Progress

    from babelspan.data.folder import DataFile
    from babelspan.reading.answerer import Answerer
    from babelspan.reading.pivot import Pivot
    from babelspan.types import Example

T = TypeVar("T")

PivotName = Annotated[
    str | None,
    typer.Option(
        "--pivot",
        help="Translate to another language, answer there and come back, by this translator "
        "(as `babelspan translate` takes it).",
    ),
]
PivotLanguage = Annotated[str, typer.Option("--pivot-language", help="The language to answer in.")]
Cross = Annotated[
    bool,
    typer.Option("--cross", help="Pair questions and contexts of all languages (parallel sets)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Split = Annotated[str | None, typer.Option("--split", help="Which split of a folder.")]
Sample = Annotated[
    int | None,
    typer.Option(
        "--sample", min=1, help="Number of questions per language pair, chosen by a hash of the id."
    ),
]
NoAnswer = Annotated[
    bool, typer.Option("--no-answer", help="Let the empty answer compete (SQuAD 2).")
]
On = Annotated[
    Literal["local", "ray"],
    typer.Option("--on", help="Where to work: this machine, or a Ray cluster."),
]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Number of parallel workers.")]


def load_questions(file: "DataFile") -> "list[Example]":
    """The questions of a file, to be scored by id; answers out of place are kept and told of."""
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
    question_language: str = UNDETERMINED,
    context_language: str = UNDETERMINED,
) -> "Answerer | Pivot":
    """The answerer of a reader, by way of another language if a translator is named."""
    from babelspan.readers import load_answerer

    if pivot is None:
        return load_answerer(reader)
    from babelspan.reading.pivot import Pivot
    from babelspan.translators import load_translator

    return Pivot(
        load_answerer(reader),
        load_translator(pivot),
        language=pivot_language,
        question_language=question_language,
        context_language=context_language,
    )


def tell_misplaced(count: int) -> None:
    """Say on standard error how many answers are known by their text only, if any are."""
    if count:
        print(
            f"{count} answers are not at the stated offset; they are scored by text only",
            file=sys.stderr,
        )


def one_line(text: str) -> str:
    """`text` with control characters as spaces, one for one: nothing that steers a terminal."""
    return "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error that is moved by calls with (done, in all)."""
    with _progress() as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def tracked(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """`items`, with a bar on standard error."""
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
    )
