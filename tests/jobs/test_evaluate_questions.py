"""A generator measured from files to figures, reports and the command line."""

import csv
import json
import re
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from babelspan.cli.main import app
from babelspan.data.folder import find
from babelspan.data.squad import save_squad
from babelspan.jobs import evaluate_questions
from babelspan.jobs.evaluate import load_cells
from babelspan.jobs.shards import ALONE, Crew
from babelspan.methods.question_generation import Config, train
from babelspan.networks import store
from babelspan.networks.question_generator import begun
from babelspan.scoring.questions import Measure
from babelspan.scoring.scorers import load_scorer
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Optim
from babelspan.types import ConfigError, DataError
from miniature import miniature_reader
from world import World

WORLD = World(0)
CODES = {"L0": "en", "L1": "es"}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A generator that knows 12 questions in two languages by heart, and a parallel set of them."""
    folder = tmp_path_factory.mktemp("inputs")
    learnt = [
        replace(e, question_language=CODES[q], context_language=CODES[c], answers=e.answers)
        for q in CODES
        for c in CODES
        for e in WORLD.examples(12, q, c)
    ]
    reader = miniature_reader(WORLD.vocabulary())
    reader.save(folder / "reader")
    run = Run(config=RunConfig(updates=300, batch_size=24, threads=1, log_every=0))
    config = Config(generator=Optim(lr=5e-3))
    generator = train(begun(reader.encoder), Corpora(labelled=learnt), config, run)
    store.save(generator, folder / "generator")
    for world, code in CODES.items():
        examples = WORLD.examples(12, world, world)
        save_squad(folder / "dev" / f"dev.{code}.json", examples)
    return folder


def writing(inputs, **fields):
    return evaluate_questions.Writing(generator=str(inputs / "generator"), **fields)


def evaluated(inputs, **fields):
    given = dict(fields)
    keep, reader, crew = (
        given.pop(k, d) for k, d in (("keep", None), ("reader", None), ("crew", ALONE))
    )
    files = find([inputs / "dev"])
    return evaluate_questions.evaluate(
        evaluate_questions.Asking(
            writing=writing(inputs, **given),
            reader=reader,
            scorer=load_scorer("squad"),
            measure=Measure(),
        ),
        files,
        load_cells(files, crossed=True),
        keep=keep,
        crew=crew,
    )


@pytest.fixture(scope="module")
def evaluation(inputs):
    return evaluated(inputs, reader=str(inputs / "reader"))


def test_a_generator_that_knows_the_questions_has_the_highest_figures(evaluation):
    assert set(evaluation.cells) == {(q, c) for q in ("en", "es") for c in ("en", "es")}
    assert evaluation.grid.g_xlt("bleu") > 0.9
    assert evaluation.grid.g_xlt("chrf") > 0.9
    assert evaluation.grid.g_xlt("right_language") > 0.95
    assert evaluation.recognised > 0.9
    for pair, found in evaluation.grid.cells.items():
        assert found.missing == 0
        texts = [evaluation.questions[pair][e.id] for e in evaluation.cells[pair]]
        golds = [e.question for e in evaluation.cells[pair]]
        assert found.bleu == Measure().bleu(texts, golds)
        assert 0 <= found.read_f1 <= 1
        assert found.read_f1 == pytest.approx(found.gold_read_f1, abs=0.2)


def test_questions_are_kept_by_pair_and_not_written_again(inputs, tmp_path, monkeypatch):
    whole = evaluated(inputs, keep=tmp_path / "kept")
    names = {p.name for p in (tmp_path / "kept").iterdir()}
    assert {"en-en.json", "en-es.json", "es-en.json", "es-es.json", "evaluation.json"} <= names
    (tmp_path / "kept" / "es-en.json").unlink()
    written = []
    own = evaluate_questions._written

    def noted(writing, cells, crew):
        written.extend(pair for pair, _ in cells)
        return own(writing, cells, crew)

    monkeypatch.setattr(evaluate_questions, "_written", noted)
    again = evaluated(inputs, keep=tmp_path / "kept")
    assert written == [("es", "en")]
    assert again.to_json() == whole.to_json()
    with pytest.raises(ConfigError, match="holds"):
        evaluated(inputs, keep=tmp_path / "kept", decode="beam:2")
    (tmp_path / "kept" / "en-en.json").write_text("{}")
    with pytest.raises(DataError, match=r"en-en\.json: expected a question for each of 12 answers"):
        evaluated(inputs, keep=tmp_path / "kept")


def test_several_workers_write_the_same_questions(inputs, evaluation, monkeypatch):
    monkeypatch.setattr(evaluate_questions, "_AT_ONCE", 5)
    alone, together = (
        evaluated(inputs, threads=1, crew=Crew(workers=workers)) for workers in (1, 2)
    )
    assert together.questions == alone.questions
    assert [*map(list, together.questions.values())] == [*map(list, alone.questions.values())]
    assert together.to_json() == alone.to_json()
    assert together.questions.keys() == evaluation.questions.keys()


def test_the_figures_on_the_command_line_and_in_reports(inputs, tmp_path):
    reports = [tmp_path / f"report.{kind}" for kind in ("html", "csv", "json", "png")]
    done = CliRunner().invoke(
        app,
        [
            "evaluate",
            str(inputs / "generator"),
            str(inputs / "dev"),
            "--cross",
            "--lowercase",
            "--round-trip",
            str(inputs / "reader"),
            *(part for path in reports for part in ("--report", str(path))),
        ],
    )
    assert done.exit_code == 0, done.output
    for said in (
        "BLEU-4, percent",
        "chrF++, percent",
        "In the language asked for, percent",
        "F1 of a reader on the questions",
        "Self-BLEU, mean over all pairs",
        "case:lc",
        "Words per question",
        "words:babelspan",
    ):
        assert said in done.output
    record = json.loads(reports[2].read_text())
    assert len(record["cells"]) == 4
    rows = list(csv.DictReader(reports[1].open()))
    assert [row["kind"] for row in rows] == ["cell"] * 4 + ["xlt", "g_xlt"]
    assert float(rows[-1]["bleu"]) == pytest.approx(record["g_xlt"]["bleu"])
    page = reports[0].read_text()
    for pair in ("en-en", "en-es", "es-en", "es-es"):
        assert f'href="#{pair}"' in page
        assert f'id="{pair}"' in page
    assert "<script" not in page
    assert page.count("<li>") == 48
    policy = re.search(r"Content-Security-Policy\" content=\"([^\"]+)", page)[1]
    assert "default-src 'none'" in policy
    assert reports[3].read_bytes().startswith(b"\x89PNG")


def test_text_in_a_page_is_never_markup(inputs, evaluation):
    from babelspan.reports.question_page import question_page

    pair = ("en", "en")
    questions = {**evaluation.questions[pair]}
    questions[next(iter(questions))] = '<img src=x onerror="alert(1)">'
    page = question_page(replace(evaluation, questions={**evaluation.questions, pair: questions}))
    assert "<img" not in page
    assert "&lt;img src=x" in page


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--pivot", "copy"], "--pivot is for readers, but .* is a question generator"),
        (["--no-answer"], "--no-answer is for readers"),
        (["--tokenize", "flores200"], "--tokenize: unknown 'flores200'"),
        (["--decode", "best"], "expected greedy, beam:K"),
    ],
)
def test_options_that_make_no_sense(inputs, more, said):
    words = ["evaluate", str(inputs / "generator"), str(inputs / "dev"), *more]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, ConfigError)
    assert re.search(said, str(done.exception))


def test_options_of_generators_are_refused_for_readers(inputs):
    words = ["evaluate", str(inputs / "reader"), str(inputs / "dev"), "--lowercase"]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, ConfigError)
    assert "--lowercase is for question generators" in str(done.exception)


def test_a_language_that_the_generator_does_not_write(inputs, tmp_path):
    save_squad(tmp_path / "dev.fr.json", WORLD.examples(3))
    files = find([tmp_path / "dev.fr.json"])
    asking = evaluate_questions.Asking(
        writing=writing(inputs), scorer=load_scorer("squad"), measure=Measure()
    )
    with pytest.raises(ConfigError, match="writes no questions in 'fr', only in en, es"):
        evaluate_questions.evaluate(asking, files, load_cells(files))
