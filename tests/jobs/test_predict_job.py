"""Prediction as a job: the same bytes whatever the workers and the kills, and no file lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import command_line
from babelspan.data.calibrations import CALIBRATION
from babelspan.data.files import read_json
from babelspan.data.folder import describe
from babelspan.data.squad import load_squad, save_squad
from babelspan.jobs import predict as predict_job
from babelspan.jobs import shards
from babelspan.jobs.answer import ReaderSpec
from babelspan.jobs.predict import predict
from babelspan.jobs.samples import SAMPLES
from babelspan.jobs.shards import Crew
from babelspan.readers import DEFAULT_FOLDER, load_answerer
from babelspan.types import ConfigError, DataError
from miniature import miniature_reader
from ready import context
from table_reader import write_table_reader


def questions(count):
    """Sample questions over and over, under ids of their own."""
    samples = load_squad(SAMPLES / "test.en.json")
    for n in range(count):
        example = samples[n % len(samples)]
        yield replace(example, id=f"{n}-{example.id}", title=f"{n // len(samples)}")


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    """A reader that has some answers right and others wrong."""
    known = load_squad(SAMPLES / "test.en.json")
    return ReaderSpec(reader=str(write_table_reader(tmp_path_factory.mktemp("table"), known)))


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "test.en.json"
    save_squad(path, questions(20))
    return path


@pytest.fixture
def small(monkeypatch):
    """Shards of a few questions, also in the processes that are started."""
    for module in ("answer", "predict"):
        monkeypatch.setattr(f"babelspan.jobs.{module}.QUESTIONS_IN_A_SHARD", 6)


def command(data, out, *options):
    setup = "import babelspan.jobs.answer as a, babelspan.jobs.predict as p; "
    setup += "a.QUESTIONS_IN_A_SHARD = p.QUESTIONS_IN_A_SHARD = 6; "
    setup += "from babelspan.cli.main import main; main()"
    return [sys.executable, "-c", setup, "predict", "default", data, "--out", out, *options]


def run(*arguments, **how):
    return subprocess.run(
        [str(a) for a in arguments], capture_output=True, text=True, check=False, **how
    )


def fails(*arguments):
    done = command_line.run(*arguments)
    assert done.returncode == 2, done.stderr
    return done.stderr.decode()


def test_answers_are_those_of_the_reader_in_the_order_of_the_file(spec, data, tmp_path, small):
    out = tmp_path / "p.json"
    assert predict(spec, describe(data), out).questions == 20
    expected = {p.id: p.text for p in load_answerer(spec.reader).predict(load_squad(data))}
    assert list(read_json(out).items()) == list(expected.items())
    assert out.read_text("utf-8") == json.dumps(expected, ensure_ascii=False, indent=1) + "\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.json", "test.en.json"]


def test_a_file_of_no_questions(spec, tmp_path):
    data = tmp_path / "test.en.json"
    save_squad(data, [])
    with pytest.raises(DataError, match=r"test\.en\.json: expected questions, found none"):
        predict(spec, describe(data), tmp_path / "p.json")
    assert not (tmp_path / "p.json").exists()


@pytest.mark.parametrize("on", ["local", "ray"])
def test_several_workers_give_the_same_bytes(spec, data, tmp_path, small, on, request):
    if on == "ray":
        request.getfixturevalue("ray_address")
    alone, together = tmp_path / "alone.json", tmp_path / "together.json"
    predict(spec, describe(data), alone)
    predict(spec, describe(data), together, crew=Crew(on=on, workers=2))
    assert alone.read_bytes() == together.read_bytes()


def test_several_workers_of_a_checkpoint_give_the_same_bytes(data, tmp_path, small, monkeypatch):
    monkeypatch.setattr(shards, "multiprocessing", SimpleNamespace(get_context=context))
    miniature_reader([*"abcdefghijklmnopqrstuvwxyz"]).save(tmp_path / "reader")
    spec = ReaderSpec(reader=str(tmp_path / "reader"))
    alone, together = tmp_path / "alone.json", tmp_path / "together.json"
    predict(spec, describe(data), alone)
    crew = Crew(workers=2)
    predict(replace(spec, threads=crew.threads), describe(data), together, crew=crew)
    assert alone.read_bytes() == together.read_bytes()


def finished(shards):
    """The files of shards that have their record, which is written last; others are made again."""
    return [p for p in shards.glob("*.json") if (shards / f"{p.name[:5]}.json").exists()]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_and_started_again_it_ends_with_the_same_bytes(data, tmp_path, small, workers):
    save_squad(data, questions(60))
    whole, killed = tmp_path / "whole.json", tmp_path / "killed.json"
    predict(ReaderSpec(reader="default"), describe(data), whole)
    running = subprocess.Popen(
        [str(a) for a in command(data, killed, "--workers", workers)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    shards = tmp_path / "killed.json.unfinished" / "shards"
    try:
        wait_for(lambda: len(finished(shards)) >= 2)
    finally:
        running.kill()  # its workers end by themselves
        running.wait()
    assert not killed.exists()
    kept = {p: p.stat().st_mtime_ns for p in finished(shards)}
    assert 2 <= len(kept) < 10

    seen = {}
    running = subprocess.Popen([str(a) for a in command(data, killed, "--workers", workers)])
    while running.poll() is None:
        seen |= {p: p.stat().st_mtime_ns for p in kept if p.exists()}
        time.sleep(0.05)
    assert running.returncode == 0
    assert seen == kept
    assert killed.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "killed.json.unfinished").exists()


def test_workers_end_with_the_process_that_started_them(data, tmp_path):
    save_squad(data, questions(300))
    out = tmp_path / "p.json"
    running = subprocess.Popen([str(a) for a in command(data, out, "--workers", "2")])
    try:
        wait_for(lambda: len(children(running.pid)) >= 3)  # with the resource tracker
        workers = children(running.pid)
    finally:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    wait_for(lambda: not any(map(is_alive, workers)))


def children(process):
    listed = run("ps", "-o", "pid=", "--ppid", process).stdout.split()
    return [int(pid) for pid in listed]


def is_alive(process):
    state = run("ps", "-o", "stat=", "-p", process).stdout.strip()
    return bool(state) and not state.startswith("Z")


def wait_for(condition, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_what_is_left_of_another_job_is_refused(spec, data, tmp_path, small, monkeypatch):
    out = tmp_path / "p.json"
    real = predict_job.stream_predictions
    monkeypatch.setattr(predict_job, "stream_predictions", stopped)
    with pytest.raises(StoppedError):
        predict(spec, describe(data), out)
    monkeypatch.setattr(predict_job, "stream_predictions", real)
    with pytest.raises(ConfigError, match=r"p.json.unfinished: .* differs in no_answer; choose"):
        predict(spec, describe(data), out, allows_no_answer=True)
    save_squad(data, questions(19))
    with pytest.raises(ConfigError, match=r"p.json.unfinished: holds a job that differs in data"):
        predict(spec, describe(data), out)


class StoppedError(Exception):
    """As by Ctrl-C."""


def stopped(*_, **__):
    raise StoppedError


@pytest.mark.parametrize("content", ["[]", "{", '{"0": 7}'])
def test_a_broken_shard_is_told_with_the_file(spec, data, tmp_path, small, monkeypatch, content):
    out = tmp_path / "p.json"
    with monkeypatch.context() as patched:
        patched.setattr(predict_job, "stream_predictions", stopped)
        with pytest.raises(StoppedError):
            predict(spec, describe(data), out)
    broken = tmp_path / "p.json.unfinished" / "shards" / "00001.json"
    broken.write_text(content)
    with pytest.raises(DataError, match=r"shards/00001.json"):
        predict(spec, describe(data), out)
    broken.unlink()
    assert predict(spec, describe(data), out).questions == 20


def test_a_reader_is_found_from_another_folder(tmp_path, monkeypatch):
    (tmp_path / "reader").mkdir()
    monkeypatch.chdir(tmp_path)
    spec = ReaderSpec(reader="reader", threads=2)
    assert spec.absolute() == replace(spec, reader=str(tmp_path / "reader"))
    for name in ("default", "name/of-the-hub"):
        assert ReaderSpec(reader=name).absolute() == ReaderSpec(reader=name)


def test_a_reader_that_was_changed_between_two_jobs_is_read_again(data, tmp_path):
    miniature_reader([*"abcdefgh"], seed=1).save(tmp_path / "reader")
    spec = ReaderSpec(reader=str(tmp_path / "reader"))
    predict(spec, describe(data), tmp_path / "first.json")
    miniature_reader([*"abcdefgh"], seed=2).save(tmp_path / "reader")
    predict(spec, describe(data), tmp_path / "second.json")
    assert read_json(tmp_path / "first.json") != read_json(tmp_path / "second.json")


@pytest.mark.parametrize("how", ["itself", "link", "hard link", "another spelling"])
def test_the_questions_are_not_overwritten(data, tmp_path, how):
    before = data.read_bytes()
    out = tmp_path / "other.json"
    if how == "link":
        out.symlink_to(data)
    elif how == "hard link":
        out.hardlink_to(data)
    else:
        (tmp_path / "sub").mkdir()
        out = data if how == "itself" else tmp_path / "sub" / ".." / data.name
    told = fails("predict", "default", data, "--out", out)
    assert "this is an input file" in told
    assert "choose another name" in told
    assert data.read_bytes() == before


def test_the_reader_is_not_overwritten(spec, data, tmp_path):
    copy = shutil.copytree(spec.reader, tmp_path / "reader")
    spec = ReaderSpec(reader=str(copy))
    with pytest.raises(ConfigError, match=r"--out .*tokenizer.json: this is an input file"):
        predict(spec, describe(data), copy / "tokenizer.json")
    predict(spec, describe(data), copy / "answers.json")
    assert predict(spec, describe(data), copy / "answers.json").questions == 20


def test_the_place_is_tried_before_anything_is_read(spec, data, tmp_path, monkeypatch):
    monkeypatch.setattr(predict_job, "survey", stopped)
    (tmp_path / "file").write_text("")
    for out, said in (
        (tmp_path / "file" / "p.json", "cannot be written"),
        (tmp_path, "expected a file to write to, found a folder"),
    ):
        with pytest.raises(ConfigError, match=said):
            predict(spec, describe(data), out)


def test_a_question_that_is_too_long_is_found_before_anything_is_read(
    spec, data, tmp_path, monkeypatch
):
    long = replace(next(questions(1)), id="long", question="why " * 400)
    save_squad(data, [*questions(10), long])
    monkeypatch.setattr(predict_job, "fill", stopped)
    with pytest.raises(DataError, match="question 'long' has 400 tokens"):
        predict(spec, describe(data), tmp_path / "p.json")
    assert not (tmp_path / "p.json.unfinished").exists()


def test_ids_that_come_twice_are_refused(spec, data, tmp_path):
    save_squad(data, [*questions(10), *questions(3)])
    with pytest.raises(DataError, match=r"the id '0-\S+' comes twice"):
        predict(spec, describe(data), tmp_path / "p.json")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_memory_does_not_grow_with_the_file(data, tmp_path):
    """The memory of a process with a reader that answers at once.

    Not that of `getrusage`, which counts the process that started it.
    """
    code = (
        "import functools, sys; from pathlib import Path; "
        "from types import SimpleNamespace as N; "
        "from babelspan.jobs import answer, predict; from babelspan.data.folder import describe; "
        "said = functools.partial(N, text='x', probability=None); "
        "answers = lambda examples, **_: (said(id=e.id) for e in examples); "
        "reader = N(predict=answers, calibration=None); "
        "predict.checksum_of = answer.checksum_of = lambda _: 'x'; "
        "answer._loaded = functools.cache(lambda _: reader); "
        "predict.predict(answer.ReaderSpec(reader='x'), describe(Path(sys.argv[1])), "
        "Path(sys.argv[2])); "
        "print(*[li.split()[1] for li in open('/proc/self/status') if li.startswith('VmHWM')])"
    )

    def peak(count):
        save_squad(data, questions(count))
        done = run(sys.executable, "-c", code, data, tmp_path / "p.json")
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    assert peak(20_000) < 1.1 * peak(2_000)


def test_the_identity_of_a_reader_has_its_calibration_with_a_pivot_too(tmp_path):
    """Texts in the language of the pivot are not translated, so answers have a probability."""
    folder = shutil.copytree(DEFAULT_FOLDER, tmp_path / "reader")
    spec = ReaderSpec(reader=str(folder), pivot="copy")
    before = spec.identity()
    curve = json.loads((folder / CALIBRATION).read_text())
    (folder / CALIBRATION).write_text(json.dumps({**curve, "offset": 0.5}))
    spec.unload()
    assert before != spec.identity()
    assert {**before, "calibration": None} == {**spec.identity(), "calibration": None}
    spec.unload()
