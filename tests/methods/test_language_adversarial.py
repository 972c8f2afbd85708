"""Language-adversarial training: against a second implementation, its order, switch and log."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from babelspan.methods import fine_tune, language_adversarial
from babelspan.networks.discriminators import LanguageDiscriminator
from babelspan.training.examples import labelled
from babelspan.training.journal import LOG
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.stream import Order
from babelspan.training.update import Optim, Updater, schedule
from babelspan.types import Answer, DataError
from miniature import miniature_reader
from world import World

WORLD = World(0)
EXAMPLES = [*WORLD.examples(8), *WORLD.translations(8, "L1"), *WORLD.translations(4, "L2")]
OPTIM = Optim(lr=5e-3)
SMALL = {"batch_size": 10, "updates": 6, "threads": 1, "log_every": 1}


def new_reader(dropout=0.0):
    return miniature_reader(WORLD.vocabulary(), dropout=dropout)


def weights(player):
    return torch.cat([p.detach().flatten() for p in player.parameters()])


def trained(*, dropout=0.0, folder=None, method=language_adversarial, run_config=None, **config):
    run = Run(config=RunConfig(**{**SMALL, **(run_config or {})}), folder=folder)
    settings = method.Config(**{"reader": OPTIM, **config})
    return method.train(new_reader(dropout), Corpora(labelled=EXAMPLES), settings, run)


def by_hand(weight, question):
    """Algorithm 1 with PyTorch's own parts on the same batches: weights of both players."""
    run = Run(config=RunConfig(**SMALL))
    reader, discriminator = new_reader(), LanguageDiscriminator(32, 3, seed=1)
    batches = labelled(reader, EXAMPLES, run)
    named = {"L0": (0, 20 / (3 * 8)), "L1": (1, 20 / (3 * 8)), "L2": (2, 20 / (3 * 4))}

    def player(network, lr):
        matrices = [p for p in network.parameters() if p.ndim > 1]
        rest = [p for p in network.parameters() if p.ndim == 1]
        groups = [{"params": matrices}, {"params": rest, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=lr, weight_decay=0.01)

    def take(adam, network, loss, fraction):
        own = list(network.parameters())
        gradients = torch.autograd.grad(loss, own, allow_unused=True)
        for parameter, gradient in zip(own, gradients, strict=True):
            parameter.grad = gradient
        nn.utils.clip_grad_norm_(own, 1.0)
        for group in adam.param_groups:
            group["lr"] = group["initial_lr"] * fraction
        adam.step()

    adams = [player(reader, 5e-3), player(discriminator, 2e-3)]
    for adam, lr in zip(adams, (5e-3, 2e-3), strict=True):
        for group in adam.param_groups:
            group["initial_lr"] = lr
    for number, (share,) in enumerate(batches.in_order(Order.of(run)).starting_at(0)):
        fraction = schedule(OPTIM, number, 6)
        batch = share.batch
        reading = reader(batch)
        if question == "first":
            vectors = reading.hidden[:, 0]
        else:
            lengths = [len(w.question_ids) for w in batch.windows]
            vectors = torch.stack(
                [h[1 : 1 + n].mean(dim=0) for h, n in zip(reading.hidden, lengths, strict=True)]
            )
        span = F.cross_entropy(reading.start_logits, batch.answers[:, 0]) / 2
        span = span + F.cross_entropy(reading.last_logits, batch.answers[:, 1]) / 2
        guess = F.log_softmax(discriminator(vectors), dim=-1)
        uniform = torch.full_like(guess, 1 / 3)
        take(
            adams[0],
            reader,
            span + weight * F.kl_div(guess, uniform, reduction="batchmean"),
            fraction,
        )

        guess = F.log_softmax(discriminator(vectors.detach()), dim=-1)
        told = [named[e.question_language] for e in batch.examples]
        losses = [-guess[row, place] * scale for row, (place, scale) in enumerate(told)]
        take(adams[1], discriminator, sum(losses) / len(losses), fraction)
    return weights(reader), weights(discriminator)


@pytest.mark.parametrize("question", ["first", "mean"])
def test_equals_the_algorithm_by_hand(question, monkeypatch):
    """Both players, to rounding; a bias that has no gradient but rounding is left out by Adam's."""
    made = []
    original = LanguageDiscriminator.__init__

    def noted(self, *args, **kwargs):
        original(self, *args, **kwargs)
        made.append(self)

    expected = by_hand(0.7, question)
    monkeypatch.setattr(LanguageDiscriminator, "__init__", noted)
    reader = trained(weight=0.7, question=question, discriminator=Optim(lr=2e-3))
    found = weights(reader), weights(made[0])
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours - theirs).abs().mean() < 1e-5
    moved = (expected[0] - weights(new_reader())).abs().mean()
    assert moved > 1e-3


def test_without_a_weight_it_is_fine_tuning_bit_for_bit():
    """With dropout: the discriminator draws nothing from the random state of training."""
    plain = weights(trained(method=fine_tune, dropout=0.1))
    assert torch.equal(weights(trained(weight=0.0, dropout=0.1)), plain)
    assert not torch.equal(weights(trained(weight=1e-3, dropout=0.1)), plain)


def test_reader_first_then_the_discriminator_each_with_the_other_as_it_is(monkeypatch):
    calls = []
    call = Updater.__call__

    def spied(self, *losses):
        players = {u.name: u.player for u in self._run.updaters}
        before = {name: weights(player) for name, player in players.items()}
        call(self, *losses)
        changed = [
            name for name in players if not torch.equal(before[name], weights(players[name]))
        ]
        assert all(p.grad is None for player in players.values() for p in player.parameters())
        calls.append((self.name, len(losses), changed))

    monkeypatch.setattr(Updater, "__call__", spied)
    trained()
    assert calls == [("reader", 1, ["reader"]), ("discriminator", 1, ["discriminator"])] * 6


def test_what_is_logged(tmp_path):
    trained(folder=tmp_path, discriminator=Optim(lr=5e-3))
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert len(lines) == 6
    for line in lines:
        assert set(line) == {
            "stage",
            "update",
            "span",
            "confusion",
            "discriminator",
            "accuracy",
            "chance",
            "tokens_per_second",
            "reader_lr",
            "reader_gradient_norm",
            "discriminator_lr",
            "discriminator_gradient_norm",
        }
        assert line["chance"] == pytest.approx(1 / 3)
        assert line["confusion"] >= -1e-6
        assert min(line["reader_gradient_norm"], line["discriminator_gradient_norm"]) > 0


def test_accuracy_is_that_of_the_discriminator_before_its_update(tmp_path):
    """One update over all windows: a fresh discriminator's guesses on a fresh reader's vectors."""
    trained(folder=tmp_path, run_config={"batch_size": 20, "updates": 1})
    (line,) = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    reader = new_reader().train()
    batch = reader.collate(list(reader.windows(EXAMPLES)))
    with torch.no_grad():
        guesses = LanguageDiscriminator(32, 3, seed=1)(reader(batch).summary).argmax(dim=-1)
    languages = [int(e.question_language[1]) for e in batch.examples]
    right = [g == named for g, named in zip(guesses.tolist(), languages, strict=True)]
    shares = [sum(right[:8]) / 8, sum(right[8:16]) / 8, sum(right[16:]) / 4]
    assert line["accuracy"] == pytest.approx(sum(shares) / 3, rel=1e-6)


def test_it_hides_the_language_that_a_watching_discriminator_learns_to_name(tmp_path):
    """The last lines of two logs: one with the adversary, one where it only watches.

    The reader is slow enough for the discriminator to follow.
    """
    found = {}
    for weight in (0.0, 1.0):
        folder = tmp_path / str(weight)
        folder.mkdir()
        trained(
            folder=folder,
            weight=weight,
            question="mean",
            reader=Optim(lr=5e-4),
            discriminator=Optim(lr=1e-2),
            run_config={"updates": 80, "log_every": 20},
        )
        lines = (folder / LOG).read_text().splitlines()
        found[weight] = json.loads(lines[-1])
    assert found[0.0]["accuracy"] > 0.95
    assert found[0.0]["confusion"] > 2
    assert found[1.0]["confusion"] < 0.5
    assert found[1.0]["discriminator"] > found[0.0]["discriminator"] + 0.3


def test_one_language_is_no_game():
    """Also where the translations have answers without a place, and so no windows."""
    lost = [replace(e, answers=(Answer("gone", None),)) for e in WORLD.translations(3, "L1")]
    message = "^expected questions in two languages or more, found L0 only; add their trans"
    with pytest.raises(DataError, match=message):
        language_adversarial.train(
            new_reader(),
            Corpora(labelled=[*WORLD.examples(3), *lost]),
            language_adversarial.Config(),
            Run(config=RunConfig(threads=1, batch_size=4)),
        )
