"""The score verb with each scorer: records, signatures, tables, options that do not fit."""

import json
import re

import pytest
from typer.testing import CliRunner

from babelspan.cli.main import app
from babelspan.types import ConfigError, DataError
from babelspan.version import VERSION

ANSWERS = {
    "zh": {"a": ["东京"], "b": ["3-5年"]},
    "ko": {"a": ["서울"], "b": ["독도"]},
    "en": {"finnish-1-0": ["kissa"], "english-2-0": ["cat", "the cat sat"]},
    "de": {"a": ["Rhein"], "b": []},
}


def score(*arguments):
    """What the verb prints, or the error that it ends with."""
    result = CliRunner().invoke(app, ["score", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def files(tmp_path):
    """A function that writes gold answers of a language, and predictions to them."""

    def write(language, predictions, name="test.{}.json"):
        gold, said = tmp_path / name.format(language), tmp_path / "predictions.json"
        questions = [
            {
                "id": identity,
                "question": "?",
                "answers": [{"text": g, "answer_start": 0} for g in golds],
            }
            for identity, golds in ANSWERS[language].items()
        ]
        texts = [g for golds in ANSWERS[language].values() for g in golds]
        paragraphs = [{"context": texts[0], "qas": questions}]
        gold.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), encoding="utf-8")
        said.write_text(json.dumps(predictions), encoding="utf-8")
        return gold, said

    return write


@pytest.mark.parametrize(
    ("scorer", "language", "exact_match", "f1"),
    [
        ("squad", "ko", 0, 0),
        ("korquad", "ko", 1 / 2, (4 / 5 + 1) / 2),  # 서울의: P 2/3, R 2/2
        ("unicode", "ko", 1 / 2, 1 / 2),
        ("drcd", "zh", 1 / 2, (1 + 4 / 5) / 2),  # 3年 and 35年: P 2/2, R 2/3
        ("cmrc", "zh", 1 / 2, (1 + 1 / 2) / 2),  # 3 年 and 35 年: P 1/2, R 1/2
        ("mlqa", "zh", 1 / 2, (1 + 1 / 2) / 2),
    ],
)
def test_each_scorer_has_its_own_figures(files, scorer, language, exact_match, f1):
    said = {"ko": {"a": "서울의", "b": "《독도》"}, "zh": {"a": "东京。", "b": "3年"}}[language]
    record = json.loads(score(*files(language, said), "--scorer", scorer, "--json"))

    assert (record["exact_match"], record["f1"]) == pytest.approx((exact_match, f1))
    assert (record["questions"], record["missing"]) == (2, 0)
    assert record["signature"].startswith(f"{scorer}|words:")
    assert re.search(rf"\|n:2\|data:sha256:\w{{12}}\|babelspan:{VERSION}$", record["signature"])


def test_cmrc_tells_the_average(files):
    gold, said = files("zh", {"a": "东京。", "b": "3年"})
    record = json.loads(score(gold, said, "--scorer", "cmrc", "--json"))
    assert record["average"] == (1 / 2 + 3 / 4) / 2
    assert "average 62.50%" in score(gold, said, "--scorer", "cmrc").splitlines()


def test_tydiqa_tells_each_language(files):
    gold, said = files("en", {"finnish-1-0": "koira kissa", "english-2-0": "cat"}, "dev.json")
    record = json.loads(score(gold, said, "--scorer", "tydiqa", "--json"))
    assert record["exact_match"] == 0
    assert record["f1"] == pytest.approx(2 / 3)
    assert record["languages"]["en"] == {"exact_match": 1, "f1": 1, "questions": 1}

    shown = score(gold, said, "--scorer", "tydiqa").splitlines()
    assert shown[:3] == [
        "exact match 0.00%   F1 66.67%   2 questions",
        "fi: exact match 0.00%   F1 66.67%",
        "en: exact match 100.00%   F1 100.00%",
    ]
    gold, said = files("ko", {"a": "서울", "b": ""})
    assert score(gold, said, "--scorer", "tydiqa").startswith("exact match 50.00%   F1 50.00%")
    only_english = score(gold, said, "--scorer", "tydiqa", "--language", "en")
    assert only_english.startswith("exact match –   F1 –   2 questions\nen: exact match 50.00%")


def test_squad2_with_null_odds_tells_thresholds(files, tmp_path):
    gold, said = files("de", {"a": "der Rhein", "b": "Rhein"})
    odds, out = tmp_path / "null_odds.json", tmp_path / "record.json"
    odds.write_text('{"a": 0.5, "b": 3}', encoding="utf-8")
    plain = json.loads(score(gold, said, "--scorer", "squad2", "--json"))
    assert (plain["exact_match"], plain["f1"]) == (0, pytest.approx(1 / 3))  # der: P 1/2, R 1/1
    assert plain["NoAns_exact"] == 0
    assert "threshold" not in plain["signature"] and "best_f1" not in plain

    command = (gold, said, "--scorer", "squad2", "--null-odds", odds, "--out", out)
    shown = score(*command).splitlines()
    record = json.loads(out.read_text("utf-8"))
    assert record == json.loads(score(*command, "--json"))
    assert {k: v for k, v in record.items() if k != "signature"} == {
        "exact_match": 1 / 2,
        "f1": pytest.approx((2 / 3 + 1) / 2),
        "questions": 2,
        "missing": 0,
        "total": 2,
        "HasAns_exact": 0,
        "HasAns_f1": pytest.approx(2 / 3),
        "HasAns_total": 1,
        "NoAns_exact": 1,
        "NoAns_f1": 1,
        "NoAns_total": 1,
        "best_exact": 1 / 2,
        "best_exact_thresh": 0,
        "best_f1": pytest.approx((2 / 3 + 1) / 2),
        "best_f1_thresh": 0.5,
    }
    assert record["signature"] == f"{plain['signature']}|no-answer-threshold:1.0"
    assert {"HasAns_f1 66.67%", "NoAns_total 1", "best_f1_thresh 0.5"} <= set(shown)

    low = json.loads(score(*command, "--no-answer-threshold", "-1", "--json"))
    assert (low["HasAns_exact"], low["NoAns_exact"]) == (0, 1)
    assert low["signature"].endswith("|no-answer-threshold:-1.0")


def test_missing_predictions_are_told(files):
    gold, said = files("ko", {"a": "서울"})
    shown = score(gold, said, "--scorer", "korquad")
    assert "1 questions have no prediction and count as wrong" in shown
    shown = score(gold, said, "--scorer", "squad2")
    assert "1 questions have no prediction and are not counted" in shown
    assert shown.startswith("exact match 100.00%")
    assert "|n:1|" in shown


def annotation(passage, place):
    return {
        "passage_answer": {"candidate_index": passage},
        "minimal_answer": {"plaintext_start_byte": place[0], "plaintext_end_byte": place[1]},
        "yes_no_answer": "NONE",
    }


def prediction(identity, passage, place, score):
    return {
        "example_id": identity,
        "language": "finnish",
        "passage_answer_index": passage,
        "passage_answer_score": score,
        "minimal_answer": {"start_byte_offset": place[0], "end_byte_offset": place[1]},
        "minimal_answer_score": score,
    }


@pytest.fixture
def primary(tmp_path):
    """Two Finnish questions with an answer; a prediction to one of them, and one to none."""
    golds = [
        {
            "example_id": identity,
            "language": "finnish",
            "annotations": [annotation(1, (4, 8)), annotation(1, (4, 8)), annotation(-1, (-1, -1))],
        }
        for identity in (1, 2)
    ]
    predictions = [prediction(1, 1, (4, 6), 2.5), prediction(3, 1, (4, 6), 2.5)]
    paths = tmp_path / "dev.jsonl", tmp_path / "predictions.jsonl"
    for path, lines in zip(paths, (golds, predictions), strict=True):
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return paths


def test_the_primary_tasks_are_scored_by_language(primary):
    record = json.loads(score(*primary, "--scorer", "tydi-primary", "--json"))
    finnish = record["languages"]["finnish"]
    assert finnish["passage-best-threshold"] == 2.5
    assert record["avg_passage_f1"] == finnish["passage-best-threshold-f1"] == pytest.approx(2 / 3)
    assert record["avg_minimal_f1"] == pytest.approx(4 / 9)  # 2/3 of 1 answer, of 2 questions
    assert (record["questions"], record["missing"], record["unexpected"]) == (2, 1, 1)
    assert record["signature"].startswith("tydi-primary|unit:byte|annotators:2|threshold:best|")

    shown = score(*primary, "--scorer", "tydi-primary").splitlines()
    figures = (
        "passage F1 66.67% (precision 100.00%, recall 50.00%)   "
        "minimal F1 44.44% (precision 66.67%, recall 33.33%)"
    )
    assert shown == [
        f"mean without English: {figures}",
        f"finnish: {figures}",
        "1 questions have no prediction and count as wrong",
        "1 predictions belong to no question and are not counted",
        record["signature"],
    ]


def test_languages_without_a_prediction_are_named(primary):
    gold, said = primary
    other = json.loads(gold.read_text().splitlines()[0]) | {"language": "thai", "example_id": 9}
    gold.write_text(gold.read_text() + json.dumps(other) + "\n")
    record = json.loads(score(gold, said, "--scorer", "tydi-primary", "--json"))
    assert (record["left_out"], record["missing"]) == (["thai"], 2)
    assert (
        "2 questions have no prediction and count as wrong, but those in thai are left out of the "
        "mean"
    ) in score(gold, said, "--scorer", "tydi-primary").splitlines()


def test_options_that_have_no_effect_are_refused(files, primary, tmp_path):
    gold, said = files("de", {"a": "Rhein", "b": ""})
    odds = tmp_path / "odds.json"
    with pytest.raises(ConfigError, match=r"^--null-odds is for the scorer 'squad2', got 'mlqa'$"):
        score(gold, said, "--scorer", "mlqa", "--null-odds", odds)
    with pytest.raises(ConfigError, match=r"^--no-answer-threshold is for the scorer 'squad2'"):
        score(gold, said, "--scorer", "unicode", "--no-answer-threshold", "1")
    with pytest.raises(ConfigError, match=r"^--no-answer-threshold needs .* --null-odds FILE$"):
        score(gold, said, "--scorer", "squad2", "--no-answer-threshold", "1")
    with pytest.raises(ConfigError, match=r"^--language has no effect on 'tydi-primary'"):
        score(*primary, "--scorer", "tydi-primary", "--language", "fi")


def test_a_threshold_that_is_no_finite_number_is_refused(files, tmp_path):
    gold, said = files("de", {"a": "Rhein", "b": ""})
    odds = tmp_path / "odds.json"
    odds.write_text("{}")
    for value in ("nan", "inf"):
        options = ("--scorer", "squad2", "--null-odds", odds, "--no-answer-threshold", value)
        with pytest.raises(ConfigError, match=f"expected a finite number, got {value}"):
            score(gold, said, *options)


def test_errors_say_what_to_do(files, primary):
    gold, said = files("de", {"a": "Rhein", "b": ""})
    with pytest.raises(ConfigError, match=r"unknown scorer 'tydi_primary'; did you mean 'tydi-pri"):
        score(gold, said, "--scorer", "tydi_primary")
    with pytest.raises(DataError, match=r"'b' has no gold answer; the scorer 'korquad' needs one"):
        score(gold, said, "--scorer", "korquad")
    with pytest.raises(DataError, match=r"test.de.json: line 1: expected a key 'annotations'"):
        score(gold, said, "--scorer", "tydi-primary")
    with pytest.raises(DataError, match=r"dev.jsonl: record 1: expected 'id' or 'question_id'"):
        score(*primary, "--scorer", "squad")
