"""Batches of sentence pairs, and the loss that aligns translations with the English vectors.

The student reads a translation, the teacher (the frozen English reader) the English original.
Linked tokens are trained to have the same vectors at some layers, and segments the same mean vector
at the last layer (Reimers and Gurevych 2020, arXiv:2004.09813; Cao et al. 2020, arXiv:2002.03518).
A row has two segments, like question and context, often in two languages.

Shapes: B rows, L tokens, H width, K links.
"""

import random
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

GROUP = 8
"""Number of batches that are drawn together and sorted by length, to reduce padding."""
LAYERS = (2, 4, 6)
SECOND_TOKENS = 56
"""The second segment is filled with sentences in one language up to this number of tokens."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a batch.

    Attributes:
        ids: (B, L).
        mask: 1 for tokens, (B, L).
        types: segment, (B, L).
    """

    ids: Tensor
    mask: Tensor
    types: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class PairBatch:
    """Translations, originals, and links between them.

    Attributes:
        student: translations, encoded by the new tokenizer.
        teacher: originals, encoded by the old one.
        rows: row of each link, (K,).
        student_at: token of each link in the translation, (K,).
        teacher_at: token of each link in the original, (K,).
    """

    student: Side
    teacher: Side
    rows: Tensor
    student_at: Tensor
    teacher_at: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Two segments on both sides: ids with special tokens, length of the first segment, links."""

    student: list[int]
    teacher: list[int]
    student_first: int
    teacher_first: int
    links: list[tuple[int, int]]


class PairBatches:
    """Batches by number, a pure function of seed and number.

    Args:
        path: the file written by `pack.py`.
        frames: ids of [CLS] and [SEP] of student and teacher.
        same: new id of each old id that both vocabularies share, else -1.
        tokens: approximate number of student tokens per batch.
        english: fraction of first segments that stay English.
        seed: seed of all random choices.
    """

    def __init__(
        self,
        path: Path,
        *,
        frames: tuple[tuple[int, int], tuple[int, int]],
        same: np.ndarray,
        tokens: int,
        english: float,
        seed: int,
    ) -> None:
        with np.load(path) as arrays:
            self.arrays = dict(arrays)
        self.frames = frames
        self.same = same
        self.tokens = tokens
        self.english = english
        self.seed = seed
        owners = self.arrays["language"]
        self.by_language = [np.flatnonzero(owners == g) for g in np.unique(owners)]
        sizes = np.array([len(rows) for rows in self.by_language], dtype=float) ** 0.5
        self.weights = (sizes / sizes.sum()).tolist()
        self.group = lru_cache(maxsize=2)(self._group)

    def __call__(self, number: int) -> PairBatch:
        """The batch with this number."""
        return self.group(number // GROUP)[number % GROUP]

    def _group(self, number: int) -> list[PairBatch]:
        rng = random.Random(f"pairs-{self.seed}-{number}")
        rows: list[Row] = []
        size = 0
        while size < self.tokens * GROUP:
            rows.append(self._row(rng))
            size += len(rows[-1].student)
        rows.sort(key=lambda row: len(row.student))
        bounds = np.cumsum([len(row.student) for row in rows]) / size * GROUP
        parts = [[] for _ in range(GROUP)]
        for row, bound in zip(rows, bounds, strict=True):
            parts[min(int(bound), GROUP - 1)].append(row)
        rng.shuffle(parts)
        return [_batch(part or rows[:1]) for part in parts]

    def _row(self, rng: random.Random) -> Row:
        first, second = rng.choices(range(len(self.by_language)), self.weights, k=2)
        if rng.random() < 0.5:
            second = first
        (s_cls, s_sep), (t_cls, t_sep) = self.frames
        student, teacher, links = [s_cls], [t_cls], [(0, 0)]
        self._add(rng, first, student, teacher, links, is_english=rng.random() < self.english)
        links.append((len(student), len(teacher)))
        student.append(s_sep)
        teacher.append(t_sep)
        cut = len(student), len(teacher)
        while len(student) - cut[0] < SECOND_TOKENS:
            self._add(rng, second, student, teacher, links, is_english=False)
        student.append(s_sep)
        teacher.append(t_sep)
        return Row(student, teacher, *cut, links)

    def _add(
        self,
        rng: random.Random,
        language: int,
        student: list[int],
        teacher: list[int],
        links: list[tuple[int, int]],
        *,
        is_english: bool,
    ) -> None:
        """Append a sentence pair."""
        source, target, linked = self._pair(int(rng.choice(self.by_language[language])))
        if is_english and (self.same[source] >= 0).all():
            target = self.same[source]
            linked = np.repeat(np.arange(len(source))[:, None], 2, axis=1)
        links += [(int(j) + len(student), int(i) + len(teacher)) for i, j in linked]
        student += target.tolist()
        teacher += source.tolist()

    def _pair(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        parts = []
        for name in ("source", "target", "links"):
            start, end = self.arrays[f"{name}_at"][index : index + 2]
            parts.append(self.arrays[name][start:end])
        return parts[0], parts[1], parts[2]


def _batch(rows: list[Row]) -> PairBatch:
    links = [(b, s, t) for b, row in enumerate(rows) for s, t in row.links]
    row, student_at, teacher_at = torch.tensor(links).T
    return PairBatch(
        _side([(r.student, r.student_first) for r in rows]),
        _side([(r.teacher, r.teacher_first) for r in rows]),
        row,
        student_at,
        teacher_at,
    )


def _side(rows: list[tuple[list[int], int]]) -> Side:
    length = max(len(ids) for ids, _ in rows)
    shape = (len(rows), length)
    ids, mask, types = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    for b, (row, first) in enumerate(rows):
        ids[b, : len(row)] = torch.tensor(row)
        mask[b, : len(row)] = 1
        types[b, first : len(row)] = 1
    return Side(ids, mask, types)


def distillation_loss(student: Any, teacher: Any, batch: PairBatch) -> Tensor:
    """Squared distance of linked token vectors and of segment means, over the teacher's variance.

    For each layer of `LAYERS` the mean over links of |s - t|^2, divided by the mean over links of
    |t - mean t|^2; the same for mean vectors of segments at the last layer. The mean over the four.

    Args:
        student: the encoder to train.
        teacher: the frozen encoder.
        batch: B rows with K links.
    """
    with torch.no_grad():
        theirs = _hidden(teacher, batch.teacher)
    ours = _hidden(student, batch.student)
    losses = [
        _distance(
            ours[layer][batch.rows, batch.student_at], theirs[layer][batch.rows, batch.teacher_at]
        )
        for layer in LAYERS
    ]
    losses.append(_distance(_means(ours[-1], batch.student), _means(theirs[-1], batch.teacher)))
    return torch.stack(losses).mean()


def _hidden(encoder: Any, side: Side) -> tuple[Tensor, ...]:
    return encoder(
        input_ids=side.ids,
        attention_mask=side.mask,
        token_type_ids=side.types,
        output_hidden_states=True,
    ).hidden_states


def _means(hidden: Tensor, side: Side) -> Tensor:
    """Mean vector of each segment, (2B, H)."""
    means = []
    for segment in (0, 1):
        weight = ((side.types == segment) & (side.mask == 1)).float().unsqueeze(-1)
        means.append((hidden * weight).sum(1) / weight.sum(1).clamp(min=1))
    return torch.cat(means)


def _distance(ours: Tensor, theirs: Tensor) -> Tensor:
    spread = (theirs - theirs.mean(0)).square().sum(-1).mean()
    return (ours - theirs).square().sum(-1).mean() / spread
