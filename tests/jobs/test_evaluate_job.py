"""Evaluation as a job: answers kept shard by shard, resumed, told apart by the reader."""

import json
import re
import shutil
import time
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from babelspan import readers
from babelspan.cli.main import app
from babelspan.data.files import read_json
from babelspan.data.folder import find
from babelspan.data.squad import load_squad, save_squad
from babelspan.jobs import evaluate as evaluate_job
from babelspan.jobs.answer import ReaderSpec
from babelspan.jobs.evaluate import evaluate, load_cells
from babelspan.jobs.samples import SAMPLES
from babelspan.jobs.shards import Crew
from babelspan.scoring.scorers import load_scorer
from babelspan.types import ConfigError, DataError
from command_line import run
from table_reader import write_table_reader

SQUAD = load_scorer("squad")


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    """A reader that has some answers right and others wrong."""
    known = [e for name in ("en", "es") for e in load_squad(SAMPLES / f"test.{name}.json")[:9]]
    return ReaderSpec(reader=str(write_table_reader(tmp_path_factory.mktemp("table"), known)))


@pytest.fixture
def files(tmp_path):
    """A parallel set of nine questions in two languages."""
    folder = tmp_path / "qa"
    for language in ("en", "es"):
        save_squad(
            folder / f"test.{language}.json", load_squad(SAMPLES / f"test.{language}.json")[:9]
        )
    return find([folder])


@pytest.fixture
def cells(files):
    return load_cells(files, crossed=True)


@pytest.fixture
def small(monkeypatch):
    """Shards of four questions: three for each pair."""
    monkeypatch.setattr("babelspan.jobs.answer.QUESTIONS_IN_A_SHARD", 4)


@pytest.fixture
def stop_after(monkeypatch):
    """Makes an evaluation stop, as by Ctrl-C, after some shards."""

    def stop(shards):
        real = evaluate_job.carry_out

        def stopped(*arguments, **how):
            for done, item in enumerate(real(*arguments, **how)):
                if done == shards:
                    raise KeyboardInterrupt
                yield item

        monkeypatch.setattr(evaluate_job, "carry_out", stopped)
        return lambda: monkeypatch.setattr(evaluate_job, "carry_out", real)

    return stop


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*.json"))


PAIRS = ["en-en.json", "en-es.json", "es-en.json", "es-es.json"]
PROBABILITIES = [name.replace(".json", ".probabilities.json") for name in PAIRS]


@pytest.mark.parametrize("workers", [1, 2])
def test_stopped_anywhere_it_ends_with_the_same_answers(
    spec, files, cells, tmp_path, small, stop_after, workers
):
    whole = evaluate(spec, files, cells, SQUAD, keep=tmp_path / "whole")
    again = stop_after(4)  # in the second pair
    kept = tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        evaluate(spec, files, cells, SQUAD, keep=kept)
    assert {"en-en.json", "evaluation.json", "shards/00003.json"} <= set(names(kept))
    assert "es-es.json" not in names(kept)
    finished = {p: p.stat().st_mtime_ns for p in kept.glob("*.json")}
    again()
    found = evaluate(spec, files, cells, SQUAD, keep=kept, crew=Crew(workers=workers))
    assert found.to_json() == whole.to_json()
    assert {p: p.stat().st_mtime_ns for p in finished} == finished
    assert (
        names(kept)
        == names(tmp_path / "whole")
        == sorted([*PAIRS, *PROBABILITIES, "evaluation.json"])
    )
    for name in PAIRS:
        assert (kept / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_shards_of_other_pairs_are_not_taken_for_ones_own(
    spec, files, cells, tmp_path, small, stop_after
):
    """Parallel sets share ids, so that nothing but the pair tells their answers apart."""
    kept = tmp_path / "kept"
    again = stop_after(5)  # in the second pair, Spanish over Spanish
    with pytest.raises(KeyboardInterrupt):
        evaluate(spec, files, load_cells(files), SQUAD, keep=kept)
    again()
    found = evaluate(spec, files, cells, SQUAD, keep=kept)  # English over Spanish is the second
    assert found.to_json() == evaluate(spec, files, cells, SQUAD).to_json()


def test_only_what_is_missing_is_answered(spec, files, cells, tmp_path, small, monkeypatch):
    kept = tmp_path / "kept"
    evaluate(spec, files, cells, SQUAD, keep=kept)
    (kept / "es-en.json").unlink()
    asked = []
    real = evaluate_job.AnswerWork.start

    def counted(self):
        make = real(self)
        return lambda shard, examples: asked.append((shard, len(examples))) or make(shard, examples)

    monkeypatch.setattr(evaluate_job.AnswerWork, "start", counted)
    evaluate(spec, files, cells, SQUAD, keep=kept)
    assert sorted(size for _, size in asked) == [1, 4, 4]


@pytest.mark.parametrize("content", ["{}", "[]", "{", '{"x": "y"}'])
@pytest.mark.parametrize("name", ["en-es.json", "shards/00004.json"])
def test_kept_answers_that_are_broken_are_told_with_the_file_and_what_to_do(
    spec, files, cells, tmp_path, small, stop_after, content, name
):
    kept = tmp_path / "kept"
    if "shards" in name:
        again = stop_after(5)
        with pytest.raises(KeyboardInterrupt):
            evaluate(spec, files, cells, SQUAD, keep=kept)
        again()
    else:
        evaluate(spec, files, cells, SQUAD, keep=kept)
    assert (kept / name).exists()
    (kept / name).write_text(content)
    with pytest.raises(DataError, match=rf"{name}: expected .*; remove the file and rerun"):
        evaluate(spec, files, cells, SQUAD, keep=kept)


@pytest.mark.parametrize("content", ["[]", "{", ""])
def test_a_broken_record_is_told_with_the_file_and_what_to_do(
    spec, files, cells, tmp_path, content
):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "evaluation.json").write_text(content)
    with pytest.raises(DataError, match=r"evaluation.json: expected .*; remove it, or choose"):
        evaluate(spec, files, cells, SQUAD, keep=kept)


def test_a_reader_with_another_tokenizer_is_another_reader(spec, files, cells, tmp_path):
    """Weights alike, one word of the vocabulary another: kept answers are not taken over."""
    left_out = shutil.ignore_patterns("calibration.json")
    copy = shutil.copytree(spec.reader, tmp_path / "reader", ignore=left_out)
    spec = ReaderSpec(reader=str(copy))
    first = evaluate(spec, files, cells, SQUAD, keep=tmp_path / "kept")
    tokenizer = copy / "tokenizer.json"
    tokenizer.write_text(
        tokenizer.read_text("utf-8").replace('"the"', '"teh"', 1), encoding="utf-8"
    )
    spec.unload()
    with pytest.raises(ConfigError, match="holds a job that differs in reader; choose another"):
        evaluate(spec, files, cells, SQUAD, keep=tmp_path / "kept")
    again = evaluate(spec, files, cells, SQUAD)
    assert first.signature != again.signature


def test_the_signature_names_the_reader_and_what_it_may_say(spec, files, cells):
    found = evaluate(spec, files, cells, load_scorer("unicode"), allows_no_answer=True)
    reader = readers.checksum_of(spec.reader)
    assert found.signature.endswith(f"|may-say-no-answer:yes|reader:sha256:{reader[:12]}")


def cli(*arguments):
    done = run(*arguments)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def test_reports_and_figures_do_not_replace_what_is_read(files, tmp_path):
    gold, predictions = files[0].path, tmp_path / "p.json"
    before = gold.read_bytes()
    done = cli("evaluate", "default", gold, "--report", gold)
    assert done.returncode == 2
    assert "--report" in done.stderr and "this is an input file" in done.stderr
    predictions.write_text(json.dumps({e.id: "" for e in files[0].load()}))
    for out in (gold, predictions):
        done = cli("score", gold, predictions, "--scorer", "squad", "--out", out)
        assert done.returncode == 2
        assert "--out" in done.stderr and "this is an input file" in done.stderr
    assert gold.read_bytes() == before


def test_a_report_does_not_replace_the_ids_that_are_asked(files, tmp_path):
    ids = tmp_path / "ids.json"
    ids.write_bytes(files[0].path.read_bytes())
    words = ["evaluate", "default", files[0].path, "--only", ids, "--report", ids]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert re.search("--report .*this is an input file", str(done.exception))
    assert ids.read_bytes() == files[0].path.read_bytes()


def test_a_report_that_cannot_be_written_is_told_before_anything_is_read(files, tmp_path):
    (tmp_path / "file").write_text("")
    started = time.monotonic()
    done = cli("evaluate", "default", files[0].path, "--report", tmp_path / "file" / "m.html")
    assert done.returncode == 2, time.monotonic() - started
    assert "cannot be written" in done.stderr
    assert done.stdout == ""


def test_a_question_that_is_too_long_is_found_before_anything_is_read(files, tmp_path):
    gold = files[0].path
    examples = load_squad(gold)
    save_squad(gold, [*examples, replace(examples[0], id="long", question="why " * 400)])
    done = cli("evaluate", "default", gold, "--out", tmp_path / "kept")
    assert done.returncode == 2
    assert "question 'long' has 400 tokens" in done.stderr
    assert not (tmp_path / "kept").exists()


def test_questions_without_an_answer_are_counted_where_the_reader_may_not_say_so(files):
    gold = files[0].path
    save_squad(gold, [replace(e, answers=()) for e in load_squad(gold)])
    told = "9 questions have no answer, but the reader must give one; add --no-answer to allow "
    command = ("evaluate", "default", gold, "--scorer", "unicode", "--sample", "2")
    assert told.replace("9", "2") in cli(*command).stderr
    assert "must give one" not in cli(*command, "--no-answer").stderr


def test_the_record_has_what_answers_depend_on(spec, files, cells, tmp_path):
    evaluate(spec, files, cells, SQUAD, keep=tmp_path / "kept")
    record = read_json(tmp_path / "kept" / "evaluation.json")
    assert sorted(record) == ["babelspan", "calibration", "data", "no_answer", "reader", "sample"]
    assert record["reader"] == readers.checksum_of(spec.reader)
