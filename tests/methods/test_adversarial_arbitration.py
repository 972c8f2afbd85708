"""Arbitration with the adversary: the order of its updates, and its switches."""

import json

import pytest
import torch

from babelspan.losses.span import span_loss
from babelspan.methods import adversarial_arbitration
from babelspan.methods.adversarial_arbitration import Config
from babelspan.training.fit import fit
from babelspan.training.journal import LOG
from babelspan.training.pairs import paired
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Optim, Updater
from babelspan.types import DataError
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


def weights(player):
    return torch.cat([p.detach().flatten() for p in player.parameters()])


def trained(*, folder=None, labelled=EXAMPLES, **config):
    run = Run(config=RunConfig(**SMALL), folder=folder)
    reader = miniature_reader(WORLD.vocabulary())
    settings = Config(reader=OPTIM, **config)
    return adversarial_arbitration.train(reader, Corpora(labelled=labelled), settings, run)


@pytest.mark.parametrize("labelled", [EXAMPLES, ALL])
def test_the_adversary_joins_the_first_update(labelled, monkeypatch, tmp_path):
    """Reader, in two steps, then discriminator; over T(ALL) as well."""
    calls = []
    call = Updater.__call__

    def spied(self, *losses):
        calls.append((self.name, [loss.item() for loss in losses]))
        call(self, *losses)

    monkeypatch.setattr(Updater, "__call__", spied)
    trained(folder=tmp_path, adversary=0.3, labelled=labelled)
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [name for name, _ in calls] == ["reader", "discriminator"] * 6
    for line, (_, reader), (_, discriminator) in zip(lines, calls[::2], calls[1::2], strict=True):
        first = line["span"] + 0.3 * line["confusion"]
        assert reader == pytest.approx([first, line["agreement"] / 2])
        assert discriminator == pytest.approx([line["discriminator"]])
        assert line["chance"] == pytest.approx(1 / 3)


def test_without_weights_it_is_fine_tuning_on_pairs_bit_for_bit():
    run = Run(config=RunConfig(**SMALL))
    reader = miniature_reader(WORLD.vocabulary())
    update_reader = Updater(reader, OPTIM, run)

    def step(pairs):
        reading = reader(pairs.windows)
        span = span_loss(reading.start_logits, reading.last_logits, pairs.windows.answers)
        update_reader(span)
        return {"span": span}

    fit(step, paired(reader, EXAMPLES, run), run)
    assert torch.equal(weights(trained(agreement=0.0, adversary=0.0)), weights(reader))
    for name in ("agreement", "adversary"):
        off = {"agreement": 0.0, "adversary": 0.0, name: 1e-3}
        assert not torch.equal(weights(trained(**off)), weights(reader))


def test_missing_partners_are_named():
    with pytest.raises(DataError, match=r"^7 translations .*: 0-1-L1-L0, "):
        trained(labelled=[EXAMPLES[0], *WORLD.translations(8, "L1")])
