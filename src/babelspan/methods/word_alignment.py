"""Word alignment of embeddings: align the contextual vectors of linked words, regularised.

Paper      Faisal and Anastasopoulos (2021), arXiv:2109.12028, Section 3, after Cao, Kitaev and
           Klein (2020), arXiv:2002.03518. The encoder is aligned first, then it learns to answer.
Needs      bitext with word links: `babelspan align`.
Departs    1. Both sums are divided by the number of sentence pairs of the batch, which keeps their
              ratio.
           2. The vector of a word is that of its last token, as in Cao et al., after the last
              layer; the paper states neither. `word` and `layer` change this.
           3. `drift` is a weight of R; 1 is the paper's unweighted sum.
           4. Optimiser, learning rate and batch size are not stated: AdamW at 3e-5, as in the other
              methods.
           5. Words that the end of the window cuts have no vector, and links to them are ignored.
           6. Languages may be capped and weighted by a temperature, which the paper leaves open.

Algorithm, for each batch x of sentence pairs (s, t) with links a(s, t)
    1  read    word vectors f(s), f(t)  <-  encoder(x)
    2  recall  word vectors f0(s), f0(t)  <-  a fixed copy of the encoder, made at the start
    3  reader  minimise L + drift * R: L the sum of |f(s_p) - f(t_q)|^2 over links (p, q),
               R that of |f(s_i) - f0(s_i)|^2 and |f(t_i) - f0(t_i)|^2 over all words
"""

import copy
import math
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field, NonNegativeInt
from torch import Tensor
from torch.nn import functional as F

from babelspan.losses.words import cosine_between, squared_distance
from babelspan.networks.reader import Reader
from babelspan.networks.texts import TextEncoder, encoder_of
from babelspan.networks.words import Pooling
from babelspan.training.balance import Balance
from babelspan.training.bitext import LinkedBitext, linked_pairs
from babelspan.training.fit import Losses, fit
from babelspan.training.run import Corpora, Run
from babelspan.training.update import Optim, Updater

NEEDS = {"bitext"}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=3e-5)
    """Optimiser of the reader's encoder."""
    drift: Annotated[float, Field(ge=0)] = 1.0
    """Weight of R; at 0 only L is minimised, at infinity only R; both are logged."""
    layer: NonNegativeInt | None = None
    """Layer after which vectors are compared, 0 for the embeddings; by default the last one."""
    word: Pooling = "last"
    """The vector of a word: that of its last token, or the mean over its tokens."""
    balance: Balance = Balance()
    """Share of each language pair in an epoch."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """Train the reader's encoder; see the algorithm above. Its span head is not changed.

    Raises:
        ConfigError: if the reader has no encoder that reads single texts, or lacks that layer.
        DataError: if there is no bitext, or a sentence pair has no word links.
    """
    encoder = encoder_of(reader, config.layer)
    stream = linked_pairs(encoder, corpora.bitext, run, config.balance)
    start = copy.deepcopy(encoder)
    update_reader = Updater(reader, config.reader, run)
    run.player("start", start, learns=False)

    def step(batch: LinkedBitext) -> Losses:
        source, target = _word_vectors(encoder, batch, config)

        with torch.no_grad():
            old_source, old_target = _word_vectors(start, batch, config)

        one, other = source[batch.links[:, 0]], target[batch.links[:, 1]]
        pairs = len(batch.bitext.pairs)
        distance = squared_distance(one, other) / pairs
        moved = squared_distance(source, old_source) + squared_distance(target, old_target)
        drift = moved / pairs
        update_reader(drift if math.isinf(config.drift) else distance + config.drift * drift)

        with torch.no_grad():
            both = torch.cat([source, target]), torch.cat([batch.source.text, batch.target.text])
            linked = F.cosine_similarity(one, other).sum() / max(1, len(one))
            return {
                "distance": distance,
                "drift": drift,
                "linked_cosine": linked,
                "unrelated_cosine": cosine_between(*both),
            }

    fit(step, stream, run)
    return reader


def _word_vectors(
    encoder: TextEncoder, batch: LinkedBitext, config: Config
) -> tuple[Tensor, Tensor]:
    """The word vectors of both sides, (W, H) and (V, H)."""
    return (
        batch.source.vectors(encoder(batch.bitext.source, config.layer), config.word),
        batch.target.vectors(encoder(batch.bitext.target, config.layer), config.word),
    )
