"""Language arbitration: a question and its translation give one answer and mean the same.

Paper      Bornea et al. (2021), arXiv:2012.05958, Section 3.3 and Algorithm 2; Table 2, rows LAF.
Needs      examples and their T(Q), which name them as their `origin`: `babelspan translate
           --strategy q`. One other language is the paper's en-zh, more en-all; on T(ALL) the
           questions over each translated context are paired too.
Departs    1. All losses are half of the paper's: the span loss is the mean over both questions,
              where the paper adds them, so PSA and QS, means over pairs, count half as well. A
              weight of 1 is the paper's.
           2. A batch is read once, also for lines 9 and 10 of the box; all gradients are taken
              there, then the updates are made in the paper's order, or as one.
           3. The separate updates are steps of one AdamW: its moments see all the gradients, and
              decoupled weight decay is applied at each step, three times an update.
           4. A question and its translation are cut at the same context tokens, so that both
              windows hold the same part of the text.
           5. The own question's best span is looked for among context tokens and the first token.
           6. `ramp` lets PSA and QS come in slowly: an untrained head agrees on first guesses.
           7. `adversary` brings Algorithm 1 into the first update; the paper does not combine them.

Algorithm, for each batch x of pairs (question, translation) over one context
    1  read    span logits, question vectors of both  <-  reader(x)
    2  reader  minimise span loss of both
    3  reader  minimise PSA: the translation's logits against the question's own best span
    4  reader  minimise QS: 1 - cosine of both questions' mean vectors
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field, NonNegativeFloat
from torch import Tensor

from babelspan.losses.adversarial import confusion_loss
from babelspan.losses.similarity import dissimilarity_loss, mean_vectors
from babelspan.losses.span import span_loss
from babelspan.networks.discriminators import LanguageDiscriminator
from babelspan.networks.reader import Batch, Reader, Reading
from babelspan.training.languages import language_weights, naming
from babelspan.training.loop import Losses, fit
from babelspan.training.pairs import paired
from babelspan.training.run import Corpora, Run
from babelspan.training.update import Optim, Updater

_OWN, _TRANSLATED = slice(0, None, 2), slice(1, None, 2)
"""The windows of a batch of pairs."""
_HALF = 0.5
"""The span loss is half of the paper's sum over both questions, and so are the other losses."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=3e-5)
    """How the reader learns (Bornea et al. 2021, Section 4.2: learning rate 3e-5)."""
    agreement: NonNegativeFloat = 1.0
    """Weight of PSA, 1 in the paper; 0 to do without."""
    similarity: NonNegativeFloat = 1.0
    """Weight of QS: 0 for the paper's rows PSA, 1 for PSA+QS."""
    steps: Literal["separate", "joint"] = "separate"
    """One for each loss in the paper's order, or one along the sum of the losses."""
    ramp: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Fraction of the run in which the weights of PSA and QS rise from 0."""
    adversary: NonNegativeFloat = 0.0
    """Weight of the divergence of `language_adversarial`, with the first token's vector; 0 for no
    adversary."""
    discriminator: Optim = Optim(lr=3e-5)
    """How the adversary's discriminator learns."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """The reader after all updates; see the algorithm above.

    Raises:
        ConfigError: if the run makes questions over the wrong text.
        DataError: if a translation's partner is missing, or nothing is paired.
    """
    batches = paired(reader, corpora.labelled, run)
    update_reader = Updater(reader, config.reader, run)
    if config.adversary:
        weights = language_weights(batches.windows)
        discriminator = LanguageDiscriminator(reader.width, len(weights), seed=run.config.seed)
        update_discriminator = Updater(
            discriminator, config.discriminator, run, name="discriminator"
        )

    def step(batch: Batch) -> Losses:
        reading = reader(batch)

        span = span_loss(reading.start_logits, reading.last_logits, batch.answers)
        agreement = span_loss(
            reading.start_logits[_TRANSLATED],
            reading.last_logits[_TRANSLATED],
            _best_spans(reading, batch),
        )
        vectors = mean_vectors(reading.hidden, batch.question_mask)
        dissimilarity = dissimilarity_loss(vectors[_OWN], vectors[_TRANSLATED])
        losses = {"span": span, "agreement": agreement, "dissimilarity": dissimilarity}
        if config.adversary:
            losses["confusion"] = confusion_loss(discriminator(reading.summary))
        update_reader(*_in_order(losses, config, run))

        if config.adversary:
            losses |= naming(discriminator(reading.summary.detach()), batch, weights)
            update_discriminator(losses["discriminator"])
        return losses

    fit(step, batches, run)
    return reader


def _in_order(losses: Mapping[str, Tensor], config: Config, run: Run) -> list[Tensor]:
    """The losses that the reader takes steps along, weighted; those of weight 0 are left out."""
    ramp = min(1.0, (run.update + 1) / max(1.0, config.ramp * run.updates))
    first = losses["span"]
    if config.adversary:
        first = first + config.adversary * losses["confusion"]
    weights = {
        "agreement": _HALF * ramp * config.agreement,
        "dissimilarity": _HALF * ramp * config.similarity,
    }
    others = [weight * losses[name] for name, weight in weights.items() if weight]
    return [sum(others, first)] if config.steps == "joint" else [first, *others]


@torch.no_grad()
def _best_spans(reading: Reading, batch: Batch) -> Tensor:
    """First and last token that each own question finds best, counted in its translation's window.

    Shape (P, 2) for P pairs. Both windows hold the same context tokens, so that a place is moved by
    the difference of the questions' lengths; the first token, "not in this window", stays.
    """
    unfit = ~batch.answer_mask[_OWN]
    best = torch.stack(
        [
            logits[_OWN].masked_fill(unfit, -torch.inf).argmax(dim=-1)
            for logits in (reading.start_logits, reading.last_logits)
        ],
        dim=1,
    )
    shift = (batch.context_at[_TRANSLATED] - batch.context_at[_OWN])[:, None]
    return torch.where(best == 0, best, best + shift)
