"""A second head on a reader's encoder names languages while the reader learns spans.

Paper      none; Devlin et al. (2019), arXiv:1810.04805, for the encoder.
Needs      labelled examples in two languages, and passages.
Departs    nothing to depart from.

Algorithm, for each batch x of examples, and one y of passages
    1  reader  minimise span loss of x
    2  namer   minimise cross-entropy of the language of y; encoder and head learn
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from babelspan.losses.similarity import mean_vectors
from babelspan.losses.span import span_loss
from babelspan.training.examples import labelled
from babelspan.training.fit import fit
from babelspan.training.stream import Stream, both
from babelspan.training.update import Optim, Updater

NEEDS = {"labelled", "passages"}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=1e-3)


def train(reader, corpora, config, run):
    """The reader after all updates."""
    texts = list(corpora.passages)
    languages = sorted({passage.language for passage in texts})
    head = nn.Linear(reader.width, len(languages))
    namer = nn.ModuleDict({"encoder": reader.encoder, "head": head})
    update_reader = Updater(reader, config.reader, run)
    update_namer = Updater(namer, config.reader, run, name="namer")
    plain = Stream(
        items=[(p.text, languages.index(p.language)) for p in texts],
        lengths=np.array([len(p.text) for p in texts]),
        collate=lambda chosen: Named(reader.encoder.texts([t for t, _ in chosen]), chosen),
    )

    def step(batch):
        reading = reader(batch.one)
        span = span_loss(reading.start_logits, reading.last_logits, batch.one.answers)
        update_reader(span)

        (named,) = batch.others
        vectors = mean_vectors(namer["encoder"](named.texts), named.texts.text_mask)
        naming = F.cross_entropy(namer["head"](vectors), named.languages)
        update_namer(naming)
        return {"span": span, "naming": naming}

    fit(step, both(labelled(reader, corpora.labelled, run), plain), run)
    return reader


class Named:
    """Texts and the numbers of their languages."""

    def __init__(self, texts, chosen):
        self.texts, self.tokens = texts, texts.tokens
        self.languages = torch.tensor([language for _, language in chosen])

    def to(self, device):
        self.texts, self.languages = self.texts.to(device), self.languages.to(device)
        return self
