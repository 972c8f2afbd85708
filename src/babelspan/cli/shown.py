"""What verbs share: the questions they read, and progress on a terminal."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

    from babelspan.data.folder import DataFile
    from babelspan.types import Example

T = TypeVar("T")


def load_questions(file: "DataFile") -> "list[Example]":
    """The questions of a file, to be scored by id; answers out of place are kept and told of."""
    from babelspan.data.squad import refuse_repeated_ids

    examples = file.load(keep_misplaced=True)
    refuse_repeated_ids(examples, file.path)
    tell_misplaced(examples)
    return examples


def tell_misplaced(examples: "Iterable[Example]") -> None:
    """Say on standard error how many answers are known by their text only, if any are."""
    from babelspan.data.squad import misplaced

    count = misplaced(examples)
    if count:
        print(
            f"{count} answers are not where the file says; they are scored by text", file=sys.stderr
        )


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
