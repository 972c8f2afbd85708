"""Players of a whole run: kept, saved, restored and switched to evaluation over all stages."""

import pytest
import torch
from torch import nn

from babelspan.losses.span import span_loss
from babelspan.training.examples import labelled
from babelspan.training.fit import evaluating, fit
from babelspan.training.run import Run, RunConfig
from babelspan.training.update import Optim, Updater
from babelspan.types import ConfigError
from miniature import miniature_reader
from world import World

WORLD = World(0)
EXAMPLES = WORLD.examples(12)
SMALL = {"batch_size": 4, "updates": 4, "threads": 1, "save_every": 1, "log_every": 3}
OPTIM = Optim(lr=5e-3, average=0.5)


class StoppedError(Exception):
    """Stands for a crash."""


def new_reader(seed=0):
    return miniature_reader(WORLD.vocabulary(), seed=seed, dropout=0.1)


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def two_stages(folder, stop=None):
    """A helper learns in the first stage; in the second the reader learns from it, frozen.

    `stop` has the stage and the update before which the run fails.
    """
    run = Run(config=RunConfig(**SMALL), folder=folder)
    reader, helper = new_reader(), new_reader(seed=1)

    def stage(number, updater, loss_of):
        def step(batch):
            if stop == (number, run.clock.update):
                raise StoppedError
            loss = loss_of(batch)
            updater(loss)
            return {"loss": loss}

        fit(step, labelled(reader, EXAMPLES, run), run)

    def span(network, batch):
        reading = network(batch)
        return span_loss(reading.start_logits, reading.last_logits, batch.answers)

    stage(0, Updater(helper, OPTIM, run, name="helper"), lambda batch: span(helper, batch))
    added = nn.Linear(32, 32)  # new weights, drawn between stages
    reader.added = added

    def imitated(batch):
        with torch.no_grad():
            told = helper(batch).hidden
        return (added(reader(batch).hidden) - told).square().mean() + span(reader, batch)

    stage(1, Updater(reader, OPTIM, run), imitated)
    return reader, helper, run


def test_a_checkpoint_with_other_players_is_an_error_that_says_so(tmp_path):
    with pytest.raises(StoppedError):
        two_stages(tmp_path, stop=(0, 3))
    run = Run(config=RunConfig(**SMALL), folder=tmp_path)
    reader = new_reader()
    Updater(reader, OPTIM, run, name="learner")
    expected = "expected the players learner, found helper; it is from another method or version"
    with pytest.raises(ConfigError, match=expected):
        fit(lambda batch: {}, labelled(reader, EXAMPLES, run), run)


@pytest.mark.parametrize("stop", [(0, 0), (0, 3), (1, 0), (1, 2), (1, 3)])
def test_a_player_of_an_earlier_stage_is_there_after_a_kill(tmp_path, stop):
    """Two players in two stages, stopped anywhere: the same bits of both."""
    whole_reader, whole_helper, _ = two_stages(None)
    with pytest.raises(StoppedError):
        two_stages(tmp_path, stop)
    torch.manual_seed(99)
    reader, helper, _ = two_stages(tmp_path)
    assert torch.equal(weights(helper), weights(whole_helper))
    assert torch.equal(weights(reader), weights(whole_reader))


def test_a_player_that_only_watches_is_saved(tmp_path):
    """A frozen copy made in a run is the copy that was made, not one of the resumed reader."""

    def trained(folder, stop=None):
        run = Run(config=RunConfig(**SMALL), folder=folder)
        reader = new_reader()
        updater = Updater(reader, Optim(lr=5e-3), run)
        start = new_reader()
        start.load_state_dict(reader.state_dict())
        run.player("start", start)

        def step(batch):
            if run.clock.update == stop:
                raise StoppedError
            reading = reader(batch)
            drift = (reading.hidden - start(batch).hidden.detach()).square().mean()
            loss = span_loss(reading.start_logits, reading.last_logits, batch.answers) + drift
            updater(loss)
            return {"loss": loss}

        fit(step, labelled(reader, EXAMPLES, run), run)
        return reader

    whole = trained(None)
    with pytest.raises(StoppedError):
        trained(tmp_path, stop=3)
    assert torch.equal(weights(trained(tmp_path)), weights(whole))


def test_a_monitor_reads_without_dropout_whatever_the_players_are():
    """The players are parts of a reader; the monitor's own `evaluating` covers the whole."""
    run = Run(config=RunConfig(**SMALL))
    reader = new_reader()
    updater = Updater(reader.model.qa_outputs, OPTIM, run, name="head")
    reader.train()
    seen = []

    def monitor():
        with evaluating(reader):
            seen.append(any(module.training for module in reader.modules()))
        return {"dev": 0.0}

    run.monitor = monitor

    def step(batch):
        reading = reader(batch)
        loss = span_loss(reading.start_logits, reading.last_logits, batch.answers)
        updater(loss)
        return {"loss": loss}

    fit(step, labelled(reader, EXAMPLES, run), run)
    assert seen == [False]
    assert all(module.training for module in reader.modules())


def test_evaluating_leaves_each_part_as_it_was():
    reader = new_reader().train()
    reader.model.bert.eval()  # a frozen encoder without dropout
    before = [module.training for module in reader.modules()]
    with evaluating(reader):
        assert not any(module.training for module in reader.modules())
    assert [module.training for module in reader.modules()] == before
    assert len(set(before)) == 2


def test_a_resumed_run_logs_the_means_of_one_that_was_not_stopped(tmp_path):
    """Checkpoint after update 2, a line after update 3: its means are over updates 1 to 3."""
    import json

    def losses(folder):
        lines = (folder / "log.jsonl").read_text().splitlines()
        return [(json.loads(line)["update"], json.loads(line)["loss"]) for line in lines]

    (tmp_path / "whole").mkdir()
    (tmp_path / "stopped").mkdir()
    two_stages(tmp_path / "whole")
    with pytest.raises(StoppedError):
        two_stages(tmp_path / "stopped", (0, 2))
    two_stages(tmp_path / "stopped")
    assert losses(tmp_path / "stopped") == losses(tmp_path / "whole")


def grown_and_copied(folder, stop=None):
    """Between two stages the reader gets a layer more, and a teacher becomes a copy of it."""
    run = Run(config=RunConfig(**SMALL), folder=folder)
    reader, teacher = new_reader(), new_reader(seed=1)
    run.player("teacher", teacher, learns=False)

    def stage(number):
        updater = Updater(reader, OPTIM, run)

        def step(batch):
            if stop == (number, run.clock.update):
                raise StoppedError
            reading = reader(batch)
            told = teacher(batch).hidden.detach()
            loss = span_loss(reading.start_logits, reading.last_logits, batch.answers)
            loss = loss + (reading.hidden - told).square().mean()
            if hasattr(reader, "added"):
                loss = loss + reader.added(reading.hidden).square().mean()
            updater(loss)
            return {"loss": loss}

        fit(step, labelled(reader, EXAMPLES, run), run)

    stage(0)
    teacher.load_state_dict(reader.state_dict())
    reader.added = nn.Linear(32, 32)
    stage(1)
    return reader, teacher


@pytest.mark.parametrize("stop", [(0, 2), (1, 0), (1, 2)])
def test_players_that_change_between_stages_are_those_of_the_checkpoint(tmp_path, stop):
    whole = grown_and_copied(None)
    with pytest.raises(StoppedError):
        grown_and_copied(tmp_path, stop)
    for resumed, expected in zip(grown_and_copied(tmp_path), whole, strict=True):
        assert torch.equal(weights(resumed), weights(expected))


def test_an_updater_of_an_earlier_stage_is_refused():
    run = Run(config=RunConfig(**SMALL))
    reader = new_reader()
    updater = Updater(reader, OPTIM, run)

    def step(batch):
        loss = reader(batch).hidden.square().mean()
        updater(loss)
        return {"loss": loss}

    fit(step, labelled(reader, EXAMPLES, run), run)
    with pytest.raises(ConfigError, match="the updater of 'reader' belongs to an earlier stage"):
        fit(step, labelled(reader, EXAMPLES, run), run)


def test_two_calls_for_one_micro_batch_of_several_are_refused():
    run = Run(config=RunConfig(**SMALL, accumulation=2))
    reader = new_reader()
    updater = Updater(reader, OPTIM, run)

    def step(batch):
        for _ in range(2):
            updater(reader(batch).hidden.square().mean())
        return {}

    with pytest.raises(ConfigError, match="called twice for one micro-batch, which needs accumul"):
        fit(step, labelled(reader, EXAMPLES, run), run)
