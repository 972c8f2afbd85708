"""The command line as a person uses it: forms, output, exit codes, one-line errors."""

import gzip
import json
import subprocess
import sys

import pytest

from babelspan.data.squad import load_squad, save_squad
from babelspan.jobs.samples import SAMPLES
from command_line import program, run

TEXT = "Die Brücke wurde 1894 eröffnet.\r\nGebaut hat sie Horace Jones; sie steht in London 🌉.\n"


def fails(code, *arguments, text="", by=run):
    """The one line of an error."""
    done = by(*arguments, text=text)
    message = done.stderr.decode()
    assert done.returncode == code, message
    assert message.count("\n") == 1, message
    assert message.startswith("babelspan: ")
    return message


@pytest.fixture
def small(tmp_path):
    """A few sample questions, and predictions that are right, wrong and missing."""
    examples = load_squad(SAMPLES / "test.en.json")[:3]
    gold = tmp_path / "test.en.json"
    save_squad(gold, examples)
    texts = {examples[0].id: examples[0].answers[0].text, examples[1].id: "nothing of the kind"}
    predictions = tmp_path / "predictions.json"
    predictions.write_text(json.dumps(texts), encoding="utf-8")
    return gold, predictions, examples


def test_ask_gives_places_in_the_file_as_it_is(tmp_path):
    file = tmp_path / "bridge.txt"
    file.write_bytes(TEXT.encode())
    done = run("ask", "When was the bridge opened?", file, "--json", "--top-k", "3")
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert len(answers) == 3
    assert [a["score"] for a in answers] == sorted((a["score"] for a in answers), reverse=True)
    for a in answers:
        assert set(a) >= {"answer", "start", "end", "score", "file"}
        assert TEXT[a["start"] : a["end"]] == a["answer"]
        assert a["file"] == str(file)


def test_ask_reads_standard_input_and_prints_for_people():
    done = program("ask", "When was it opened?", text=TEXT)
    assert done.returncode == 0, done.stderr
    assert "-:" in done.stdout.decode()
    assert run("ask", "When was it opened?", "-", "--json", text=TEXT).returncode == 0


def test_ask_over_several_files_names_the_right_one(tmp_path):
    texts = {"a.txt": "Cats sleep all day.", "b.txt": "Penicillin was discovered by Fleming."}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    files = [tmp_path / name for name in texts]
    (answer,) = json.loads(run("ask", "Who discovered penicillin?", *files, "--json").stdout)
    assert answer["answer"] == "Fleming"
    assert answer["file"].endswith("b.txt")


@pytest.mark.parametrize(
    "text",
    ["nul \0 inside", "‏שלום‏ right-to-left marks", "e\u0301\u0301 กำ", "a" * 5000],
)
def test_ask_survives_odd_texts(text, tmp_path):
    file = tmp_path / "odd.txt"
    file.write_bytes(text.encode())
    done = run("ask", "What is it?", file, "--json")
    assert done.returncode == 0, done.stderr
    for a in json.loads(done.stdout):
        assert text[a["start"] : a["end"]] == a["answer"]


def test_errors_of_ask(tmp_path):
    assert "question is empty" in fails(2, "ask", "  ", "-", text="x")
    assert "no such file" in fails(2, "ask", "What?", tmp_path / "missing.txt")
    bad = tmp_path / "latin.txt"
    bad.write_bytes("Grüße".encode("latin-1"))
    assert "0xfc at byte 2" in fails(2, "ask", "What?", bad)
    long_question = "why " * 600
    assert "600 tokens" in fails(2, "ask", long_question, "-", text="x")
    nowhere = tmp_path / "nowhere"
    assert "found no folder" in fails(2, "ask", "What?", "-", "--reader", nowhere, text="x")
    nowhere.mkdir()
    assert "neither in it" in fails(2, "ask", "What?", "-", "--reader", nowhere, text="x")
    (nowhere / "model.onnx").write_bytes(b"not a model")
    words = ("ask", "What?", "-", "--reader", nowhere)
    assert "cannot load it" in fails(2, *words, text="x", by=program)


@pytest.mark.parametrize("packed", [False, True])
def test_score_prints_fractions_and_a_signature(small, packed, tmp_path):
    gold, predictions, _ = small
    if packed:
        for path in (gold, predictions):
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        gold, predictions = gold.with_name("test.en.json.gz"), tmp_path / "predictions.json.gz"
    done = program("score", gold, predictions, "--scorer", "squad", "--json")
    found = json.loads(done.stdout)
    assert found["exact_match"] == pytest.approx(1 / 3)
    assert found["f1"] == pytest.approx(1 / 3)
    assert found["questions"] == 3
    assert found["missing"] == 1
    assert found["signature"].startswith("squad|")


def test_score_by_mlqa_takes_the_language_from_the_name_or_the_option(small, tmp_path):
    gold, predictions, _ = small
    assert run("score", gold, predictions, "--scorer", "mlqa", "--json").returncode == 0
    unnamed = tmp_path / "gold.json"
    unnamed.write_bytes(gold.read_bytes())
    assert "--language" in fails(2, "score", unnamed, predictions, "--scorer", "mlqa")
    done = run("score", unnamed, predictions, "--scorer", "mlqa", "--language", "en", "--json")
    assert done.returncode == 0


def test_errors_of_score(small, tmp_path):
    gold, predictions, _ = small
    assert "did you mean 'squad'" in fails(2, "score", gold, predictions, "--scorer", "sqaud")
    cut = tmp_path / "cut.json"
    cut.write_bytes(gold.read_bytes()[:200])
    assert "line" in fails(2, "score", cut, predictions, "--scorer", "squad")
    assert "Missing option" in fails(2, "score", gold, predictions, by=program)


def test_predict_writes_an_answer_to_every_question(small, tmp_path):
    gold, _, examples = small
    out = tmp_path / "out" / "p.json"
    assert program("predict", "default", gold, "--out", out).returncode == 0
    found = json.loads(out.read_text("utf-8"))
    assert list(found) == [e.id for e in examples]
    assert all(found[e.id] and found[e.id] in e.context for e in examples)


def test_evaluate_gives_the_matrix_and_goes_on_from_what_it_kept(tmp_path):
    folder = tmp_path / "qa"
    for language in ("en", "es"):
        name = f"test.{language}.json"
        save_squad(folder / name, load_squad(SAMPLES / name)[:6])
    kept = tmp_path / "kept"
    command = ("evaluate", "default", folder, "--cross", "--json", "--out", kept)
    done = program(*command)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    cells = {(c["question"], c["context"]): c["f1"] for c in found["cells"]}
    assert sorted(cells) == [("en", "en"), ("en", "es"), ("es", "en"), ("es", "es")]
    assert found["xlt"]["f1"] == pytest.approx((cells["en", "en"] + cells["es", "es"]) / 2)
    assert found["g_xlt"]["f1"] == pytest.approx(sum(cells.values()) / 4)

    blank = dict.fromkeys(json.loads((kept / "en-en.json").read_text("utf-8")), "")
    (kept / "en-en.json").write_text(json.dumps(blank), encoding="utf-8")
    again = json.loads(run(*command).stdout)
    assert {(c["question"], c["context"]): c["f1"] for c in again["cells"]} == {
        **cells,
        ("en", "en"): 0.0,
    }
    other = ("evaluate", "default", folder, "--out", kept, "--sample", "2")
    assert "differs in sample; choose another folder" in fails(2, *other)
    table = run("evaluate", "default", folder, "--sample", "2", "--no-answer").stdout.decode()
    assert "XLT" in table
    assert "|sample:2|may-say-no-answer:yes|reader:sha256:" in table


def test_samples_are_written_to_a_folder(tmp_path):
    assert program("samples", tmp_path / "s").returncode == 0
    assert len(list((tmp_path / "s" / "texts").glob("*.txt"))) >= 192
    assert len(list((tmp_path / "s" / "qa").glob("*.json"))) == 8
    assert run("samples", tmp_path / "s").returncode == 0
    mine = tmp_path / "s" / "texts" / "world-wide-web.es.txt"
    mine.write_text("mine")
    (tmp_path / "s" / "qa" / "test.de.json").unlink()
    assert "not part of the sample set" in fails(2, "samples", tmp_path / "s")
    assert mine.read_text() == "mine"
    assert not (tmp_path / "s" / "qa" / "test.de.json").exists()


def test_the_signature_of_a_score_holds_the_language(small):
    gold, predictions, _ = small
    score = ("score", gold, predictions, "--scorer", "mlqa", "--json", "--language")
    found = [json.loads(run(*score, language).stdout) for language in ("en", "de")]
    assert found[0]["signature"] != found[1]["signature"]


def test_answers_out_of_place_are_counted(small, tmp_path):
    gold, predictions, _ = small
    document = json.loads(gold.read_text("utf-8"))
    document["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] += 1
    gold.write_text(json.dumps(document), encoding="utf-8")
    done = run("score", gold, predictions, "--scorer", "squad")
    assert done.returncode == 0
    assert b"1 answers are not at the stated offset; they are scored by text only" in done.stderr
    assert "--keep-misplaced" in fails(2, "evaluate", "default", gold)
    done = run("evaluate", "default", gold, "--keep-misplaced", "--sample", "1")
    assert done.returncode == 0


def test_what_cannot_be_scored_is_told_before_anything_is_read(tmp_path):
    gold = tmp_path / "test.ko.json"
    save_squad(gold, load_squad(SAMPLES / "test.ko.json")[:2])
    kept = tmp_path / "kept"
    line = fails(2, "evaluate", "default", gold, "--scorer", "mlqa", "--out", kept)
    assert "'ko'" in line
    assert not kept.exists()
    repeated = tmp_path / "twice.en.json"
    save_squad(repeated, load_squad(SAMPLES / "test.en.json")[:1] * 2)
    assert "comes twice" in fails(2, "evaluate", "default", repeated)
    assert "comes twice" in fails(2, "predict", "default", repeated, "--out", tmp_path / "p.json")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "en-en.json").write_text("{}", encoding="utf-8")
    assert "found other files" in fails(2, "evaluate", "default", gold, "--out", tmp_path / "full")
    assert "found a folder" in fails(2, "predict", "default", gold, "--out", tmp_path)


def test_help_version_and_words_that_are_not_known():
    assert program().stdout == program("--help").stdout
    assert "ask" in program("--help").stdout.decode()
    assert program("--version").stdout.decode().startswith("babelspan 0.")
    assert "No such command" in fails(2, "aks", by=program)
    assert "--top" in fails(2, "ask", "What?", "--top", "x", text="y", by=program)


def test_no_line_of_the_list_of_verbs_is_cut():
    lines = program("--help").stdout.decode().partition("Commands:")[2].strip().splitlines()
    assert len(lines) >= 15
    assert [line for line in lines if not line.endswith(".") or line.endswith("...")] == []
    assert max(map(len, lines)) <= 80


def test_a_bug_of_ours_has_exit_code_70_and_debug_shows_where(monkeypatch, capsys):
    from babelspan.cli import main

    def breaks(*_, **__):
        raise RuntimeError("the roof fell in")

    monkeypatch.setattr(main, "app", breaks)
    for arguments, traceback in ((["ask"], False), (["ask", "--debug"], True)):
        monkeypatch.setattr(sys, "argv", ["babelspan", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main.main()
        assert exit_.value.code == 70
        message = capsys.readouterr().err
        assert "the roof fell in" in message
        assert ("Traceback" in message) is traceback


def test_a_library_of_an_extra_that_is_missing_is_named_with_the_extra(tmp_path):
    data = tmp_path / "train.en.json"
    save_squad(data, load_squad(SAMPLES / "test.en.json")[:1])
    dictionary = tmp_path / "en-es.tsv"
    dictionary.write_text("a\tb\n", encoding="utf-8")
    code = (
        "import sys; sys.modules['sentencex'] = None; from babelspan.cli.main import main; "
        f"sys.argv = ['babelspan', 'translate', {str(data)!r}, '--to', 'es', '--translator', "
        f"'lexicon:{dictionary}', '--out', {str(tmp_path / 'out')!r}]; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'needs sentencex, which is not installed: pip install ".[translate]"' in done.stderr
