"""A reader whose window is three parallel texts: the own one, with the answers, and two others.

The others' mean vectors are added to the own text's; an absent one adds exactly zero.
"""

from dataclasses import dataclass

import torch
from torch import nn

from babelspan.networks import pretrained
from babelspan.networks.reader import Batch, Reading


@dataclass(frozen=True)
class Window:
    """A window of the own text with those of the others; the answers are in the own one."""

    own: object
    others: tuple

    example = property(lambda self: self.own.example)
    length = property(lambda self: self.own.length)
    context_at = property(lambda self: self.own.context_at)
    offsets = property(lambda self: self.own.offsets)

    def tokens_of(self, span):
        return self.own.tokens_of(span)


@dataclass(frozen=True)
class Three:
    """A batch: the own windows, and for each a batch of the others' windows or None."""

    own: Batch
    others: list

    answers = property(lambda self: self.own.answers)
    tokens = property(lambda self: self.own.tokens)

    def to(self, device):
        return Three(self.own.to(device), [o and o.to(device) for o in self.others])


class ThreeTexts(nn.Module):
    """A reader around a reader; `beside` gives an example's versions in other languages."""

    kind = "three_texts"

    def __init__(self, inner, beside=lambda example: ()):
        super().__init__()
        self.inner, self.beside = inner, beside
        self.width, self.limits, self.save = inner.width, inner.limits, inner.save

    def windows(self, examples, limits=None):
        for example in examples:
            others = tuple(next(self.inner.windows([e], limits)) for e in self.beside(example))
            yield from (Window(own, others) for own in self.inner.windows([example], limits))

    def together(self, group):
        return ((window,) for window in self.windows(group))

    def collate(self, windows):
        others = [self.inner.collate(w.others) if w.others else None for w in windows]
        return Three(self.inner.collate([w.own for w in windows]), others)

    def forward(self, batch):
        own = self.inner(batch.own)
        none = own.hidden.new_zeros(self.width)
        means = [self.inner(o).hidden.mean(dim=(0, 1)) if o else none for o in batch.others]
        hidden = own.hidden + torch.stack(means)[:, None]
        start, last = self.inner.model.qa_outputs(hidden).unbind(-1)
        padding = batch.own.attention_mask == 0
        start, last = (x.masked_fill(padding, -torch.inf) for x in (start, last))
        return Reading(start, last, hidden[:, 0], hidden)


def load(folder, *, limits):
    return ThreeTexts(pretrained.load(str(folder), limits=limits))
