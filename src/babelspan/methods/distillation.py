"""Distillation on parallel text: match the teacher's sentence and word vectors across languages.

Paper      Reimers and Gurevych (2020), arXiv:2004.09813, Section 3, Eq. 1, for sentences; Cao et
           al. (2020), arXiv:2002.03518, Section 3.1, for linked words, here against a teacher.
Needs      bitext with a side in the teacher's language; with word links (`babelspan align`) the
           words of the other side are trained too.
Departs    1. Squared distances are divided by the variance of the teacher's vectors.
           2. A sentence vector is the mean of its token vectors after the last layer; a word
              vector is the mean of its token vectors after each of `layers` (by default the last).
           3. `sentences` and `words` weight the two losses; each paper has one of them.
           4. Without a `teacher` the reader learns from a copy of itself made at the start.
           5. Optimiser and learning rate are those of the other methods; languages may be
              weighted.

Algorithm, for each batch x of sentences s, translations t and links between their words
    1  teach   vectors m(s), words w(s)  <-  teacher(s), fixed
    2  read    vectors n(s), n(t), words v(s), v(t)  <-  reader(x)
    3  reader  minimise sentences * (|n(s) - m(s)|^2 + |n(t) - m(s)|^2)
               + words * (|v(s) - w(s)|^2 + |v(t) - w(s)|^2 over linked words), means over x
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from pydantic import NonNegativeFloat, NonNegativeInt
from torch import Tensor, nn

from babelspan.losses.distillation import unexplained
from babelspan.losses.similarity import mean_vectors
from babelspan.networks.pretrained import load_encoder
from babelspan.networks.reader import Reader
from babelspan.networks.texts import TextEncoder, encoder_of
from babelspan.training.balance import Balance
from babelspan.training.fit import Losses, fit
from babelspan.training.run import Corpora, Run
from babelspan.training.teaching import Taught, taught_pairs
from babelspan.training.update import Optim, Updater
from babelspan.types import ConfigError

NEEDS = {"bitext"}
READERS = ("teacher",)
"""Settings that name other networks; their checksums are part of the run's identity."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Table [method] of a recipe."""

    reader: Optim = Optim(lr=3e-5)
    """Optimiser of the reader."""
    teacher: str = ""
    """Encoder to learn from: a folder or a hub name; empty for the reader's own at the start."""
    language: str = "en"
    """Language of the sentences that the teacher reads."""
    layers: tuple[NonNegativeInt, ...] = ()
    """Layers, in both encoders, after which word vectors are compared; by default the last one."""
    sentences: NonNegativeFloat = 1.0
    """Weight of the sentence loss."""
    words: NonNegativeFloat = 1.0
    """Weight of the word loss."""
    balance: Balance = Balance()
    """Share of each language in an epoch."""


def train(reader: Reader, corpora: Corpora, config: Config, run: Run) -> Reader:
    """Train the reader's encoder; see the algorithm above. Its span head is not changed.

    Raises:
        ConfigError: if the reader has no encoder that reads single texts, or the teacher has
            vectors of another width or too few layers.
        DataError: if no pair has a side in the teacher's language, or the teacher cannot be loaded.
    """
    student = encoder_of(reader, max(config.layers, default=None))
    teacher = _teacher(student, config, run)
    layers = [(n, n) for n in config.layers] or [(student.layers, teacher.layers)]
    update_reader = Updater(reader, config.reader, run)

    def step(batch: Taught) -> Losses:
        with torch.no_grad():
            *theirs, taught = teacher.after(batch.taught, [*(n for _, n in layers), teacher.layers])
            meant = mean_vectors(taught, batch.taught.text_mask)

        read = [*(n for n, _ in layers), student.layers]
        *of_source, source = student.after(batch.source, read)
        *of_target, target = student.after(batch.target, read)

        sentences = unexplained(mean_vectors(source, batch.source.text_mask), meant)
        sentences = sentences + unexplained(mean_vectors(target, batch.target.text_mask), meant)
        words = _of_words(batch, of_source, of_target, theirs)
        update_reader(config.sentences * sentences + config.words * words)

        return {"sentences": sentences, "words": words}

    stream = taught_pairs(
        student,
        teacher,
        corpora.bitext,
        run,
        language=config.language,
        balance=config.balance,
    )
    fit(step, stream, run)
    return reader


def _of_words(
    batch: Taught, source: Sequence[Tensor], target: Sequence[Tensor], theirs: Sequence[Tensor]
) -> Tensor:
    """The word loss, averaged over layers; each layer's vectors are (B, L, H)."""
    losses = []
    for of_source, of_target, of_taught in zip(source, target, theirs, strict=True):
        taught = batch.taught_words.vectors(of_taught, "mean")
        own = batch.source_words.vectors(of_source, "mean")
        other = batch.target_words.vectors(of_target, "mean")
        losses.append(unexplained(own[batch.same[:, 0]], taught[batch.same[:, 1]]))
        losses.append(unexplained(other[batch.linked[:, 0]], taught[batch.linked[:, 1]]))
    return torch.stack(losses).sum() / len(source)


def _teacher(student: TextEncoder, config: Config, run: Run) -> TextEncoder:
    """The teacher, on the run's device, in evaluation mode and without gradients."""
    limits = student.featurizer.limits
    made = load_encoder(config.teacher, limits=limits) if config.teacher else copy.deepcopy(student)
    if (made.width, max(config.layers, default=0) <= made.layers) != (student.width, True):
        raise ConfigError(
            f"teacher {config.teacher!r}: expected vectors of width {student.width} and layers up "
            f"to {max(config.layers, default=0)}, found width {made.width} and {made.layers} layers"
        )
    cast(nn.Module, made).to(run.place.device).eval().requires_grad_(False)
    if not config.teacher and run.clock.stage:
        run.player("teacher", made, learns=False)  # after a first stage, no file has its weights
    return made
