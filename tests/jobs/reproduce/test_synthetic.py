"""Rows with synthetic questions: generators, questions, and the readers that go on from them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from babelspan.data.files import write_json
from babelspan.data.folder import inside
from babelspan.data.squad import save_squad
from babelspan.jobs.reproduce.correlation import correlations, interval, pearson
from babelspan.jobs.reproduce.markdown import markdown
from babelspan.jobs.reproduce.papers import Row, choose_rows, load_paper, refuse_wrong_keys
from babelspan.jobs.reproduce.planned import planned
from babelspan.jobs.reproduce.reproduction import Reproduction, check_inputs
from babelspan.jobs.reproduce.table import tables
from babelspan.jobs.reproduce.units import run_units, units_of
from babelspan.scoring.comparison import Settings
from babelspan.types import ConfigError, DataError
from miniature import miniature_reader
from world import World

PAPER = load_paper("riabi2021")
TOY = PAPER.scales["toy"]
WORLD = World(0)
CODES = {"L0": "qaa", "L1": "qab", "L2": "qac"}
FEW = ("updates=30", "batch_size=8", "method.generator.lr=5e-3", "threads=1")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The toy world, in small."""
    folder = tmp_path_factory.mktemp("toy")
    miniature_reader(WORLD.vocabulary()).save(folder / "reader")
    save_squad(folder / "train.qaa.json.gz", WORLD.examples(12))
    for language, code in CODES.items():
        own = WORLD.examples(12, language, language)
        if code != "qaa":
            own = [replace(e, id=f"{e.id}-{code}", origin=e.id) for e in own]
            save_squad(folder / "translated" / f"train.{code}.json.gz", own)
        save_squad(
            folder / "test" / f"test.{code}.json.gz", WORLD.examples(4, language, language, seed=9)
        )
        contexts = [e.context for e in WORLD.examples(6, language, language, seed=5)]
        paragraphs = [{"context": context, "links": [[0, 4]]} for context in contexts]
        write_json(
            folder / "texts" / f"texts.{code}.json.gz",
            {"data": [{"title": "", "paragraphs": paragraphs}]},
        )
    return folder


def job_of(data, out, *rows, **others):
    few = replace(TOY.synthesis, generator=FEW, first=("updates=2", "batch_size=4", "threads=1"))
    scale = replace(TOY, synthesis=few, **others)
    return Reproduction(
        paper=PAPER,
        scale=scale,
        rows=choose_rows(PAPER, scale, rows),
        data=data,
        out=out,
        reader=str(data / "reader"),
        seeds=1,
        translated=data / "translated",
        settings=("updates=2", "batch_size=4"),
    )


def test_the_table_has_the_rows_of_the_paper(data, tmp_path):
    job = job_of(data, tmp_path, "zs", "trans", "synth", "synth-trans", "both")
    check_inputs(job)
    run_units(units_of(job), processes=1, workers=1, watch=lambda items, _, __: items)
    (table,) = tables(job, Settings(resamples=50))
    assert [line.key for line in table.lines] == ["zs", "trans", "synth", "synth-trans", "both"]
    pairs = {}
    for kind in ("source", "translated"):
        folder = tmp_path / "questions" / kind / "seed-1"
        pairs[kind] = {(f.question_language, f.context_language) for f in inside(folder)}
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["job"]["per_paragraph"] == 3
    assert {question for question, _ in pairs["source"]} == {"qaa"}
    assert {text for _, text in pairs["source"]} == {"qaa", "qab", "qac"}
    assert {question for question, _ in pairs["translated"]} == {"qaa", "qab", "qac"}
    started = {
        key: json.loads((tmp_path / "runs" / key / "seed-1" / "run.json").read_text())["reader"]
        for key in job.rows
    }
    first = {kind: str(tmp_path / "first" / kind / "seed-1") for kind in pairs}
    assert started == {
        "zs": job.reader,
        "trans": job.reader,
        "synth": first["source"],
        "synth-trans": first["translated"],
        "both": first["translated"],
    }


def test_the_bleu_of_generators_is_correlated_with_f1(data, tmp_path):
    rows = ("zs", "synth", "synth-trans", "third")
    job = job_of(data, tmp_path, *rows)
    run_units(units_of(job), processes=1, workers=1, watch=lambda items, _, __: items)
    made = tables(job, Settings(resamples=50))
    synth, translated = correlations(job, made, lambda items, _, __: items)
    assert (synth.key, synth.pairs, [*synth.bleu]) == ("synth", 3, ["qaa"])
    assert synth.low is synth.high is None
    assert (translated.key, translated.pairs) == ("synth-trans", 9)
    assert "BLEU" in translated.signature

    line = next(line for line in made[0].lines if line.key == "synth-trans")
    bleu = [translated.bleu[q][c] for q in CODES.values() for c in CODES.values()]
    f1 = [line.cells[q][c].mean for q in CODES.values() for c in CODES.values()]
    assert translated.r == pytest.approx(np.corrcoef(bleu, f1)[0, 1])
    reach = 1.959964 / np.sqrt(9 - 3)
    assert [translated.low, translated.high] == pytest.approx(
        np.tanh(np.arctanh(translated.r) + np.array([-reach, reach]))
    )
    text = markdown(job, made, [], [synth, translated])
    assert f"* `synth-trans`: {translated.r:.2f} ({translated.low:.2f} to" in text


def test_generators_are_made_before_the_rows_and_only_those_that_are_needed(data, tmp_path):
    stages = units_of(job_of(data, tmp_path, "zs", "both", "synth-trans", "third", "one-stage"))
    assert [[unit.key for unit in stage] for stage in stages] == [
        ["questions.translated"],
        ["first.translated", "first.translated_share-0.333"],
        ["zs", "both", "synth-trans", "third", "one-stage"],
    ]
    assert units_of(job_of(data, tmp_path, "zs"))[:2] == [[], []]


def asked_about(folder):
    """Ids of the questions of a folder by language of the text."""
    found = {}
    for file in inside(folder):
        found.setdefault(file.context_language, set()).update(e.id for e in file.load())
    return found


def run_of(folder):
    return json.loads((folder / "seed-1" / "run.json").read_text())


def test_rows_may_use_some_of_the_questions_or_read_them_in_one_stage(data, tmp_path):
    some = {
        "half": Row(name="half", generator="translated", share=0.5),
        "two": Row(name="two", generator="translated", about=("qaa", "qac")),
    }
    job = job_of(data, tmp_path, "one-stage", "half", "two", "words", row=some)
    check_inputs(job)
    run_units(units_of(job), processes=1, workers=1, watch=lambda items, _, __: items)

    every = asked_about(tmp_path / "questions/translated/seed-1")
    half = asked_about(tmp_path / "used/translated_share-0.5/seed-1")
    assert every.keys() == {"qaa", "qab", "qac"}
    assert all(ids <= every[language] for language, ids in half.items())
    assert 0 < sum(map(len, half.values())) < sum(map(len, every.values()))
    two = asked_about(tmp_path / "used/translated_qaa_qac/seed-1")
    assert two == {language: every[language] for language in ("qaa", "qac")}

    first = run_of(tmp_path / "first/translated_qaa_qac")
    used = inside(tmp_path / "used/translated_qaa_qac/seed-1")
    assert first["data"]["labelled"] == [str(file.path) for file in used]
    one = run_of(tmp_path / "runs/one-stage")
    questions = inside(tmp_path / "questions/translated/seed-1")
    assert one["reader"] == job.reader
    assert one["data"]["labelled"] == [str(f.path) for f in questions] + [str(job.train)]
    assert not (tmp_path / "first/translated").exists()
    words = (tmp_path / "generators/words/seed-1/recipe.toml").read_text()
    assert 'language = "words"' in words
    plans = {plan.key: plan for plan in planned(job)}
    assert plans["questions.words"].does.endswith("form.language=words")
    assert plans["questions.words"].is_done and plans["words"].is_done


@pytest.mark.parametrize(
    ("key", "row", "said"),
    [
        ("a", Row(name="a", share=0.5), "row 'a': one_stage, share and about need a generator"),
        ("a", Row(name="a", one_stage=True), "one_stage, share and about need a generator"),
        ("a", Row(name="a", generator="source", in_turn=True), "in_turn and reader do not go"),
        ("a", Row(name="a", generator="source", reader="r"), "in_turn and reader do not go"),
        ("a", Row(name="a", generator="source", about=("xx",)), "unknown language 'xx'"),
        ("first.a", Row(name="a"), "not beginning with questions. or first."),
    ],
)
def test_wrong_rows_are_refused(key, row, said):
    paper = replace(PAPER, scales={"toy": replace(TOY, row={key: row})})
    with pytest.raises(ConfigError, match=said):
        refuse_wrong_keys(paper, paper.scales["toy"], "toy")


def test_a_share_of_nothing_is_told(data, tmp_path):
    row = Row(name="few", generator="source", share=1e-9)
    job = job_of(data, tmp_path, "few", row={"few": row})
    with pytest.raises(DataError, match="few: expected synthetic questions to choose from"):
        run_units(units_of(job), processes=1, workers=1, watch=lambda items, _, __: items)


def test_a_correlation_of_figures_that_are_all_the_same_or_in_a_line():
    line = {("a", c): float(n) / 10 for n, c in enumerate("abcde")}
    other = {pair: 3 * figure / 7 for pair, figure in line.items()}
    assert pearson(line, other) == pytest.approx(1) and pearson(line, other) <= 1
    assert pearson(line, dict.fromkeys(line, 0.5)) is None
    assert interval(1.0, 9) == interval(-1.0, 9) == (None, None)


def test_what_is_missing_is_told_at_once(data, tmp_path):
    with pytest.raises(ConfigError, match=r"need a table \[synthesis\] in the scale"):
        check_inputs(replace(job_of(data, tmp_path), scale=replace(TOY, synthesis=None)))
    nowhere = job_of(data, tmp_path)
    lacking = replace(nowhere.scale, synthesis=replace(TOY.synthesis, texts=("nowhere",)))
    with pytest.raises(DataError, match="nowhere: there is no such file"):
        check_inputs(replace(nowhere, scale=lacking))
    more = replace(nowhere.scale, languages=("qab", "qad"))
    with pytest.raises(DataError, match=r"expected translations with questions in 'qad'"):
        units_of(replace(job_of(data, tmp_path, "synth-trans"), scale=more))


def test_the_paper_scale_names_the_settings_of_the_recipe():
    synthesis = PAPER.scales["paper"].synthesis
    assert "crossing=drawn" in synthesis.generator
    assert [row.published["MLQA"]["G-XLT"] for row in PAPER.rows.values() if row.published] == [
        38.4,
        36.1,
        49.5,
        39.8,
        56.1,
        55.0,
    ]
