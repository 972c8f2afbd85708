"""`babelspan compare --scorer tydi-primary` as a person uses it."""

import json

import pytest
from typer.testing import CliRunner

from articles import record_of, write_records
from babelspan.cli.main import app
from babelspan.types import ConfigError, DataError

PASSAGES = ["one two three", "four five six"]


def compare(*arguments):
    """What the verb prints, or the error that it ends with."""
    result = CliRunner().invoke(app, ["compare", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def said(number, language, passage, place):
    return {
        "example_id": number,
        "language": language,
        "passage_answer_index": passage,
        "passage_answer_score": 1.0,
        "minimal_answer": {"start_byte_offset": place[0], "end_byte_offset": place[1]},
        "minimal_answer_score": 1.0,
        "yes_no_answer": "NONE",
    }


@pytest.fixture
def files(tmp_path):
    """Gold answers "two", bytes 4 to 7, in three languages; A has all right, B those of Thai."""
    golds, a, b = [], [], []
    for at, language in enumerate(("thai", "korean", "english")):
        for number in range(10 * at, 10 * at + 4):
            golds.append(
                record_of(number, "?", PASSAGES, passage=0, answer="two", language=language)
            )
            a.append(said(number, language, 0, (4, 7)))
            b.append(said(number, language, 0, (4, 7) if language == "thai" else (14, 18)))
    names = ("gold.jsonl", "a.jsonl", "b.jsonl.gz")
    return [write_records(tmp_path / n, r) for n, r in zip(names, (golds, a, b), strict=True)]


def test_figures_by_language_with_who_is_right(files):
    found = json.loads(compare(*files, "--scorer", "tydi-primary", "--json"))
    minimal, korean = found["minimal"], found["minimal"]["korean"]
    assert (korean["a"], korean["b"], korean["low"], korean["high"]) == (1.0, 0.0, 1.0, 1.0)
    assert korean["right"]["only_a_ids"] == [10, 11, 12, 13]
    assert korean["right"]["mcnemar_p_value"] == 0.125
    assert minimal["thai"]["right"]["both"] == 4
    assert minimal["mean without English"]["difference"] == 0.5
    assert found["passage"]["korean"]["difference"] == 0.0
    assert "clusters:question|correction:holm|resamples:10000|seed:1" in found["signature"]


def test_tables_for_people(files):
    shown = compare(*files, "--scorer", "tydi-primary")
    lines = [line.replace("│", " ").split() for line in shown.splitlines()]
    assert "Minimal: F1, percent" in shown
    assert ["korean", "100.0", "0.0", "+100.0", "+100.0", "…", "+100.0"] in [
        line[:7] for line in lines
    ]
    assert ["korean", "0", "4", "0", "0", "0"] in [line[:6] for line in lines]


def test_what_does_not_fit_is_refused(files):
    gold, a, b = files
    with pytest.raises(ConfigError, match="--cross has no effect with --scorer tydi-primary"):
        compare(gold, a, b, "--scorer", "tydi-primary", "--cross")
    with pytest.raises(ConfigError, match="expected one file of TyDi QA articles, found 2"):
        compare(gold, gold, a, b, "--scorer", "tydi-primary")
    write_records(b.with_suffix(""), [said(99, "thai", 0, (4, 7))])
    with pytest.raises(DataError, match=r"b.jsonl: expected answers to questions of .*gold"):
        compare(gold, a, b.with_suffix(""), "--scorer", "tydi-primary")
