"""Sentence pairs only: the mean vectors of a sentence and its translation are pulled together.

Paper      none; Devlin et al. (2019), arXiv:1810.04805, for the encoder.
Needs      bitext.
Departs    nothing to depart from.

Algorithm, for each batch x of sentence pairs
    1  read    vectors of both sides  <-  encoder(x)
    2  reader  minimise 1 - cosine of their means
"""

from dataclasses import dataclass

from babelspan.losses.similarity import dissimilarity_loss, mean_vectors
from babelspan.training.bitext import Bitext, sentence_pairs
from babelspan.training.fit import Losses, fit
from babelspan.training.run import Corpora, Run
from babelspan.training.update import Optim, Updater

NEEDS = {"bitext"}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=1e-3)


def train(reader, corpora: Corpora, config: Config, run: Run):
    """The reader after all updates."""
    update_reader = Updater(reader, config.reader, run)

    def step(batch: Bitext) -> Losses:
        source, target = (
            mean_vectors(reader.encoder(side), side.text_mask)
            for side in (batch.source, batch.target)
        )

        distance = dissimilarity_loss(source, target)
        update_reader(distance)

        return {"distance": distance}

    fit(step, sentence_pairs(reader.encoder, corpora.bitext, run), run)
    return reader
