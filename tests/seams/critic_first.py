"""k steps of a critic on a stream of its own for each step of the reader.

Paper      none; the order of updates is that of Arjovsky et al.'s critic.
Needs      labelled examples in two languages.
Departs    nothing to depart from.

Algorithm, for each batch x of examples, and k fresh ones y
    1  critic  k times: minimise cross-entropy of the language of y given the reader's vectors
    2  reader  minimise span loss of x
"""

from dataclasses import dataclass

import torch

from babelspan.losses.span import span_loss
from babelspan.training.examples import labelled
from babelspan.training.fit import fit
from babelspan.training.games import LanguageGame
from babelspan.training.stream import both
from babelspan.training.update import Optim, Updater

NEEDS = {"labelled"}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=1e-3)
    critic: Optim = Optim(lr=1e-3)
    times: int = 3


def train(reader, corpora, config, run):
    """The reader after all updates."""
    stream = labelled(reader, corpora.labelled, run)
    update_reader = Updater(reader, config.reader, run)
    windows = (window for (window,) in stream.items)
    game = LanguageGame(reader.width, windows, config.critic, run)

    def step(batch):
        for fresh in batch.others:
            with torch.no_grad():
                vectors = reader(fresh).summary
            named = game.play(vectors, fresh)

        reading = reader(batch.one)
        span = span_loss(reading.start_logits, reading.last_logits, batch.one.answers)
        update_reader(span)

        return {"span": span, **named}

    fit(step, both(stream, stream, times=config.times), run)
    return reader
