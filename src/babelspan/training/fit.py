"""The training loop of all methods: logging, progress, evaluation, checkpoints and resumption.

It knows nothing about questions, languages or the networks of a run ("players"); a method passes it
a `step` and a source of batches.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from babelspan.training.ahead import ahead
from babelspan.training.progress import Meter, bar
from babelspan.training.run import Monitor, Run
from babelspan.training.stream import B, Order, Share, Source, Updates

Losses = Mapping[str, Tensor]
Step = Callable[[B], Losses]


def fit(step: Step[B], source: Source[B], run: Run) -> None:
    """Run all updates of a stage; an interrupted stage resumes from the last checkpoint.

    A run that is killed at any moment and resumed ends with the same bits.

    Args:
        step: reads one micro-batch, passes losses to its updaters, and returns them by name
            (scalars).
        source: the training data: a `Stream`, or `both` of two.
        run: the run, with the updaters of this stage.

    Raises:
        ConfigError: if the batches cannot be divided among processes and micro-batches as the run's
            config says, or a gradient is not finite.
        DataError: if there is too little training data.
    """
    clock = run.clock
    updates = source.in_order(Order.of(run))
    clock.update, clock.updates = 0, updates.updates
    if not run.is_past(clock.stage):
        run.place.part_random_states(clock.stage)
        threads, summed = run.restore() or (torch.get_num_threads(), {})
        _tell_of_threads(threads, run)
        run.journal.open(stage=clock.stage, update=clock.update)
        _take_updates(step, updates, run, summed)
        for updater in run.updaters:
            updater.take_average()
        run.place.join_random_states()
    clock.stage += 1
    run.updaters = []


@contextmanager
def evaluating(*networks: Any) -> Iterator[None]:
    """Put networks into evaluation mode within the block; then restore the mode of each module."""
    modes = {
        module: module.training
        for network in networks
        for module in (network.modules() if isinstance(network, nn.Module) else ())
    }
    for network in networks:
        network.eval()
    try:
        yield
    finally:
        for module, is_training in modes.items():
            module.training = is_training


def _take_updates(
    step: Step[B], updates: Updates[B], run: Run, summed: Mapping[str, float]
) -> None:
    clock = run.clock
    if clock.update:  # a checkpoint is written before its update is evaluated
        _evaluate_if_due(run)
    meter = Meter(run, summed)
    batches = ahead(updates.starting_at(clock.update), run.place.device)
    with bar(run) as shown, batches as taken:
        for shares in taken:
            meter.add(_update(step, shares, run), shares)
            clock.update += 1
            if _is_due(run, run.config.log_every):
                line = meter.flush()
                run.journal.record(line, stage=clock.stage, update=clock.update)
                shown.show(line)
            if _is_due(run, run.config.save_every):
                run.save(meter.sums())
            _evaluate_if_due(run)
            shown.advance()


def _update(step: Step[B], shares: Sequence[Share[B]], run: Run) -> dict[str, Tensor]:
    """Run one update; returns the losses, averaged over this process's part of the batch."""
    means: dict[str, Tensor] = {}
    total = sum(share.weight for share in shares)
    for number, share in enumerate(shares):
        run.clock.weight, run.clock.micro_batch = share.weight, number
        run.clock.completes_update = number == len(shares) - 1
        with run.place.autocast():
            losses = step(share.batch.to(run.place.device))
        for name, loss in losses.items():
            means[name] = means.get(name, 0.0) + loss.detach() * (share.weight / total)
    return means


def _evaluate_if_due(run: Run) -> None:
    if run.monitor and _is_due(run, run.config.evaluate_every):
        figures = _evaluation(run.monitor, run)
        run.journal.record(figures, stage=run.clock.stage, update=run.clock.update)


def _evaluation(monitor: Monitor, run: Run) -> dict[str, float]:
    """Metrics on development data, with averaged weights; training is not affected."""
    random = run.place.random_state()
    with ExitStack() as stack:
        stack.enter_context(evaluating(*run.players.values()))
        for updater in run.updaters:
            stack.enter_context(updater.averaged())
        torch.clear_autocast_cache()
        figures = dict(monitor())
    run.place.set_random_state(random)
    return figures


def _is_due(run: Run, every: int) -> bool:
    return run.clock.update == run.clock.updates or (every > 0 and run.clock.update % every == 0)


def _tell_of_threads(before: int, run: Run) -> None:
    """Warn if the run is resumed with another number of CPU threads."""
    now = torch.get_num_threads()
    if now != before and run.place.device.type == "cpu" and run.place.leads:
        print(
            f"started with {before} threads, resumed with {now}: weights may differ in the last "
            "bits from those of an uninterrupted run",
            file=sys.stderr,
        )
