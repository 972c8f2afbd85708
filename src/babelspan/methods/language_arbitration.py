"""Language arbitration: a question and its translation get the same answer and similar vectors.

Paper      Bornea et al. (2021), arXiv:2012.05958, Section 3.3 and Algorithm 2; Table 2, rows LAF.
Needs      examples and their T(Q), whose `origin` names the original: `babelspan translate
           --strategy q`. One other language gives the paper's en-zh, several give en-all; on
           T(ALL) the questions over each translated context are paired too.
Departs    1. All losses are half of the paper's: the span loss is the mean over both questions,
              where the paper adds them, so PSA and QS, means over pairs, are halved as well. A
              weight of 1 is the paper's.
           2. One forward pass per batch serves all losses, also lines 9 and 10 of the paper's
              algorithm; all gradients are computed at these weights, then the updates are made in
              the paper's order, or as one.
           3. The separate updates are steps of one AdamW: its moments see all the gradients, and
              decoupled weight decay is applied at each step, three times per update.
           4. A question and its translation are cut at the same context tokens, so that both
              windows contain the same part of the text.
           5. The best span for the original question is searched among context tokens and the
              first token.
           6. `ramp` increases the weights of PSA and QS gradually, because an untrained head would
              be trained to agree on arbitrary first guesses.

Algorithm, for each batch x of pairs (question, translation) over one context
    1  read    span logits, question vectors of both  <-  reader(x)
    2  reader  minimise span loss of both
    3  reader  minimise PSA: the translation's logits against the question's own best span
    4  reader  minimise QS: 1 - cosine of both questions' mean vectors
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat
from torch import Tensor

from babelspan.losses.similarity import dissimilarity_loss, mean_vectors
from babelspan.losses.span import span_loss
from babelspan.networks.reader import Reader
from babelspan.training.fit import Losses, fit
from babelspan.training.pairs import Pairs, paired
from babelspan.training.run import Corpora, Run
from babelspan.training.update import Optim, Updater

NEEDS = {"labelled"}
READS_IN_PAIRS = True
"""Half of the windows hold original questions, half one translation each (for equal exposure)."""

_HALF = 0.5
"""The span loss is half of the paper's sum over both questions; the others are halved to match."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=3e-5)
    """Optimiser of the reader (Bornea et al. 2021, Section 4.2: learning rate 3e-5)."""
    agreement: NonNegativeFloat = 1.0
    """Weight of PSA, 1 in the paper; 0 turns it off."""
    similarity: NonNegativeFloat = 1.0
    """Weight of QS: 0 for the paper's rows PSA, 1 for PSA+QS."""
    steps: Literal["separate", "joint"] = "separate"
    """Optimiser steps: one for each loss in the paper's order, or one for the sum of the losses."""
    ramp: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Fraction of the run over which the weights of PSA and QS rise from 0."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """Train the reader; see the algorithm above.

    Raises:
        ConfigError: if the run asks questions about the wrong text (`negatives`).
        DataError: if the original of a translation is missing, or there are no pairs.
    """
    update_reader = Updater(reader, config.reader, run)

    def step(pairs: Pairs) -> Losses:
        reading = reader(pairs.windows)

        span = span_loss(reading.start_logits, reading.last_logits, pairs.windows.answers)

        agreement = span_loss(
            pairs.translated(reading.start_logits),
            pairs.translated(reading.last_logits),
            pairs.best_spans(reading),
        )

        vectors = mean_vectors(reading.hidden, pairs.windows.question_mask)
        dissimilarity = dissimilarity_loss(pairs.own(vectors), pairs.translated(vectors))

        losses = {"span": span, "agreement": agreement, "dissimilarity": dissimilarity}
        update_reader(*_in_order(losses, config, run))
        return losses

    fit(step, paired(reader, corpora.labelled, run), run)
    return reader


def _in_order(losses: Mapping[str, Tensor], config: Config, run: Run) -> list[Tensor]:
    """The weighted losses, one for each optimiser step; losses of weight 0 are left out."""
    ramp = min(1.0, (run.clock.update + 1) / max(1.0, config.ramp * run.clock.updates))
    weights = {
        "agreement": _HALF * ramp * config.agreement,
        "dissimilarity": _HALF * ramp * config.similarity,
    }
    others = [weight * losses[name] for name, weight in weights.items() if weight]
    return [sum(others, losses["span"])] if config.steps == "joint" else [losses["span"], *others]
