"""What the question vectors of a trained reader reveal about a question's language and meaning.

The claim of language-adversarial training is that they do not reveal the language; the claim of
question similarity is that a question and its translation have one vector: Bornea et al. (2021),
arXiv:2012.05958, Sections 3.2 and 3.3. Both are measured here, on a fixed reader.

Shape letters: C languages, N questions of each, n of them tested, H width.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from babelspan.data.folder import chosen, cross
from babelspan.losses.similarity import mean_vectors
from babelspan.networks.discriminators import LanguageDiscriminator
from babelspan.networks.reader import Reader
from babelspan.reading.windows import Window
from babelspan.types import DataError, Example

BATCH = 16
"""Number of windows read at a time."""
UPDATES = 200
"""Updates of the discriminator by AdamW, each on a batch drawn from the training half."""
BATCH_VECTORS = 256
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.01

_LEAST_QUESTIONS = 4
_LEAST_SPREAD = 1e-5
"""A coordinate with a smaller standard deviation is treated as constant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one kind of question vector reveals, as fractions over the test half of the questions.

    Attributes:
        accuracy: how often a discriminator trained on the other half names the language.
        cosine: mean cosine of a question in the first language and its translation into each other
            language.
        unrelated: mean cosine of a question and the translation of another one; equal to `cosine`
            if all vectors are alike.
        retrieval: how often the translation is the nearest of all test questions of its language,
            mean of both directions. A question and its translation are read with one context, so
            vectors that reveal only the context still narrow the choice to its questions.
    """

    accuracy: float
    cosine: float
    unrelated: float
    retrieval: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What the question vectors of a reader reveal.

    Attributes:
        languages: languages of the questions, the source first.
        questions: number of test questions per language.
        chance: accuracy of random guessing, 1 / C.
        first: figures for the vector of the first token. That of a QANet has not seen the question.
        mean: figures for the mean vector of the question's tokens.
    """

    languages: tuple[str, ...]
    questions: int
    chance: float
    first: Told
    mean: Told


def probe(
    reader: Reader,
    questions: Mapping[str, Sequence[Example]],
    *,
    seed: int = 1,
    updates: int = UPDATES,
) -> Probe:
    """Measure what the question vectors of a reader reveal; the reader is not changed.

    Every question is read with the context of the first language, so that only the question can
    reveal its language; if the context has several windows, the first is used. Half of the
    questions, the same in all languages, chosen by a hash of their ids, train a discriminator of
    the form of Section 4.2 on vectors standardised with that half. The others are the test half.

    Args:
        reader: on any device; it reads without dropout, in its own precision.
        questions: language -> examples, the same ids in all; the source language comes first.
        seed: seed of the discriminator's weights and batches; PyTorch's random state is unchanged.
        updates: number of updates of the discriminator.

    Raises:
        DataError: if there are fewer than two languages or four questions, or sets not parallel.
    """
    asked = _over_one_context(questions)
    source = next(iter(questions))
    tested = _half([example.id for example in asked[source]])
    vectors = [_vectors(reader, examples) for examples in asked.values()]
    first, mean = (torch.stack(kind) for kind in zip(*vectors, strict=True))
    return Probe(
        languages=tuple(asked),
        questions=int(tested.sum()),
        chance=1 / len(asked),
        first=_told(first, tested, seed, updates),
        mean=_told(mean, tested, seed, updates),
    )


def _over_one_context(questions: Mapping[str, Sequence[Example]]) -> dict[str, list[Example]]:
    """Return the questions of each language with the contexts of the first, in its order."""
    if len(questions) < 2:
        raise DataError(
            "expected questions in two languages or more, found "
            f"{', '.join(questions) or 'none'} only; probing compares translations"
        )
    source = next(iter(questions))
    pairs = cross(questions)
    if len(pairs[source, source]) < _LEAST_QUESTIONS:
        raise DataError(
            f"expected {_LEAST_QUESTIONS} questions or more, half of them to train on, found "
            f"{len(pairs[source, source])} in {source!r}"
        )
    return {language: pairs[language, source] for language in questions}


def _half(ids: Sequence[str]) -> Tensor:
    """Return whether each id belongs to the test half, (N,)."""
    learnt = chosen(ids, len(ids) // 2)
    return torch.tensor([one not in learnt for one in ids])


@torch.no_grad()
def _vectors(reader: Reader, examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
    """Return each question's first-token vector and mean token vector, (N, H) each."""
    device = next(reader.parameters()).device
    first, mean = torch.empty(2, len(examples), reader.width).unbind()
    windows = _first_windows(reader, examples)
    by_length = sorted(range(len(windows)), key=lambda index: windows[index].length)
    with _not_learning(reader):
        for at in range(0, len(windows), BATCH):
            indices = by_length[at : at + BATCH]
            batch = reader.collate([windows[index] for index in indices]).to(device)
            reading = reader(batch)
            first[indices] = reading.summary.float().cpu()
            mean[indices] = mean_vectors(reading.hidden.float(), batch.question_mask).cpu()
    return first, mean


def _first_windows(reader: Reader, examples: Sequence[Example]) -> list[Window]:
    """Return the first window of each example."""
    found: dict[str, Window] = {}
    for window in reader.windows(examples):
        found.setdefault(window.example.id, window)
    for example in examples:
        if example.id not in found:
            raise DataError(f"question {example.id!r}: expected a context, found an empty one")
    return [found[example.id] for example in examples]


@contextmanager
def _not_learning(reader: Reader) -> Iterator[None]:
    """Turn off dropout in the reader inside the block."""
    learns = reader.training
    reader.eval()
    try:
        yield
    finally:
        reader.train(learns)


def _told(vectors: Tensor, tested: Tensor, seed: int, updates: int) -> Told:
    """Return what vectors (C, N, H) reveal; `tested` (N,) selects the test half."""
    of_test = F.normalize(vectors[:, tested], dim=-1)
    cosines = of_test[1:] @ of_test[0].T
    translations = cosines.diagonal(dim1=1, dim2=2)
    count = cosines.shape[1]
    unrelated = (cosines.sum(dim=(1, 2)) - translations.sum(dim=1)) / (count * (count - 1))
    own = torch.arange(count)
    nearest = torch.cat([cosines.argmax(dim=1) == own, cosines.argmax(dim=2) == own])
    return Told(
        accuracy=_accuracy(vectors, tested, seed, updates),
        cosine=float(translations.mean()),
        unrelated=float(unrelated.mean()),
        retrieval=float(nearest.float().mean()),
    )


def _accuracy(vectors: Tensor, tested: Tensor, seed: int, updates: int) -> float:
    """Return how often a new discriminator names the language of the test vectors, of (C, N, H)."""
    spread, centre = torch.std_mean(vectors[:, ~tested], dim=(0, 1), correction=0)
    even = (vectors - centre) / spread.clamp(min=_LEAST_SPREAD)
    languages = torch.arange(len(vectors)).unsqueeze(1).expand(vectors.shape[:2])
    learnt = even[:, ~tested].flatten(0, 1), languages[:, ~tested].flatten()
    discriminator = LanguageDiscriminator(vectors.shape[2], len(vectors), seed=seed)
    _teach(discriminator, *learnt, seed, updates)
    with torch.no_grad():
        named = discriminator(even[:, tested]).argmax(dim=-1)
    return float((named == languages[:, tested]).float().mean())


def _teach(
    discriminator: LanguageDiscriminator,
    vectors: Tensor,
    languages: Tensor,
    seed: int,
    updates: int,
) -> None:
    """Train a discriminator to name the languages (N,) of vectors (N, H)."""
    drawn = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(
        discriminator.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
    )
    for _ in range(updates):
        chosen = torch.randint(len(vectors), (BATCH_VECTORS,), generator=drawn)
        loss = F.cross_entropy(discriminator(vectors[chosen]), languages[chosen])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
