"""Training progress for users: mean losses, speed, and the time left."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import Tensor

from babelspan.training.run import Run
from babelspan.training.stream import Share

_UPDATES = "updates"
"""Key in `sums` of the number of updates counted; no loss has that name."""


class Meter:
    """Averages losses over the updates since the last line of the log.

    Args:
        run: the run.
        summed: `sums` from the checkpoint of a resumed run; empty for a new run.
    """

    def __init__(self, run: Run, summed: Mapping[str, float]) -> None:
        self._run = run
        self._reset()
        self._updates = int(summed.get(_UPDATES, 0))
        for name, total in summed.items():
            if name != _UPDATES:
                self._sums[name] = total

    def add(self, losses: Mapping[str, Tensor], shares: Sequence[Share[Any]]) -> None:
        """Add an update: its losses (scalars, on any device) and its number of tokens."""
        for name, loss in losses.items():
            self._sums[name] = loss.double() + self._sums.get(name, 0.0)
        self._updates += 1
        self._tokens += sum(share.batch.tokens for share in shares)

    def sums(self) -> dict[str, float]:
        """Sums since the last line of the log, for a checkpoint."""
        return {name: float(total) for name, total in self._sums.items()} | {
            _UPDATES: float(self._updates)
        }

    def flush(self) -> dict[str, float]:
        """Reset, and return mean losses, tokens per second, and rates and gradient norms."""
        line = {name: float(total) / self._updates for name, total in self._sums.items()}
        seconds = time.monotonic() - self._since
        line["tokens_per_second"] = self._tokens * self._run.place.processes / seconds
        for updater in self._run.updaters:
            updater.check()
            line[f"{updater.name}_lr"] = updater.learning_rate
            for number, norm in enumerate(updater.gradient_norms, 1):
                suffix = f"_{number}" if number > 1 else ""
                line[f"{updater.name}_gradient_norm{suffix}"] = norm
        self._reset()
        return line

    def _reset(self) -> None:
        self._sums: dict[str, Tensor | float] = {}
        self._updates = 0
        self._tokens = 0
        self._since = time.monotonic()


class Bar:
    """A progress bar on a terminal; otherwise a line about every 30 seconds."""

    def __init__(self, progress: Progress, task: TaskID, run: Run) -> None:
        self._progress = progress
        self._task = task
        self._run = run
        self._last_line = time.monotonic()

    def advance(self) -> None:
        """Advance the bar by one update."""
        self._progress.update(self._task, completed=self._run.clock.update)

    def show(self, line: Mapping[str, float]) -> None:
        """Show the values of a log line next to the bar."""
        text = "  ".join(f"{name} {value:.4g}" for name, value in line.items())
        self._progress.update(self._task, figures=text)
        clock = self._run.clock
        is_time = time.monotonic() - self._last_line > 30 or clock.update == clock.updates
        if is_time and self._run.place.leads and not self._progress.console.is_terminal:
            self._last_line = time.monotonic()
            print(
                f"update {self._run.clock.update}/{self._run.clock.updates}  {text}",
                file=sys.stderr,
                flush=True,
            )


@contextmanager
def bar(run: Run) -> Iterator[Bar]:
    """Show the progress bar of a stage on standard error."""
    columns = [
        TextColumn("stage {task.fields[stage]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
    ]
    console = Console(stderr=True)
    shown = run.place.leads and console.is_terminal
    with Progress(*columns, console=console, disable=not shown) as progress:
        task = progress.add_task(
            "",
            total=run.clock.updates,
            completed=run.clock.update,
            stage=run.clock.stage,
            figures="",
        )
        yield Bar(progress, task, run)
