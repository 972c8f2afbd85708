"""`babelspan data` as a person uses it."""

import hashlib
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from babelspan.cli import main
from babelspan.data.squad import load_squad, save_squad
from babelspan.datasets import catalogue
from babelspan.datasets.catalogue import DataSet, ListedFile
from babelspan.jobs.samples import SAMPLES
from hostile import hostile


@pytest.fixture
def run(monkeypatch, capsys):
    """The command line in this process: its exit code and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["babelspan", "data", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main.main()
        out, err = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, out=out, err=err)

    return run


@pytest.fixture
def fails(run):
    """The last line of an error of the user's."""

    def fails(*arguments):
        done = run(*arguments)
        assert done.code == 2, done.err
        assert "Traceback" not in done.err
        return done.err.splitlines()[-1]

    return fails


def test_list_is_a_table_or_json_and_can_be_of_one_language(run):
    table = run("list").out
    (line,) = [row for row in table.splitlines() if row.startswith("xquad ")]
    assert " ".join(line.split()[1:13]) == "ar de el en es hi ro ru th tr vi zh"
    assert line.endswith("14.0 MB")
    assert [row.split()[-2:] for row in table.splitlines() if row.startswith("fquad")] == [
        ["by", "hand"]
    ]
    found = json.loads(run("list", "--language", "sw", "--json").out)
    assert [d["name"] for d in found] == ["tydiqa-goldp", "tydiqa-primary", "afriqa"]
    assert found[0]["arxiv"] == "2003.05002"
    assert run("list", "--language", "tlh").out == (
        "no data set has the language 'tlh'; languages are codes such as de, see `babelspan data "
        "list`\n"
    )


def test_show_tells_all_that_is_known(run, fails):
    text = run("show", "xquad").out
    assert "licence    CC BY-SA 4.0" in text
    assert "overlaps   squad: its 240 paragraphs" in text
    assert "SHA-256 e4c57d1c9143aaa1c5d265ba5987a65f4e69528d2a98f29d6e75019b10344f29" in text
    found = json.loads(run("show", "xquad", "--json").out)
    assert len(found["sources"]) == 12
    assert found["overlaps"]["squad"].startswith("its 240 paragraphs")
    assert "did you mean 'xquad'" in fails("show", "xqaud")


def amharic(folder):
    folder.mkdir()
    for name in ("train", "dev", "test"):
        save_squad(folder / f"{name}_data.json", load_squad(SAMPLES / "test.en.json")[:2])
    return folder


def test_fetch_takes_files_got_by_hand(run, tmp_path):
    out = tmp_path / "data"
    fetch = ("fetch", "amqa", "--from", amharic(tmp_path / "hand"), "--out", out)
    done = run(*fetch)
    assert done.code == 0, done.err
    assert done.err == "AmQA: MIT\n"
    names = [out / "amqa" / f"{split}.am.json.gz" for split in ("train", "dev", "test")]
    assert done.out == "".join(f"{name}  2 questions\n" for name in names)
    assert all(name.exists() for name in names)

    again = run(*fetch, "--split", "dev", "--json")
    (file,) = json.loads(again.out)
    assert (file["path"], file["questions"], file["was_there"]) == (str(names[1]), 2, True)


def test_fetch_shows_the_terms_first_and_says_what_cannot_be_done(run, fails, tmp_path):
    done = run("fetch", "fquad", "--out", tmp_path)
    assert done.code == 2
    first, second, last = done.err.splitlines()
    assert (first, second) == ("FQuAD 1.0: CC BY-NC-SA 3.0", "note: for non-commercial use only")
    assert "https://fquad.illuin.tech/" in last
    assert "--from FOLDER, the folder that holds train.json, valid.json" in last
    assert "no split 'train'; it has test" in fails("fetch", "xquad", "--split", "train")
    missing = fails("fetch", "amqa", "--from", tmp_path, "--out", tmp_path / "x")
    assert "train_data.json: there is no such file; put it into the folder of --from" in missing
    assert "timeout" in fails("fetch", "xquad", "--timeout", "0")


@pytest.fixture
def lakes(monkeypatch):
    """A catalogue with one data set, at a server on this machine."""
    with hostile() as server:
        content = (SAMPLES / "test.de.json").read_bytes()
        server.serve("lakes.json", content)
        file = ListedFile(
            split="test",
            languages=("de",),
            path="lakes.json",
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        lakes = DataSet(
            name="lakes",
            title="Lakes",
            homepage="https://example.org",
            licence="CC BY-NC 4.0",
            citation="Nobody (2020)",
            counts="24",
            base=server.url,
            terms=("non-commercial",),
            files=(file,),
        )
        monkeypatch.setattr(catalogue, "load_catalogue", lambda: {"lakes": lakes})
        yield server


def test_fetch_downloads_and_goes_on_after_a_break(run, fails, lakes, tmp_path):
    lakes.plans["lakes.json"] = [("break", 500), ("status", 404), "ok"]
    fetch = ("fetch", "lakes", "--out", tmp_path)
    assert "the server answers 404" in fails(*fetch)
    assert not (tmp_path / "lakes").exists()

    done = run(*fetch)
    target = tmp_path / "lakes" / "test.de.json.gz"
    assert (done.code, done.out) == (0, f"{target}  72 questions\n")
    assert done.err == "Lakes: CC BY-NC 4.0\nnote: for non-commercial use only\n"
    assert load_squad(target) == load_squad(SAMPLES / "test.de.json")
    assert lakes.asked("lakes.json") == [None, "bytes=500-", "bytes=500-"]


def test_check_of_right_data_ends_with_0(run):
    done = run("check", SAMPLES)
    assert done.code == 0
    assert done.out.splitlines()[-1] == "files: 8, faults: 0"
    assert f"{SAMPLES / 'test.de.json'}: 72 questions over 24 paragraphs" in done.out


@pytest.fixture
def spoilt(tmp_path):
    """Questions with an answer out of place, over paragraphs of the sample set."""
    examples = load_squad(SAMPLES / "test.de.json")[:9:3]
    path = tmp_path / "train.de.json"
    save_squad(path, examples)
    document = json.loads(path.read_text("utf-8"))
    document["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] += 1
    path.write_text(json.dumps(document), encoding="utf-8")
    return path, examples


def test_check_tells_what_it_finds_and_ends_with_3(run, spoilt):
    path, examples = spoilt
    done = run("check", path, "--against", SAMPLES, "--show", "1")
    assert done.code == 3
    assert done.err == ""
    lines = done.out.splitlines()
    assert lines[0] == f"{path}: 3 questions over 3 paragraphs"
    assert lines[1] == "  fault  1 answers that are not where the file says"
    assert lines[2].split()[0] == examples[0].id
    assert f"  fault  3 paragraphs, with 3 questions, that are in {SAMPLES}" in lines
    assert f"  fault  3 ids that are in {SAMPLES}" in lines
    assert lines[-1] == "files: 1, faults: 7"
    assert lines.count("           …") >= 2


def test_check_gives_json(run, spoilt):
    path, examples = spoilt
    done = run("check", path, "--against", SAMPLES, "--json")
    assert done.code == 3
    found = json.loads(done.out)
    assert found["faults"] == 7
    assert [f["id"] for f in found["files"][0]["findings"]["misplaced"]] == [examples[0].id]
    (comparison,) = found["comparisons"]
    assert comparison["against"] == str(SAMPLES)
    assert comparison["overlap"]["ids"] == [e.id for e in examples]


def test_check_prints_no_control_characters(run, tmp_path):
    path = tmp_path / "a.en.json"
    document = {"context": "x\x1b[31m \x00 y", "qas": [{"id": "\x1b[2J", "question": "\ud800?"}]}
    path.write_text(json.dumps({"data": [{"paragraphs": [document]}]}), encoding="utf-8")
    done = run("check", path)
    assert done.code == 3
    assert "U+0000, U+001B in the context" in done.out
    assert "\x1b" not in done.out
    assert run("check", path, "--json").code == 3


def test_errors_of_check(fails, tmp_path):
    assert "found none" in fails("check", tmp_path)
    missing = tmp_path / "x.json"
    assert "there is no such file" in fails("check", missing)
    assert "there is no such file" in fails("check", SAMPLES, "--against", missing)


def test_help_names_the_verbs(run):
    text = run("--help").out
    assert all(name in text for name in ("list", "show", "fetch", "check"))
    assert "3 if there are" in " ".join(run("check", "--help").out.split())


def test_the_exit_code_is_that_of_the_program(spoilt):
    path, _ = spoilt
    command = [sys.executable, "-m", "babelspan", "data", "check", str(path)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 3
    assert done.stdout.decode().splitlines()[-1] == "files: 1, faults: 1"
