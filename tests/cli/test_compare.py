"""`babelspan compare` as a person uses it."""

import csv
import json
import shutil

import pytest

from babelspan.data.files import read_json, write_json
from babelspan.data.squad import load_squad, save_squad
from babelspan.jobs.samples import SAMPLES
from command_line import program, run

COUNT = 12


def record_of(*arguments):
    done = run("compare", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def fails(*arguments):
    """The one line of an error of the user's."""
    done = run("compare", *arguments)
    message = done.stderr.decode()
    assert done.returncode == 2, message
    assert message.count("\n") == 1, message
    return message


@pytest.fixture
def files(tmp_path):
    """Twelve sample questions; A has the first nine right, B the last nine, both in part else."""
    examples = load_squad(SAMPLES / "test.de.json")[:COUNT]
    save_squad(tmp_path / "test.de.json", examples)
    for name, right in (("a", range(9)), ("b", range(3, COUNT))):
        texts = {
            e.id: e.answers[0].text if i in right else "Tübingen" for i, e in enumerate(examples)
        }
        write_json(tmp_path / f"{name}.json", texts)
    return tmp_path / "test.de.json", tmp_path / "a.json", tmp_path / "b.json", examples


def test_two_files_are_compared(files):
    gold, a, b, examples = files
    found = record_of(gold, a, b, "--scorer", "squad", "--show", "2")
    (cell,) = found["cells"]

    assert (cell["question"], cell["context"]) == ("de", "de")
    assert (cell["both"], cell["only_a"], cell["only_b"], cell["neither"]) == (6, 3, 3, 0)
    assert cell["only_a_ids"] == [e.id for e in examples[:3]]
    assert cell["only_b_ids"] == [e.id for e in examples[9:]]
    assert cell["exact_match"]["a"] == cell["exact_match"]["b"] == 0.75
    assert cell["exact_match"]["p_value"] == cell["mcnemar_p_value"] == 1
    assert found["a"] == {"path": str(a), "seeds": 1}
    assert "g_xlt" not in found
    assert found["signature"].startswith("squad|")
    assert found["signature"].endswith("|clusters:paragraph|correction:holm|resamples:10000|seed:1")
    assert [q["right"] for q in found["shown"]] == ["a", "a", "b", "b"]
    for question in found["shown"]:
        (example,) = [e for e in examples if e.id == question["id"]]
        assert question["context"] == example.context
        assert question["question"] == example.question
        assert question[question["right"]] == [example.answers[0].text]
        assert question["gold"][0] == example.answers[0].text


def test_people_see_tables_and_questions(files):
    gold, a, b, examples = files
    options = ("--scorer", "squad", "--show", "3", "--resamples", "100")
    done = program("compare", gold, a, b, *options)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    for part in ("F1, percent", "Exact match, percent", "A − B", "95 % interval", "p (holm)"):
        assert part in text
    assert "75.0 │ 75.0 │  +0.0" in text
    assert "de-de: A answers, B misses" in text
    assert "de-de: B answers, A misses" in text
    for example in examples[:3]:
        assert example.context in text
        assert f"gold  {example.answers[0].text}" in text
    assert examples[4].question not in text
    assert "resamples:100|" in text
    assert "\x1b[" not in text


def test_answers_stand_out_on_a_terminal_and_nothing_steers_it():
    from rich.console import Console

    from babelspan.cli.compare import Listed, _context
    from babelspan.types import Answer, Example

    example = Example(
        id="q",
        question="?",
        context="Mira\x1b came\nto Tabor 🌉 in 1932, not in Kolín.",
        answers=(Answer("1932", 25),),
        question_language="en",
        context_language="en",
    )
    listed = Listed(("en", "en"), "b", example, {"a": ["Tabor", "", "gone"], "b": ["1932"]})
    console = Console(force_terminal=True, color_system="standard", soft_wrap=True, width=200)
    with console.capture() as capture:
        console.print(_context(listed))
    assert capture.get() == (
        "Mira  came to \x1b[1;31mTabor\x1b[0m 🌉 in \x1b[1;32m1932\x1b[0m, not in Kolín.\n"
    )


def test_options_reach_the_tests_and_the_table_is_written(files, tmp_path):
    gold, a, b, _ = files
    options = ("--clusters", "question", "--correction", "benjamini-hochberg", "--seed", "7")
    table = tmp_path / "out" / "t.csv"
    found = record_of(gold, a, b, "--scorer", "mlqa", *options, "--csv", table, "--sample", "8")
    assert found["cells"][0]["clusters"] == found["cells"][0]["questions"] == 8
    assert found["signature"].endswith(
        "|sample:8|clusters:question|correction:benjamini-hochberg|resamples:10000|seed:7"
    )
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["metric"] for r in rows] == ["exact_match", "f1"]
    assert float(rows[1]["difference"]) == found["cells"][0]["f1"]["difference"]
    unnamed = tmp_path / "gold.json"
    shutil.copy(gold, unnamed)
    assert "--language" in fails(unnamed, a, b, "--scorer", "mlqa")
    assert record_of(unnamed, a, b, "--scorer", "mlqa", "--language", "de")["cells"]


def test_folders_of_evaluate_are_compared_over_the_matrix(tmp_path):
    qa = tmp_path / "qa"
    for language in ("en", "es"):
        name = f"test.{language}.json"
        save_squad(qa / name, load_squad(SAMPLES / name)[:9])
    a = tmp_path / "a"
    done = run("evaluate", "default", qa, "--cross", "--sample", "6", "--out", a)
    assert done.returncode == 0, done.stderr
    for seed in ("1", "2"):  # readers that lose their answers to one language, or to both
        b = tmp_path / "b" / seed
        shutil.copytree(a, b)
        write_json(b / "evaluation.json", {**read_json(a / "evaluation.json"), "reader": seed})
        for pair in ("en-es", "es-es") if seed == "1" else ("en-es", "es-es", "en-en", "es-en"):
            write_json(b / f"{pair}.json", dict.fromkeys(read_json(b / f"{pair}.json"), ""))

    options = ("--scorer", "squad", "--cross", "--sample", "6")
    found = record_of(qa, a, tmp_path / "b", *options)
    matrix = read_json(a / "matrix.squad.json")
    assert [(c["question"], c["context"]) for c in found["cells"]] == [
        (c["question"], c["context"]) for c in matrix["cells"]
    ]
    for cell, of_matrix in zip(found["cells"], matrix["cells"], strict=True):
        assert cell["f1"]["a"] == of_matrix["f1"]
        share = 0.5 if cell["context"] == "en" else 0
        assert cell["f1"]["b"] == pytest.approx(share * of_matrix["f1"])
    for mean in ("xlt", "g_xlt"):
        assert found[mean]["f1"]["a"] == pytest.approx(matrix[mean]["f1"])
    assert found["b"] == {"path": str(tmp_path / "b"), "seeds": 2}
    shown = run("compare", qa, a, tmp_path / "b", *options).stdout.decode()
    assert "2 seeds, mean ± sd" in " ".join(shown.split())  # a long path breaks the line
    assert "G-XLT" in shown
    assert "misses" not in shown

    whole = ("--scorer", "squad", "--cross")
    assert "found none for 3 of them" in fails(qa, a, tmp_path / "b", *whole)
    assert "for other data" in fails(SAMPLES / "test.en.json", a, a, "--scorer", "squad")


def test_errors_are_one_line(files):
    gold, a, b, examples = files
    wrong = (gold, a, b, "--scorer", "sqaud")
    assert "did you mean 'squad'" in fails(*wrong)
    assert program("compare", *wrong).stderr.decode() == fails(*wrong)
    assert "'paragraph'" in fails(gold, a, b, "--scorer", "squad", "--clusters", "paragraphs")
    assert "Missing option" in fails(gold, a, b)
    write_json(b, {e.id: "" for e in examples[1:]})
    assert f"such as {examples[0].id!r}" in fails(gold, a, b, "--scorer", "squad")


def test_tables_do_not_replace_what_is_read(files):
    gold, a, b, _ = files
    for path in (gold, a, b):
        before = path.read_bytes()
        assert "this is an input file" in fails(gold, a, b, "--scorer", "squad", "--csv", path)
        assert path.read_bytes() == before


def test_control_characters_of_ids_and_file_names_do_not_reach_the_terminal(files, tmp_path):
    gold, a, b, examples = files
    name = examples[0].id
    odd = tmp_path / "o\x1b[31mdd.json"
    for path in (gold, a, b):
        text = path.read_text("utf-8").replace(f'"{name}"', f'"\\u001b[31m{name}"')
        path.write_text(text, encoding="utf-8")
    a.rename(odd)
    done = run("compare", gold, odd, b, "--scorer", "squad", "--show", "9", "--resamples", "100")
    assert done.returncode == 0, done.stderr
    assert f"[31m{name}".encode() in done.stdout
    assert b"[31mdd.json" in done.stdout.replace(b"\n", b"")
    assert b"\x1b" not in done.stdout
