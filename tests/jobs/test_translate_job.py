"""Translation as a job: the same bytes whatever the workers, the cluster and the kills."""

import csv
import errno
import hashlib
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

from babelspan.augment.strategies import STRATEGIES
from babelspan.cli import translate as translate_command
from babelspan.data.files import write_json
from babelspan.data.folder import find
from babelspan.data.squad import load_squad, save_squad
from babelspan.jobs import translate as translate_job
from babelspan.jobs.evaluate import load_cells
from babelspan.jobs.shards import Crew, is_finished
from babelspan.jobs.translate import Job, plan_shards
from babelspan.translators import load_translator
from babelspan.types import Answer, ConfigError, DataError, Example, TranslationError
from command_line import program, run
from worded import WORDS, Worded

CONTEXT = "Town {n} is a big city. It has two parks. The river of Town {n} is big."


def questions(paragraphs):
    for n in range(paragraphs):
        context = CONTEXT.format(n=n)
        for q, answer in enumerate(("a big city", "two parks")):
            yield Example(
                id=f"{n}-{q}",
                question=f"What is of Town {n}?",
                context=context,
                answers=(Answer(answer, context.index(answer)),),
                question_language="en",
                context_language="en",
                title=f"town {n // 3}",
            )


@pytest.fixture
def dictionary(tmp_path):
    path = tmp_path / "en-es.tsv"
    path.write_text("".join(f"{a}\t{b}\n" for a, b in WORDS.items()), encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "train.en.json.gz"
    save_squad(path, questions(20))
    return path


@pytest.fixture
def job(tmp_path, data, dictionary):
    def made(name="out", *, shards=4, translator=None, **fields):
        out = tmp_path / name
        parts, paragraphs = plan_shards(data, shards)
        return Job(
            **{
                "data": data,
                "split": "train",
                "source": "en",
                "targets": ("es",),
                "strategies": STRATEGIES["all"],
                "carriers": ("marks",),
                "translator": translator or f"lexicon:{dictionary}",
                "out": out,
                "cache": out / "cache",
                "links": None,
                "shards": parts,
                "paragraphs": paragraphs,
                **fields,
            }
        )

    return made


def carry_out(job, **how):
    """The shards that were made, in order, and the statistics."""
    missing = [n for n in range(job.shards) if not is_finished(job.out, n)]
    identity = load_translator(job.translator).identity
    statistics, efforts = translate_job.carry_out(job, identity, crew=Crew(**how))
    assert len(efforts) == len(missing)
    return missing, statistics


def bytes_of(folder):
    """Every file of a result but the cache, whose bytes are SQLite's own."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "cache" not in path.parts
    }


def test_a_job_makes_every_data_set_whole_and_in_order(job):
    made = job()
    shards, statistics = carry_out(made)
    assert shards == [0, 1, 2, 3]
    files = find([made.out / f"train.es.{n:05d}-of-00004.json.gz" for n in range(4)])
    assert {(f.question_language, f.context_language) for f in files} == {("es", "es")}
    examples = [e for f in files for e in f.load()]
    assert [e.origin for e in examples] == [e.id for e in questions(20)]
    assert examples[0].context == "Town 0 es una grande ciudad. Ello tiene dos parques. " + (
        "La río de Town 0 es grande."
    )
    assert [a.text for a in examples[1].answers] == ["dos parques"]
    assert {e.strategy for e in examples} == {"T(Q+C)"}
    assert {r["strategy"]: r["pairs"] for r in statistics.rows()} == {
        "original": 40,
        "T(Q)": 40,
        "T(C)": 40,
        "T(Q+C)": 40,
    }


def test_parts_are_read_as_one_set(job):
    made = job(strategies=STRATEGIES["qc"])
    carry_out(made)
    cells = load_cells(find([made.out]))
    assert [e.origin for e in cells["es", "es"]] == [e.id for e in questions(20)]


def test_one_shard_has_a_plain_name(job):
    made = job(shards=1)
    carry_out(made)
    names = sorted(p.name for p in made.out.glob("*.gz"))
    assert names == ["train.en-es.json.gz", "train.es-en.json.gz", "train.es.json.gz"]


def test_the_manifest_has_the_checksums_of_the_content(job):
    from babelspan.data.files import checksum

    made = job()
    carry_out(made)
    manifest = json.loads((made.out / "manifest.json").read_text(encoding="utf-8"))
    assert len(manifest["files"]) == 12
    for name, expected in manifest["files"].items():
        assert checksum(made.out / name) == expected
    assert manifest["job"]["answers"] == ["marks"]


def test_statistics_are_written_as_a_table(job):
    made = job()
    _, statistics = carry_out(made)
    with (made.out / "statistics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["strategy"], int(r["pairs"])) for r in rows] == [
        (r["strategy"], r["pairs"]) for r in statistics.rows()
    ]


def test_what_was_lost_is_listed(job, monkeypatch):
    lossy = Worded({"It has <b>two parks</b>.": "Ello tiene dos parques."})
    monkeypatch.setattr(translate_job, "load_translator", lambda spec: lossy)
    made = job(strategies=STRATEGIES["c"])
    carry_out(made)
    lines = (made.out / "dropped.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 20
    assert json.loads(lines[0]) == {
        "id": "0-1",
        "strategy": "T(C)",
        "target": "es",
        "reason": "tags lost",
    }


@pytest.mark.parametrize(("paragraphs", "shards", "expected"), [(20, 7, 7), (20, 30, 20)])
def test_shards_cut_the_paragraphs_evenly(job, data, paragraphs, shards, expected):
    assert plan_shards(data, shards) == (expected, paragraphs)
    made = job(shards=shards)
    carry_out(made)
    sizes = [len(load_squad(made.file("T(Q)", "es", n))) // 2 for n in range(expected)]
    assert sum(sizes) == paragraphs
    assert max(sizes) - min(sizes) <= 1


def test_several_workers_give_the_same_bytes(job):
    alone, together = job("alone"), job("together")
    carry_out(alone)
    carry_out(together, workers=2)
    assert bytes_of(alone.out) == bytes_of(together.out)


@pytest.mark.usefixtures("ray_address")
def test_ray_gives_the_same_bytes(job):
    alone, on_ray = job("alone", shards=2), job("ray", shards=2)
    carry_out(alone)
    assert carry_out(on_ray, on="ray", workers=2)[0] == [0, 1]
    assert bytes_of(alone.out) == bytes_of(on_ray.out)


def test_a_finished_shard_is_not_made_again(job):
    made = job()
    carry_out(made)
    before = bytes_of(made.out)
    for shard in (0, 1, 3):
        made.record(shard).unlink()
    kept = made.record(2).stat().st_mtime_ns
    assert carry_out(made)[0] == [0, 1, 3]
    assert made.record(2).stat().st_mtime_ns == kept
    assert bytes_of(made.out) == before


@pytest.mark.parametrize("on", ["local", "ray"])
def test_a_finished_job_is_started_again_for_nothing(job, on):
    made = job()
    carry_out(made)
    before = bytes_of(made.out)
    assert carry_out(made, on=on, workers=2)[0] == []
    assert bytes_of(made.out) == before


def test_the_file_is_read_once_for_all_shards(job, data, monkeypatch):
    opened = []
    stream = translate_job.stream_squad

    def counted(path, **how):
        opened.append(path)
        return stream(path, **how)

    monkeypatch.setattr(translate_job, "stream_squad", counted)
    carry_out(job(shards=10))
    assert opened == [data]


def test_a_file_of_a_finished_shard_that_was_changed_is_told(job):
    made = job()
    carry_out(made)
    made.file("T(Q)", "es", 1).write_bytes(b"junk")
    with pytest.raises(DataError, match=r"train.es-en.00001-of-00004.json.gz: .* remove .*00001"):
        carry_out(made)
    made.record(1).unlink()
    assert carry_out(made)[0] == [1]
    made.file("T(Q)", "es", 2).unlink()
    with pytest.raises(DataError, match=r"00002-of-00004.* found no file"):
        carry_out(made)


@pytest.mark.parametrize("name", ["manifest.json", "shards/00001.json"])
@pytest.mark.parametrize("content", ["[]", "{", '{"job": {}, "files": ['])
def test_a_broken_record_is_told_with_the_file_and_what_to_do(job, name, content):
    made = job()
    carry_out(made)
    (made.out / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=rf"{name}: expected .*; remove it, or choose another"):
        carry_out(made)


def test_half_characters_become_question_marks(job, data):
    examples = [replace(e, question=f"\udc00{e.question}") for e in questions(3)]
    save_squad(data, examples)
    made = job(shards=1)
    carry_out(made)
    (file,) = find([made.out / "train.en-es.json.gz"])
    assert [e.question for e in file.load()] == [f"?{e.question}" for e in questions(3)]


def test_a_file_of_nothing_is_refused(data):
    save_squad(data, [])
    with pytest.raises(DataError, match="expected paragraphs of the SQuAD layout, found none"):
        plan_shards(data, None)


def test_paragraphs_without_questions_make_empty_sets(job, data):
    paragraph = {"context": "It is a city.", "qas": []}
    write_json(data, {"data": [{"title": "t", "paragraphs": [paragraph]}]})
    assert [row["pairs"] for row in carry_out(job())[1].rows()] == [0, 0, 0, 0]


def test_what_a_killed_run_left_half_written_is_removed(job):
    made = job()
    carry_out(made)
    ended = subprocess.Popen(["true"])
    ended.wait()
    alive = [(made.out / f".train.es.json.gz.{os.getppid()}.part")]
    for folder in (made.out, made.out / "shards"):
        for process in (ended.pid, os.getpid()):  # after a restart a process may have an old number
            (folder / f".train.es.json.gz.{process}.part").write_bytes(b"half")
    alive[0].write_bytes(b"half, and being written")
    carry_out(made)
    assert list(made.out.rglob("*.part")) == alive


def test_two_processes_do_not_work_in_one_folder(job):
    made = job()
    held = "import sys, pathlib, babelspan.data.locks as l\n"
    held += "with l.locked(pathlib.Path(sys.argv[1])): print('held', flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", held, str(made.out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout.readline() == "held\n"
    with pytest.raises(
        ConfigError, match=rf"another process is at work here \(process {other.pid}"
    ):
        carry_out(made)
    other.kill()  # the lock ends with the process
    other.wait()
    assert carry_out(made)[0] == [0, 1, 2, 3]


def test_a_folder_of_another_job_is_refused(job):
    carry_out(job())
    with pytest.raises(ConfigError, match="holds a job that differs in answers; choose another"):
        carry_out(job(carriers=("match",)))


def test_a_folder_of_other_files_is_refused(job):
    made = job()
    made.out.mkdir()
    (made.out / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="expected an empty or a new folder, found other files"):
        carry_out(made)


def test_a_manifest_of_others_is_refused(job):
    made = job()
    write_json(made.out / "manifest.json", {"name": "something else"})
    with pytest.raises(ConfigError, match="expected an empty or a new folder, found other files"):
        carry_out(made)


def test_a_translator_that_fails_leaves_what_was_finished(job, monkeypatch):
    class Tired(Worded):
        def translate(self, texts, **how):
            if any("Town 15" in text for text in texts):
                raise TranslationError("worded: gave up")
            return super().translate(texts, **how)

    made = job()
    monkeypatch.setattr(translate_job, "load_translator", lambda spec: Tired())
    with pytest.raises(TranslationError, match="gave up"):
        translate_job.carry_out(made, "worded 1")
    assert [n for n in range(4) if is_finished(made.out, n)] == [0, 1, 2]


def command(job, *options):
    return [
        *("translate", str(job.data), "--to", "es", "--strategy", "all"),
        *("--translator", job.translator, "--out", str(job.out), "--shards", str(job.shards)),
        *options,
    ]


@pytest.mark.parametrize("on", ["local", "ray"])
def test_killed_and_started_again_it_ends_with_the_same_bytes(job, data, on, request, monkeypatch):
    if on == "ray":
        monkeypatch.setenv("RAY_ADDRESS", request.getfixturevalue("ray_address"))
    save_squad(data, questions(600))
    whole, killed = job("whole", shards=12), job("killed", shards=12)
    carry_out(whole)
    words = command(killed, "--on", on, "--workers", "2")
    running = subprocess.Popen(
        [sys.executable, "-m", "babelspan", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(lambda: any(killed.record(n).exists() for n in range(12)))
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    records = {
        n: killed.record(n).stat().st_mtime_ns for n in range(12) if killed.record(n).exists()
    }
    assert records
    done = program(*words)
    assert done.returncode == 0, done.stderr
    assert {n: killed.record(n).stat().st_mtime_ns for n in records} == records
    assert bytes_of(killed.out) == bytes_of(whole.out)


def _wait_for(condition, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing was finished in time"
        time.sleep(0.02)


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="takes root to mount"
)
def test_a_full_disk_is_told_and_the_job_goes_on_when_there_is_room(job, tmp_path, data):
    save_squad(data, questions(300))
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a tmpfs be mounted")
    try:
        made = job("small/out", cache=tmp_path / "cache")
        with pytest.raises(OSError, match="No space left") as caught:
            carry_out(made)
        assert caught.value.errno == errno.ENOSPC
        assert not [p for p in made.out.rglob("*") if p.name.endswith(".part")]
        room = ["mount", "-o", "remount,size=50m", str(small)]
        subprocess.run(room, check=True)
        carry_out(made)
        whole = job("whole", cache=tmp_path / "cache")
        carry_out(whole)
        assert bytes_of(made.out) == bytes_of(whole.out)
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)


def test_pairs_and_links_by_the_command_line(job, data, tmp_path):
    made = job("linked")
    links = tmp_path / "links"
    done = run(*command(replace(made, out=links), "--answers", "links", "--pairs"))
    assert done.returncode == 0, done.stderr
    lines = (links / "pairs.es.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "Town 0 is a big city ||| Town 0 es una grande ciudad"
    one_to_one = (
        " ".join(f"{i}-{i}" for i in range(len(line.split(" ||| ")[0].split()))) for line in lines
    )
    (links / "links.es.txt").write_text("".join(f"{x}\n" for x in one_to_one), encoding="utf-8")
    options = ("--answers", "links", "--links", str(links))
    for one in (made, replace(made, out=links)):
        done = run(*command(one, *options))
        assert done.returncode == 0, done.stderr
    sets = {name: sum_ for name, sum_ in bytes_of(made.out).items() if name.endswith(".gz")}
    assert sets.items() <= bytes_of(links).items()
    examples = [e for f in find([Path(made.out)]) if f.question_language == "es" for e in f.load()]
    assert {a.text for e in examples if e.context_language == "es" for a in e.answers} == {
        "una grande ciudad",
        "dos parques",
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--answers", "tags"], "--answers: unknown 'tags'; expected one of links, marks, match"),
        (["--answers", "links"], "--answers links needs --links FOLDER"),
        (["--translator", "apertum"], "unknown translator 'apertum'; did you mean 'apertium'?"),
        (["--translator", "lexicon:/none"], "/none"),
        (["--links", "some"], "--links has no effect without --answers links"),
        (["--to", "es,en"], "--to: expected languages other than 'en', found 'es,en'"),
        (["--to", ","], "--to: expected languages other than 'en', found ','"),
        (["--to", "es_MX"], "--to: expected codes such as es or zh-Hant, found 'es_MX'"),
        (["--to", "es,fr"], "expected a dictionary between 'en' and 'fr', with a name"),
    ],
)
def test_bad_words_are_told_in_one_line_and_nothing_is_written(job, options, message):
    made = job()
    done = run(*command(made, *options))
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
    assert not made.out.exists()


def test_the_name_of_squad_itself(job, data, tmp_path):
    made = job()
    made = replace(made, data=data.rename(tmp_path / "train-v1.1.json.gz"))
    done = program(*command(made, "--from", "en", "--answers", "marks,match", "--json"))
    assert done.returncode == 0, done.stderr
    assert {f.question_language + "-" + f.context_language for f in find([made.out])} == {
        "es-en",
        "en-es",
        "es-es",
    }
    printed = json.loads(done.stdout)
    assert printed == json.loads((made.out / "statistics.json").read_text(encoding="utf-8"))
    assert [row["kept_what"] for row in printed["table"]] == [1, 1, 1, 1]
    assert [(row["carrier"], row["share"]) for row in printed["survival"]] == [
        ("marks", 1),
        ("match", 1),
        ("any", 1),
    ]


def test_brackets_in_the_name_of_a_translator_are_no_markup(capsys):
    row = {"strategy": "T(Q)", "language": "es", "pairs": 1, "kept": 1.0}
    job = SimpleNamespace(data=Path("train.en.json"), translator="lexicon:a[/v2]/[v1].tsv")
    translate_command._show([row], job)
    assert "lexicon:a[/v2]/[v1].tsv" in capsys.readouterr().out
