"""Word alignment: against loops, its switches, windows that cut, and what is told."""

import copy
import json
import math
from dataclasses import replace

import pytest
import torch

from babelspan.jobs import train as train_job
from babelspan.jobs.align import Job, align
from babelspan.jobs.corpora import Paths
from babelspan.methods import word_alignment
from babelspan.methods.word_alignment import Config
from babelspan.readers import load_checkpoint
from babelspan.training.balance import Balance
from babelspan.training.bitext import linked_pairs
from babelspan.training.journal import LOG
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.stream import Order
from babelspan.training.update import Optim
from babelspan.types import Alignment, ConfigError, DataError, SentencePair
from miniature import miniature_reader

HERE = [f"w{n}" for n in range(12)]
THERE = [f"v{n}" for n in range(12)]
WORDS = [*HERE, *THERE, "-", "."]
OPTIM = Optim(lr=5e-3, weight_decay=0.0)
SMALL = {"batch_size": 4, "updates": 6, "threads": 1, "log_every": 1}


def pair(source, target, *links, language="xx"):
    return SentencePair(source, target, "en", language, Alignment(frozenset(links)))


PAIRS = [
    pair("w0 w1-w2 w3.", "v3 v0 v1-v2", (0, 1), (1, 2), (2, 0)),
    pair("w4 w5 w6", "v4. v5 v6", (0, 0), (1, 1), (2, 2)),
    pair("w7", "v7 v8-v8", (0, 0), (0, 1)),
    pair("w9-w10-w11 w0", "v9", (0, 0)),
    pair("w1 w2", "v3 v4"),
    pair("w3 w5 w8", "v8 v5 v3", (0, 2), (1, 1), (2, 0)),
]


def new_reader(dropout=0.0, **settings):
    return miniature_reader(WORDS, seed=5, dropout=dropout, **settings)


def weights(player):
    return torch.cat([p.detach().flatten() for p in player.parameters()])


def trained(*, reader=None, folder=None, bitext=PAIRS, run_config=None, **config):
    run = Run(config=RunConfig(**{**SMALL, **(run_config or {})}), folder=folder)
    reader = reader or new_reader()
    return word_alignment.train(
        reader, Corpora(bitext=bitext), Config(**{"reader": OPTIM, **config}), run
    )


def lines(folder):
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


def words_by_hand(reader, text, layer, pooling):
    """Vectors of the words of a text, read by itself; words end at spaces and full stops."""
    batch = reader.encoder.texts([text])
    inputs = reader.encoder.inputs(batch)
    hidden = reader.encoder.model(**inputs, output_hidden_states=True).hidden_states[layer][0]
    vectors, at = [], 1
    for word in text.replace(".", " .").split():
        pieces = 2 * word.count("-") + 1
        own = hidden[at : at + pieces]
        if word != ".":
            vectors.append(own[-1] if pooling == "last" else sum(own) / pieces)
        at += pieces
    return vectors


def by_hand(reader, start, pairs, *, layer, pooling, drift):
    """L + drift * R by loops over links, words and numbers, over the sentence pairs."""
    total = 0
    for p in pairs:
        source, target, old_source, old_target = (
            words_by_hand(network, text, layer, pooling)
            for network in (reader, start)
            for text in (p.source, p.target)
        )
        for i, j in p.links.links:
            for a, b in zip(source[i], target[j], strict=True):
                total = total + (a - b) ** 2
        for new, old in zip([*source, *target], [*old_source, *old_target], strict=True):
            for a, b in zip(new, old.detach(), strict=True):
                total = total + drift * (a - b) ** 2
    return total / len(pairs)


@pytest.mark.parametrize(
    ("layer", "pooling", "drift"), [(2, "last", 1.0), (1, "mean", 0.3), (0, "mean", 2.0)]
)
def test_the_objective_equals_loops_over_links_and_words(layer, pooling, drift, tmp_path):
    """Two updates of one batch: R is 0 before the first one and not before the second."""
    settings = {"batch_size": 6, "updates": 2, "log_every": 1}
    config = {"layer": layer, "word": pooling, "drift": drift}
    trained(folder=tmp_path, run_config=settings, **config)
    first, second = lines(tmp_path)

    reader, start = new_reader(), new_reader()
    own = [p for p in reader.encoder.parameters() if p.requires_grad]
    adam = torch.optim.AdamW(own, lr=OPTIM.lr, weight_decay=0.0)
    found = []
    for _ in range(2):
        loss = by_hand(reader, start, PAIRS, layer=layer, pooling=pooling, drift=drift)
        found.append(loss.item())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in own if p.grad is not None], 1.0)
        adam.step()
    assert first["drift"] == pytest.approx(0, abs=1e-9)
    assert first["distance"] == pytest.approx(found[0], rel=1e-4)
    assert second["drift"] > 1e-3
    assert second["distance"] + drift * second["drift"] == pytest.approx(found[1], rel=1e-3)


def test_links_come_together(tmp_path):
    trained(folder=tmp_path, run_config={"updates": 40, "batch_size": 6}, drift=0.1)
    first, *_, last = lines(tmp_path)
    assert last["distance"] < 0.3 * first["distance"]
    assert last["linked_cosine"] > first["linked_cosine"] + 0.2


def test_without_a_weight_only_links_count_and_at_infinity_only_drift(tmp_path):
    for name, drift in (("none", 0.0), ("some", 1.0), ("much", 100.0), ("all", math.inf)):
        (tmp_path / name).mkdir()
        reader = trained(folder=tmp_path / name, run_config={"updates": 20}, drift=drift)
        same = torch.equal(weights(reader), weights(new_reader()))
        assert same == (name == "all")
    none, some, much, everything = (
        lines(tmp_path / name)[-1] for name in ("none", "some", "much", "all")
    )
    assert none["distance"] < some["distance"] < much["distance"] < everything["distance"]
    assert none["drift"] > some["drift"] > much["drift"] > everything["drift"] == 0
    assert none["unrelated_cosine"] > everything["unrelated_cosine"] + 0.1  # it collapses


def test_the_start_does_not_move_and_the_head_neither():
    run = Run(config=RunConfig(**SMALL))
    reader = new_reader()
    head = copy.deepcopy(reader.model.qa_outputs)
    word_alignment.train(reader, Corpora(bitext=PAIRS), Config(reader=OPTIM), run)
    assert torch.equal(weights(run.players["start"]), weights(new_reader().encoder))
    assert not torch.equal(weights(reader.encoder), weights(new_reader().encoder))
    assert torch.equal(weights(reader.model.qa_outputs), weights(head))


def batch_of(pairs, **settings):
    encoder = new_reader(**settings).encoder
    run = Run(config=RunConfig(**{**SMALL, "batch_size": len(pairs)}))
    updates = linked_pairs(encoder, pairs, run).in_order(Order.of(run))
    return next(updates.starting_at(0))[0].batch


def test_a_word_that_the_window_cuts_has_no_vector():
    """46 tokens fit beside [CLS] and [SEP]: 45 words, and the first of three pieces of the next."""
    long = " ".join([*["w1"] * 45, "w2-w3", "w4"])
    links = [(44, 0), (45, 1), (46, 2)]
    batch = batch_of([pair(long, "v1 v2 v3", *links)], max_length=48)
    assert len(batch.source.text) == 45
    assert batch.links.tolist() == [[44, 0]]
    whole = batch_of([pair(long, "v1 v2 v3", *links)], max_length=64)
    assert whole.links.tolist() == [list(link) for link in links]


def test_lines_of_ten_thousand_words_and_empty_ones(tmp_path):
    long = " ".join(["w1 w2"] * 5_000)
    bitext = [
        *PAIRS,
        pair(long, long, (0, 0), (9_999, 9_999)),
        pair("", "v1"),
        pair("w1", ""),
        pair(".", "."),
    ]
    trained(folder=tmp_path, bitext=bitext, run_config={"updates": 8})
    assert all(math.isfinite(line["distance"]) for line in lines(tmp_path))
    with pytest.raises(DataError, match="expected sentence pairs to learn from, found none"):
        trained(bitext=[pair("", "v1")])


def test_pairs_without_any_word_or_link_are_no_trouble():
    reader = trained(bitext=[pair(".", "."), pair("...", "w1")], drift=0.0)
    assert torch.isfinite(weights(reader)).all()


def test_bitext_without_links_is_refused():
    with pytest.raises(DataError, match=r"links in a third column, found none for 'w4 w5 w6'"):
        trained(bitext=[PAIRS[0], replace(PAIRS[1], links=None)])


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match=r"layer must be in \[0, 2\] for this reader, got 7"):
        trained(layer=7)


def test_small_languages_are_repeated():
    """12 pairs of one language and 3 of another: as many of both in an epoch."""
    bitext = [replace(p, target_language="de") for p in PAIRS * 2] + PAIRS[:3]
    run = Run(config=RunConfig(**SMALL))
    stream = linked_pairs(new_reader().encoder, bitext, run, Balance(exponent=0.0))
    languages = [p.target_language for p in stream.items]
    assert (languages.count("de"), languages.count("xx")) == (12, 12)
    assert len(stream.lengths) == 24


class StoppedError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("stop_at", [3, 4])
def test_stopped_and_resumed_equals_not_stopped(stop_at, tmp_path):
    """Also R is: the start is that of the whole run, not of the resumed one."""
    settings = {"save_every": 2, "evaluate_every": 1}

    def run(folder, stops):
        def monitor():
            if stops and made.clock.update == stop_at:
                raise StoppedError
            return {}

        folder.mkdir(exist_ok=True)
        made = Run(config=RunConfig(**SMALL, **settings), folder=folder, monitor=monitor)
        config = Config(reader=OPTIM, balance=Balance(exponent=0.5))
        word_alignment.train(reader, Corpora(bitext=PAIRS), config, made)

    reader = new_reader(dropout=0.1)
    with pytest.raises(StoppedError):
        run(tmp_path / "one", stops=True)
    resumed = reader = new_reader(dropout=0.1)
    run(tmp_path / "one", stops=False)
    reader = new_reader(dropout=0.1)
    run(tmp_path / "other", stops=False)
    assert torch.equal(weights(resumed), weights(reader))
    logs = [
        [{k: v for k, v in line.items() if k != "tokens_per_second"} for line in lines(folder)]
        for folder in (tmp_path / "one", tmp_path / "other")
    ]
    assert logs[0] == logs[1]


def test_from_plain_bitext_by_the_verbs(tmp_path):
    """Aligned, then trained on from the file: the way of the documentation."""
    new_reader().save(tmp_path / "reader")
    plain = tmp_path / "x.en-de.tsv"
    plain.write_text("".join(f"{p.source}\t{p.target}\n" for p in PAIRS * 5))
    linked = tmp_path / "linked.en-de.tsv.gz"
    align(Job(files=(plain,), out=linked, aligner="ibm1", threshold=0.01))
    plan = train_job.plan(
        method="word_alignment",
        reader=str(tmp_path / "reader"),
        data=Paths(bitext=(str(linked),)),
        recipe="faisal2021/word_alignment",
        settings=["run.updates=3", "run.threads=1", "balance.exponent=0.5", "drift=inf"],
    )
    assert plan.method_config.drift == math.inf
    train_job.carry_out(plan, tmp_path / "out")
    assert (tmp_path / "out" / "recipe.toml").read_text().count("exponent = 0.5") == 1
    assert load_checkpoint(str(tmp_path / "out")).encoder.layers == 2
