"""Training jobs from recipe to folder: what is checked, what is kept, killed and begun again."""

import json
import os
import random
import re
import shutil
import signal
import sys
import time
from dataclasses import replace

import pytest
import torch

from babelspan import config, readers
from babelspan.cli.main import app
from babelspan.data.files import checksum
from babelspan.data.locks import locked
from babelspan.data.squad import save_squad
from babelspan.jobs import train as train_job
from babelspan.jobs.corpora import Paths
from babelspan.training.journal import LOG
from babelspan.training.place import ALL_CORES
from babelspan.training.run import CHECKPOINT, RunConfig
from babelspan.types import Answer, ConfigError, DataError, Example
from babelspan.version import VERSION
from command_line import program, run
from miniature import miniature_reader
from ready import started
from world import World

WORLD = World(0)
SETTINGS = ("updates=6", "batch_size=4", "max_length=64", "overlap=16", "threads=1", "log_every=1")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with a reader, training data and development data."""
    folder = tmp_path_factory.mktemp("inputs")
    miniature_reader(WORLD.vocabulary(), dropout=0.1).save(folder / "reader")
    save_squad(folder / "train.en.json", WORLD.examples(12))
    save_squad(folder / "dev.en.json", WORLD.examples(4, seed=1))
    return folder


def planned(inputs, *more, method="fine_tune", train="train.en.json", **others):
    return train_job.plan(
        method=method,
        reader=str(inputs / "reader"),
        data=Paths(labelled=(str(inputs / train),)),
        settings=[*SETTINGS, *more],
        **others,
    )


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


def log_lines(folder):
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


@pytest.fixture(scope="module")
def finished(inputs, tmp_path_factory):
    """The folder of a run that has finished."""
    out = tmp_path_factory.mktemp("finished") / "new" / "folder"
    train_job.carry_out(planned(inputs, dev=[inputs / "dev.en.json"]), out)
    return out


def test_what_a_finished_run_leaves(finished):
    assert {path.name for path in finished.iterdir()} == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "recipe.toml",
        "run.json",
        "log.jsonl",
        "tensorboard",
    }
    (events,) = (finished / "tensorboard" / "stage0").iterdir()
    assert events.name.startswith("events.out.tfevents.")
    text = WORLD.examples(1)[0]
    answer = readers.load_answerer(str(finished))(text.question, text.context)
    assert text.context[answer["start"] : answer["end"]] == answer["answer"]


def test_the_record_names_all_that_the_result_depends_on(finished, inputs):
    record = json.loads((finished / "run.json").read_text())
    assert record["state"] == "finished"
    assert record["method"] == "fine_tune"
    assert record["seed"] == 1
    assert record["babelspan"] == VERSION
    assert record["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(record["libraries"]) == {
        "torch",
        "transformers",
        "tokenizers",
        "accelerate",
        "safetensors",
        "numpy",
    }
    assert all(record["libraries"].values())
    assert record["reader"] == str(inputs / "reader")
    assert record["reader_sha256"] == readers.checksum_of(str(inputs / "reader"))
    paths = {"labelled": inputs / "train.en.json", "dev": inputs / "dev.en.json"}
    assert record["data"] == {use: [str(path)] for use, path in paths.items()}
    assert record["data_sha256"] == {
        use: [[checksum(path), "en", "en"]] for use, path in paths.items()
    }
    assert record["recipe"] == (finished / "recipe.toml").read_text()
    assert record["recipe"].startswith("# method: fine_tune\n")
    assert (record["processes"], record["threads"]) == (1, 1)


def test_the_resolved_recipe_gives_the_same_run(finished, inputs, tmp_path):
    plan = train_job.plan(
        method="fine_tune",
        reader=str(inputs / "reader"),
        data=Paths(labelled=(str(inputs / "train.en.json"),)),
        recipe=str(finished / "recipe.toml"),
    )
    assert plan.run_config == planned(inputs).run_config
    assert plan.method_config == planned(inputs).method_config
    train_job.carry_out(plan, tmp_path / "again")
    assert weights(tmp_path / "again") == weights(finished)


def test_every_update_and_the_evaluation_are_logged(finished):
    lines = log_lines(finished)
    assert [line["update"] for line in lines if "span" in line] == [1, 2, 3, 4, 5, 6]
    (evaluation,) = [line for line in lines if "dev_f1" in line]
    assert evaluation["update"] == 6
    assert 0 <= evaluation["dev_exact_match"] <= evaluation["dev_f1"] <= 1


def test_a_finished_run_says_so_and_changes_nothing(finished, inputs, capsys):
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in finished.glob("*.*")}
    (finished / CHECKPOINT).write_bytes(b"left by a kill between the last two lines")
    train_job.carry_out(planned(inputs, dev=[inputs / "dev.en.json"]), finished)
    assert capsys.readouterr().err == f"{finished}: this run is already finished\n"
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in finished.glob("*.*")} == before


@pytest.mark.parametrize(
    ("more", "key", "now"),
    [("seed=2", "run.seed", "2"), ("reader.lr=1e-4", "method.reader.lr", "0.0001")],
)
def test_another_recipe_in_the_same_folder(finished, inputs, more, key, now):
    with pytest.raises(ConfigError) as refused:
        train_job.carry_out(planned(inputs, more), finished)
    message = str(refused.value)
    assert message.startswith(f"{finished}: holds a run with another recipe ({key}: ")
    assert f" there, {now} now); choose another folder" in message


def test_other_data_or_another_reader_in_the_same_folder(finished, inputs, tmp_path):
    with pytest.raises(ConfigError, match="holds a run with another data;"):
        train_job.carry_out(planned(inputs, train="dev.en.json"), finished)
    with pytest.raises(ConfigError, match="holds a run with another data;"):
        train_job.carry_out(planned(inputs), finished)  # without development data
    miniature_reader(WORLD.vocabulary(), seed=9).save(tmp_path / "reader")
    plan = train_job.plan(
        method="fine_tune",
        reader=str(tmp_path / "reader"),
        data=Paths(labelled=(str(inputs / "train.en.json"),)),
        dev=[inputs / "dev.en.json"],
        settings=SETTINGS,
    )
    with pytest.raises(ConfigError, match="holds a run with another reader;"):
        train_job.carry_out(plan, finished)


def test_the_data_is_the_same_by_content_languages_and_order(inputs, tmp_path, capsys):
    def carried_out(*names):
        paths = [tmp_path / "data" / name for name in names]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            split = path.name.partition(".")[0].removesuffix("2")
            path.write_bytes((inputs / f"{split}.en.json").read_bytes())
        plan = train_job.plan(
            method="fine_tune",
            reader=str(inputs / "reader"),
            data=Paths(labelled=tuple(map(str, paths))),
            settings=[*SETTINGS, "updates=1"],
        )
        train_job.carry_out(plan, tmp_path / "out")

    carried_out("train.en.json", "dev.en.json")
    carried_out("elsewhere/train2.en.json", "dev2.en.json")
    assert "this run is already finished" in capsys.readouterr().err
    for others in (
        ("dev.en.json", "train.en.json"),
        ("train.en.json", "dev.de.json"),
        ("train.en.json", "dev.en-de.json"),
        ("train.en.json",),
    ):
        with pytest.raises(ConfigError, match="holds a run with another data;"):
            carried_out(*others)


def test_a_resumed_run_keeps_the_record_it_began_with(finished, inputs, tmp_path):
    record = json.loads((finished / "run.json").read_text())
    begun = {**record, "python": "3.11.0", "threads": 7, "state": "running"}
    (tmp_path / "run.json").write_text(json.dumps(begun))
    train_job.carry_out(planned(inputs, dev=[inputs / "dev.en.json"]), tmp_path)
    assert json.loads((tmp_path / "run.json").read_text()) == {**begun, "state": "finished"}
    assert (tmp_path / "recipe.toml").read_text() == record["recipe"]


def test_a_folder_with_other_files_is_refused_and_left_alone(inputs, tmp_path):
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(ConfigError, match=f"^{tmp_path}: expected an empty or a new folder"):
        train_job.carry_out(planned(inputs), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(ConfigError, match="expected an empty or a new folder"):
        train_job.carry_out(planned(inputs), tmp_path / "thesis.txt")


def test_what_a_kill_left_half_written_is_cleared(finished, inputs, tmp_path):
    (tmp_path / ".run.json.123.part").write_text("{")
    (tmp_path / ".saving-abc.part").mkdir()
    (tmp_path / ".saving-abc.part" / "model.safetensors").write_bytes(b"half")
    train_job.carry_out(planned(inputs), tmp_path)
    assert weights(tmp_path) == weights(finished)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_evaluation_while_training_leaves_the_bits(finished, inputs, tmp_path):
    """Dropout is on and evaluation draws nothing: same weights with and without it."""
    plan = planned(inputs, "reader.average=0.9", "evaluate_every=2", dev=[inputs / "dev.en.json"])
    train_job.carry_out(plan, tmp_path / "watched")
    train_job.carry_out(planned(inputs, "reader.average=0.9"), tmp_path / "unwatched")
    ours = [line["update"] for line in log_lines(tmp_path / "watched") if "dev_f1" in line]
    assert ours == [2, 4, 6]
    assert weights(tmp_path / "watched") == weights(tmp_path / "unwatched") != weights(finished)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "fine_tun"}, "unknown method 'fine_tun'; did you mean 'fine_tune'"),
        ({"method": "xyz"}, "unknown method 'xyz'; expected one of .*fine_tune"),
        (
            {"recipe": "minilm/zero_shoot"},
            "recipe 'minilm/zero_shoot': no such file; did you mean 'minilm/zero_shot'",
        ),
        ({"more": "batch_sise=4"}, "unknown key 'batch_sise'; did you mean 'batch_size'"),
        ({"more": "reader.wamup=0"}, r"unknown key 'wamup'; did you mean 'warmup'"),
        ({"more": "batch_size"}, "--set 'batch_size': expected key=value"),
        ({"more": "batch_size=0"}, r"'batch_size': input should be greater than 0, found 0"),
        ({"more": "accumulation=-1"}, "'accumulation': input should be greater than 0, found -1"),
        ({"more": "reader.lr=inf"}, "'reader.lr': input should be a finite number"),
        ({"more": "seed=99999999999999999999"}, r"'seed': expected an integer below 2\*\*63"),
        ({"more": "threads=1000000"}, "'threads': input should be less than or equal to 4096"),
        ({"more": "step=3"}, r"expected overlap or step, got both \(16 and 3\)"),
        ({"more": "overlap=-1"}, "'overlap': input should be greater than or equal to 0"),
        ({"more": "updates=2.5"}, "'updates': input should be a valid integer.*found 2.5"),
        ({"more": "precision=fp16"}, "'precision': input should be 'fp32' or 'bf16', found 'fp16'"),
        ({"more": "reader.schedule=linaer"}, "'reader.schedule': input should be 'linear', 'cos"),
        ({"more": "reader.lr=0.0"}, "'reader.lr': input should be greater than 0, found 0.0"),
        ({"more": "reader.warmup=1.5"}, "'reader.warmup': .* less than or equal to 1, found 1.5"),
        ({"more": "reader.warmup=-0.1"}, "'reader.warmup': .* or equal to 0, found -0.1"),
        ({"more": "reader.average=1.0"}, "'reader.average': .* less than 1, found 1.0"),
        ({"more": "reader.average=-0.5"}, "'reader.average': .* or equal to 0, found -0.5"),
        ({"more": "reader.betas=[0.9, 1.0]"}, "'reader.betas.1': .* less than 1, found 1.0"),
        ({"more": "reader.betas=[-0.9, 0.9]"}, "'reader.betas.0': .* or equal to 0, found -0.9"),
        ({"more": "reader.weight_decay=-1.0"}, "'reader.weight_decay': .* equal to 0, found -1.0"),
        ({"more": "reader.clip_norm=-1.0"}, "'reader.clip_norm': .* equal to 0, found -1.0"),
    ],
)
def test_settings_that_make_no_sense(inputs, arguments, message):
    more = arguments.pop("more", None)
    with pytest.raises(ConfigError, match=message):
        planned(inputs, *([more] if more else []), **arguments)


@pytest.mark.parametrize("library", ["torch", "transformers", "accelerate", "safetensors"])
def test_a_library_that_is_missing(inputs, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)  # as if it were not installed
    message = rf'^training needs {library}: pip install "\.\[train\]" in the folder with the source'
    with pytest.raises(ConfigError, match=message):
        planned(inputs)


def test_recipes_with_unknown_names(inputs, tmp_path):
    recipe = tmp_path / "mine.toml"
    for text, message in (
        ("[rum]\n", rf"{recipe}: unknown table \[rum\]; a recipe has \[method\], \[run\], \["),
        ("[run]\nsed = 1\n", rf"{recipe}: \[run\]: unknown key 'sed'; did you mean 'seed'"),
        ("[method.reader]\nwarm_up = 0.0\n", r"\[method\]\.reader: unknown key .*mean 'warmup'"),
        ("[run", f"{recipe}: expected TOML"),
    ):
        recipe.write_text(text)
        with pytest.raises(ConfigError, match=message):
            planned(inputs, recipe=str(recipe))


def test_settings_on_the_command_line_win_over_the_recipe(inputs):
    plan = planned(inputs, "method.reader.lr=0.5", recipe="minilm/zero_shot")
    assert plan.run_config.batch_size == 4
    assert plan.run_config.precision == "bf16"
    assert plan.method_config.reader.lr == 0.5


def test_shipped_recipes_load():
    paths = sorted(train_job.RECIPES.rglob("*.toml"))
    assert len(paths) >= 2
    for path in paths:
        name = path.relative_to(train_job.RECIPES).with_suffix("").as_posix()
        assert train_job.recipe_path(name) == path
        tables = config.load_tables(path)
        assert set(tables) <= {"method", "run", "first"}
        method = re.search(rf"babelspan train (\w+) --recipe {name} ", path.read_text("utf-8"))[1]
        _, built = train_job.resolve(method, recipe=name)
        config.build(RunConfig, tables.get("run", {}), name)
        config.build(train_job.load_method(method).Config, tables.get("method", {}), name)
        assert ("first" not in tables) or built["first"].reader.lr == tables["first"]["reader"][
            "lr"
        ]


def test_data_that_cannot_be_learnt_from(inputs, tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        planned(inputs, train="nowhere.en.json")
    moved = [
        Example(
            id="q",
            question="Where ?",
            context="here",
            answers=(Answer("there", 1),),
            question_language="en",
            context_language="en",
        )
    ]
    save_squad(tmp_path / "train.en.json", moved)
    with pytest.raises(DataError, match="question 'q': the answer 'there' is not at character 1"):
        train_job.carry_out(planned(tmp_path), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(DataError, match="none of the training examples has an answer at a known"):
        shutil.copytree(inputs / "reader", tmp_path / "reader")
        train_job.carry_out(planned(tmp_path, keep_misplaced=True), tmp_path / "out")


@pytest.mark.parametrize("answers", [(), None])
def test_development_data_without_gold_answers_is_refused_before_training(
    inputs, tmp_path, answers
):
    question = replace(WORLD.examples(1)[0], id="bare", answers=answers)
    save_squad(tmp_path / "dev.en.json", [*WORLD.examples(2), question])
    with pytest.raises(DataError, match="question 'bare' has no gold answer"):
        planned(inputs, dev=[tmp_path / "dev.en.json"])
    save_squad(tmp_path / "dev.en.json", [])
    with pytest.raises(DataError, match="expected questions to score, found none"):
        planned(inputs, dev=[tmp_path / "dev.en.json"])


def test_a_split_of_a_folder_is_chosen(inputs):
    with pytest.raises(DataError, match="holds the splits dev, train; choose one with --split"):
        planned(inputs, train=".")
    plan = planned(inputs, train=".", dev=[inputs], split="dev")
    assert [file.path for file in plan.files["labelled"]] == [inputs / "dev.en.json"]
    assert len(plan.dev) == 4


def test_the_command_line_takes_a_split(inputs, tmp_path):
    words = ["train", "fine_tune", "--reader", inputs / "reader", "--train", inputs]
    settings = [part for s in (*SETTINGS, "updates=1") for part in ("--set", s)]
    words += ["--split", "train", "--out", tmp_path / "out", *settings]
    app(list(map(str, words)), standalone_mode=False)
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["data"] == {"labelled": [str(inputs / "train.en.json")]}


def test_misplaced_answers_are_counted(inputs, tmp_path, capsys):
    examples = WORLD.examples(12)
    examples[0] = Example(
        id="moved",
        question=examples[0].question,
        context=examples[0].context,
        answers=(Answer("gone", 0),),
        question_language="en",
        context_language="en",
    )
    save_squad(tmp_path / "train.en.json", examples)
    plan = train_job.plan(
        method="fine_tune",
        reader=str(inputs / "reader"),
        data=Paths(labelled=(str(tmp_path / "train.en.json"),)),
        dev=[tmp_path / "train.en.json"],
        settings=[*SETTINGS, "updates=1"],
        keep_misplaced=True,
    )
    train_job.carry_out(plan, tmp_path / "out")
    told = capsys.readouterr().err
    assert "ignored 1 answers whose text is not at the stated offset\n" in told
    assert "1 development answers are not at the stated offset; they are scored by text" in told


def command(inputs, out):
    return [
        *("train", "fine_tune", "--reader", inputs / "reader"),
        *("--train", inputs / "train.en.json", "--dev", inputs / "dev.en.json", "--out", out),
        *(part for setting in SETTINGS for part in ("--set", setting)),
        *("--set", "updates=240", "--set", "save_every=3", "--set", "reader.average=0.9"),
    ]


def update_of(out):
    """The number of the last whole line of the log; 0 before there is one."""
    try:
        lines = (out / LOG).read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return 0
    whole = [line for line in lines if line.endswith("\n")]
    return json.loads(whole[-1])["update"] if whole else 0


@pytest.mark.slow
def test_killed_and_started_again_ends_with_the_same_bytes(inputs, tmp_path):
    """`kill -9` at moments that nobody chose, three times, each later in the run than the last."""
    assert run(*command(inputs, tmp_path / "whole")).returncode == 0

    out = tmp_path / "killed"
    rng = random.Random(os.getpid())
    killed = []
    for at_least in (1, 50, 100):
        process = started(*command(inputs, out))
        while process.poll() is None and update_of(out) < at_least:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        assert process.wait() == -signal.SIGKILL, "the run ended before it could be killed"
        killed.append(update_of(out))
    assert killed[0] < killed[1] < killed[2] < 240
    assert json.loads((out / "run.json").read_text())["state"] == "running"

    last = run(*command(inputs, out))

    assert last.returncode == 0
    assert b"already finished" not in last.stderr
    assert weights(out) == weights(tmp_path / "whole")
    assert [line["update"] for line in log_lines(out) if "span" in line] == list(range(1, 241))
    for ours, theirs in zip(log_lines(out), log_lines(tmp_path / "whole"), strict=True):
        assert {k: v for k, v in ours.items() if k != "tokens_per_second"} == {
            k: v for k, v in theirs.items() if k != "tokens_per_second"
        }
    assert {p.name for p in out.iterdir()} == {p.name for p in (tmp_path / "whole").iterdir()}
    assert not (out / CHECKPOINT).exists()

    again = program(*command(inputs, out))
    assert again.returncode == 0
    assert b"this run is already finished" in again.stderr
    assert weights(out) == weights(tmp_path / "whole")


def test_a_folder_whose_run_has_learnt_nothing_may_be_taken_over(inputs, tmp_path):
    """A first try that failed before it learnt; the corrected command has another recipe."""
    failed = planned(inputs, "accumulation=9")
    with pytest.raises(ConfigError, match="batch_size must be at least 9"):
        train_job.carry_out(failed, tmp_path)
    train_job.carry_out(planned(inputs), tmp_path)
    assert json.loads((tmp_path / "run.json").read_text())["state"] == "finished"


@pytest.mark.parametrize("content", ["[]", "{}", '"running"'])
def test_a_record_that_is_none_is_told(inputs, tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(DataError, match=r"run\.json: expected the record of a job.*remove it, or"):
        train_job.carry_out(planned(inputs), tmp_path)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04garbage", b"[]"])
def test_a_broken_checkpoint_is_told(inputs, tmp_path, raw):
    (tmp_path / CHECKPOINT).write_bytes(raw)
    record = train_job._record(planned(inputs))
    (tmp_path / "run.json").write_text(json.dumps({**record, "state": "running"}))
    with pytest.raises(ConfigError, match=r"checkpoint\.pt: expected a checkpoint of this version"):
        train_job.carry_out(planned(inputs), tmp_path)


def test_data_with_unanswerable_questions_can_be_watched(inputs, tmp_path):
    """By the scorer of SQuAD 2.0; that of SQuAD 1.1 refuses such a question before training."""
    dev = tmp_path / "dev.en.json"
    examples = WORLD.examples(4)
    save_squad(dev, [*examples[:3], replace(examples[3], answers=())])
    with pytest.raises(DataError, match="has no gold answer; the scorer 'squad' needs one"):
        planned(inputs, dev=[dev])
    plan = planned(inputs, dev=[dev], dev_scorer="squad2")
    train_job.carry_out(plan, tmp_path / "out")
    (line,) = [line for line in log_lines(tmp_path / "out") if "dev_f1" in line]
    assert 0 <= line["dev_exact_match"] <= line["dev_f1"] <= 100


def test_all_cores_are_taken_after_a_run_with_one(inputs, tmp_path):
    train_job.carry_out(planned(inputs, "updates=1"), tmp_path)
    assert torch.get_num_threads() == ALL_CORES


def test_settings_without_effect_are_refused(inputs, tmp_path):
    (tmp_path / "plain.en.txt").write_text("A bridge.")
    plain = Paths(passages=(str(tmp_path / "plain.en.txt"),))
    labelled = Paths(labelled=(str(inputs / "train.en.json"),))
    idle = "has no effect without labelled examples; leave it out"
    for method, data, setting, said in (
        ("masked_language", plain, "negatives=0.5", rf"run\.negatives {idle}"),
        ("masked_language", plain, "sample='500'", rf"run\.sample \(--sample\) {idle}"),
        ("question_generation", labelled, "negatives=0.5", r"run\.negatives has no effect: this"),
    ):
        with pytest.raises(ConfigError, match=said):
            train_job.plan(method=method, reader="x", data=data, settings=[setting])
    both = replace(plain, first=labelled.labelled)
    settings = ["negatives=0.5"]  # used in the first stage
    assert train_job.plan(method="masked_language", reader="x", data=both, settings=settings).first


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (Paths(), r"'fine_tune' needs labelled data, found none; give --train, or"),
        (
            Paths(labelled=("a.json",), bitext=("b.en-de.tsv",)),
            r"'fine_tune' does not use --bitext \(bitext in a recipe\), found b\.en-de\.tsv; leave",
        ),
    ],
)
def test_data_that_a_method_lacks_or_does_not_read(inputs, data, said):
    with pytest.raises(ConfigError, match=said):
        train_job.plan(method="fine_tune", reader=str(inputs / "reader"), data=data)


def test_a_recipe_may_name_its_data(inputs, tmp_path):
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'[data]\nlabelled = ["{inputs / "train.en.json"}"]\n')
    reader = str(inputs / "reader")
    plan = train_job.plan(method="fine_tune", reader=reader, data=Paths(), recipe=str(recipe))
    assert [file.path for file in plan.files["labelled"]] == [inputs / "train.en.json"]


def test_a_folder_in_which_another_process_trains_is_left_alone(inputs, tmp_path):
    with locked(tmp_path):
        with pytest.raises(ConfigError, match=f"{tmp_path}: "):
            train_job.carry_out(planned(inputs), tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    train_job.carry_out(planned(inputs, "updates=1"), tmp_path)
    assert not (tmp_path / ".lock").exists()
