"""Two stages in one command: other examples first, then the method, as one run."""

import json
import os
import random
import signal
import time

import pytest

from babelspan.data.squad import save_squad
from babelspan.jobs import train as train_job
from babelspan.jobs.corpora import Paths
from babelspan.training.journal import LOG
from babelspan.training.run import CHECKPOINT
from babelspan.types import ConfigError
from command_line import run
from miniature import miniature_reader
from ready import started
from world import World

WORLD = World(0)
SETTINGS = ("updates=6", "batch_size=4", "max_length=64", "overlap=16", "threads=1", "log_every=1")
FIRST = ("first.updates=4", "first.reader.lr=1e-3")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with readers with and without dropout, and examples for both stages."""
    folder = tmp_path_factory.mktemp("inputs")
    miniature_reader(WORLD.vocabulary(), dropout=0.1).save(folder / "reader")
    miniature_reader(WORLD.vocabulary(), dropout=0.0).save(folder / "still")
    save_squad(folder / "train.en.json", WORLD.examples(12))
    save_squad(folder / "synth.en.json", WORLD.examples(12, seed=5))
    save_squad(folder / "dev.en.json", WORLD.examples(4, seed=1))
    return folder


def planned(inputs, *more, reader="reader", first="synth.en.json", train="train.en.json", **others):
    data = Paths(labelled=(str(inputs / train),), first=(str(inputs / first),) if first else ())
    return train_job.plan(
        method=others.pop("method", "fine_tune"),
        reader=str(inputs / reader),
        data=data,
        settings=[*SETTINGS, *more],
        **others,
    )


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


def log_lines(folder):
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


def places(folder):
    """Stage and update of each line with a loss."""
    return [(line["stage"], line["update"]) for line in log_lines(folder) if "span" in line]


@pytest.fixture(scope="module")
def finished(inputs, tmp_path_factory):
    """A run of both stages."""
    out = tmp_path_factory.mktemp("runs") / "finished"
    train_job.carry_out(planned(inputs, *FIRST, dev=[inputs / "dev.en.json"]), out)
    return out


def test_both_stages_are_in_one_log_each_with_its_settings(finished):
    assert places(finished) == [(0, n) for n in range(1, 5)] + [(1, n) for n in range(1, 7)]
    rates = {
        (line["stage"], line["update"]): line["reader_lr"]
        for line in log_lines(finished)
        if "span" in line
    }
    assert max(rate for (stage, _), rate in rates.items() if stage == 0) == pytest.approx(1e-3)
    assert max(rate for (stage, _), rate in rates.items() if stage == 1) == pytest.approx(3e-5)
    assert [line["stage"] for line in log_lines(finished) if "dev_f1" in line] == [0, 1]
    assert not (finished / CHECKPOINT).exists()


def test_the_record_names_the_examples_of_both_stages(finished, inputs):
    record = json.loads((finished / "run.json").read_text())
    assert record["data"]["first"] == [str(inputs / "synth.en.json")]
    assert record["data_sha256"]["first"] != record["data_sha256"]["labelled"]
    assert "[first]" in record["recipe"]
    assert "[first.reader]" in record["recipe"]


def test_without_dropout_it_equals_two_commands(inputs, tmp_path):
    """The optimiser starts anew and the order is that of a run by itself."""
    together = tmp_path / "together"
    train_job.carry_out(planned(inputs, *FIRST, reader="still"), together)

    one = planned(
        inputs, "updates=4", "reader.lr=1e-3", reader="still", first=None, train="synth.en.json"
    )
    train_job.carry_out(one, tmp_path / "one")
    other = planned(inputs, reader=tmp_path / "one", first=None)
    train_job.carry_out(other, tmp_path / "other")

    assert weights(together) == weights(tmp_path / "other")
    assert weights(together) != weights(tmp_path / "one")


def test_the_resolved_recipe_gives_the_same_run(finished, inputs, tmp_path):
    plan = train_job.plan(
        method="fine_tune",
        reader=str(inputs / "reader"),
        data=Paths(
            labelled=(str(inputs / "train.en.json"),), first=(str(inputs / "synth.en.json"),)
        ),
        recipe=str(finished / "recipe.toml"),
    )
    assert plan.first == planned(inputs, *FIRST).first
    train_job.carry_out(plan, tmp_path / "again")
    assert weights(tmp_path / "again") == weights(finished)


def test_what_the_first_stage_does_not_say_is_as_in_the_second(inputs):
    first = planned(inputs, "reader.lr=2e-4", "reader.clip_norm=0.5", "negatives=0.25").first
    assert (first.updates, first.batch_size, first.negatives) == (6, 4, 0.25)
    assert (first.reader.lr, first.reader.clip_norm) == (2e-4, 0.5)

    first = planned(inputs, "reader.lr=2e-4", "first.reader.warmup=0.0", "first.epochs=3").first
    assert (first.updates, first.epochs) == (None, 3)  # the updates of [run] would hide the epochs
    assert (first.reader.lr, first.reader.warmup) == (2e-4, 0.0)

    assert planned(inputs, first=None).first is None


def test_a_recipe_may_say_everything(inputs, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f'[data]\nlabelled = ["{inputs}/train.en.json"]\nfirst = ["{inputs}/synth.en.json"]\n'
        "[first]\nepochs = 1\n[first.reader]\nlr = 4e-5\n"
    )
    plan = train_job.plan(
        method="fine_tune", reader=str(inputs / "reader"), data=Paths(), recipe=str(recipe)
    )
    assert (plan.first.epochs, plan.first.reader.lr) == (1, 4e-5)
    assert [file.path for file in plan.files["first"]] == [inputs / "synth.en.json"]


@pytest.mark.parametrize(
    ("more", "others", "said"),
    [
        (
            ("first.updates=3",),
            {"first": None},
            r"--set: expected examples for the first stage set in \[first\], found none; give "
            r"--first, or leave out \[first\]",
        ),
        (("first.update=3",), {}, r"--set: \[first\]: unknown key 'update'; did you mean 'updates"),
        (("first.reader.rate=3",), {}, r"\[first\]\.reader: unknown key 'rate'"),
        (("first.batch_size=0",), {}, r"\[first\]: 'batch_size': .*, found 0"),
        (("first.reader=3",), {}, r"\[first\]: 'reader': .*, found 3"),
        (("first=3",), {}, r"\[first\]: expected a table, found 3"),
        (
            (),
            {"method": "question_generation"},
            r"'question_generation' does not use --first \(first in a recipe\), found .*synth.en",
        ),
        (
            ("first.updates=3",),
            {"method": "question_generation", "first": None},
            r"--set: 'question_generation' has no first stage; leave out \[first\]",
        ),
    ],
)
def test_settings_that_make_no_sense(inputs, more, others, said):
    with pytest.raises(ConfigError, match=said):
        planned(inputs, *more, **others)


def test_other_examples_first_are_another_run(finished, inputs):
    with pytest.raises(ConfigError, match="holds a run with another data"):
        train_job.carry_out(
            planned(inputs, *FIRST, first="dev.en.json", dev=[inputs / "dev.en.json"]), finished
        )


def command(inputs, out):
    return [
        *("train", "language_arbitration", "--out", out),
        *("--reader", inputs / "reader", "--train", inputs / "pairs"),
        *("--first", inputs / "synth.en.json"),
        *(part for setting in SETTINGS for part in ("--set", setting)),
        *("--set", "updates=120", "--set", "save_every=3", "--set", "reader.average=0.9"),
        *("--set", "first.updates=120", "--set", "first.reader.average=0.5"),
    ]


def place_of(out):
    """Stage and update of the last whole line of the log."""
    try:
        lines = (out / LOG).read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return -1, 0
    whole = [json.loads(line) for line in lines if line.endswith("\n")]
    return (whole[-1]["stage"], whole[-1]["update"]) if whole else (-1, 0)


@pytest.mark.slow
def test_killed_in_either_stage_and_started_again_ends_with_the_same_bytes(inputs, tmp_path):
    """`kill -9` at moments that nobody chose, in each stage and where they meet."""
    (inputs / "pairs").mkdir()
    save_squad(inputs / "pairs" / "train.en.json", WORLD.examples(12))
    save_squad(inputs / "pairs" / "train.de-en.json", WORLD.translations(12, "L1"))
    assert run(*command(inputs, tmp_path / "whole")).returncode == 0

    out = tmp_path / "killed"
    rng = random.Random(os.getpid())
    killed = []
    for at_least in ((0, 60), (0, 119), (1, 40)):
        process = started(*command(inputs, out))
        while process.poll() is None and place_of(out) < at_least:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.1) if at_least != (0, 119) else 0)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "the run ended before it could be killed"
        killed.append(place_of(out))
    assert killed == sorted(killed)
    assert {stage for stage, _ in killed} == {0, 1}

    last = run(*command(inputs, out))

    assert last.returncode == 0
    assert b"already finished" not in last.stderr
    assert weights(out) == weights(tmp_path / "whole")
    assert places(out) == places(tmp_path / "whole")
    for ours, theirs in zip(log_lines(out), log_lines(tmp_path / "whole"), strict=True):
        assert {k: v for k, v in ours.items() if k != "tokens_per_second"} == {
            k: v for k, v in theirs.items() if k != "tokens_per_second"
        }
