"""The one training loop: it counts, logs, shows progress, evaluates, saves and resumes.

It knows nothing of languages or players; a method hands it a `step`.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack

from torch import Tensor

from babelspan.networks.reader import Batch, Reader, gold_tokens
from babelspan.reading.windows import Window
from babelspan.training.batches import Batches, Share
from babelspan.training.progress import Meter, bar
from babelspan.training.run import Monitor, Run
from babelspan.types import DataError, Example

Losses = Mapping[str, Tensor]
Step = Callable[[Batch], Losses]


def shuffled(reader: Reader, examples: Iterable[Example], run: Run) -> Batches:
    """The updates of a stage that learns spans from examples, as the run's config orders them.

    Windows that do not hold the answer are learnt from as well ("no answer here"), but an example
    of which no window holds it teaches nothing right and is left out, which is told.

    Raises:
        DataError: if nothing can be learnt from.
    """
    return in_groups(reader, ((example,) for example in examples), run)


def in_groups(
    reader: Reader, groups: Iterable[Sequence[Example]], run: Run, *, together: int = 1
) -> Batches:
    """As `shuffled`, from groups of examples whose windows are read side by side.

    The windows of a group are the first of each member, then the second of each, and so on, over
    the same context tokens. A group is left out where one of its members would be.

    Args:
        reader: makes the windows.
        groups: of `together` examples each, over one context.
        run: its config has the order and the limits.
        together: examples of a group.
    """
    windows: list[Window] = []
    left_out = 0
    for group in groups:
        rows = list(reader.together(group))
        members = list(zip(*rows, strict=True)) or [() for _ in group]
        if all(map(_teaches, group, members)):
            windows += [window for row in rows for window in row]
        else:
            left_out += together
    if left_out and run.leads:
        print(
            f"left out {left_out} examples: none of their windows holds the answer", file=sys.stderr
        )
    if not windows:
        raise DataError("none of the training examples has an answer with a place in its context")
    config = run.config
    return Batches(
        reader,
        windows,
        together=together,
        seed=config.seed,
        batch_size=config.batch_size,
        batch_tokens=config.batch_tokens,
        epochs=config.epochs,
        updates=config.updates,
        accumulation=config.accumulation,
        process=run.process,
        processes=run.processes,
    )


def _teaches(example: Example, windows: Sequence[Window]) -> bool:
    """Whether there is something right to learn from an example."""
    return example.answers == () or any(gold_tokens(window) is not None for window in windows)


def fit(step: Step, batches: Batches, run: Run) -> None:
    """Take every update of a stage; a stage that was stopped goes on where its checkpoint stands.

    Killed at any moment and started again, a run ends with the bits of one that was not stopped.

    Args:
        step: reads one micro-batch, hands losses to its updaters, returns them by name (scalars).
        batches: the updates.
        run: the run, with the updaters of this stage.
    """
    run.update, run.updates = 0, batches.updates
    if run.restore():
        run.start_tensorboard()
        _take_updates(step, batches, run)
        for updater in run.updaters:
            updater.take_average()
    run.stage += 1
    run.updaters = []


def _take_updates(step: Step, batches: Batches, run: Run) -> None:
    if run.update:  # a checkpoint is written before its update is evaluated
        _evaluate_if_due(run)
    meter = Meter(run)
    with bar(run) as shown:
        for shares in batches.starting_at(run.update):
            meter.add(_update(step, shares, run), shares)
            run.update += 1
            if _is_due(run, run.config.log_every):
                line = meter.flush()
                run.record(line)
                shown.show(line)
            if _is_due(run, run.config.save_every):
                run.save()
            _evaluate_if_due(run)
            shown.advance()


def _update(step: Step, shares: list[Share], run: Run) -> dict[str, Tensor]:
    """One update; the losses are means over this process's share of it."""
    means: dict[str, Tensor] = {}
    total = sum(share.weight for share in shares)
    for number, share in enumerate(shares):
        run.weight = share.weight
        run.completes_update = number == len(shares) - 1
        with run.autocast():
            losses = step(share.batch.to(run.device))
        for name, loss in losses.items():
            means[name] = means.get(name, 0.0) + loss.detach() * (share.weight / total)
    return means


def _evaluate_if_due(run: Run) -> None:
    if run.monitor and _is_due(run, run.config.evaluate_every):
        run.record(_evaluation(run.monitor, run))


def _evaluation(monitor: Monitor, run: Run) -> dict[str, float]:
    """Figures on development data, with averaged weights; training goes on undisturbed."""
    random = run.random_state()
    with ExitStack() as stack:
        for updater in run.updaters:
            stack.enter_context(updater.averaged())
            updater.player.eval()
        figures = dict(monitor())
    for updater in run.updaters:
        updater.player.train()
    run.set_random_state(random)
    return figures


def _is_due(run: Run, every: int) -> bool:
    return run.update == run.updates or (every > 0 and run.update % every == 0)
