"""Two processes take the steps of one: same joint batches, same gradients, all players."""

import os
import shutil
import socket

import pytest
import torch
from torch import nn

from babelspan.losses.span import span_loss
from babelspan.methods import (
    adversarial_arbitration,
    language_adversarial,
    language_arbitration,
    multilingual_attention,
    qanet_adversarial,
    word_alignment,
)
from babelspan.training.examples import labelled
from babelspan.training.fit import fit
from babelspan.training.journal import LOG
from babelspan.training.run import CHECKPOINT, Corpora, Run, RunConfig
from babelspan.training.update import Optim, Updater
from babelspan.types import Alignment, ConfigError, SentencePair
from miniature import miniature_reader
from ready import begun
from worded_readers import miniature_qanet
from world import World

STEADY = Optim(lr=1e-3, warmup=0.0, schedule="constant")
METHODS = {
    "adversarial": (
        language_adversarial,
        language_adversarial.Config(reader=STEADY, discriminator=STEADY, weight=3.0),
    ),
    "arbitration": (language_arbitration, language_arbitration.Config(reader=STEADY)),
    "both": (
        adversarial_arbitration,
        adversarial_arbitration.Config(reader=STEADY, discriminator=STEADY, adversary=3.0),
    ),
    "alignment": (word_alignment, word_alignment.Config(reader=STEADY)),
    "beside": (multilingual_attention, multilingual_attention.Config(reader=STEADY)),
    "hiding": (
        qanet_adversarial,
        qanet_adversarial.Config(
            reader=STEADY, discriminator=STEADY, weight=3.0, ramp=0, steps=2, filters=8, blocks=1
        ),
    ),
}
PLAYERS = {
    "adversarial": ["reader", "discriminator"],
    "arbitration": ["reader", "reader", "reader"],
    "both": ["reader", "reader", "discriminator"],
    "alignment": ["reader"],
    "beside": ["reader"],
    "hiding": ["discriminator", "discriminator", "reader"],
}


def train_all(out, folder=None):
    """What every process does, one or two of them; gradients and weights go to `out`."""
    run = train(out, folder)
    train_by_methods(out)
    draw_masks(out)
    resume_apart(out, folder)
    run.place.accelerator.end_training()


def train(out, folder):
    """Three updates of a reader without dropout; gradients and weights go to `out`.

    One parameter has no part in the loss; with a gradient of zero it would decay.
    """
    world = World(0)
    run = Run(config=RunConfig(threads=1, batch_size=6, updates=3, log_every=1), folder=folder)
    reader = miniature_reader(world.vocabulary())
    reader.unused = nn.Parameter(torch.ones(2, 2))
    updater = Updater(reader, Optim(lr=1e-3, warmup=0.0, schedule="constant"), run)
    gradients = []
    updater._optimizer.register_step_pre_hook(
        lambda *_: gradients.append(
            {n: p.grad.clone() for n, p in reader.named_parameters() if p.grad is not None}
        )
    )

    def step(batch):
        reading = reader(batch)
        loss = span_loss(reading.start_logits, reading.last_logits, batch.answers)
        updater(loss)
        return {"span": loss}

    fit(step, labelled(reader, world.examples(11), run), run)
    state = {
        "gradients": gradients,
        "weights": reader.state_dict(),
        "processes": run.place.processes,
    }
    torch.save(state, out / f"{run.place.process}.pt")
    return run


def train_by_methods(out):
    """Three updates by each method, readers without dropout; gradients of all players to `out`."""
    world = World(0)
    translations = [*world.translations(6, "L1"), *world.translations(3, "L2")]
    links = Alignment(frozenset({(0, 0), (1, 2)}))
    bitext = [
        SentencePair(own.question, other.question, "L0", "L1", links)
        for own, other in zip(world.examples(6), translations[:6], strict=True)
    ]
    corpora = Corpora(labelled=[*world.examples(6), *translations], bitext=[*bitext, *bitext[:4]])
    texts = [
        *world.examples(15),
        *(e for code in ("L1", "L2") for e in world.translations(7, code, code)),
    ]
    beside = Corpora(labelled=texts)
    found = {}
    averaged = Updater._mean_over_processes

    def noted(updater):
        averaged(updater)
        names = dict(updater.player.named_parameters())
        gradients = {n: p.grad.clone() for n, p in names.items() if p.grad is not None}
        found[method].append((updater.name, gradients))

    Updater._mean_over_processes = noted
    try:
        for method, (module, settings) in METHODS.items():
            found[method] = []
            size, parts = (8, 1) if method == "hiding" else (10, 2)
            config = RunConfig(threads=1, batch_size=size, updates=3, accumulation=parts)
            run = Run(config=config)
            reader = miniature_reader(world.vocabulary())
            if method == "hiding":
                sides = {"sides": ("L1", "L0"), "dependent": "encoder"}
                reader = miniature_qanet(world.vocabulary(), **sides)
            learnt = beside if method == "beside" else corpora
            module.train(reader, learnt, settings, run)
    finally:
        Updater._mean_over_processes = averaged
    torch.save(found, out / f"{run.place.process}-methods.pt")


def draw_masks(out):
    """What dropout draws in each process in an update, and new weights drawn after the stage."""
    run = Run(config=RunConfig(threads=1, batch_size=6, updates=1))
    world = World(0)
    reader = miniature_reader(world.vocabulary(), dropout=0.5)
    updater = Updater(reader, Optim(), run)
    masks = []

    def step(batch):
        masks.append(torch.nn.functional.dropout(torch.ones(64)))
        loss = reader(batch).hidden.square().mean()
        updater(loss)
        return {"loss": loss}

    fit(step, labelled(reader, world.examples(11), run), run)
    found = {"mask": masks[0], "new": nn.Linear(4, 4).weight.detach()}
    torch.save(found, out / f"{run.place.process}-masks.pt")


def resume_apart(out, folder):
    """Each process with a folder of its own, of which the first one's has a checkpoint."""
    rank = Run(config=RunConfig(threads=1)).place.process
    own = out / f"folder-{rank}"
    own.mkdir()
    if rank == 0 and folder is not None:
        shutil.copy(folder / CHECKPOINT, own / CHECKPOINT)
    run = Run(config=RunConfig(threads=1), folder=own)
    told = ""
    try:
        run.player("reader", nn.Linear(2, 2))
    except ConfigError as error:
        told = str(error)
    except RuntimeError:  # alone there is nobody to disagree with
        told = "alone"
    (out / f"{rank}-told.txt").write_text(told)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def train_as_one_of_two(rank, port, out, folder):
    os.environ |= {
        "ACCELERATE_USE_CPU": "true",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    train_all(out, folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """What one process and what two left, and the run folder of the two."""
    names = ("alone", "together", "run", "told")
    alone, together, folder, told = (tmp_path_factory.mktemp(name) for name in names)
    port = free_port()
    processes = [
        begun(train_as_one_of_two, rank, port, together, folder, told=told / f"{rank}.txt")
        for rank in range(2)
    ]
    train_all(alone)
    for rank, process in enumerate(processes):
        assert process.wait(timeout=300) == 0, (told / f"{rank}.txt").read_text()
    return alone, together, folder


def test_two_processes_give_the_gradients_of_one(folders):
    """Gradients of the second and third update are those at weights that earlier ones moved.

    Weights are compared between the processes only: where a gradient is zero but for rounding
    (biases of keys), Adam scales the rounding up.
    """
    alone, together, folder = folders
    one = torch.load(alone / "0.pt", weights_only=True)
    both = [torch.load(together / f"{rank}.pt", weights_only=True) for rank in range(2)]
    assert one["processes"] == 1
    assert [state["processes"] for state in both] == [2, 2]
    assert len(one["gradients"]) == 3
    for state in both:
        for found, expected in zip(state["gradients"], one["gradients"], strict=True):
            torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)
    for state in (one, *both):
        assert torch.equal(state["weights"]["unused"], torch.ones(2, 2))
        assert all("unused" not in gradients for gradients in state["gradients"])
    for name, tensor in both[0]["weights"].items():
        assert torch.equal(tensor, both[1]["weights"][name]), name

    lines = (folder / LOG).read_text().splitlines()  # one process writes, not two
    assert sum('"span"' in line for line in lines) == 3
    checkpoint = torch.load(folder / CHECKPOINT, weights_only=True)
    assert len(checkpoint["random"]) == 2


@pytest.mark.parametrize("method", METHODS)
def test_two_processes_give_every_player_the_gradients_of_one(method, folders):
    """Of two micro-batches each; a joint batch of pairs is cut between pairs."""
    alone, together, _ = folders
    one, *both = [
        torch.load(folder / f"{rank}-methods.pt", weights_only=True)[method]
        for folder, rank in ((alone, 0), (together, 0), (together, 1))
    ]
    assert [name for name, _ in one] == 3 * PLAYERS[method]
    for found in both:
        for (name, gradients), (player, expected) in zip(found, one, strict=True):
            assert name == player
            assert any((gradient.abs() > 1e-3).any() for gradient in gradients.values())
            largest = max(float(gradient.abs().max()) for gradient in expected.values())
            atol = 2e-5 * max(1.0, largest)
            torch.testing.assert_close(gradients, expected, rtol=0, atol=atol)


def test_processes_draw_masks_of_their_own_and_the_same_new_weights(folders):
    alone, together, _ = folders
    one, *both = [
        torch.load(folder / f"{rank}-masks.pt", weights_only=True)
        for folder, rank in ((alone, 0), (together, 0), (together, 1))
    ]
    assert torch.equal(both[0]["mask"], one["mask"])
    assert not torch.equal(both[1]["mask"], both[0]["mask"])
    assert torch.equal(both[1]["new"], both[0]["new"])


def test_a_checkpoint_that_one_process_cannot_see_is_refused(folders):
    _, together, _ = folders
    for rank in range(2):
        assert (
            "expected the same checkpoint for all 2 processes, found that process 1 sees another"
            in (together / f"{rank}-told.txt").read_text()
        )
