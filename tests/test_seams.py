"""What comes next fits in: each piece in `tests/seams` is one file that touches nothing else."""

import importlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from babelspan import methods, networks, readers
from babelspan.data.squad import save_squad
from babelspan.jobs import train as train_job
from babelspan.jobs.corpora import Paths
from babelspan.networks import store
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Updater
from babelspan.types import ConfigError, Limits, Passage
from miniature import miniature_reader
from world import World

SEAMS = Path(__file__).parent / "seams"
WORLD = World(0)
EXAMPLES = [*WORLD.examples(12), *WORLD.translations(12, "L1")]
SMALL = {"batch_size": 4, "updates": 4, "threads": 1, "log_every": 1}


@pytest.fixture(autouse=True)
def found(monkeypatch):
    """The folder of the pieces as part of the folders that are the registries."""
    for package in (methods, networks):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(SEAMS)])


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    miniature_reader(WORLD.vocabulary()).save(folder / "reader")
    save_squad(folder / "train.en.json", WORLD.examples(12))
    save_squad(folder / "train.de.json", WORLD.translations(12, "L1"))
    pairs = zip(WORLD.examples(12), WORLD.translations(12, "L1"), strict=True)
    lines = [f"{one.question}\t{other.question}\n" for one, other in pairs]
    (folder / "questions.en-de.tsv").write_text("".join(lines))
    for language, examples in (("en", EXAMPLES[:12]), ("de", EXAMPLES[12:])):
        texts = "".join(f"{example.question}\n" for example in examples)
        (folder / f"questions.{language}.txt").write_text(texts)
    return folder


def carried_out(inputs, out, method, *settings, **kinds):
    plan = train_job.plan(
        method=method,
        reader=kinds.pop("reader", str(inputs / "reader")),
        data=Paths(**{k: tuple(str(inputs / name) for name in v) for k, v in kinds.items()}),
        settings=[*(f"run.{k}={v}" for k, v in SMALL.items()), *settings],
    )
    train_job.carry_out(plan, out)
    return readers.load_checkpoint(str(out))


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.parametrize("path", sorted(SEAMS.glob("*.py")), ids=lambda path: path.stem)
def test_each_piece_is_short(path):
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    assert len(lines) < 60


def test_a_method_may_learn_from_sentence_pairs_only(inputs, tmp_path):
    reader = carried_out(
        inputs, tmp_path, "pulled_together", "run.updates=20", bitext=["questions.en-de.tsv"]
    )
    before = readers.load_checkpoint(str(inputs / "reader"))

    def distance(network):
        one, other = (
            network.encoder.texts([e.question for e in examples])
            for examples in (EXAMPLES[:12], EXAMPLES[12:])
        )
        with torch.no_grad():
            means = [network.encoder(side).mean(dim=1) for side in (one, other)]
        return 1 - torch.cosine_similarity(*means).mean().item()

    assert distance(reader) < 0.5 * distance(before)
    with pytest.raises(ConfigError, match="'pulled_together' needs bitext data, found none"):
        carried_out(inputs, tmp_path / "none", "pulled_together")


def test_a_network_may_have_another_tokenizer_and_no_transformers(inputs, tmp_path):
    """It begins from nothing, learns by any method, is saved, loaded and asked."""
    reader = carried_out(
        inputs,
        tmp_path,
        "language_adversarial",
        reader="new:word_reader,width=12",
        labelled=["train.en.json", "train.de.json"],
    )
    assert (reader.kind, reader.width) == ("word_reader", 12)
    assert not hasattr(reader, "tokenizer")
    example = EXAMPLES[0]
    answer = readers.load_answerer(str(tmp_path))(example.question, example.context)
    assert example.context[answer["start"] : answer["end"]] == answer["answer"] != ""


def test_heads_share_an_encoder(inputs, tmp_path, monkeypatch):
    """The namer's updates move the reader's encoder; a checkpoint holds its weights once."""
    stored = []
    save = Run.save

    def noted(run, meter):
        save(run, meter)
        players = torch.load(run.folder / "checkpoint.pt", weights_only=True)["players"].values()
        stored.append({t.untyped_storage().data_ptr() for p in players for t in p.values()})

    monkeypatch.setattr(Run, "save", noted)
    labelled = ["train.en.json", "train.de.json"]
    texts = ["questions.en.txt", "questions.de.txt"]
    reader = carried_out(inputs, tmp_path / "two", "two_heads", labelled=labelled, passages=texts)
    assert len(stored[-1]) == len(reader.state_dict()) + 2  # the namer's own head
    alone = carried_out(inputs, tmp_path / "alone", "fine_tune", labelled=labelled)
    assert not torch.equal(weights(reader.encoder), weights(alone.encoder))


def test_a_window_may_be_three_parallel_texts(tmp_path):
    """Absent members add nothing; present ones change what is read, not where answers lie."""
    three_texts = importlib.import_module("babelspan.networks.three_texts")
    inner = miniature_reader(WORLD.vocabulary())
    reader = three_texts.ThreeTexts(inner)
    beside = {e.origin: e for e in EXAMPLES[12:]}
    three = three_texts.ThreeTexts(inner, lambda e: (beside[e.id], beside[e.id]))
    plain, absent, present = (
        list(readers.answerer_of(r.eval()).predict(EXAMPLES[:12])) for r in (inner, reader, three)
    )
    assert [p.span for p in absent] == [p.span for p in plain]
    assert [p.logit for p in present] != [p.logit for p in plain]
    assert all(p.span.of(e.context) == p.text for p, e in zip(present, EXAMPLES[:12], strict=True))
    run = Run(config=RunConfig(**SMALL))
    trained = train_job.load_method("fine_tune")
    trained.train(three, Corpora(labelled=EXAMPLES[:12]), trained.Config(), run)
    store.save(three, tmp_path)
    again = store.load(str(tmp_path), limits=Limits(max_length=64, overlap=16))
    assert again.kind == "three_texts"
    assert torch.equal(weights(again), weights(three))


def test_a_critic_takes_steps_on_a_stream_of_its_own(monkeypatch):
    taken = []
    update = Updater._update

    def noted(self):
        taken.append(self.name)
        update(self)

    monkeypatch.setattr(Updater, "_update", noted)
    method = train_job.load_method("critic_first")
    run = Run(config=RunConfig(**SMALL))
    reader = miniature_reader(WORLD.vocabulary())
    method.train(reader, Corpora(labelled=EXAMPLES), method.Config(), run)
    assert taken == [*["discriminator"] * 3, "reader"] * 4


def test_a_kind_of_network_that_is_unknown_is_told(tmp_path):
    (tmp_path / "network.json").write_text('{"kind": "abacus"}')
    with pytest.raises(ConfigError, match="there is no kind of network 'abacus' in this version"):
        readers.load_checkpoint(str(tmp_path))
    with pytest.raises(ConfigError, match="there is no kind of network 'discriminators'"):
        readers.load_checkpoint("new:discriminators")


def test_passages_have_the_language_of_their_file(inputs):
    from babelspan.jobs import corpora

    files = corpora.find(Paths(passages=(str(inputs / "questions.de.txt"),)))["passages"]
    assert next(corpora.passages(files)) == Passage(EXAMPLES[12].question, "de")
    files = corpora.find(Paths(bitext=(str(inputs),)))["bitext"]
    pair = next(corpora.sentence_pairs(files))
    assert (pair.source_language, pair.target_language) == ("en", "de")
    assert pair.source == replace(EXAMPLES[0]).question
