"""Language-adversarial training: question vectors that do not reveal their language.

Paper      Bornea et al. (2021), arXiv:2012.05958, Section 3.2 and Algorithm 1; Table 2, rows AT.
Needs      examples with questions in two languages or more: originals and their T(Q), made by
           `babelspan translate --strategy q`. One other language gives the paper's en-zh, several
           give en-all.
Departs    1. The divergence is minimised (the sign of the paper's Eq. 4 is a slip).
           2. The discriminator is trained on the same vectors as the reader's update, computed
              before that update.
           3. It has ReLUs and is trained by AdamW at the reader's learning rate; the paper states
              neither.
           4. All languages have the same weight in its loss, even if one is more frequent, as
              English is in T(ALL); in T(Q) they are equally frequent.
           5. The vector is that of the first token, as in the paper, or the mean over the
              question's tokens.

Algorithm, for each batch x of questions in any of the languages
    1  read           span logits, question vectors h  <-  reader(x)
    2  reader         minimise span loss + weight * KL(uniform || D(h)), D fixed
    3  discriminator  minimise cross-entropy of the question's language given h, reader fixed
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import NonNegativeFloat
from torch import Tensor

from babelspan.losses.similarity import mean_vectors
from babelspan.losses.span import span_loss
from babelspan.networks.reader import Batch, Reader, Reading
from babelspan.training.examples import labelled
from babelspan.training.fit import Losses, fit
from babelspan.training.games import LanguageGame
from babelspan.training.run import Corpora, Run
from babelspan.training.update import Optim, Updater

NEEDS = {"labelled"}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=3e-5)
    """Optimiser of the reader (Bornea et al. 2021, Section 4.2: learning rate 3e-5)."""
    discriminator: Optim = Optim(lr=3e-5)
    """Optimiser of the discriminator; not stated in the paper, here as for the reader."""
    weight: NonNegativeFloat = 1.0
    """Weight of the divergence in the reader's loss; 1 is the paper's unweighted sum. At 0 the
    reader is fine-tuned, and the discriminator learns without affecting it."""
    question: Literal["first", "mean"] = "first"
    """The question's vector: that of the first token, or the mean over the question's tokens."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """Train the reader; see the algorithm above.

    Raises:
        DataError: if all training questions are in one language.
    """
    stream = labelled(reader, corpora.labelled, run)
    update_reader = Updater(reader, config.reader, run)
    learnt = (window for (window,) in stream.items)
    game = LanguageGame(reader.width, learnt, config.discriminator, run)

    def step(batch: Batch) -> Losses:
        reading = reader(batch)
        vectors = _question_vectors(reading, batch, config.question)

        span = span_loss(reading.start_logits, reading.last_logits, batch.answers)
        confusion = game.confusion(vectors)
        update_reader(span + config.weight * confusion)

        named = game.play(vectors, batch)

        return {"span": span, "confusion": confusion, **named}

    fit(step, stream, run)
    return reader


def _question_vectors(reading: Reading, batch: Batch, which: str) -> Tensor:
    """The vector of each question, (B, H)."""
    if which == "first":
        return reading.summary
    return mean_vectors(reading.hidden, batch.question_mask)
