"""Reports by the ending of their names: what is written, and what is refused before any work."""

import json
import sys
from dataclasses import replace

import pytest

from babelspan.data.squad import load_squad, save_squad
from babelspan.jobs.samples import SAMPLES
from babelspan.reports.kinds import check_reports, write_report
from babelspan.types import ConfigError
from command_line import run
from reported import evaluated, parallel_cells, parsed

BEGINNINGS = {".html": b"<!doctype html>", ".csv": b"kind,", ".png": b"\x89PNG", ".json": b"{\n"}


@pytest.fixture
def evaluation():
    return evaluated(parallel_cells("ar", "en"), lambda _, example: example.answers[0].text)


@pytest.mark.parametrize("name", ["a.html", "a.CSV", "in/a/folder/a.png", "a.json"])
def test_the_ending_of_the_name_is_the_kind(name, evaluation, tmp_path):
    path = tmp_path / name
    write_report(path, evaluation)

    assert path.read_bytes().startswith(BEGINNINGS[path.suffix.lower()])
    assert [p for p in path.parent.iterdir() if p != path] == []


def test_json_holds_scorer_figures_and_signature(evaluation, tmp_path):
    write_report(tmp_path / "a.json", evaluation)
    found = json.loads((tmp_path / "a.json").read_text("utf-8"))

    assert found == {
        "scorer": "squad",
        **evaluation.matrix.to_json(),
        "signature": found["signature"],
    }
    assert found["signature"] == evaluation.signature
    assert found["g_xlt"] == {"exact_match": 1, "f1": 1}


def test_what_cannot_be_written_is_refused_first(monkeypatch, tmp_path):
    check_reports([tmp_path / f"a{kind}" for kind in BEGINNINGS])
    with pytest.raises(ConfigError, match=r"a\.pdf: expected .* \.html, \.csv, .* found '\.pdf'$"):
        check_reports([tmp_path / "a.html", tmp_path / "a.pdf"])
    with pytest.raises(ConfigError, match=r"report: expected .* found ''$"):
        check_reports([tmp_path / "report"])
    (tmp_path / "b.html").mkdir()
    with pytest.raises(
        ConfigError, match=r"b\.html: expected a file for the report, found a folder$"
    ):
        check_reports([tmp_path / "b.html"])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    check_reports([tmp_path / "a.html"])
    with pytest.raises(ConfigError, match="needs matplotlib"):
        check_reports([tmp_path / "a.png"])


def test_an_evaluation_is_of_the_same_pairs_and_questions_throughout(evaluation):
    fewer = dict(list(evaluation.cells.items())[:3])
    with pytest.raises(ValueError, match=r"^expected the same pairs of languages everywhere"):
        replace(evaluation, cells=fewer)
    with pytest.raises(ValueError, match=r"^expected the same pairs of languages everywhere"):
        replace(evaluation, predictions={pair: {} for pair in fewer})
    shorter = {pair: examples[:2] for pair, examples in evaluation.cells.items()}
    with pytest.raises(ValueError, match=r"a figure for each of 2 questions, got 3$"):
        replace(evaluation, cells=shorter)


def evaluate(*arguments):
    return run("evaluate", "default", *arguments)


def test_evaluate_writes_reports_also_from_what_it_kept(tmp_path):
    for language in ("en", "es"):
        name = f"test.{language}.json"
        save_squad(tmp_path / "qa" / name, load_squad(SAMPLES / name)[:2])
    kept = (tmp_path / "qa", "--cross", "--json", "--out", tmp_path / "kept")
    first = evaluate(*kept, "--report", tmp_path / "a.html", "--report", tmp_path / "a.json")
    again = evaluate(*kept, "--report", tmp_path / "b.html")

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == json.loads(first.stdout)
    data = parsed((tmp_path / "a.html").read_text("utf-8")).one("script", id="data").text
    cells = {f"{c['question']}-{c['context']}": c["systems"] for c in json.loads(data)["cells"]}
    assert sorted(cells) == ["en-en", "en-es", "es-en", "es-es"]
    for name, (system,) in cells.items():
        predicted = json.loads((tmp_path / "kept" / f"{name}.json").read_text("utf-8"))
        assert system["answers"] == list(predicted.values())

    refused = evaluate(tmp_path / "nothing", "--report", tmp_path / "a.xlsx")
    assert refused.returncode == 2
    assert b"found '.xlsx'" in refused.stderr
