"""QANet with separate layers for each side (source and target language), trained to hide the side.

Paper      Lee and Lee (2019), arXiv:1907.06042, Sections 4.2 and 5.7, Algorithm 1; Table 3.
Needs      a reader with two sides (`babelspan new qanet --sides … --set dependent=encoder`) and
           labelled examples of both sides; a few of the target side are enough.
Departs    1. The discriminator minimises cross-entropy: Eq. 1, minimised, is unbounded.
           2. It scores the mean over tokens and uses circular padding, so that it cannot use the
              length of a text; in the paper all texts have the same length.
           3. The span loss is half of Eq. 3, and so is the weight: 5e-4 for the paper's 1e-3.
           4. The reader's batches mix both sides at random. The discriminator's batches contain
              equal numbers of windows of each side.
           5. Adam's learning rate and moments for the discriminator are those of WGAN-GP; the paper
              states none.
           6. L2 is AdamW's decoupled weight decay; the learning rate rises linearly in the first
              updates.

Algorithm, for each batch x of windows of either side, and k batches y balanced over both sides
    1  discriminator  for each y: minimise cross-entropy of the side given psi(y), psi fixed
    2  read           psi(x); span logits  <-  reader(x)
    3  reader         minimise span loss; for the layers of the hiding side only, also
                      weight * cross-entropy of the other side given their psi(x), D fixed
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt
from torch import Tensor, nn

from babelspan.losses.adversarial import hiding_loss, telling_loss
from babelspan.losses.span import span_loss
from babelspan.networks.discriminators import SequenceDiscriminator
from babelspan.networks.qanet import Encoded, QANet
from babelspan.networks.reader import Batch, Reader
from babelspan.training.examples import labelled
from babelspan.training.fit import Losses, fit
from babelspan.training.run import Corpora, Run
from babelspan.training.sides import pairs_of_sides
from babelspan.training.stream import Several, both
from babelspan.training.update import Optim, Updater
from babelspan.types import ConfigError

NEEDS = {"labelled"}

Side = Literal["source", "target"]

_READER = Optim(
    lr=1e-3,
    schedule="constant",
    warmup=0.02,
    betas=(0.8, 0.999),
    weight_decay=3e-7,
    clip_norm=5.0,
    average=0.999,
)
_DISCRIMINATOR = Optim(lr=1e-4, schedule="constant", warmup=0.0, betas=(0.5, 0.9), weight_decay=0.0)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = _READER
    """Optimiser of the reader (Lee and Lee 2019, Section 5.4: 1e-3, EMA 0.999; else QANet's)."""
    discriminator: Optim = _DISCRIMINATOR
    """Optimiser of the discriminator (Gulrajani et al. 2017)."""
    steers: Literal["source", "target", "both"] = "source"
    """Side whose layers hide it: "source" is GAN-CH, "target" GAN-EN; "both" was unstable in the
    paper."""
    weight: NonNegativeFloat = 5e-4
    """Final weight of the hiding loss: half of the paper's, as the span loss is. At 0 the reader is
    fine-tuned, and the discriminator learns without affecting it."""
    ramp: NonNegativeInt = 30_000
    """Number of updates over which the weight rises from 0."""
    steps: PositiveInt = 5
    """Discriminator steps per update."""
    filters: PositiveInt = 96
    """Filters of each convolution of the discriminator."""
    blocks: PositiveInt = 5
    """Residual blocks of the discriminator."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """Train the reader; see the algorithm above.

    Raises:
        ConfigError: if the reader has no separate layers for two sides.
        DataError: if all examples are of one side.
    """
    network = _two_sided(reader)
    stream = labelled(reader, corpora.labelled, run)
    discriminator = SequenceDiscriminator(
        network.width, filters=config.filters, blocks=config.blocks, seed=run.config.seed
    )
    update_reader = Updater(reader, config.reader, run)
    update_discriminator = Updater(discriminator, config.discriminator, run, name="discriminator")
    sides: tuple[Side, ...] = ("source", "target")
    hiders = sides if config.steers == "both" else (config.steers,)

    def step(batches: Several[Batch, Batch]) -> Losses:
        for number, fresh in enumerate(batches.others):
            with _apart(run, number), torch.no_grad():
                seen = network.encode(fresh)
            scores = _scores(discriminator, seen)
            telling = _of_parts(scores, telling_loss)
            update_discriminator(telling)

        batch = batches.one
        encoded = network.encode(batch)
        reading = network.answer(encoded)

        span = span_loss(reading.start_logits, reading.last_logits, batch.answers)
        scores_of_x = _scores(discriminator, encoded)
        hiding = {
            side: _of_parts(scores_of_x, partial(hiding_loss, steers=side)) for side in hiders
        }
        weight = config.weight * _risen(run.clock.update, config.ramp)
        update_reader(span + weight * _reaching(network, hiding) if weight else span)

        return {
            "span": span,
            "hiding": torch.stack([*hiding.values()]).sum(),
            "telling": telling,
            "told": _told(scores),
            "told_hidden": _told(scores_of_x),
            "weight": torch.tensor(weight),
        }

    fit(step, both(stream, pairs_of_sides(stream), times=config.steps), run)
    return reader


def _risen(update: int, ramp: int) -> float:
    """The fraction of the weight in effect at an update, counted from 0."""
    return min(1.0, update / ramp) if ramp else 1.0


def _two_sided(reader: Reader) -> QANet:
    if not isinstance(reader, QANet) or len(reader.sides) != 2:
        what = f"the sides {', '.join(getattr(reader, 'sides', ())) or 'none'}"
        raise ConfigError(
            f"expected a qanet with separate layers for two sides, got a reader of kind "
            f"{reader.kind!r} with {what}; make one with `babelspan new qanet --sides "
            "SOURCE,TARGET --set dependent=encoder`"
        )
    return reader


@contextmanager
def _apart(run: Run, number: int) -> Iterator[None]:
    """Within the block, use a random state that depends only on this discriminator step."""
    devices = [run.place.device] if run.place.device.type == "cuda" else []
    moment = [run.config.seed, run.clock.update, number, run.place.process]
    (drawn,) = np.random.SeedSequence(moment).generate_state(1, np.uint64)
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(int(drawn) // 2)
        yield


Scored = list[tuple[Tensor, Tensor]]
"""For questions, then for contexts: scores (B,), and whether each is of the source side (B,)."""


def _scores(discriminator: nn.Module, encoded: Encoded) -> Scored:
    """Score questions and contexts separately; Eq. 1 has a term for each."""
    found = []
    for mask in encoded.row.parts[..., 0]:
        side = torch.where(mask, encoded.side, 0).amax(dim=1)
        found.append((discriminator(encoded.vectors, mask), side == 0))
    return found


def _of_parts(scored: Scored, loss: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The sum of the losses on questions and on contexts."""
    question, context = (loss(scores, is_source) for scores, is_source in scored)
    return question + context


def _told(scored: Scored) -> Tensor:
    """Accuracy of the discriminator, averaged over questions and contexts."""
    right = [((scores > 0) == is_source).float().mean() for scores, is_source in scored]
    return torch.stack(right).mean()


def _reaching(network: QANet, hiding: dict[Side, Tensor]) -> Tensor:
    """A loss whose gradient is that of the hiding losses in the hiding sides' layers, 0 elsewhere.

    Trainable word vectors are shared by both sides and get no such gradient either (Eq. 2). The
    value of the loss has no meaning.
    """
    parts = []
    for side, loss in hiding.items():
        own = network.psi(("source", "target").index(side))
        gradients = torch.autograd.grad(loss, own, retain_graph=True, allow_unused=True)
        parts += [(p * g).sum() for p, g in zip(own, gradients, strict=True) if g is not None]
    return torch.stack(parts).sum()
