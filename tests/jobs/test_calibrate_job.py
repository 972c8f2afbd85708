"""`babelspan calibrate` with the default reader, on questions of which some have odd answers."""

import io
import json
import shutil
import sys
from dataclasses import replace

import pytest

import babelspan
from babelspan import readers
from babelspan.cli import main
from babelspan.data.calibrations import CALIBRATION
from babelspan.data.folder import find
from babelspan.data.squad import save_squad
from babelspan.jobs.calibrate import calibrate, check
from babelspan.jobs.evaluate import load_cells
from babelspan.reading.pivot import Pivot
from babelspan.types import Answer, ConfigError, DataError, Example
from worded import Worded

TEXT = "The old bridge was opened in {year}. It was built by Horace Jones."


def example(number):
    """A question; every third is about something else, and no answer to it is right."""
    year = str(1700 + number)
    context = TEXT.format(year=year)
    asks_else = number % 3 == 0
    gold = "old" if asks_else else year
    return Example(
        id=f"q{number}",
        question="How tall is the tower?" if asks_else else "When was the bridge opened?",
        context=context,
        answers=(Answer(gold, context.index(gold)),),
        question_language="en",
        context_language="en",
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "dev.en.json"
    save_squad(path, [example(number) for number in range(130)])
    return path


@pytest.fixture
def reader(tmp_path):
    """The default reader without its calibration."""
    left_out = shutil.ignore_patterns(CALIBRATION)
    return shutil.copytree(readers.DEFAULT_FOLDER, tmp_path / "reader", ignore=left_out)


def calibrated(reader, data):
    files = find([data])
    return calibrate(str(reader), files, load_cells(files))


def test_a_calibrated_reader_says_how_often_it_is_right(reader, data, monkeypatch, capsys):
    before = babelspan.load_answerer(reader)
    assert next(before.predict([example(1)])).probability is None
    identity = readers.checksum_of(str(reader))
    trust = calibrated(reader, data)
    assert readers.checksum_of(str(reader)) == identity
    assert trust.whole.questions == 130
    assert trust.whole.right == pytest.approx(2 / 3, abs=0.05)
    record = trust.to_json()
    assert record["error_of_probabilities"] < record["error_of_shares"]
    assert list(record["cells"]) == ["en-en"]

    after = babelspan.load_answerer(reader)
    (found,) = after.predict([example(1)])
    (other,) = after.predict([example(3)])
    assert other.probability < 0.5
    assert found.probability > 0.8
    assert found.text == "1701"
    (asked,) = after.ask(example(1).question, [example(1).context])
    assert asked.prediction.probability == pytest.approx(found.probability, abs=1e-9)
    (allowed,) = after.predict([example(1)], allows_no_answer=True)
    assert allowed.probability == found.probability
    assert list(after(example(1).question, example(1).context)) == [
        "score", "start", "end", "answer",
    ]  # fmt: skip

    code, out, _ = run(monkeypatch, capsys, "--reader", str(reader), text=example(1).context)
    assert code == 0
    assert f", {found.probability:.0%} right" in out
    code, out, _ = run(
        monkeypatch, capsys, "--reader", str(reader), "--json", text=example(1).context
    )
    assert json.loads(out)[0]["probability"] == pytest.approx(found.probability)
    words = ("--reader", str(reader), "--min-probability", "1")
    assert run(monkeypatch, capsys, *words, text=example(1).context)[:2] == (1, "no answer\n")

    found = Pivot(after, Worded()).ask(
        "Where?", ["El río."], question_language="en", context_language="es"
    )
    assert all(f.prediction.probability is None for f in found)

    (again,) = check(str(reader), {("en", "en"): [example(n) for n in range(12)]}).cells.values()
    assert again.questions == 12


def fields(prediction):
    return {name: getattr(prediction, name) for name in prediction.__slots__}


def run(monkeypatch, capsys, *words, text):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    return command(monkeypatch, capsys, "ask", example(1).question, *words)


def command(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["babelspan", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        main.main()
    return left.value.code, *capsys.readouterr()


def test_the_verb_fits_and_checks_and_evaluate_tells_how_far_to_trust(
    reader, data, tmp_path, monkeypatch, capsys
):
    def tried(*words):
        code, out, _ = command(monkeypatch, capsys, *words)
        assert code == 0
        return out

    assert "probability" not in tried("evaluate", reader, data, "--sample", 5)
    fitted = tried("calibrate", reader, data, "--diagram", tmp_path / "diagram.svg")
    assert "130 answers" in (tmp_path / "diagram.svg").read_text("utf-8")
    assert "error of score" in fitted
    assert "error of probability" in fitted
    assert "0% to  10%" in fitted or "10% to  20%" in fitted
    record = json.loads((reader / CALIBRATION).read_text())
    assert record["questions"] == 130
    checked = json.loads(tried("calibrate", reader, data, "--check", "--json"))
    assert checked["slope"] == record["slope"]
    assert checked["cells"]["en-en"]["questions"] == 130

    out = tmp_path / "kept"
    shown = tried("evaluate", reader, data, "--scorer", "unicode", "--out", out)
    assert "error of probability" in shown
    assert "█" in shown
    kept = json.loads((out / "en-en.probabilities.json").read_text())
    assert len(kept) == 130
    assert all(0 < p < 1 for p in kept.values())
    assert tried("evaluate", reader, data, "--scorer", "unicode", "--out", out) == shown
    settings = json.loads((reader / CALIBRATION).read_text())
    (reader / CALIBRATION).write_text(json.dumps({**settings, "offset": 9.0}))
    words = ("evaluate", reader, data, "--scorer", "unicode", "--out", out)
    code, _, errors = command(monkeypatch, capsys, *words)
    assert (code, "holds a job that differs in calibration" in errors) == (2, True)
    (reader / CALIBRATION).write_text(json.dumps(settings))
    measured = json.loads(tried("evaluate", reader, data, "--scorer", "unicode", "--json"))
    error = measured["reliability"]["en-en"]["expected_calibration_error"]
    assert error == pytest.approx(checked["error_of_probabilities"])


def test_a_diagram_replaces_nothing_that_is_read(reader, data, monkeypatch, capsys):
    before = data.read_bytes()
    for path, said in (
        (data, "expected a name that ends in .svg"),
        (data.parent / "linked.svg", "this is an input file"),
    ):
        if not path.exists():
            path.symlink_to(data)
        code, _, errors = command(monkeypatch, capsys, "calibrate", reader, data, "--diagram", path)
        assert (code, said in errors) == (2, True), errors
        assert data.read_bytes() == before
        assert not (reader / CALIBRATION).exists()


def test_a_calibration_of_another_reader_is_refused(reader):
    shutil.copy(readers.DEFAULT_FOLDER / CALIBRATION, reader)
    assert babelspan.load_answerer(reader).calibration
    settings = reader / "reader.json"
    settings.write_text(settings.read_text() + "\n")
    with pytest.raises(
        DataError, match=r"made for another reader, or for older weights; run `babel"
    ):
        babelspan.load_answerer(reader)
    for content in ("[]", '{"slope": -1, "offset": 0, "reader": ""}', '{"slope": "x"}'):
        (reader / CALIBRATION).write_text(content)
        with pytest.raises(DataError, match="expected the numbers 'slope' and 'offset'"):
            babelspan.load_answerer(reader)


def test_answers_are_judged_as_the_reader_gives_them(reader):
    """This reader widens answers to whole words: it finds 1894, and answers 1894ish."""
    asked = replace(
        example(1),
        context="The bridge was opened in 1894ish.",
        answers=(Answer("1894ish", 25),),
    )
    shutil.copy(readers.DEFAULT_FOLDER / CALIBRATION, reader)
    assert check(str(reader), {("en", "en"): [asked]}).whole.right == 1


def test_a_calibration_of_older_weights_or_a_broken_one_is_replaced(reader, data):
    for broken in ("[]", (readers.DEFAULT_FOLDER / CALIBRATION).read_text()):
        (reader / CALIBRATION).write_text(broken)
        settings = reader / "reader.json"
        settings.write_text(settings.read_text() + "\n")
        calibrated(reader, data)
        assert babelspan.load_answerer(reader).calibration


def test_what_cannot_be_calibrated_or_checked_says_why(reader, monkeypatch, capsys):
    with pytest.raises(ConfigError, match=r"is not calibrated; run `babelspan calibrate`"):
        check(str(reader), {("en", "en"): [example(1)]})
    with pytest.raises(ConfigError, match=r"'org/name': expected a folder"):
        calibrate("org/name", [], {})
    unknown = Example(**{**fields(example(1)), "answers": None})
    with pytest.raises(DataError, match="question 'q1': expected known answers, found none"):
        calibrate(str(reader), [], {("en", "en"): [unknown]})
    code, _, errors = run(
        monkeypatch, capsys, "--reader", str(reader), "--min-probability", "0.5", text="A bridge."
    )
    assert code == 2
    assert "the reader is not calibrated and gives no probabilities; run `babelspan" in errors
