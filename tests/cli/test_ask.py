"""`babelspan ask` over what people have: folders, other kinds of files, lists of questions."""

import gzip
import io
import json
import sys

import pytest

from babelspan.cli import main
from babelspan.jobs.samples import sample_texts
from babelspan.readers import load_answerer

BRIDGE = "The bridge was opened in 1894. It was built by Horace Jones."
PENICILLIN = "Penicillin was discovered by Alexander Fleming."


@pytest.fixture
def ask(monkeypatch, capsys):
    """The command in this process: exit code, output, errors."""

    def asked(*words, text=None):
        monkeypatch.setattr(sys, "argv", ["babelspan", "ask", *map(str, words)])
        if text is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        with pytest.raises(SystemExit) as left:
            main.main()
        return left.value.code, *capsys.readouterr()

    return asked


@pytest.fixture
def folder(tmp_path):
    """Texts of which some cannot be read."""
    contents = {
        "bridge.txt": BRIDGE.encode(),
        "deep/penicillin.txt.gz": gzip.compress(PENICILLIN.encode()),
        "latin.txt": "Grüße".encode("latin-1"),
        "paper.pdf": b"%PDF-1.4 BT (The bridge was opened in 1999.) Tj ET",
        "empty.txt": b"",
    }
    for name, content in contents.items():
        (tmp_path / "texts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "texts" / name).write_bytes(content)
    return tmp_path / "texts"


def test_a_folder_is_read_and_what_cannot_be_read_is_skipped_and_named(ask, folder):
    code, out, errors = ask("When was the bridge opened?", "-r", folder, "--json")
    assert code == 0
    (answer,) = json.loads(out)
    assert (answer["answer"], answer["file"]) == ("1894", str(folder / "bridge.txt"))
    assert BRIDGE[answer["start"] : answer["end"]] == "1894"
    skipped = errors.splitlines()
    assert len(skipped) == 3
    assert all(line.startswith("babelspan: skipped ") for line in skipped)
    for reason in (
        "empty.txt: holds no text",
        "0xfc at byte 2",
        "expected a PDF that can be opened",
    ):
        assert any(reason in line for line in skipped)


def test_many_skipped_files_are_counted(ask, folder):
    for number in range(9):
        (folder / f"{number}.txt").touch()
    _, _, errors = ask("When was the bridge opened?", "-r", folder)
    assert len(errors.splitlines()) == 6
    assert errors.endswith("babelspan: skipped 7 more files\n")


def test_a_folder_without_r_says_how(ask, folder):
    code, out, errors = ask("When?", folder)
    assert (code, out) == (2, "")
    assert "found a folder; add -r to read its files" in errors


def test_where_nothing_can_be_read_it_is_an_error(ask, folder, tmp_path):
    code, out, errors = ask("When?", folder / "empty.txt", folder / "paper.pdf", "--json")
    assert (code, out) == (2, "")
    assert errors.count("\n") == 1
    assert "empty.txt: holds no text (and 1 more files with no text)" in errors
    assert ask("When?", text="  ")[0] == 2
    assert "no such file" in ask("When?", tmp_path / "missing")[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["When", "was", "the", "{text}"],
            "was: there is no such file; if it is a word of",
        ),
        (["{text}"], "expected a question before the file, found only the file {text}"),
        (
            ["When?", "{text}", "--questions", "{text}"],
            "with --questions, every argument is a file, found 'When?', which is none",
        ),
        (
            ["When?", "{text}", "--translator", "copy"],
            "--translator needs --also or --in; leave it out",
        ),
        (["When?"], "standard input: holds no text"),
    ],
)
def test_forgotten_quotes_questions_and_options_are_told(ask, folder, words, said):
    text = str(folder / "bridge.txt")
    code, out, errors = ask(*(word.format(text=text) for word in words), text="")
    assert (code, out) == (2, "")
    assert said.format(text=text) in errors


def test_no_answer_has_exit_code_1(ask, folder):
    words = ("When was the bridge opened?", folder / "bridge.txt")
    assert ask(*words, "--min-score", 0.5)[0] == 0
    code, out, _ = ask(*words, "--min-score", 1)
    assert (code, out) == (1, "no answer\n")
    code, out, _ = ask(*words, "--min-score", 1, "--json")
    assert (code, json.loads(out)) == (1, [])


@pytest.mark.parametrize("top_texts", [(), ("--top-texts", 1)])
def test_a_file_of_questions_gives_a_line_of_json_each(ask, folder, tmp_path, top_texts):
    questions = tmp_path / "questions.txt"
    questions.write_text(
        "\ufeffWhen was the bridge opened?\r\n\n  Who discovered penicillin? \n", encoding="utf-8"
    )
    words = ("--questions", questions, "-r", folder, *top_texts)
    code, out, _ = ask(*words, "--jsonl")
    assert code == 0
    records = [json.loads(line) for line in out.splitlines()]
    assert [r["question"] for r in records] == [
        "When was the bridge opened?",
        "Who discovered penicillin?",
    ]
    assert [r["answers"][0]["answer"] for r in records] == ["1894", "Alexander Fleming"]
    assert json.loads(ask(*words, "--json")[1]) == records
    shown = ask(*words)[1].splitlines()
    assert shown[0] == "When was the bridge opened?"
    assert shown[1].startswith("1894 ")
    assert shown[3] == "Who discovered penicillin?"


def test_errors_of_questions(ask, folder, tmp_path):
    (tmp_path / "none.txt").write_text("\n \n")
    assert (
        "expected questions, one per line, found none"
        in ask("--questions", tmp_path / "none.txt")[2]
    )
    assert "no such file" in ask("--questions", tmp_path / "missing.txt")[2]
    assert "expected a question, or --questions FILE" in ask()[2]
    assert "--json and --jsonl cannot be used together" in ask("x", "-", "--json", "--jsonl")[2]


def test_top_texts_reads_those_texts_only(ask, folder):
    code, out, _ = ask("Who built it? Penicillin", "-r", folder, "--top-texts", 1, "--json")
    assert code == 0
    assert {a["file"] for a in json.loads(out)} == {str(folder / "deep/penicillin.txt.gz")}


def test_length_of_windows_and_answers_can_be_set(ask, folder):
    words = ("Who built the bridge?", folder / "bridge.txt", "--json")
    (answer,) = json.loads(ask(*words)[1])
    assert answer["answer"] == "Horace Jones"
    (answer,) = json.loads(ask(*words, "--max-answer", 1)[1])
    assert answer["answer"] in ("Horace", "Jones")
    long_question = "why " * 360
    assert "tokens" in ask(long_question, folder / "bridge.txt")[2]
    assert ask(long_question, folder / "bridge.txt", "--window", 500, "--overlap", 0)[0] == 0


def test_a_language_of_a_pivot_without_one_is_refused(ask, folder):
    code, _, errors = ask("When?", folder / "bridge.txt", "--pivot-language", "zz")
    assert code == 2
    assert "--pivot-language zz has no effect without --pivot" in errors


@pytest.mark.parametrize("option", ["--question-language", "--context-language"])
def test_a_language_is_named_by_its_code(ask, folder, option):
    code, _, errors = ask("When?", folder / "bridge.txt", option, "german")
    assert code == 2
    assert "expected a language code such as es or pt-BR, found 'german'" in " ".join(
        errors.replace("│", " ").split()
    )


def test_named_languages_reach_the_reader(ask, tmp_path):
    text = tmp_path / "brücke.txt"
    text.write_text("Die alte Brücke wurde im Jahr 1357 gebaut, das Tor im Jahr 1380.")
    words = ("In which year was the bridge built?", text, "--json")
    languages = ("--question-language", "en", "--context-language", "de")
    found = [
        json.loads(ask(*words, *more)[1]) for more in ((), languages, ("--context-language", "xx"))
    ]
    assert found[0] == found[1]
    assert found[0][0]["score"] != found[2][0]["score"]  # no dictionary is asked


def test_control_characters_of_file_names_do_not_reach_the_terminal(ask, tmp_path):
    good, bad = tmp_path / "g\x1b[31mood.txt", tmp_path / "b\x1b[31mad\x9b.txt"
    good.write_text(BRIDGE)
    bad.write_bytes(b"\xff")
    _, out, errors = ask("When was the bridge opened?", good, bad)
    assert "1894" in out
    _, _, refused = ask("When was the bridge opened?", bad)
    for text in (out, errors, refused):
        assert "\x1b" not in text
        assert "\x9b" not in text
        assert "[31m" in text


GEORGIAN = "თბილისი საქართველოს დედაქალაქია. ქალაქი მდინარე მტკვრის ნაპირზე მდებარეობს."


def test_a_script_that_the_reader_hardly_knows_is_named_once(ask, tmp_path):
    (tmp_path / "tbilisi.txt").write_text(GEORGIAN, encoding="utf-8")
    (tmp_path / "bridge.txt").write_text(BRIDGE, encoding="utf-8")
    words = ("When was the bridge opened?", "-r", tmp_path, "--top-k", 9, "--json")
    code, out, errors = ask(*words)
    assert code == 0
    assert errors == (
        "babelspan: this reader hardly knows the Georgian script; treat its answers there as "
        "guesses\n"
    )
    of_file = {a["file"]: a["unfamiliar_scripts"] for a in json.loads(out)}
    assert of_file[str(tmp_path / "bridge.txt")] == []
    assert of_file[str(tmp_path / "tbilisi.txt")] == ["Georgian"]


def test_so_is_the_script_of_a_question(ask, tmp_path):
    questions = tmp_path / "questions.txt"
    questions.write_text(
        "When was the bridge opened?\nድልድዩ መቼ ተከፈተ?\nხიდი როდის გაიხსნა?\n", "utf-8"
    )
    _, out, errors = ask("--questions", questions, "--jsonl", text=BRIDGE)
    assert "hardly knows the Ethiopic and Georgian scripts; treat its answers" in errors
    found = [json.loads(line)["unfamiliar_scripts"] for line in out.splitlines()]
    assert found == [[], ["Ethiopic"], ["Georgian"]]


def test_no_script_of_the_samples_is_named(ask, tmp_path):
    answerer = load_answerer("default")
    assert {answerer.unfamiliar(text) for text in sample_texts().values()} == {()}
    name, text = next(iter(sample_texts().items()))
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert ask("Wo steht die Brücke?", tmp_path / name)[2] == ""


def test_predict_shows_the_name_of_its_result_without_control_characters(
    monkeypatch, capsys, tmp_path
):
    record = {"id": "1", "question": "When?", "answers": []}
    data = {"data": [{"title": "", "paragraphs": [{"context": BRIDGE, "qas": [record]}]}]}
    (tmp_path / "dev.en.json").write_text(json.dumps(data))
    monkeypatch.chdir(tmp_path)
    words = ["babelspan", "predict", "default", "dev.en.json", "--out", "\x1b[31mred"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as left:
        main.main()
    assert left.value.code == 0
    assert capsys.readouterr().out == "wrote 1 answers to  [31mred\n"


def test_a_window_longer_than_the_reader_takes_is_refused(ask):
    code, _, errors = ask("When?", "--window", 9999, text=BRIDGE)
    assert code == 2
    assert errors == (
        "babelspan: windows of 9999 tokens are too long: this reader takes 512 or fewer\n"
    )


def test_a_question_that_is_too_long_is_shown_with_what_can_be_done(ask):
    _, _, errors = ask("why " * 400, text=BRIDGE)
    assert "has 400 tokens, which leaves 0 of 384 for its context" in errors
    assert "shorten it, or set max_length (`ask --window`) to 435 or more" in errors
    assert "'why why why " in errors
    assert "--window" not in ask("why " * 500, text=BRIDGE)[2]


def test_top_texts_finds_the_text_in_another_language(ask, tmp_path):
    texts = {
        "bridge": "Die alte Brücke über den Fluss wurde im Jahr 1894 gebaut und steht noch.",
        "bread": "Der Bäcker verkauft jeden Morgen frisches Brot, und die Kunden warten lange.",
        "school": "In der Schule lernen die Kinder lesen und rechnen bei ihren Lehrern.",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    _, out, _ = ask("When was the old bridge built?", "-r", tmp_path, "--top-texts", 2, "--json")
    (answer,) = json.loads(out)
    assert answer["file"].endswith("bridge.txt")
