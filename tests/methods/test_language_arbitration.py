"""Language arbitration: against a second implementation, its order, its switches, what is told."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from babelspan.losses.span import span_loss
from babelspan.methods import language_arbitration
from babelspan.methods.language_arbitration import Config
from babelspan.networks.pretrained import PretrainedReader
from babelspan.networks.reader import Reading
from babelspan.training.fit import fit
from babelspan.training.journal import LOG
from babelspan.training.pairs import Pairs, paired
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.stream import Order
from babelspan.training.update import Optim, Updater, schedule
from babelspan.types import Answer, ConfigError, DataError
from miniature import miniature_reader
from world import World

WORLD = World(0)
EXAMPLES = [*WORLD.examples(8), *WORLD.translations(8, "L1"), *WORLD.translations(4, "L2")]
ALL = [
    *EXAMPLES,
    *(e for to in ("L1", "L2") for e in WORLD.translations(4, "L0", to)),
    *(e for to in ("L1", "L2") for e in WORLD.translations(4, to, to)),
]
OPTIM = Optim(lr=5e-3)
SMALL = {"batch_size": 8, "updates": 6, "threads": 1, "log_every": 1}
OFF = {"agreement": 0.0, "similarity": 0.0}


def new_reader(dropout=0.0):
    return miniature_reader(WORLD.vocabulary(), dropout=dropout)


def weights(player):
    return torch.cat([p.detach().flatten() for p in player.parameters()])


def trained(*, dropout=0.0, folder=None, run_config=None, labelled=EXAMPLES, **config):
    run = Run(config=RunConfig(**{**SMALL, **(run_config or {})}), folder=folder)
    reader = new_reader(dropout)
    corpora = Corpora(labelled=labelled)
    return language_arbitration.train(reader, corpora, Config(reader=OPTIM, **config), run)


def log_lines(folder):
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


@pytest.fixture
def calls(monkeypatch):
    """Calls of the updaters: the player's name and the losses' values."""
    made = []
    call = Updater.__call__

    def spied(self, *losses):
        made.append((self.name, [loss.item() for loss in losses]))
        call(self, *losses)

    monkeypatch.setattr(Updater, "__call__", spied)
    return made


def losses_by_hand(reader, batch):
    """Span loss of both, PSA and QS; each question is read by itself, padded like the batch."""
    starts, lasts, vectors = [], [], []
    for window in batch.windows:
        reading = reader(reader.collate([window]))
        starts.append(reading.start_logits[0])
        lasts.append(reading.last_logits[0])
        vectors.append(reading.hidden[0, 1 : 1 + len(window.question_ids)].mean(dim=0))

    def missed(row, start, last):
        return -(F.log_softmax(starts[row], 0)[start] + F.log_softmax(lasts[row], 0)[last]) / 2

    rows = range(len(starts))
    span = sum(missed(row, *batch.answers[row].tolist()) for row in rows) / len(rows)
    agreement = dissimilarity = 0
    for own, other in zip(rows[::2], rows[1::2], strict=True):
        shift = len(batch.windows[other].question_ids) - len(batch.windows[own].question_ids)
        at = batch.windows[own].context_at
        for logits, predicted in ((starts, starts[own]), (lasts, lasts[own])):
            places = [0, *range(at, len(predicted) - 1)]
            token = max(places, key=predicted.tolist().__getitem__)
            token += shift if token else 0
            agreement = agreement - F.log_softmax(logits[other], 0)[token] / 2
        a, b = vectors[own], vectors[other]
        dissimilarity = dissimilarity + 1 - a @ b / (a.norm() * b.norm())
    pairs = len(rows) / 2
    return span, agreement / pairs, dissimilarity / pairs


def in_the_papers_sum(scales):
    """Half of the paper's sum, in which the span losses of both questions are added."""
    return scales[0], scales[1] / 2, scales[2] / 2


def by_hand(scales, steps):
    """Algorithm 2 with PyTorch's own parts on the same batches: the reader's weights."""
    run = Run(config=RunConfig(**SMALL))
    reader = new_reader()
    matrices = [p for p in reader.parameters() if p.ndim > 1]
    rest = [p for p in reader.parameters() if p.ndim == 1]
    groups = [{"params": matrices}, {"params": rest, "weight_decay": 0.0}]
    adam = torch.optim.AdamW(groups, weight_decay=0.01)
    own = [*matrices, *rest]
    updates = paired(reader, EXAMPLES, run).in_order(Order.of(run))
    for number, (share,) in enumerate(updates.starting_at(0)):
        losses = losses_by_hand(reader, share.batch.windows)
        shares = in_the_papers_sum(scales)
        taken = [s * loss for s, loss in zip(shares, losses, strict=True) if s]
        if steps == "joint":
            taken = [sum(taken)]
        for group in adam.param_groups:
            group["lr"] = 5e-3 * schedule(OPTIM, number, 6)
        gradients = [
            torch.autograd.grad(loss, own, retain_graph=True, allow_unused=True) for loss in taken
        ]
        for of_loss in gradients:
            for parameter, gradient in zip(own, of_loss, strict=True):
                parameter.grad = gradient
            nn.utils.clip_grad_norm_(own, 1.0)
            adam.step()
    return weights(reader)


@pytest.mark.parametrize(
    ("scales", "steps"),
    [((1, 1, 1), "separate"), ((1, 0.5, 2), "joint"), ((1, 1, 0), "separate")],
)
def test_equals_the_algorithm_by_hand(scales, steps):
    expected = by_hand(scales, steps)
    found = weights(trained(agreement=scales[1], similarity=scales[2], steps=steps))
    moved = (expected - weights(new_reader())).abs().mean()
    assert moved > 1e-3
    assert (found - expected).abs().mean() < 0.01 * moved


@pytest.mark.parametrize("steps", ["separate", "joint"])
def test_without_weights_it_is_fine_tuning_on_pairs_bit_for_bit(steps):
    """Nothing is drawn, no second step is taken."""

    def fine_tuned():
        run = Run(config=RunConfig(**SMALL))
        reader = new_reader(dropout=0.1)
        update_reader = Updater(reader, OPTIM, run)

        def step(pairs):
            batch = pairs.windows
            reading = reader(batch)
            span = span_loss(reading.start_logits, reading.last_logits, batch.answers)
            update_reader(span)
            return {"span": span}

        fit(step, paired(reader, EXAMPLES, run), run)
        return weights(reader)

    plain = fine_tuned()
    assert torch.equal(weights(trained(dropout=0.1, steps=steps, **OFF)), plain)
    for name in OFF:
        more = {**OFF, name: 1e-3}
        assert not torch.equal(weights(trained(dropout=0.1, steps=steps, **more)), plain)


def test_each_question_is_read_once_beside_its_translation(monkeypatch):
    read = []
    forward = PretrainedReader.forward

    def spied(self, batch):
        read.append([(e.id, e.origin) for e in batch.examples])
        return forward(self, batch)

    monkeypatch.setattr(PretrainedReader, "forward", spied)
    trained()
    assert len(read) == 6
    for examples in read:
        own, translated = examples[::2], examples[1::2]
        assert [identity for identity, _ in own] == [origin for _, origin in translated]
        assert all(origin is None for _, origin in own)


@pytest.mark.parametrize(
    ("config", "losses"),
    [
        ({}, ["span", "agreement", "dissimilarity"]),
        ({"similarity": 0.0}, ["span", "agreement"]),
        ({"agreement": 0.0}, ["span", "dissimilarity"]),
        (OFF, ["span"]),
    ],
)
def test_the_reader_takes_a_step_for_each_loss_in_order(config, losses, calls, tmp_path):
    trained(folder=tmp_path, **config)
    shares = {"span": 1, "agreement": 0.5, "dissimilarity": 0.5}
    expected = [[shares[name] * line[name] for name in losses] for line in log_lines(tmp_path)]
    assert [name for name, _ in calls] == ["reader"] * 6
    assert [values for _, values in calls] == [pytest.approx(values) for values in expected]


def test_joint_takes_one_step_along_the_weighted_sum(calls, tmp_path):
    trained(folder=tmp_path, steps="joint", agreement=0.5, similarity=3.0)
    expected = [
        [line["span"] + 0.5 * line["agreement"] / 2 + 3 * line["dissimilarity"] / 2]
        for line in log_lines(tmp_path)
    ]
    assert calls == [("reader", pytest.approx(values)) for values in expected]


def test_the_ramp_brings_the_weights_in_over_its_part_of_the_run(calls, tmp_path):
    """Half of six updates: thirds, then whole."""
    trained(folder=tmp_path, ramp=0.5, agreement=2.0)
    for line, (_, values), ramp in zip(
        log_lines(tmp_path), calls, [1 / 3, 2 / 3, 1, 1, 1, 1], strict=True
    ):
        expected = [line["span"], ramp * line["agreement"], ramp * line["dissimilarity"] / 2]
        assert values == pytest.approx(expected)


def test_what_is_logged(tmp_path):
    trained(folder=tmp_path)
    assert set(log_lines(tmp_path)[0]) == {
        "stage",
        "update",
        "span",
        "agreement",
        "dissimilarity",
        "tokens_per_second",
        "reader_lr",
        "reader_gradient_norm",
        "reader_gradient_norm_2",
        "reader_gradient_norm_3",
    }


def best_spans(question, tokens):
    """What a translation is told where its own question has the best logits at two tokens."""
    reader = miniature_reader([f"w{n}" for n in range(60)], max_length=64, overlap=0)
    own, other = WORLD.examples(1)[0], WORLD.translations(1, "L1")[0]
    context = " ".join(f"w{n}" for n in range(40))
    pair = [
        replace(e, question=q, context=context) for e, q in ((own, "w1 w2 w3"), (other, question))
    ]
    batch = reader.collate(next(iter(reader.together(pair))))
    logits = torch.zeros(2, 2, batch.input_ids.shape[1])
    for number, token in enumerate(tokens):
        logits[number, 0, token] = 1.0
        logits[number, 0, 2] = 9.0  # a question token starts no answer, whatever its logit
        logits[number, 1, 2] = 5.0  # what the translation finds best does not matter
    reading = Reading(logits[0], logits[1], None, None)
    return Pairs(batch).best_spans(reading).tolist()


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ((5, 8), [7, 10]),  # context tokens move by the two words that the question has more
        ((0, 0), [0, 0]),  # "not in this window" stays
        ((5, 44), [7, 46]),  # the last token of the context
    ],
)
def test_the_best_tokens_are_told_in_the_places_of_the_translation(tokens, expected):
    assert best_spans("w1 w2 w3 w4 w5", tokens) == [expected]


def test_a_long_translation_is_told_of_what_both_windows_hold():
    """With 28 words of question 33 of the 40 context tokens are left: 0 to 32, in both windows."""
    long = " ".join(["w1"] * 28)
    assert best_spans(long, (5 + 32, 5)) == [[30 + 32, 30]]


def test_a_perfect_reader_has_nothing_to_agree_on():
    """100 places of an answer, logits on gold: PSA is told the gold span in every window."""
    words = ["w", "a", "?"]
    reader = miniature_reader(words, max_length=64, overlap=16)
    run = Run(config=RunConfig(**SMALL))
    for place in range(0, 100, 7):
        context = " ".join("a" if i == place else "w" for i in range(100))
        own, other = (
            replace(
                WORLD.examples(1)[0],
                id=i,
                question=q,
                origin=o,
                context=context,
                answers=(Answer("a", 2 * place),),
                question_language=i,
            )
            for q, i, o in (("w ?", "x", None), ("w " * 28 + "?", "y", "x"))
        )
        windows = [window for row in paired(reader, [own, other], run).items for window in row]
        batch = reader.collate(windows)
        shape = batch.input_ids.shape
        starts, lasts = (F.one_hot(batch.answers[:, n], shape[1]).float() for n in (0, 1))
        told = Pairs(batch).best_spans(Reading(starts, lasts, None, None))
        assert told.tolist() == batch.answers[1::2].tolist()


def test_no_gradient_reaches_the_own_question_by_way_of_agreement():
    run = Run(config=RunConfig(**SMALL))
    reader = new_reader()
    (share,) = next(paired(reader, EXAMPLES, run).in_order(Order.of(run)).starting_at(0))
    reading = reader(share.batch.windows)
    told = share.batch.best_spans(reading)
    assert not told.requires_grad
    loss = span_loss(reading.start_logits[1::2], reading.last_logits[1::2], told)
    (gradient,) = torch.autograd.grad(loss, reading.start_logits, retain_graph=True)
    assert (gradient[0::2] == 0).all()
    assert (gradient[1::2] != 0).any()


def test_it_brings_answers_and_questions_together(tmp_path):
    """The last lines of two logs on the same batches: with PSA and QS, and watched only."""
    found = {}
    for name, config in (("on", {}), ("off", OFF)):
        (tmp_path / name).mkdir()
        trained(folder=tmp_path / name, run_config={"updates": 20, "log_every": 5}, **config)
        found[name] = log_lines(tmp_path / name)[-1]
    assert found["on"]["agreement"] < 0.7 * found["off"]["agreement"]
    assert found["on"]["dissimilarity"] < 0.2 * found["off"]["dissimilarity"]


def test_missing_partners_are_named():
    with pytest.raises(DataError, match=r"^7 translations .*: 0-1-L1-L0, "):
        trained(labelled=[EXAMPLES[0], *WORLD.translations(8, "L1")])


def test_questions_over_the_wrong_text_are_refused():
    with pytest.raises(ConfigError, match=r"^expected negatives = 0, got 0\.2"):
        trained(run_config={"negatives": 0.2})
