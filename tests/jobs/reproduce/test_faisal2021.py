"""faisal2021: published figures agree with their means; rows made, measured, resumed."""

import gzip
import json
import shutil
import sys
from dataclasses import replace
from statistics import mean

import pytest
from typer.testing import CliRunner

from articles import record_of, write_records
from babelspan.cli.main import app
from babelspan.data.tydi_articles import stream_articles
from babelspan.data.tydiqa import load_primary_golds, load_primary_predictions
from babelspan.jobs.reproduce.papers import load_paper as load_other_paper
from babelspan.jobs.reproduce.primary import work
from babelspan.jobs.reproduce.primary.papers import choose_rows, choose_scale, load_paper, papers
from babelspan.jobs.reproduce.primary.work import Reproduction, check_inputs
from babelspan.scoring.tydi_primary import primary_figures
from babelspan.types import ConfigError, DataError
from house_rules import ROOT
from miniature import miniature_reader

sys.path.append(str(ROOT / "experiments"))

import toy_articles

from world import World

PAPER = load_paper("faisal2021")
SIZES = toy_articles.Sizes(train=12, held_out=6, bitext=20)
QUICK = ["method.reader.lr=1e-3", "updates=2", "batch_size=4", "max_length=96", "threads=1"]


def run(*arguments):
    """What the command line prints, or the error that it ends with."""
    result = CliRunner().invoke(app, ["reproduce", "faisal2021", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("key", "encoder", "split", "task", "figures"),
    [
        (key, encoder, split, task, figures)
        for key, row in PAPER.rows.items()
        for encoder, of_encoder in row.published.items()
        for split, of_split in of_encoder.items()
        for task, figures in of_split.items()
        if split in ("test", "dev")
    ],
)
def test_published_figures_agree_with_their_means(key, encoder, split, task, figures):
    for name, pairs in (
        ("en-xx", ["en-ar", "en-bn", "en-sw", "en-ko"]),
        ("xx-en", ["ar-en", "bn-en", "sw-en", "ko-en"]),
    ):
        assert mean(figures[pair] for pair in pairs) == pytest.approx(figures[name], abs=0.051)


def test_all_rows_of_the_tables_are_there():
    def rows_with(encoder, split):
        return {k for k, row in PAPER.rows.items() if split in row.published.get(encoder, {})}

    both = {"mono", "aug", "tydi-l", "111-s", "111-l"}
    assert (
        rows_with("mbert", "test") == rows_with("mbert", "dev") == {*both, "cao-high", "zhao-low"}
    )
    assert (
        rows_with("mbert", "asr") == rows_with("mbert", "gold") == {*both, "cao-high", "zhao-low"}
    )
    assert rows_with("xlmr", "dev") == rows_with("xlmr", "asr") == {*both, "zhao-low-high"}
    assert rows_with("xlmr", "test") == {*both, "zhao-low-high", "tydi-s", "tydi-m"}
    assert PAPER.rows["111-s"].published_right["xlmr"]["en-sw"] == (221, 18, 15, 93)
    assert len(set(PAPER.scales["paper"].many)) == 111


@pytest.mark.parametrize("name", PAPER.scales)
def test_every_row_of_a_scale_can_be_planned(name):
    from babelspan.jobs import train

    scale = PAPER.scales[name]
    rows = choose_rows(PAPER, scale, ())
    assert scale.against in rows
    train.resolve("word_alignment", settings=scale.align)
    train.resolve("passage_selection", settings=scale.settings)


def test_links_of_the_toy_bitext_are_words_with_their_translations():
    world = World(0)
    for language, code in list(toy_articles.CODES.items())[1:]:
        forms = world.dictionary(language, "L0")
        (line,) = toy_articles.linked(world, language, 1)
        one, other, links = line.rstrip("\n").split("\t")
        ours, theirs = (
            [s.of(text) for s in toy_articles.words(text, "und")] for text in (one, other)
        )
        assert len(links.split()) >= 2, code
        for i, j in (map(int, link.split("-")) for link in links.split()):
            assert forms[theirs[j]] == ours[i]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A small toy world with an untrained reader."""
    folder = tmp_path_factory.mktemp("toy")
    toy_articles.make(folder, sizes=SIZES)
    world = World(0, shared_names=toy_articles.SHARED_NAMES)
    miniature_reader(world.vocabulary()).save(folder / "reader")
    return folder


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    """Two rows of the toy scale with one other language, two updates each."""
    out = tmp_path_factory.mktemp("made")
    text = toy_scale(data)
    rows = ["--rows", "aug,tydi-s", "--seeds", "1"]
    return out, run("--scale", text, "--data", data, "--out", out, *rows), rows, text


def toy_scale(data):
    """The toy scale with two updates of each stage, as a file of a user's own."""
    source = (ROOT / "src/babelspan/jobs/reproduce/primary/faisal2021.toml").read_text()
    lines, inside = [], False
    for line in source.splitlines():
        if line.startswith("["):
            inside = line.startswith(("[scales.toy", "[[scales.toy"))
        if inside:
            lines.append(line.replace("scales.toy.", "").replace("[scales.toy]", ""))
    text = (
        "\n".join(lines).replace("updates=1500", "updates=2").replace("save_every=500", "updates=2")
    )
    text = text.replace('languages = ["qab", "qac"]', 'languages = ["qab"]')
    path = data / "toy.toml"
    path.write_text(text.replace('"epochs=1", ', ""))
    return path


def test_every_row_is_measured_on_every_pair_with_its_difference(made):
    out, shown, *_ = made
    record = json.loads((out / "table.json").read_text())
    pairs = ["qaa-qab", "qab-qaa"]
    assert list(record["tables"]) == ["test", "dev", "gold", "asr"]
    for split in ("test", "dev"):
        assert list(record["tables"][split]) == ["aug", "tydi-s"]
        assert list(record["tables"][split]["tydi-s"]["minimal"]) == [*pairs, "qaa-xx", "xx-qaa"]
    assert list(record["tables"]["asr"]["aug"]["passage"]) == ["qaa-qab"]
    assert record["tables"]["test"]["aug"]["passage"]["qaa-xx"]["difference"] == 0.0
    for seed in (1,):
        for key in ("aug", "tydi-s"):
            assert (out / "answers" / key / f"seed-{seed}" / "asr.qaa-qab.jsonl").exists()
    assert "### test: F1 of the passage answer by pair, question first" in shown
    assert "qaa-xx minus aug (95 %), p" in shown
    assert (out / "table.md").read_text() == shown


def test_figures_are_those_of_the_scorer(made, data):
    out, *_ = made
    record = json.loads((out / "table.json").read_text())
    golds = load_primary_golds(data / "articles" / "test.qaa-qab.jsonl.gz")
    expected = []
    for seed in (1,):
        path = out / "answers" / "tydi-s" / f"seed-{seed}" / "test.qaa-qab.jsonl"
        said = load_primary_predictions(path)
        as_thai = [
            [q.__class__(id=q.id, language="thai", answers=q.answers) for q in some]
            for some in (golds, said)
        ]
        expected.append(primary_figures(*as_thai).languages["thai"]["passage-best-threshold-f1"])
    found = record["tables"]["test"]["tydi-s"]["passage"]["qaa-qab"]["a"]
    assert found == pytest.approx(mean(expected))


def test_rows_learn_from_their_sets_and_their_bitext(made, data):
    out, *_ = made
    scale = choose_scale(PAPER, str(toy_scale(data)))
    job = Reproduction(
        paper=PAPER, scale=scale, rows=PAPER.rows, data=data, out=out, reader="", seeds=1
    )

    def names(row):
        return [path.name.split(".")[1] for path in job.learns_from(PAPER.rows[row])]

    assert names("mono") == ["qaa", "qab"]
    assert names("aug") == ["qaa", "qab", "qaa-qab", "qab-qaa"]
    assert [p.name for p in job.bitext_of(PAPER.rows["tydi-s"])] == ["world.qaa-qab.tsv.gz"]
    assert len(job.bitext_of(PAPER.rows["111-s"])) == 3
    assert job.bitext_of(PAPER.rows["aug"]) == []
    learnt = json.loads((out / "runs" / "aug" / "seed-1" / "run.json").read_text())
    assert len(learnt["data"]["articles"]) == 4
    aligned = json.loads((out / "aligned" / "tydi-s" / "seed-1" / "run.json").read_text())
    assert "most = 300" in aligned["recipe"]
    assert not (out / "aligned" / "aug").exists()


def test_what_is_there_is_not_made_again(made, data):
    out, shown, rows, scale = made
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*.jsonl")}
    answer = out / "answers" / "tydi-s" / "seed-1" / "test.qab.jsonl"
    kept = answer.read_bytes()
    answer.unlink()
    before.pop(answer)
    assert run("--scale", scale, "--data", data, "--out", out, *rows) == shown
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert answer.read_bytes() == kept


def test_sets_are_cut_and_translated_where_there_are_none(data, tmp_path, monkeypatch):
    """From official files to sets, with a dictionary as the translator."""
    for name, seed in (("train", 1), ("test", 2)):
        records = [
            record_of(number, "Who?", [f"{seed} {number} {code}", "two"], passage=1, language=code)
            for number in range(40)
            for code in ("english", "korean")
        ]
        for at, record in enumerate(records):
            record["example_id"] = at
        write_records(tmp_path / f"{name}.jsonl.gz", records)
    (tmp_path / "en-ko.tsv").write_text("who\tnugu\n")
    scale = tmp_path / "own.toml"
    scale.write_text(
        'about = "own"\nreader = "reader"\nbeside = "mbert"\nsource = "en"\nlanguages = ["ko"]\n'
        'train = ["train.jsonl.gz"]\ntest = ["test.jsonl.gz"]\ndev = 0.3\nbitext = "."\n'
        'translator = "lexicon:{data}/en-ko.tsv"\nrows = ["mono"]\nagainst = "mono"\n'
        f"settings = {json.dumps(QUICK)}\n"
    )
    shutil.copytree(data / "reader", tmp_path / "reader")
    monkeypatch.setattr(work, "predict_articles", lambda *_, **__: None)
    monkeypatch.setattr(work, "_train", lambda job, *_: tmp_path / "reader")
    paper = load_paper("faisal2021")
    chosen = choose_scale(paper, str(scale))
    job = Reproduction(
        paper=paper,
        scale=chosen,
        rows=choose_rows(paper, chosen, ()),
        data=tmp_path,
        out=tmp_path / "out",
        reader=str(tmp_path / "reader"),
        seeds=1,
    )
    check_inputs(job)
    work.carry_out(job)
    asked = [a.question for a in stream_articles(job.set_of("train", "ko-en"))]
    assert set(asked) == {"Nugu?"}
    sizes = {
        split: len([*stream_articles(job.set_of(split, "en-ko"))]) for split in ("train", "dev")
    }
    assert sizes["train"] + sizes["dev"] == 40
    assert min(sizes.values()) >= 4
    assert len([*stream_articles(job.set_of("test", "en"))]) == 40


@pytest.fixture
def changed(data, tmp_path):
    """A job on data of its own, with an aligner; a test may change them."""
    for name in ("articles", "bitext", "spoken", "reader"):
        shutil.copytree(data / name, tmp_path / name)
    scale = replace(choose_scale(PAPER, str(toy_scale(data))), aligner="ibm1")
    return Reproduction(
        paper=PAPER, scale=scale, rows={}, data=tmp_path, out=tmp_path / "out", reader="", seeds=1
    )


def asked(job, version):
    return [article.question for article in stream_articles(job.version_of(version))]


def test_versions_are_written_again_for_other_questions_or_articles(changed):
    gold, asr = changed.versions
    table = changed.data / gold.questions
    work.carry_out(changed)
    first = asked(changed, gold)
    times = [changed.version_of(v).stat().st_mtime_ns for v in (gold, asr)]
    work.carry_out(changed)
    assert [changed.version_of(v).stat().st_mtime_ns for v in (gold, asr)] == times
    head, *lines = table.read_text().splitlines()
    table.write_text("\n".join([head, *(f"{line} indeed" for line in lines)]))
    work.carry_out(changed)
    assert asked(changed, asr)[0].endswith(" indeed") and asked(changed, gold) == first
    table.write_text("\n".join([head, *lines[:3]]))
    work.carry_out(changed)
    assert [len(asked(changed, v)) for v in (gold, asr)] == [3, 3]
    articles = changed.set_of("test", gold.context)
    records = [json.loads(line) for line in gzip.decompress(articles.read_bytes()).splitlines()]
    write_records(articles, records[1:])
    work.carry_out(changed)
    assert [len(asked(changed, v)) for v in (gold, asr)] == [2, 2]


def test_words_are_linked_again_by_another_aligner_and_for_other_bitext(changed):
    (path,) = changed.bitext["qab"]
    by_counts = work._linked(changed, path).read_bytes()
    assert work._linked(changed, path).read_bytes() == by_counts
    aligner = "awesome:{data}/reader"
    by_vectors = replace(changed, scale=replace(changed.scale, aligner=aligner))
    fresh = replace(by_vectors, out=changed.out / "fresh")
    links = work._linked(by_vectors, path).read_bytes()
    assert links == work._linked(fresh, path).read_bytes() != by_counts
    time = work._linked(by_vectors, path).stat().st_mtime_ns
    assert work._linked(by_vectors, path).stat().st_mtime_ns == time
    shorter = gzip.decompress(path.read_bytes()).splitlines(keepends=True)[1:]
    path.write_bytes(gzip.compress(b"".join(shorter)))
    again = gzip.decompress(work._linked(by_vectors, path).read_bytes())
    assert len(again.splitlines()) == len(shorter)


def test_what_an_interrupted_change_left_is_not_taken_for_what_was_there(changed, monkeypatch):
    """Other links are written, but not yet their record; then the first aligner is wanted again."""
    (path,) = changed.bitext["qab"]
    by_counts = work._linked(changed, path).read_bytes()
    aligner = "awesome:{data}/reader"
    by_vectors = replace(changed, scale=replace(changed.scale, aligner=aligner))
    with monkeypatch.context() as patch:
        patch.setattr(work, "write_json", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            work._linked(by_vectors, path)
    assert work._linked(changed, path).read_bytes() == by_counts


def test_what_is_missing_is_told_before_anything_is_made(data, tmp_path):
    toy = ["--scale", toy_scale(data), "--data", data, "--out", tmp_path / "out"]
    with pytest.raises(ConfigError, match="unknown row 'tydi-x'"):
        run(*toy, "--rows", "tydi-x")
    with pytest.raises(ConfigError, match="'cao-high' needs the reader 'cao-high'"):
        run(*toy, "--rows", "cao-high")
    with pytest.raises(ConfigError, match="--equal has no effect"):
        run(*toy, "--equal", "updates")
    with pytest.raises(ConfigError, match="no setting of the seed"):
        run(*toy, "--set", "seed=3")
    with pytest.raises(ConfigError, match="unknown scale 'medium'"):
        run("--scale", "medium")
    with pytest.raises(DataError, match="expected a file of the scale"):
        run("--scale", toy_scale(data), "--data", tmp_path, "--out", tmp_path / "out")
    shutil.copytree(data / "articles", tmp_path / "articles")
    with pytest.raises(DataError, match=r"expected bitext of 'qaa' .* with qab"):
        run("--scale", toy_scale(data), "--data", tmp_path, "--out", tmp_path / "out")
    with pytest.raises(ConfigError, match="give a translator with --translator"):
        run("--scale", "paper", "--data", tmp_path, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_papers_of_both_kinds_are_told_apart():
    assert papers() == ["faisal2021"]
    with pytest.raises(ConfigError, match="unknown paper"):
        load_other_paper("faisal2021")
    for wrong, told in (("faisal2012", "did you mean 'faisal2021'"), ("x", "bornea2021, faisal20")):
        error = CliRunner().invoke(app, ["reproduce", wrong]).exception
        assert isinstance(error, ConfigError)
        assert told in str(error)
