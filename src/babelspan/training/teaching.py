"""Sentence pairs for distillation, with the tokenizers of student and teacher.

Shape letters: B sentence pairs; U, V and W words of a batch; M and K pairs of words.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from babelspan.networks.reader import moved_to
from babelspan.networks.texts import TextEncoder, Texts
from babelspan.networks.words import Words, words_of
from babelspan.text.segmented import segmented
from babelspan.training.balance import Balance, balanced
from babelspan.training.run import Run
from babelspan.training.spool import Chosen, Spool
from babelspan.training.stream import Stream
from babelspan.types import Alignment, DataError, SentencePair


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """B sentences that the teacher reads, with their translations.

    Attributes:
        source: the sentences, as the student reads them.
        target: the translations, likewise.
        taught: the sentences, as the teacher reads them.
        source_words: U words of `source`.
        target_words: V words of `target`.
        taught_words: W words of `taught`.
        same: index of a word of `source` and of the same word of `taught`, (M, 2).
        linked: index of a word of `target` and of the word of `taught` it is linked to, (K, 2).
    """

    source: Texts
    target: Texts
    taught: Texts
    source_words: Words
    target_words: Words
    taught_words: Words
    same: Tensor
    linked: Tensor

    @property
    def tokens(self) -> int:
        """Number of tokens that the student reads, without padding."""
        return self.source.tokens + self.target.tokens

    def to(self, device: torch.device) -> "Taught":
        """A copy on a device."""
        return Taught(
            self.source.to(device),
            self.target.to(device),
            self.taught.to(device),
            self.source_words.to(device),
            self.target_words.to(device),
            self.taught_words.to(device),
            moved_to(device, self.same),
            moved_to(device, self.linked),
        )


def taught_pairs(
    student: TextEncoder,
    teacher: TextEncoder,
    pairs: Iterable[SentencePair],
    run: Run,
    *,
    language: str,
    balance: Balance = Balance(),
) -> Stream[SentencePair, Taught]:
    """A stream of sentence pairs with a side in the teacher's language.

    Pairs without such a side, or with an empty side, are skipped; the count is printed. A sentence
    longer than a window is truncated, and links to words beyond its end are left out.

    Args:
        student: reads both sides.
        teacher: reads the side in its language.
        pairs: sentence pairs, with or without word links.
        run: provides the folder to store them in, and the seed.
        language: the teacher's language.
        balance: share of each other language in an epoch.

    Raises:
        DataError: if no pair is left.
    """
    kept: Spool[SentencePair] = Spool(folder=run.folder)
    lengths = array("q")
    skipped = 0
    for pair in pairs:
        turned = _turned(pair, language)
        sides = [] if turned is None else list(_lengths(turned, student, teacher))
        if turned is None or not all(sides):
            skipped += 1
            continue
        kept.append(turned)
        lengths.append(max(sides))
    if skipped and run.place.leads:
        print(
            f"skipped {skipped} sentence pairs: no side in {language!r}, or no text",
            file=sys.stderr,
        )
    if not kept:
        raise DataError(
            f"expected sentence pairs with a side in {language!r}, the teacher's language, found "
            f"none among {skipped}; name another language, or add --bitext"
        )
    chosen = balanced([pair.target_language for pair in kept], balance, seed=run.config.seed)
    return Stream(
        items=Chosen(kept, chosen),
        lengths=np.array(lengths, dtype=np.int64)[chosen],
        collate=lambda some: _taught(student, teacher, some),
        texts=3,
        unit="sentence pair",
    )


def _turned(pair: SentencePair, language: str) -> SentencePair | None:
    """The pair with the teacher's language first; None if neither side is in that language."""
    if pair.source_language == language:
        return pair
    if pair.target_language != language:
        return None
    links = pair.links and Alignment(frozenset((j, i) for i, j in pair.links.links))
    return SentencePair(pair.target, pair.source, pair.target_language, pair.source_language, links)


def _lengths(pair: SentencePair, student: TextEncoder, teacher: TextEncoder) -> Iterator[int]:
    """Number of tokens in a window of each text of a pair."""
    for encoder, text in (
        (student, pair.source),
        (student, pair.target),
        (teacher, pair.source),
    ):
        yield encoder.featurizer.length_of_a_text(text)


def _taught(student: TextEncoder, teacher: TextEncoder, chosen: Sequence[SentencePair]) -> Taught:
    cut = [segmented(pair) for pair in chosen]
    sources, targets = ([getattr(pair, side) for pair in chosen] for side in ("source", "target"))
    source, target, taught = student.texts(sources), student.texts(targets), teacher.texts(sources)
    of_source, in_source = words_of(source, [pair.source_words for pair in cut])
    of_target, in_target = words_of(target, [pair.target_words for pair in cut])
    of_taught, in_taught = words_of(taught, [pair.source_words for pair in cut])
    same, linked = [], []
    for pair, here, there, theirs in zip(chosen, in_source, in_target, in_taught, strict=True):
        same += [(here[i], theirs[i]) for i in here if i in theirs]
        links = sorted(pair.links.links) if pair.links else []
        linked += [(there[j], theirs[i]) for i, j in links if i in theirs and j in there]
    return Taught(
        source, target, taught, of_source, of_target, of_taught, _rows(same), _rows(linked)
    )


def _rows(pairs: Sequence[tuple[int, int]]) -> Tensor:
    return torch.tensor(pairs, dtype=torch.long).view(-1, 2)
