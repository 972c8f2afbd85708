"""Passage selection: predict the passage of an article, the kind of answer, and the answer span.

Paper      Alberti, Lee, Collins (2019), arXiv:1901.08634, Section 3: the model that Faisal and
           Anastasopoulos (2021), arXiv:2109.12028, Section 4, use for the TyDi QA primary tasks.
Needs      articles with passages and annotations.
Departs    1. A passage has a logit of its own, the mean over its tokens in the window; Alberti et
              al. choose the passage around the best span.
           2. In a window without a minimal span the target span is the first token, also for yes,
              no and a passage alone, so that the span head still works on plain texts. In Alberti
              et al. the target is then the whole passage.
           3. Passages have no markers such as "[Paragraph=3]", so the vocabulary does not change.
           4. A passage with yes, no or no minimal answer counts as being in a window if at least
              half of it is.
           5. Of several annotations, one with a minimal answer is preferred to a passage alone.
           6. The span loss is the mean over its two ends, half of Alberti et al.'s.

Algorithm, for each batch x of windows over articles
    1  read    span, passage and kind logits  <-  reader(x)
    2  reader  minimise span loss + passages * passage loss + kinds * kind loss
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, NonNegativeFloat

from babelspan.losses.choice import choice_loss
from babelspan.losses.span import span_loss
from babelspan.networks.passage_reader import ArticleBatch, PassageReader
from babelspan.networks.pretrained import PretrainedReader
from babelspan.networks.reader import Reader
from babelspan.training.articles import selected
from babelspan.training.fit import Losses, fit
from babelspan.training.run import Corpora, Run
from babelspan.training.update import Optim, Updater
from babelspan.types import ConfigError

NEEDS = {"articles"}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=3e-5)
    """Optimiser of the reader (Alberti et al. 2019, Section 4: Adam, 3e-5)."""
    nulls: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Fraction of the windows without an answer that are used, drawn with the run's seed (ours;
    Alberti et al. 2019: one in 50 for Natural Questions)."""
    passages: NonNegativeFloat = 1.0
    """Weight of the passage loss (ours)."""
    kinds: NonNegativeFloat = 1.0
    """Weight of the loss for the kind of answer (ours; Alberti et al. 2019 weight it like one end
    of the span, which is 0.5 here)."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """Train the reader; see the algorithm above.

    A reader of plain texts gets new heads for passages and kinds of answer; a reader that has them
    is trained further.

    Raises:
        ConfigError: if the reader cannot get these heads, or the run asks questions about the wrong
            text (`negatives`).
        DataError: if no window contains an answer.
    """
    if run.config.negatives:
        raise ConfigError(
            f"expected negatives = 0, got {run.config.negatives}: windows without an answer are "
            "those of the articles; set nulls in [method]"
        )
    selecting = _selecting(reader, run)
    update_reader = Updater(selecting, config.reader, run)

    def step(batch: ArticleBatch) -> Losses:
        reading = selecting.read(batch)

        losses = {"span": span_loss(reading.start_logits, reading.last_logits, batch.texts.answers)}
        loss = losses["span"]
        if config.passages:
            losses["passage"] = choice_loss(reading.passage_logits, batch.passages)
            loss = loss + config.passages * losses["passage"]
        if config.kinds:
            losses["kind"] = choice_loss(reading.kind_logits, batch.kinds)
            loss = loss + config.kinds * losses["kind"]
        update_reader(loss)

        return losses

    fit(step, selected(selecting, corpora.articles, run, nulls=config.nulls), run)
    return selecting


def _selecting(reader: Reader, run: Run) -> PassageReader:
    """The reader with passage and kind heads to train."""
    if isinstance(reader, PassageReader):
        return reader
    if not isinstance(reader, PretrainedReader):
        raise ConfigError(
            f"a reader of the kind {reader.kind!r} cannot learn to select passages; start from one "
            "of plain texts"
        )
    return PassageReader(reader, seed=run.config.seed)
