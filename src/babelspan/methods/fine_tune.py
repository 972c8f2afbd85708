"""Fine-tuning on labelled examples; English examples alone give zero-shot transfer.

Paper      Devlin et al. (2019), arXiv:1810.04805, Section 4.2; the row ZS of Bornea et al. (2021),
           arXiv:2012.05958, Table 2, and the baseline of the other papers.
Needs      labelled examples in one language or more.
Departs    1. Of several gold answers, the first one with a known offset is used.
           2. Padding is masked in the softmax over tokens, so the loss does not depend on it.

Algorithm, for each batch x
    1  read     span logits  <-  reader(x)
    2  reader   minimise span loss
"""

from dataclasses import dataclass

from pydantic import NonNegativeInt

from babelspan.losses.span import span_loss
from babelspan.networks.frozen import frozen
from babelspan.networks.reader import Batch, Reader
from babelspan.training.examples import labelled
from babelspan.training.fit import Losses, fit
from babelspan.training.run import Corpora, Run
from babelspan.training.update import Optim, Updater

NEEDS = {"labelled"}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=3e-5)
    """Optimiser of the reader (Bornea et al. 2021, Section 4.2: learning rate 3e-5)."""
    frozen: NonNegativeInt | None = None
    """Number of encoder layers, from the bottom, to freeze together with the embeddings; 0 for the
    embeddings alone, None for nothing (ours)."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """Train the reader; see the algorithm above."""
    with frozen(reader, config.frozen):
        update_reader = Updater(reader, config.reader, run)

        def step(batch: Batch) -> Losses:
            reading = reader(batch)

            span = span_loss(reading.start_logits, reading.last_logits, batch.answers)
            update_reader(span)

            return {"span": span}

        fit(step, labelled(reader, corpora.labelled, run), run)
    return reader
