"""Articles from file to figures: learnt, predicted with bytes, scored; stopped and resumed."""

import json
import sys

import pytest
import regex
import torch
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

from articles import record_of, write_records
from babelspan.cli import predict as predict_verb
from babelspan.cli import score as score_verb
from babelspan.data.folder import describe
from babelspan.data.tydi_articles import stream_articles
from babelspan.data.tydiqa import load_primary_golds, load_primary_predictions
from babelspan.export.onnx import export
from babelspan.jobs import predict_articles as job
from babelspan.jobs import train as train_job
from babelspan.jobs.corpora import Paths
from babelspan.jobs.predict_articles import PassageReaderSpec, predict_articles
from babelspan.jobs.shards import Crew
from babelspan.networks import store
from babelspan.networks.passage_reader import PassageReader
from babelspan.networks.pretrained import PretrainedReader
from babelspan.readers import load_checkpoint
from babelspan.types import ConfigError, DataError, Limits
from house_rules import ROOT
from miniature import miniature_reader

sys.path.append(str(ROOT / "experiments"))

import tydi_primary

WORDS = [f"w{i}" for i in range(30)]
PIECES = r"[\p{Han}\p{Hiragana}\p{Katakana}]|\w+|[^\w\s]"
SETS = [*(f"tydiqa/train.{code}" for code in ("sw", "id", "ko", "en")), "jaquad/train.ja"]


class StoppedError(Exception):
    """Stands for a kill."""


def stopped_after(answers):
    def watch(items, _, total):
        for number, item in enumerate(items, start=1):
            yield item
            if number == answers:
                raise StoppedError

    return Crew(watch=watch)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A reader with random weights, in a folder."""
    folder = tmp_path_factory.mktemp("readers") / "reader"
    limits = Limits(max_length=48, overlap=8)
    network = miniature_reader([*WORDS, "é", "?"])
    inner = PretrainedReader(network.model, network.tokenizer, limits=limits)
    store.save(PassageReader(inner, seed=3), folder)
    return str(folder)


@pytest.fixture
def articles(tmp_path):
    """Ten articles, one without passages, one with an empty one."""
    records = [
        record_of(
            number,
            f"w{number} ?",
            [" ".join([*WORDS[number:], "é", *WORDS[:number]]) for _ in range(1 + number % 4)],
            language="thai",
        )
        for number in range(9)
    ]
    records[4]["passage_answer_candidates"] = []
    records[5]["passage_answer_candidates"].insert(
        0, {"plaintext_start_byte": 0, "plaintext_end_byte": 0}
    )
    return write_records(tmp_path / "articles.jsonl.gz", [*records, record_of(-9, "w1 ?", [])])


def test_stopped_and_resumed_gives_the_same_bytes(reader, articles, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "ARTICLES_IN_A_SHARD", 3)
    spec = PassageReaderSpec(reader=reader)
    whole, stopped = tmp_path / "whole.jsonl", tmp_path / "stopped.jsonl"
    assert predict_articles(spec, articles, whole) == 10
    with pytest.raises(StoppedError):
        predict_articles(spec, articles, stopped, crew=stopped_after(4))
    assert not stopped.exists()
    records = sorted((tmp_path / "stopped.jsonl.unfinished" / "shards").glob("*.json"))
    assert [path.name for path in records] == ["00000.json", "00001.json"]
    kept = {path: path.stat().st_mtime_ns for path in records}

    seen = {}

    def watch(items, _, total):
        made = sum(1 for _ in items)
        seen.update({path: path.stat().st_mtime_ns for path in records}, total=total, made=made)
        return ()

    predict_articles(spec, articles, stopped, crew=Crew(watch=watch))
    assert seen == {**kept, "total": 4, "made": 4}
    assert stopped.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "stopped.jsonl.unfinished").exists()


def test_places_are_characters_of_the_chosen_passage(reader, articles, tmp_path):
    out = tmp_path / "p.jsonl.gz"
    predict_articles(PassageReaderSpec(reader=reader), articles, out)
    said = {p.id: p.answers[0] for p in load_primary_predictions(out)}
    asked = list(stream_articles(articles))
    assert list(said) == [article.id for article in asked]
    for article in asked:
        answer = said[article.id]
        if not article.passages:
            assert (answer.passage, answer.place, answer.yes_no) == (None, None, None)
            continue
        passage = article.passages[answer.passage].of(article.text)
        if answer.yes_no is None:
            start, end = answer.place
            assert article.text.encode()[start:end].decode() in passage


def test_a_job_over_other_articles_or_options_is_refused(reader, articles, tmp_path, monkeypatch):
    out = tmp_path / "p.jsonl"
    monkeypatch.setattr(job, "ARTICLES_IN_A_SHARD", 3)
    spec = PassageReaderSpec(reader=reader)
    with pytest.raises(StoppedError):
        predict_articles(spec, articles, out, crew=stopped_after(3))
    other = write_records(tmp_path / "other.jsonl", [record_of(1, "w1 ?", ["w2"])])
    with pytest.raises(ConfigError, match="holds a job that differs in data"):
        predict_articles(spec, other, out)
    with pytest.raises(ConfigError, match="this is an input file"):
        predict_articles(spec, other, other)
    with pytest.raises(ConfigError, match="--no-answer has no effect on articles"):
        predict_verb.command(reader, other, out=out, no_answer=True)
    twice = write_records(tmp_path / "t.jsonl", [record_of(1, "w1 ?", ["w2"])] * 2)
    with pytest.raises(DataError, match="the id 1 comes twice"):
        predict_articles(spec, twice, tmp_path / "t.out")
    long = write_records(tmp_path / "l.jsonl", [record_of(1, "w1 " * 200, ["w2"])])
    with pytest.raises(DataError, match="question '1' has 200 tokens"):
        predict_articles(spec, long, tmp_path / "l.out")


def test_readers_that_select_no_passages_are_refused(articles, tmp_path):
    miniature_reader(WORDS).save(tmp_path / "plain")
    for name, found in (("default", "an exported reader"), (str(tmp_path / "plain"), "pretrained")):
        with pytest.raises(ConfigError, match="need a reader that selects passages") as raised:
            predict_articles(PassageReaderSpec(reader=name), articles, tmp_path / "p.jsonl")
        assert found in str(raised.value)


def test_an_exported_reader_answers_as_its_checkpoint_does(reader, articles, tmp_path):
    exported = tmp_path / "exported"
    export(load_checkpoint(reader), exported)
    said = []
    for name in (reader, str(exported)):
        out = tmp_path / f"{len(said)}.jsonl"
        assert predict_articles(PassageReaderSpec(reader=name, threads=1), articles, out) == 10
        said.append([p.answers[0] for p in load_primary_predictions(out)])
    for ours, theirs in zip(*said, strict=True):
        assert (ours.passage, ours.place, ours.yes_no) == (
            theirs.passage,
            theirs.place,
            theirs.yes_no,
        )
        assert ours.passage_score == pytest.approx(theirs.passage_score, abs=1e-4)
        assert ours.minimal_score == pytest.approx(theirs.minimal_score, abs=1e-4)
    assert len({answer.passage_score for answer in said[1]}) > 5  # not all alike


def test_an_export_in_8_bits_gives_nearly_the_scores_of_its_checkpoint(reader, articles, tmp_path):
    exported = tmp_path / "exported"
    export(load_checkpoint(reader), exported, int8=True)
    scores = []
    for name in (reader, str(exported)):
        out = tmp_path / f"{len(scores)}.jsonl"
        predict_articles(PassageReaderSpec(reader=name, threads=1), articles, out)
        scores.append([p.answers[0].passage_score for p in load_primary_predictions(out)])
    assert scores[1] != scores[0]
    assert scores[1] == pytest.approx(scores[0], abs=0.1)


def short(examples):
    """Examples with short contexts whose answers begin and end where pieces do."""
    for example in examples:
        answer = example.answers[0]
        edges = {edge for m in regex.finditer(PIECES, example.context) for edge in m.span()}
        if len(example.context) < 260 and {answer.span.start, answer.span.end} <= edges:
            yield example


@pytest.fixture(scope="module")
def real(real_data, tmp_path_factory):
    """Small articles of real contexts in five languages."""
    folder = tmp_path_factory.mktemp("real")
    records = []
    for number, name in enumerate(SETS):
        examples = list(short(describe(real_data / f"qa/{name}.json.gz").examples()))[:60]
        made = tydi_primary.records(examples, seed=7, count=4, most=6, first_id=100 * number)
        records += made
    return write_records(folder / "real.jsonl.gz", records)


@pytest.fixture(scope="module")
def learnt(real, tmp_path_factory):
    """A miniature that has learnt the real articles by a training job, in a folder."""
    texts = [text for a in stream_articles(real) for text in (a.text, a.question)]
    words = sorted({m[0] for text in texts for m in regex.finditer(PIECES, text)})
    network = miniature_reader(words, positions=128)
    network.tokenizer.backend_tokenizer.pre_tokenizer = Split(Regex(PIECES), "removed", True)
    folder = tmp_path_factory.mktemp("learnt")
    network.save(folder / "untrained")
    settings = ["run.updates=180", "run.batch_size=16", "run.threads=1", "run.max_length=128"]
    plan = train_job.plan(
        method="passage_selection",
        reader=str(folder / "untrained"),
        data=Paths(articles=(str(real.parent),)),
        settings=[*settings, "method.nulls=1.0", "method.reader.lr=4e-3"],
    )
    train_job.carry_out(plan, folder / "trained")
    return folder / "trained"


def best_f1(pairs):
    """The best F1 over thresholds in plain loops: pairs of (score, F1 of the answer, has gold)."""
    golds = sum(has_gold for _, _, has_gold in pairs)
    best = 0.0
    for threshold in {score for score, _, _ in pairs}:
        counted = [f1 for score, f1, _ in pairs if score >= threshold]
        precision, recall = sum(counted) / len(counted), sum(counted) / golds
        if precision + recall:
            best = max(best, 2 * precision * recall / (precision + recall))
    return best


def byte_f1(said, gold):
    if said.yes_no or gold.yes_no:
        return float(said.yes_no == gold.yes_no)
    if gold.place is None:
        return 0.0
    ours, theirs = (set(range(*a.place)) for a in (said, gold))
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))


@pytest.mark.data
def test_real_articles_are_learnt_predicted_and_scored(real, learnt, tmp_path, capsys):
    out, figures = tmp_path / "said.jsonl", tmp_path / "figures.json"
    torch.set_num_threads(1)
    predict_verb.command(str(learnt), real, out=out)
    assert "wrote 20 answers" in capsys.readouterr().out
    score_verb.command(real, out, scorer="tydi-primary", out=figures)
    found = json.loads(figures.read_text())
    assert found["missing"] == found["unexpected"] == 0
    assert found["avg_passage_f1"] >= 0.95
    assert found["avg_minimal_f1"] >= 0.9

    said = {p.id: p.answers[0] for p in load_primary_predictions(out)}
    for language, ours in found["languages"].items():
        golds = [(q.id, q.answers[0]) for q in load_primary_golds(real) if q.language == language]
        passages = [
            (said[i].passage_score, float(said[i].passage == g.passage), g.passage is not None)
            for i, g in golds
        ]
        minimals = [
            (said[i].minimal_score, byte_f1(said[i], g), g.passage is not None) for i, g in golds
        ]
        assert ours["passage-best-threshold-f1"] == pytest.approx(best_f1(passages))
        assert ours["minimal-best-threshold-f1"] == pytest.approx(best_f1(minimals))


@pytest.mark.data
def test_baselines_choose_passages(real, tmp_path):
    tydi_primary.baselines(real, tmp_path, reader="default")
    asked = {a.id: a for a in stream_articles(real)}
    for name in ("first", "words", "spans"):
        said = load_primary_predictions(tmp_path / f"{name}.jsonl")
        assert [p.id for p in said] == list(asked)
        for answer in said:
            article, given = asked[answer.id], answer.answers[0]
            if name == "first":
                assert given.passage == 0
            if name == "spans" and given.passage is not None:
                place = article.passages[given.passage]
                begins = len(article.text.encode()[: given.place[0]].decode())
                assert place.start <= begins < place.end


@pytest.mark.data
def test_made_articles_hold_their_answers(real):
    kinds = set()
    for article in stream_articles(real):
        answer = article.answers[0]
        kinds.add((answer.passage is None, answer.span is None, answer.yes_no))
        if answer.passage is not None:
            passage = article.passages[answer.passage]
            assert answer.span is None or passage.start <= answer.span.start
            assert answer.span is None or answer.span.end <= passage.end
    assert (False, False, None) in kinds
    assert (True, True, None) in kinds
