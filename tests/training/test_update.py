"""One player's optimiser: schedule, own parameters only, clipping, accumulation, average."""

import copy
import math

import pytest
import torch
from torch import nn

from babelspan.training.run import Run, RunConfig
from babelspan.training.update import Optim, Updater, schedule
from babelspan.types import ConfigError


def started_run(updates=10):
    run = Run(config=RunConfig(threads=1))
    run.clock.updates = updates
    return run


def linear(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(3, 2)


def values(player):
    return [p.detach().clone() for p in player.parameters()]


def take(updater, run, loss):
    updater(loss)
    run.clock.update += 1


@pytest.mark.parametrize(
    ("optim", "updates", "expected"),
    [
        # warm-up of 2 of 10: 1/2, 1; then (10 - update) / 8
        (
            Optim(warmup=0.2),
            10,
            [1 / 2, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8],
        ),
        # no warm-up, half a cosine over 4: (1 + cos(pi update / 4)) / 2
        (
            Optim(schedule="cosine", warmup=0.0),
            4,
            [1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2],
        ),
        # warm-up of 3, then level
        (Optim(schedule="constant", warmup=0.5), 6, [1 / 3, 2 / 3, 1, 1, 1, 1]),
        # the warm-up is rounded up to whole updates
        (Optim(schedule="constant", warmup=0.1), 3, [1, 1, 1]),
        (Optim(warmup=1.0), 2, [1 / 2, 1]),
        (Optim(warmup=0.0), 1, [1]),
    ],
)
def test_schedule_by_hand(optim, updates, expected):
    found = [schedule(optim, update, updates) for update in range(updates)]
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", ["linear", "cosine", "constant"])
def test_schedule_is_never_zero(kind):
    for updates in (1, 2, 7, 100):
        for warmup in (0.0, 0.1, 0.5, 1.0):
            optim = Optim(schedule=kind, warmup=warmup)
            found = [schedule(optim, update, updates) for update in range(updates)]
            assert all(0 < fraction <= 1 for fraction in found)
            assert max(found) == 1


def test_the_learning_rate_follows_the_schedule():
    run = started_run(updates=4)
    player = linear()
    updater = Updater(player, Optim(lr=0.8, warmup=0.5), run)
    found = []
    for _ in range(4):
        take(updater, run, player(torch.ones(1, 3)).sum())
        found.append(updater.learning_rate)
    assert found == pytest.approx([0.4, 0.8, 0.8, 0.4], rel=1e-12)


def test_only_its_own_parameters_change():
    run = started_run()
    own, other = linear(0), nn.Linear(2, 1)
    before = values(other)
    updater = Updater(own, Optim(lr=0.1), run)

    loss = other(own(torch.ones(4, 3))).square().mean()
    take(updater, run, loss)

    assert all(p.grad is None for p in other.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, values(other), strict=True))
    assert all(not torch.equal(a, b) for a, b in zip(values(linear(0)), values(own), strict=True))
    assert all(p.grad is None for p in own.parameters())


def test_frozen_parameters_stay():
    run = started_run()
    player = linear()
    player.bias.requires_grad_(False)
    before = player.bias.clone()
    take(Updater(player, Optim(lr=0.1), run), run, player(torch.ones(1, 3)).sum())
    assert torch.equal(player.bias, before)
    assert not torch.equal(player.weight, linear().weight)


def test_parameters_without_a_part_in_the_loss_are_no_error():
    run = started_run()
    players = nn.ModuleList([linear(0), linear(1)])
    take(Updater(players, Optim(weight_decay=0.0), run), run, players[0](torch.ones(1, 3)).sum())
    assert torch.equal(players[1].weight, linear(1).weight)


def test_one_step_of_adam_by_hand():
    """The first step of Adam moves each weight by lr against the sign of its gradient.

    The gradient of w1 x1 + w2 x2 is x; decay takes lr * weight_decay * w from the matrix before.
    """
    run = started_run(updates=1)
    player = nn.Linear(2, 1)
    with torch.no_grad():
        player.weight.copy_(torch.tensor([[1.0, -2.0]]))
        player.bias.copy_(torch.tensor([3.0]))
    optim = Optim(lr=0.1, warmup=0.0, weight_decay=0.5, clip_norm=0.0)

    take(Updater(player, optim, run), run, player(torch.tensor([[0.3, -0.7]])).sum())

    expected = [1.0 * (1 - 0.1 * 0.5) - 0.1, -2.0 * (1 - 0.1 * 0.5) + 0.1]
    assert player.weight.tolist()[0] == pytest.approx(expected, rel=1e-5)
    assert player.bias.item() == pytest.approx(3.0 - 0.1, rel=1e-5)  # no decay of biases


def test_gradients_are_clipped_to_the_norm():
    """The gradient of 30 w1 + 40 w2 has norm 50, whatever the limit; the step is taken from 1/50th.

    Adam's first moment after one step is (1 - beta1) times the gradient it was given.
    """
    for limit, scale in ((1.0, 1 / 50), (0.0, 1.0), (100.0, 1.0)):
        run = started_run()
        player = nn.Linear(2, 1, bias=False)
        updater = Updater(player, Optim(clip_norm=limit), run)
        take(updater, run, player(torch.tensor([[30.0, 40.0]])).sum())
        (moments,) = updater.state_dict()["optimizer"]["state"].values()
        assert updater.gradient_norms == pytest.approx([50], rel=1e-6)
        assert moments["exp_avg"].tolist()[0] == pytest.approx([3 * scale, 4 * scale], rel=1e-4)


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_gradient_that_is_not_finite_is_told_and_changes_nothing(value):
    run = started_run()
    run.clock.update = 6
    player = linear()
    updater = Updater(player, Optim(lr=0.1, average=0.5), run)
    message = f"^update 7: expected a finite gradient of 'reader', its norm is {value}; lower"
    with pytest.raises(ConfigError, match=message):
        updater(player(torch.full((1, 3), float(value))).sum())
    assert torch.equal(player.weight, linear().weight)
    assert torch.equal(updater._average[0], linear().weight)
    assert updater._optimizer.state_dict()["state"] == {}
    with pytest.raises(ConfigError, match=message):
        updater.state_dict()  # and nothing of it is saved


def test_weights_that_are_not_finite_are_not_saved():
    run = started_run()
    player = linear()
    updater = Updater(player, Optim(lr=1e38, warmup=0.0, schedule="constant"), run)
    for _ in range(8):
        take(updater, run, player(torch.ones(1, 3)).sum())
    assert all(math.isfinite(norm) for norm in updater.gradient_norms)
    with pytest.raises(
        ConfigError, match=r"expected finite weights of 'reader', found NaN or infi"
    ):
        updater.state_dict()


def test_a_second_updater_of_a_name_is_refused():
    run = started_run()
    Updater(linear(), Optim(), run)
    with pytest.raises(ConfigError, match="expected one updater named 'reader' in a stage, got a"):
        Updater(linear(), Optim(), run)
    Updater(linear(), Optim(), run, name="critic")


def test_another_player_of_a_name_is_refused_in_a_later_stage_too():
    run = started_run()
    player = linear()
    Updater(player, Optim(), run)
    run.updaters = []
    Updater(player, Optim(), run)
    run.updaters = []
    with pytest.raises(ConfigError, match="expected one player named 'reader' in a run, got a"):
        Updater(linear(), Optim(), run)


def test_a_player_read_again_within_a_step_is_read_with_its_new_weights():
    """Autocast keeps casts of weights for its block; an update throws them away."""
    run = Run(config=RunConfig(threads=1, precision="bf16"))
    run.clock.updates = 10
    player = linear()
    updater = Updater(player, Optim(lr=1.0, warmup=0.0), run)
    given = torch.ones(1, 3)
    with run.place.autocast():
        before = player(given)
        updater(before.float().sum())
        again = player(given)
    with run.place.autocast():
        anew = player(given)
    assert torch.equal(again, anew)
    assert not torch.equal(again, before)


@pytest.mark.parametrize("parts", [(6,), (3, 3), (1, 2, 3), (1, 1, 1, 1, 1, 1)])
def test_micro_batches_give_the_gradient_of_the_joint_batch(parts):
    rng = torch.Generator().manual_seed(0)
    rows = torch.randn(6, 3, generator=rng)
    joint = linear()
    joint(rows).square().mean().backward()

    run = started_run()
    player = linear()
    updater = Updater(player, Optim(lr=0.0, clip_norm=0.0), run)
    untouched = values(player)
    seen = []
    updater._step = lambda: seen.append([p.grad.clone() for p in player.parameters()])
    for number, part in enumerate(rows.split(list(parts))):
        run.clock.weight = len(part) / len(rows)
        run.clock.completes_update = number == len(parts) - 1
        updater(player(part).square().mean())

    assert len(seen) == 1
    for grad, parameter in zip(seen[0], joint.parameters(), strict=True):
        torch.testing.assert_close(grad, parameter.grad, rtol=0, atol=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(untouched, values(player), strict=True))


def test_no_step_before_the_last_micro_batch_and_no_gradient_left_after_it():
    run = started_run()
    player = linear()
    updater = Updater(player, Optim(lr=0.1), run)
    run.clock.completes_update = False
    updater(player(torch.ones(1, 3)).sum())
    assert torch.equal(player.weight, linear().weight)
    assert player.weight.grad is not None
    run.clock.completes_update = True
    updater(player(torch.ones(1, 3)).sum())
    assert not torch.equal(player.weight, linear().weight)
    assert player.weight.grad is None


ROWS = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))


def three_losses(player, rows):
    """Of one graph; the second has no part in the bias, the third is large enough to be clipped."""
    hidden = player(rows)
    without_bias = (rows @ player.weight.T).sin().mean()
    return hidden.square().mean(), without_bias, 40 * hidden.abs().mean()


def by_hand(losses_of, count, updates, optim):
    """Several losses by hand: gradients at one place, then a step of PyTorch's AdamW for each."""
    player = linear()
    groups = [
        {"params": [player.weight], "weight_decay": optim.weight_decay},
        {"params": [player.bias], "weight_decay": 0.0},
    ]
    adam = torch.optim.AdamW(groups, lr=optim.lr, betas=optim.betas, fused=True)
    norms = []
    for update in range(updates):
        own = list(player.parameters())
        gradients = [
            torch.autograd.grad(loss, own, retain_graph=True, allow_unused=True)
            for loss in losses_of(player, ROWS)[:count]
        ]
        for group in adam.param_groups:
            group["lr"] = optim.lr * schedule(optim, update, updates)
        norms.append([])
        for of_loss in gradients:
            for parameter, gradient in zip(own, of_loss, strict=True):
                parameter.grad = None if gradient is None else gradient.clone()
            norms[-1].append(float(nn.utils.clip_grad_norm_(own, optim.clip_norm)))
            adam.step()
    return values(player), norms


def test_new_parameters_learn_at_a_rate_of_their_own():
    """The first step of Adam is the learning rate in each coordinate, here three times for one."""
    optim = Optim(lr=0.01, schedule="constant", warmup=0.0, weight_decay=0.0)
    player = linear()
    before = player.weight.detach().clone(), player.bias.detach().clone()
    updater = Updater(player, optim, started_run(updates=1), new=[player.bias], new_rate=3.0)
    updater(three_losses(player, ROWS)[0])
    assert (player.weight - before[0]).abs().max().item() == pytest.approx(0.01, rel=1e-3)
    assert (player.bias - before[1]).abs().max().item() == pytest.approx(0.03, rel=1e-3)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_losses_take_a_step_each_as_adam_does_by_hand(count):
    optim = Optim(lr=0.05, warmup=0.3, weight_decay=0.1)
    expected, norms = by_hand(three_losses, count, 5, optim)

    run = started_run(updates=5)
    player = linear()
    updater = Updater(player, optim, run)
    found = []
    for _ in range(5):
        updater(*three_losses(player, ROWS)[:count])
        found.append(updater.gradient_norms)
        run.clock.update += 1

    assert all(torch.equal(a, b) for a, b in zip(values(player), expected, strict=True))
    assert found == norms
    assert {len(of_update) for of_update in norms} == {count}


def test_two_losses_are_not_the_sum_of_them():
    def taken(*combined):
        run = started_run(updates=1)
        player = linear()
        take_all = Updater(player, Optim(lr=0.1, warmup=0.0), run)
        one, other, _ = three_losses(player, ROWS)
        take_all(*(make(one, other) for make in combined))
        return player.weight

    both = taken(lambda one, other: one, lambda one, other: other)
    turned = taken(lambda one, other: other, lambda one, other: one)
    joint = taken(lambda one, other: one + other)
    assert not torch.equal(both, joint)
    assert not torch.equal(both, turned)


def test_each_loss_gathers_its_own_gradient_over_micro_batches():
    def seen(parts):
        run = started_run()
        player = linear()
        updater = Updater(player, Optim(clip_norm=0.0), run)
        gradients = []
        updater._optimizer.step = lambda: gradients.append(
            [None if p.grad is None else p.grad.clone() for p in player.parameters()]
        )
        for number, part in enumerate(ROWS.split(parts)):
            run.clock.weight = len(part) / len(ROWS)
            run.clock.completes_update = number == len(parts) - 1
            updater(*three_losses(player, part))
        assert updater._gradients == []
        return gradients

    whole, cut = seen([6]), seen([1, 3, 2])
    assert len(whole) == len(cut) == 3
    assert whole[1][1] is cut[1][1] is None  # the bias, which the second loss has no part in
    for one, other in zip(whole, cut, strict=True):
        for a, b in zip(one, other, strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def test_as_many_losses_in_every_micro_batch():
    run = started_run()
    player = linear()
    updater = Updater(player, Optim(), run)
    run.clock.completes_update = False
    updater(*three_losses(player, ROWS))
    with pytest.raises(ValueError, match="zip"):
        updater(*three_losses(player, ROWS)[:2])


def test_the_average_is_taken_once_an_update_whatever_the_losses():
    run = started_run()
    player = linear()
    updater = Updater(player, Optim(lr=0.1, average=0.75), run)
    before = values(player)
    updater(*three_losses(player, ROWS))
    after = values(player)
    updater.take_average()
    decay = 2 / 11
    for old, new, found in zip(before, after, values(player), strict=True):
        torch.testing.assert_close(found, decay * old + (1 - decay) * new)


@pytest.mark.parametrize(("decay", "steps"), [(0.7, 5), (0.3, 5), (0.999, 1), (0.999, 10)])
def test_moving_average_by_hand(decay, steps):
    """At update n the decay is the one that was set or, if that is less, (1 + n) / (10 + n)."""
    run = started_run()
    player = linear()
    updater = Updater(player, Optim(lr=0.1, average=decay), run)
    history = [values(player)]
    for _ in range(steps):
        take(updater, run, player(torch.ones(2, 3)).square().mean())
        history.append(values(player))

    with updater.averaged():
        averaged = values(player)
    assert all(torch.equal(a, b) for a, b in zip(history[-1], values(player), strict=True))

    for i, found in enumerate(averaged):
        expected = history[0][i]
        for n in range(1, steps + 1):
            kept = min(decay, (1 + n) / (10 + n))
            expected = kept * expected + (1 - kept) * history[n][i]
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)
        assert not torch.equal(found, history[-1][i])

    updater.take_average()
    assert all(torch.equal(a, b) for a, b in zip(averaged, values(player), strict=True))


def test_the_average_keeps_no_history_of_gradients():
    run = started_run()
    player = linear()
    updater = Updater(player, Optim(average=0.9), run)
    take(updater, run, player(torch.ones(1, 3)).sum())
    assert not any(tensor.requires_grad for tensor in updater.state_dict()["average"])


def test_weights_come_back_when_the_averaged_block_fails():
    run = started_run()
    player = linear()
    updater = Updater(player, Optim(lr=0.1, average=0.9), run)
    take(updater, run, player(torch.ones(1, 3)).sum())
    own = values(player)
    with pytest.raises(KeyError), updater.averaged():
        raise KeyError
    assert all(torch.equal(a, b) for a, b in zip(own, values(player), strict=True))


def test_without_an_average_nothing_is_replaced():
    run = started_run()
    player = linear()
    updater = Updater(player, Optim(lr=0.1), run)
    take(updater, run, player(torch.ones(1, 3)).sum())
    own = values(player)
    with updater.averaged():
        assert all(torch.equal(a, b) for a, b in zip(own, values(player), strict=True))
    updater.take_average()
    assert all(torch.equal(a, b) for a, b in zip(own, values(player), strict=True))


@pytest.mark.parametrize("average", [0.0, 0.8])
def test_a_saved_updater_goes_on_with_the_same_bits(average):
    optim = Optim(lr=0.1, average=average)

    def trained(stop_at):
        run = started_run()
        player = linear()
        updater = Updater(player, optim, run)
        for update in range(6):
            if update == stop_at:
                state = copy.deepcopy(updater.state_dict())
                weights = copy.deepcopy(player.state_dict())
                player = linear(seed=5)
                player.load_state_dict(weights)
                run.updaters, run.players = [], {}
                updater = Updater(player, optim, run)
                updater.load_state_dict(state)
            take(updater, run, player(torch.ones(2, 3)).square().mean())
        updater.take_average()
        return values(player)

    for stop_at in (1, 3):
        pairs = zip(trained(None), trained(stop_at), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
