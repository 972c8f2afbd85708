"""Masked-language learning: guess hidden tokens of plain text from the tokens around them.

Paper      Devlin et al. (2019), arXiv:1810.04805, Section 3.1, Task 1, and Appendix A.1; in many
           languages, by the size of their texts: Conneau et al. (2020), arXiv:1911.02116.
Needs      plain text in any languages.
Departs    1. No sentence pairs (Task 2), and tokens are hidden anew in each epoch.
           2. A text that is longer than a window is learnt from part by part; short ones are not
              joined.
           3. The loss is the mean over the hidden tokens of a batch. The head is new, and is not
              kept; its word vectors are the reader's.

Algorithm, for each batch x of texts
    1  hide    15 % of the tokens of x: the mask, any token, or as they are (80, 10, 10 %)
    2  read    vectors at the hidden places, logits of all tokens  <-  head(reader(x))
    3  reader  minimise cross-entropy of the hidden tokens; the head learns with it
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
    """How the reader and the head learn (Devlin et al. 2019, Appendix A.2: learning rate 1e-4)."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.15
    """Of the tokens that are hidden (Section 3.1: 15 %)."""
    balance: Balance = Balance()
    """How much of each language makes up an epoch (Conneau et al. 2020: exponent 0.3)."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """The reader after all updates; see the algorithm above. Its span head stays as it was.

    Raises:
        ConfigError: if the reader has no encoder that reads texts.
        DataError: if there is no text, or the tokenizer has no mask.
    """
    encoder = encoder_of(reader)
    mask = Masking(encoder, config.share)
    size, width = encoder.word_vectors.shape
    head = WordHead(encoder.width, (width, size), seed=run.config.seed)
    learner = nn.ModuleDict({"reader": cast(nn.Module, reader), "head": head})
    update_learner = Updater(learner, config.reader, run)

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
