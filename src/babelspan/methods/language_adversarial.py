"""Language-adversarial training: question vectors that do not tell their language.

Paper      Bornea et al. (2021), arXiv:2012.05958, Section 3.2 and Algorithm 1; Table 2, rows AT.
Needs      examples with questions in two languages or more: originals and their T(Q), made by
           `babelspan translate --strategy q`. One other language is the paper's en-zh, more en-all.
Departs    1. The divergence is minimised (the sign of the paper's Eq. 4 is a slip).
           2. The discriminator learns from the vectors that the reader's update was made with.
           3. It has ReLUs and learns by AdamW at the reader's rate; the paper says neither.
           4. All languages weigh the same in its loss, also where one is more frequent, as English
              is in T(ALL); on T(Q) they are equally frequent.
           5. The vector is that of the first token, as in the paper, or the mean of the question's.

Algorithm, for each batch x of questions in any of the languages
    1  read           span logits, question vectors h  <-  reader(x)
    2  reader         minimise span loss + weight * KL(uniform || D(h)), D as it is
    3  discriminator  minimise cross-entropy of the question's language given h, reader as it is
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
    """How the reader learns (Bornea et al. 2021, Section 4.2: learning rate 3e-5)."""
    discriminator: Optim = Optim(lr=3e-5)
    """How the discriminator learns; the paper does not say: as the reader."""
    weight: NonNegativeFloat = 1.0
    """Of the divergence in the reader's loss; the paper has none: 1. At 0 the reader is fine-tuned
    and the discriminator only watches."""
    question: Literal["first", "mean"] = "first"
    """The question's vector: that of the first token, or the mean over the question's tokens."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """The reader after all updates; see the algorithm above.

    Raises:
        DataError: if all questions that can be learnt from are in one language.
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
    """One vector for each question, (B, H)."""
    if which == "first":
        return reading.summary
    return mean_vectors(reading.hidden, batch.question_mask)
