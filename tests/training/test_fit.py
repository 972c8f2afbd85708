"""The loop: same seed same bits, stopped and resumed, stages, monitor, precision, files."""

import json
import os
from dataclasses import replace
from functools import cache

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from babelspan.losses.span import span_loss
from babelspan.methods import fine_tune
from babelspan.training import place as place_module
from babelspan.training.examples import labelled
from babelspan.training.fit import fit
from babelspan.training.journal import LOG
from babelspan.training.run import CHECKPOINT, Corpora, Run, RunConfig
from babelspan.training.stream import Order
from babelspan.training.update import Optim, Updater
from babelspan.types import Answer, ConfigError, DataError, Example
from miniature import miniature_reader
from world import World

WORLD = World(0)
EXAMPLES = WORLD.examples(12)
SMALL = {"batch_size": 4, "updates": 8, "threads": 1, "save_every": 3, "log_every": 2}
OPTIM = Optim(lr=5e-3, average=0.5)


class StoppedError(Exception):
    """Stands for a crash."""


def new_reader(seed=0, dropout=0.1):
    return miniature_reader(WORLD.vocabulary(), seed=seed, dropout=dropout)


def weights(reader):
    return torch.cat([p.detach().flatten() for p in reader.parameters()])


def stage(reader, run, stop_at=None, optim=OPTIM):
    """One call of `fit` that fails before update `stop_at`."""
    updater = Updater(reader, optim, run)

    def step(batch):
        if run.clock.update == stop_at:
            raise StoppedError
        reading = reader(batch)
        loss = span_loss(reading.start_logits, reading.last_logits, batch.answers)
        updater(loss)
        return {"span": loss}

    fit(step, labelled(reader, EXAMPLES, run), run)


def trained(folder=None, *, stop_at=None, stages=1, stopped_stage=0, monitor=None, **config):
    run = Run(config=RunConfig(**{**SMALL, **config}), folder=folder)
    reader = new_reader()
    if monitor is not None:
        run.monitor = monitor(reader)
    for number in range(stages):
        stage(reader, run, stop_at if number == stopped_stage else None)
    return reader


@cache
def undisturbed(**config):
    """The weights of a run that nothing stops or watches."""
    return weights(trained(**config))


def log_lines(folder):
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


def test_same_seed_same_bits():
    assert torch.equal(weights(trained()), undisturbed())


def test_another_seed_gives_other_weights():
    assert not torch.equal(weights(trained()), weights(trained(seed=2)))


def test_training_learns():
    run = Run(config=RunConfig(**{**SMALL, "updates": 40}))
    reader = new_reader(dropout=0.0)
    batch = reader.collate(list(reader.windows(EXAMPLES)))

    def loss():
        with torch.no_grad():
            reading = reader(batch)
        return float(span_loss(reading.start_logits, reading.last_logits, batch.answers))

    before = loss()
    stage(reader, run, optim=Optim(lr=1e-2))
    assert loss() < 0.5 * before


@pytest.mark.parametrize("stop_at", [0, 2, 3, 5, 7])
@pytest.mark.parametrize("settings", [{}, {"accumulation": 2, "batch_tokens": 120}])
def test_stopped_and_resumed_equals_not_stopped(tmp_path, stop_at, settings):
    with pytest.raises(StoppedError):
        trained(tmp_path, stop_at=stop_at, **settings)
    assert (tmp_path / CHECKPOINT).exists() == (stop_at >= 3)
    torch.manual_seed(99)  # nothing hangs on what happened to stand in memory
    resumed = trained(tmp_path, **settings)
    assert torch.equal(weights(resumed), undisturbed(**settings))
    assert [line["update"] for line in log_lines(tmp_path)] == [2, 4, 6, 8]


def test_resumed_twice_equals_not_stopped(tmp_path):
    for stop_at in (4, 7):
        with pytest.raises(StoppedError):
            trained(tmp_path, stop_at=stop_at)
    assert torch.equal(weights(trained(tmp_path)), undisturbed())


@pytest.mark.parametrize(("stopped_stage", "stop_at"), [(0, 5), (1, 0), (1, 2), (1, 5)])
def test_two_stages_resume_where_they_stood(tmp_path, stopped_stage, stop_at):
    with pytest.raises(StoppedError):
        trained(tmp_path, stages=2, stopped_stage=stopped_stage, stop_at=stop_at)
    found = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    expected = (1, 3) if (stopped_stage, stop_at) == (1, 5) else (0, 8 if stopped_stage else 3)
    assert (found["stage"], found["update"]) == expected

    resumed = trained(tmp_path, stages=2)

    assert torch.equal(weights(resumed), undisturbed(stages=2))
    found = [(line["stage"], line["update"]) for line in log_lines(tmp_path)]
    assert found == [(s, u) for s in (0, 1) for u in (2, 4, 6, 8)]


def test_stages_differ_from_one_long_stage():
    assert not torch.equal(undisturbed(stages=2), undisturbed(updates=16))


def test_evaluation_does_not_change_the_bits(tmp_path):
    seen = []

    def monitor(reader):
        def evaluate():
            assert not any(module.training for module in reader.modules())
            torch.rand(7)  # draws from the random state of training
            seen.append(weights(reader).clone())
            return {"dev_f1": 0.25}

        return evaluate

    watched = trained(tmp_path, monitor=monitor, evaluate_every=3)

    assert torch.equal(weights(watched), undisturbed())
    assert len(seen) == 3  # after updates 3, 6 and the last, 8
    assert torch.equal(seen[-1], weights(watched))  # the averaged weights are what is evaluated
    assert watched.training
    found = [line["update"] for line in log_lines(tmp_path) if line.get("dev_f1") == 0.25]
    assert found == [3, 6, 8]


def test_evaluation_only_at_the_end_by_default(tmp_path):
    trained(tmp_path, monitor=lambda reader: lambda: {"dev_f1": 0.5})
    assert [line["update"] for line in log_lines(tmp_path) if "dev_f1" in line] == [8]


@pytest.mark.parametrize(("stopped_stage", "evaluation"), [(0, 1), (0, 3), (1, 2)])
def test_stopped_while_evaluating(tmp_path, stopped_stage, evaluation):
    """The checkpoint is written first; what the stop cut off is evaluated by the resumed run."""
    times = 3 * stopped_stage + evaluation

    def monitor(reader, fails):
        count = iter(range(1, 100))

        def evaluate():
            if next(count) == times and fails:
                raise StoppedError
            return {"dev": float(weights(reader).sum())}

        return evaluate

    config = {"stages": 2, "evaluate_every": 3}
    trained(tmp_path / "whole", monitor=lambda reader: monitor(reader, False), **config)
    whole = log_lines(tmp_path / "whole")
    assert [line["update"] for line in whole if "dev" in line] == [3, 6, 8] * 2

    out = tmp_path / "stopped"
    with pytest.raises(StoppedError):
        trained(out, monitor=lambda reader: monitor(reader, True), **config)
    found = torch.load(out / CHECKPOINT, weights_only=True)
    assert (found["stage"], found["update"]) == (stopped_stage, [3, 6, 8][evaluation - 1])
    resumed = trained(out, monitor=lambda reader: monitor(reader, False), **config)

    assert torch.equal(weights(resumed), undisturbed(stages=2))
    kept = ("stage", "update", "dev")
    assert [[line.get(k) for k in kept] for line in log_lines(out)] == [
        [line.get(k) for k in kept] for line in whole
    ]


def test_only_at_the_end(tmp_path):
    trained(tmp_path, stages=2, log_every=0, save_every=0)
    lines = [(line["stage"], line["update"]) for line in log_lines(tmp_path)]
    assert lines == [(0, 8), (1, 8)]


def test_bf16_runs_and_differs_a_little():
    """Both precisions in one process; weights and optimiser stay fp32."""
    run = Run(config=RunConfig(**SMALL, precision="bf16"))
    half = new_reader(dropout=0.0)
    dtypes = set()
    half.model.bert.encoder.register_forward_hook(
        lambda module, args, output: dtypes.add(output.last_hidden_state.dtype)
    )
    half.model.qa_outputs.register_forward_hook(lambda m, args, output: dtypes.add(output.dtype))
    stage(half, run)
    full = new_reader(dropout=0.0)
    stage(full, Run(config=RunConfig(**SMALL)))

    assert torch.bfloat16 in dtypes
    assert {p.dtype for p in half.parameters()} == {torch.float32}
    assert torch.isfinite(weights(half)).all()
    assert not torch.equal(weights(half), weights(full))
    moved = weights(full) - weights(new_reader())
    assert (weights(half) - weights(full)).norm() < 0.5 * moved.norm()


def test_log_and_tensorboard(tmp_path):
    run = Run(config=RunConfig(**SMALL), folder=tmp_path)
    fine_tune.train(
        new_reader(), Corpora(labelled=EXAMPLES), fine_tune.Config(reader=Optim(lr=0.01)), run
    )
    run.journal.close()

    lines = log_lines(tmp_path)
    assert [(line["stage"], line["update"]) for line in lines] == [(0, 2), (0, 4), (0, 6), (0, 8)]
    assert set(lines[0]) == {
        "stage",
        "update",
        "span",
        "tokens_per_second",
        "reader_lr",
        "reader_gradient_norm",
    }
    # warm-up of one update of eight, then (8 - update) / 7 of the highest; logged after update 2
    assert lines[0]["reader_lr"] == pytest.approx(0.01 * (1 - 0 / 7))
    assert lines[-1]["reader_lr"] == pytest.approx(0.01 * (1 - 6 / 7))
    assert all(line["tokens_per_second"] > 0 < line["reader_gradient_norm"] for line in lines)

    events = EventAccumulator(str(tmp_path / "tensorboard" / "stage0")).Reload()
    scalars = events.Scalars("span")
    assert [event.step for event in scalars] == [2, 4, 6, 8]
    assert [e.value for e in scalars] == pytest.approx([line["span"] for line in lines], rel=1e-6)


def test_the_logged_loss_is_the_mean_since_the_last_line(tmp_path):
    losses = iter([1.0, 2.0, 4.0, 8.0, 16.0])
    reader = new_reader()
    run = Run(config=RunConfig(**{**SMALL, "updates": 5}), folder=tmp_path)
    updater = Updater(reader, Optim(lr=0.0), run)

    def step(batch):
        updater(reader(batch).summary.sum())
        return {"made": torch.tensor(next(losses))}

    fit(step, labelled(reader, EXAMPLES, run), run)
    assert [line["made"] for line in log_lines(tmp_path)] == [1.5, 6.0, 16.0]


def test_tensorboard_drops_what_a_resumed_run_repeats(tmp_path):
    with pytest.raises(StoppedError):
        trained(tmp_path, stages=2, stopped_stage=1, stop_at=5)
    run = Run(config=RunConfig(**SMALL), folder=tmp_path)
    reader = new_reader()
    stage(reader, run)
    stage(reader, run)
    run.journal.close()
    for number in (0, 1):
        events = EventAccumulator(str(tmp_path / "tensorboard" / f"stage{number}")).Reload()
        assert [event.step for event in events.Scalars("span")] == [2, 4, 6, 8]


def test_the_logged_loss_is_a_mean_over_the_windows_of_this_process(tmp_path):
    """Of joint batches of 3 windows the first of two processes has 2, weighing 4/3 together."""
    reader = new_reader()
    run = Run(config=RunConfig(**SMALL), folder=tmp_path)
    updater = Updater(reader, Optim(), run)

    def step(batch):
        updater(reader(batch).summary.sum())
        return {"made": torch.tensor(3.0)}

    class FirstOfTwo:
        def in_order(self, order):
            order = replace(order, batch_size=3, updates=2, processes=2)
            return labelled(reader, EXAMPLES, run).in_order(order)

    fit(step, FirstOfTwo(), run)
    assert [line["made"] for line in log_lines(tmp_path)] == [3.0]


def test_a_line_cut_short_by_a_kill_is_dropped(tmp_path):
    with pytest.raises(StoppedError):
        trained(tmp_path, stop_at=5)
    with (tmp_path / LOG).open("a") as log:
        log.write('{"stage": 0, "upd')
    trained(tmp_path)
    assert [line["update"] for line in log_lines(tmp_path)] == [2, 4, 6, 8]


def test_nothing_is_written_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trained()
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_more_processes_is_refused(tmp_path):
    with pytest.raises(StoppedError):
        trained(tmp_path, stop_at=5)
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    state["random"] *= 2
    torch.save(state, tmp_path / CHECKPOINT)
    with pytest.raises(ConfigError, match="from a run with 2 processes, which cannot resume"):
        trained(tmp_path)


def test_more_threads_on_resuming_are_told(tmp_path, capsys):
    with pytest.raises(StoppedError):
        trained(tmp_path, stop_at=4)
    capsys.readouterr()
    with pytest.raises(StoppedError):
        trained(tmp_path, stop_at=5)
    assert "threads" not in capsys.readouterr().err
    try:
        with pytest.raises(StoppedError):
            trained(tmp_path, stop_at=3, threads=2)
    finally:
        torch.set_num_threads(1)
    assert (
        "started with 1 threads, resumed with 2: weights may differ in the last bits"
        in capsys.readouterr().err
    )


def test_freed_memory_is_kept_where_a_gibibyte_is_too_much(monkeypatch):
    """Some builds of glibc take no threshold above half a heap, 32 MiB, and answer 0."""
    taken = []

    class Libc:
        def mallopt(self, option, value):
            if option == -3 and value > 32 << 20:
                return 0
            taken.append((option, value))
            return 1

    monkeypatch.setattr(place_module.ctypes, "CDLL", lambda name: Libc())
    monkeypatch.setattr(place_module.platform, "libc_ver", lambda: ("glibc", "2.28"))
    monkeypatch.setattr(place_module.sys, "platform", "linux")
    place_module._keep_freed_memory()
    assert taken == [(-3, 32 << 20), (-1, (1 << 31) - 1)]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same_bits_twice():
    assert torch.equal(weights(trained()), weights(trained()))
    assert torch.are_deterministic_algorithms_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def one(answers, context):
    return Example(
        id="x",
        question="w ?",
        context=context,
        answers=answers,
        question_language="en",
        context_language="en",
    )


def test_what_is_learnt_from():
    """All windows of an example that some window answers; none of one that no window answers."""
    reader = miniature_reader(["w", "a", "?"], max_length=40, overlap=0)
    run = Run(config=RunConfig(threads=1, batch_size=100, epochs=1))
    long = " ".join(["w"] * 50 + ["a"] + ["w"] * 20)
    cases = {
        (Answer("a", 100),): 3,
        (): 3,
        None: 0,
        (Answer("a", None),): 0,
        (Answer(long, 0),): 0,  # longer than any window
    }
    for answers, count in cases.items():
        learnt = [one(answers, long), one((Answer("a", 0),), "a")]
        (update,) = labelled(reader, learnt, run).in_order(Order.of(run)).starting_at(0)
        windows = [w for w in update[0].batch.windows if w.example.context == long]
        assert len(windows) == count, answers
        if count:
            places = update[0].batch.answers.tolist()
            assert sum(place == [0, 0] for place in places) == (2 if answers else 3)


def test_nothing_to_learn_from():
    run = Run(config=RunConfig(threads=1))
    with pytest.raises(DataError, match="none of the training examples has an answer at a known"):
        labelled(new_reader(), [one((Answer("w", None),), "w w")], run)
