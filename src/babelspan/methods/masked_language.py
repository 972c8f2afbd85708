"""Masked language modelling: predict masked tokens of plain text from the tokens around them.

Paper      Devlin et al. (2019), arXiv:1810.04805, Section 3.1, Task 1, and Appendix A.1; in many
           languages, sampled by the size of their texts: Conneau et al. (2020), arXiv:1911.02116.
Needs      plain text in any languages.
Departs    1. No next-sentence prediction (Task 2), and masks are drawn anew in each epoch.
           2. A text that is longer than a window is split into parts; short texts are not joined.
           3. The loss is the mean over the masked tokens of a batch. The prediction head is new,
              shares the reader's word embeddings, and is discarded after training.

Algorithm, for each batch x of texts
    1  mask    15 % of the tokens of x: the mask, any token, or unchanged (80, 10, 10 %)
    2  read    vectors at the masked positions, logits of all tokens  <-  head(reader(x))
    3  reader  minimise cross-entropy of the masked tokens; the head is trained with it
"""

from dataclasses import dataclass
from typing import Annotated, cast

from pydantic import Field
from torch import nn
from torch.nn import functional as F

from babelspan.networks.reader import Reader
from babelspan.networks.texts import Texts, encoder_of
from babelspan.networks.word_head import WordHead
from babelspan.training.balance import Balance
from babelspan.training.fit import Losses, fit
from babelspan.training.passages import Masking, passages
from babelspan.training.run import Corpora, Run
from babelspan.training.update import Optim, Updater

NEEDS = {"passages"}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=1e-4)
    """Optimiser of the reader and the head (Devlin et al. 2019, Appendix A.2: rate 1e-4)."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.15
    """Fraction of the tokens that are masked (Section 3.1: 15 %)."""
    balance: Balance = Balance()
    """Share of each language in an epoch (Conneau et al. 2020: exponent 0.3)."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """Train the reader's encoder; see the algorithm above. Its span head is not changed.

    Raises:
        ConfigError: if the reader has no encoder that reads single texts.
        DataError: if there is no text, or the tokenizer has no mask token.
    """
    encoder = encoder_of(reader)
    mask = Masking(encoder, config.share)
    size, width = encoder.word_vectors.shape
    head = WordHead(encoder.width, (width, size), seed=run.config.seed)
    learner = nn.ModuleDict({"reader": cast(nn.Module, reader), "head": head})
    update_learner = Updater(learner, config.reader, run, name="learner")

    def step(texts: Texts) -> Losses:
        masked = mask(texts)

        vectors = encoder(masked.texts).flatten(0, 1)[masked.places]
        logits = head(vectors, encoder.word_vectors)

        count = max(1, len(masked.hidden))
        guessing = F.cross_entropy(logits, masked.hidden, reduction="sum") / count
        update_learner(guessing)

        right = (logits.argmax(dim=-1) == masked.hidden).sum() / count
        return {"guessing": guessing, "accuracy": right}

    fit(step, passages(encoder, corpora.passages, run, config.balance), run)
    return reader
