"""The game between a side's layers and a discriminator: who learns what from which loss."""

import json

import numpy as np
import pytest
import torch

from babelspan.losses.adversarial import hiding_loss, telling_loss
from babelspan.losses.span import span_loss
from babelspan.methods import fine_tune, qanet_adversarial
from babelspan.methods.qanet_adversarial import Config, _of_parts, _reaching, _scores
from babelspan.networks.discriminators import SequenceDiscriminator
from babelspan.training.examples import labelled
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.sides import pairs_of_sides
from babelspan.training.update import Optim
from babelspan.types import ConfigError, DataError
from miniature import miniature_reader
from worded_readers import miniature_qanet
from world import World

WORLD = World(0)
EXAMPLES = [*WORLD.examples(12), *WORLD.translations(12, "L1", "L1")]
FAST = Optim(lr=5e-3)
SMALL = {"reader": FAST, "discriminator": FAST, "filters": 8, "blocks": 1, "steps": 2, "ramp": 0}


def untrained(**settings):
    sizes = {"sides": ("L1", "L0"), "dependent": "encoder", "blocks": 1, **settings}
    return miniature_qanet(WORLD.vocabulary(), **sizes)


def trained(method, config, *, updates=6, reader=None, examples=EXAMPLES, folder=None):
    settings = RunConfig(seed=1, updates=updates, batch_size=12, threads=1, log_every=1)
    run = Run(config=settings, folder=folder)
    reader = reader or untrained(dropout=0.1, survival=0.5)
    return method.train(reader, Corpora(labelled=examples), config, run)


def weights(reader):
    return torch.cat([p.detach().flatten() for p in reader.parameters()])


def test_with_weight_zero_the_reader_is_fine_tuned_bit_for_bit():
    """Dropout and dropped layers are drawn, and the critic reads with its own."""
    plain = weights(trained(fine_tune, fine_tune.Config(reader=FAST)))
    assert torch.equal(weights(trained(qanet_adversarial, Config(**SMALL, weight=0.0))), plain)
    assert not torch.equal(weights(trained(qanet_adversarial, Config(**SMALL, weight=0.1))), plain)


@pytest.mark.parametrize("steers", ["source", "target"])
def test_hiding_moves_the_layers_of_one_side_and_nothing_else(steers):
    """Eq. 2. Word vectors are learnt and shared here: they are not moved either."""
    reader = untrained()
    batch = reader.collate(list(reader.windows([*EXAMPLES[:3], *EXAMPLES[12:15]])))
    critic = SequenceDiscriminator(reader.width, filters=8, blocks=1, seed=1)
    encoded = reader.encode(batch)
    reading = reader.answer(encoded)
    span = span_loss(reading.start_logits, reading.last_logits, batch.answers)
    hiding = _of_parts(_scores(critic, encoded), lambda s, i: hiding_loss(s, i, steers))
    named = dict(reader.named_parameters())
    of_span = torch.autograd.grad(span, [*named.values()], retain_graph=True)
    of_hiding = torch.autograd.grad(hiding, [*named.values()], retain_graph=True, allow_unused=True)
    (span + 0.5 * _reaching(reader, {steers: hiding})).backward()
    own = {id(p) for p in reader.psi(0 if steers == "source" else 1)}
    moved = 0
    for parameter, one, other in zip(named.values(), of_span, of_hiding, strict=True):
        if id(parameter) in own and other is not None:
            torch.testing.assert_close(parameter.grad, one + 0.5 * other)
            moved += int(other.any())
        else:
            assert torch.equal(parameter.grad, one)
    assert moved > 10
    assert of_hiding[[*named].index("learnt.weight")].any()  # it would have been moved


def test_losses_by_hand():
    scores, is_source = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([True, True, False])
    d = 1 / (1 + np.exp(-scores.numpy()))
    expected = -np.mean([np.log(d[0]), np.log(d[1]), np.log(1 - d[2])])
    assert telling_loss(scores, is_source).item() == pytest.approx(expected, rel=1e-6)
    hidden = -(np.log(1 - d[0]) + np.log(1 - d[1])) / 3
    assert hiding_loss(scores, is_source, "source").item() == pytest.approx(hidden, rel=1e-6)
    assert hiding_loss(scores, is_source, "target").item() == pytest.approx(-np.log(d[2]) / 3)
    for loss in (telling_loss, lambda s, i: hiding_loss(s, i, "source")):
        with pytest.raises(ValueError, match=r"expected scores \(B,\) and sides \(B,\), got"):
            loss(scores[None], is_source)


def test_eq_1_as_printed_has_no_bound_and_cross_entropy_has():
    """Departure 1, on one text of each side with the same vector: nobody can tell them apart."""

    def minimised(loss):
        score = torch.full((2,), 0.3, requires_grad=True)
        for _ in range(400):
            (gradient,) = torch.autograd.grad(loss(score), score)
            score = (score - 0.5 * gradient).detach().requires_grad_()
        return loss(score).item(), score.abs().max().item()

    is_source = torch.tensor([True, False])

    def printed(score):  # log D of the target, log(1 - D) of the source; D of the target is 1
        return torch.nn.functional.logsigmoid(score[1]) + torch.nn.functional.logsigmoid(-score[0])

    value, largest = minimised(printed)
    assert value < -300 and largest > 150
    assert 0 <= minimised(lambda s: telling_loss(s, is_source))[0] < 0.1


def test_a_score_hangs_on_nothing_but_the_text():
    """Not on padding, nor on where in the row the text stands, nor on where its ring is cut."""
    critic = SequenceDiscriminator(6, filters=8, blocks=2, seed=1)
    vectors = torch.randn(3, 9, 6)
    mask = torch.tensor([[1] * 5 + [0] * 4, [1] * 9, [0] * 2 + [1] * 5 + [0] * 2]) == 1
    vectors[2, 2:7] = vectors[0, :5]
    found = critic(vectors, mask)
    torch.testing.assert_close(found[0], critic(vectors[:1, :5], mask[:1, :5])[0])
    torch.testing.assert_close(found[0], found[2])
    turned = vectors[1:2].roll(4, dims=1)
    torch.testing.assert_close(critic(turned, mask[1:2])[0], found[1])
    changed = vectors.clone()
    changed[0, 5:] = 100
    torch.testing.assert_close(critic(changed, mask)[0], found[0])
    assert torch.isfinite(critic(vectors, torch.zeros(3, 9).bool())).all()


@pytest.mark.parametrize(("by_sum", "least", "most"), [(False, 0.0, 0.62), (True, 0.9, 1.0)])
def test_a_discriminator_cannot_tell_lengths(by_sum, least, most):
    """Texts of 20 tokens against texts of 40, both of the same noise; with a sum it can."""
    critic = SequenceDiscriminator(4, filters=8, blocks=2, seed=1)
    drawn = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(critic.parameters(), 1e-2)

    def batch():
        vectors = torch.randn(32, 40, 4, generator=drawn)
        is_source = torch.arange(32) % 2 == 0
        mask = torch.arange(40) < torch.where(is_source, 20, 40)[:, None]
        return vectors, mask, is_source

    def scores(vectors, mask):
        mean = critic(vectors, mask) - critic.leave.bias
        return (mean * mask.sum(1) if by_sum else mean) + critic.leave.bias

    for _ in range(200):
        vectors, mask, is_source = batch()
        optimizer.zero_grad()
        telling_loss(scores(vectors, mask), is_source).backward()
        optimizer.step()
    with torch.no_grad():
        tested = [(scores(v, m) > 0) == s for v, m, s in (batch() for _ in range(20))]
    assert least <= torch.cat(tested).float().mean() <= most


def test_pairs_have_one_window_of_each_side():
    reader = untrained()
    run = Run(config=RunConfig(threads=1))
    stream = labelled(reader, EXAMPLES[:17], run)  # 12 of the target, 5 of the source
    pairs = pairs_of_sides(stream)
    assert len(pairs.items) == 12
    assert [p[0].example.id for p in pairs.items[:6]] == [
        *(e.id for e in EXAMPLES[12:17]), EXAMPLES[12].id,
    ]  # fmt: skip
    assert {p[1].example.id for p in pairs.items} == {e.id for e in EXAMPLES[:12]}
    batch = pairs.collate(pairs.items[:2])
    assert (batch.token_type_ids[:, 0] // 2).tolist() == [0, 1, 0, 1]
    assert pairs.lengths[0] == max(w.length for w in pairs.items[0])


def test_the_log_shows_whether_the_game_is_alive(tmp_path):
    """A critic with a high rate tells the sides apart; the weight rises over its ramp."""
    config = Config(**{**SMALL, "ramp": 10, "discriminator": Optim(lr=2e-2)}, weight=0.01)
    trained(qanet_adversarial, config, updates=15, reader=untrained(), folder=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {"span", "hiding", "telling", "told", "told_hidden", "weight"} <= lines[0].keys()
    assert [line["weight"] for line in lines[:2]] == pytest.approx([0.0, 0.001])
    assert lines[-1]["weight"] == pytest.approx(0.01)
    assert np.mean([line["told"] for line in lines[-5:]]) > 0.8


def test_both_sides_may_hide():
    """One update moves the layers of each side as if this side alone were hiding."""
    unclipped = {**SMALL, "reader": Optim(lr=5e-3, clip_norm=0)}

    def sides(**settings):
        reader = trained(qanet_adversarial, Config(**unclipped, **settings), updates=1)
        return [torch.cat([p.detach().flatten() for p in reader.psi(side)]) for side in (0, 1)]

    plain, both = sides(weight=0.0), sides(weight=0.1, steers="both")
    for side, steers in enumerate(("source", "target")):
        assert not torch.equal(both[side], plain[side])
        assert torch.equal(both[side], sides(weight=0.1, steers=steers)[side])


def test_what_it_cannot_learn_from_is_told():
    message = r"expected a qanet with separate layers for two sides, got a reader of kind '{}' with"
    for reader in (miniature_reader(["a"]), miniature_qanet(["a"])):
        with pytest.raises(ConfigError, match=message.format(reader.kind)):
            trained(qanet_adversarial, Config(**SMALL), reader=reader)
    with pytest.raises(DataError, match="expected texts of source and target, found texts of the"):
        trained(qanet_adversarial, Config(**SMALL), examples=EXAMPLES[:12])


def test_three_players_are_resumed_with_the_same_bits(tmp_path):
    """Reader, discriminator and average, with fixed vectors that no checkpoint holds."""
    words = WORLD.vocabulary()
    vectors = np.random.default_rng(0).normal(size=(len(words) + 3, 5)).astype(np.float32)
    config = Config(**{**SMALL, "reader": Optim(lr=5e-3, average=0.9)}, weight=0.1)

    class StoppedError(Exception):
        pass

    def done(folder, stop_at=None):
        def monitor():
            if run.clock.update == stop_at:
                raise StoppedError
            return {}

        settings = RunConfig(
            seed=1, updates=6, batch_size=12, threads=1, save_every=2, evaluate_every=1
        )
        run = Run(config=settings, folder=folder, monitor=monitor)
        reader = untrained(dropout=0.1, survival=0.5, vectors=vectors)
        return qanet_adversarial.train(reader, Corpora(labelled=EXAMPLES), config, run)

    with pytest.raises(StoppedError):
        done(tmp_path, stop_at=5)
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert set(saved["players"]) == {"reader", "discriminator"}
    assert len(saved["updaters"]["reader"]["average"]) > 10
    torch.manual_seed(99)
    assert torch.equal(weights(done(tmp_path)), weights(done(None)))
