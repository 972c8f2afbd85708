"""Sentence pairs as a training stream.

Shape letters: B sentence pairs, W and V words of their two sides, K word links.
"""

from array import array
from collections.abc import Iterable, Sequence
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
from babelspan.training.stream import Indices, Stream
from babelspan.types import DataError, SentencePair


@dataclass(frozen=True, slots=True, eq=False)
class Bitext:
    """B sentences and their translations.

    Attributes:
        source: the sentences.
        target: the translations, in the same order.
        pairs: the sentence pairs that the batch was made from.
    """

    source: Texts
    target: Texts
    pairs: tuple[SentencePair, ...]

    @property
    def tokens(self) -> int:
        """Number of tokens of both sides, without padding."""
        return self.source.tokens + self.target.tokens

    def to(self, device: torch.device) -> "Bitext":
        """A copy on a device."""
        return Bitext(self.source.to(device), self.target.to(device), self.pairs)


@dataclass(frozen=True, slots=True, eq=False)
class LinkedBitext:
    """B sentences and their translations, with the words of both and links between them.

    Attributes:
        bitext: the sentences.
        source: the W words of the sentences that are whole in the window.
        target: the V words of the translations, likewise.
        links: index of a source word and of the target word it is linked to, (K, 2).
    """

    bitext: Bitext
    source: Words
    target: Words
    links: Tensor

    @property
    def tokens(self) -> int:
        """Number of tokens of both sides, without padding."""
        return self.bitext.tokens

    def to(self, device: torch.device) -> "LinkedBitext":
        """A copy on a device."""
        return LinkedBitext(
            self.bitext.to(device),
            self.source.to(device),
            self.target.to(device),
            moved_to(device, self.links),
        )


def sentence_pairs(
    encoder: TextEncoder, pairs: Iterable[SentencePair], run: Run
) -> Stream[SentencePair, Bitext]:
    """A stream of sentence pairs; pairs with an empty side are skipped.

    A sentence longer than a window is truncated.

    Raises:
        DataError: if there are no such pairs.
    """
    kept, lengths = _kept(encoder, pairs, run)
    return Stream(
        items=kept,
        lengths=lengths,
        collate=lambda chosen: _bitext(encoder, chosen),
        texts=2,
        unit="sentence pair",
    )


def linked_pairs(
    encoder: TextEncoder, pairs: Iterable[SentencePair], run: Run, balance: Balance = Balance()
) -> Stream[SentencePair, LinkedBitext]:
    """A stream of sentence pairs with word links; otherwise as `sentence_pairs`.

    Links to words that are cut by the end of the window are left out.

    Args:
        encoder: its tokenizer encodes the sentences.
        pairs: sentence pairs with links.
        run: provides the folder to store them in, and the seed.
        balance: share of each language pair in an epoch.

    Raises:
        DataError: if there are no pairs, or one has no links.
    """
    kept, lengths = _kept(encoder, map(_refused_without_links, pairs), run)
    languages = [(pair.source_language, pair.target_language) for pair in kept]
    chosen = balanced(languages, balance, seed=run.config.seed)
    return Stream(
        items=Chosen(kept, chosen),
        lengths=lengths[chosen],
        collate=lambda some: _linked(_bitext(encoder, some)),
        texts=2,
        unit="sentence pair",
    )


def _kept(
    encoder: TextEncoder, pairs: Iterable[SentencePair], run: Run
) -> tuple[Spool[SentencePair], Indices]:
    """Pairs with tokens on both sides, and the length of the longer side of each in a window."""
    kept: Spool[SentencePair] = Spool(folder=run.folder)
    lengths = array("q")
    for pair in pairs:
        sides = [encoder.featurizer.length_of_a_text(text) for text in (pair.source, pair.target)]
        if all(sides):
            kept.append(pair)
            lengths.append(max(sides))
    if not kept:
        raise DataError("expected sentence pairs to learn from, found none with text on both sides")
    return kept, np.array(lengths, dtype=np.int64)


def _refused_without_links(pair: SentencePair) -> SentencePair:
    if pair.links is None:
        raise DataError(
            f"expected bitext with word links in a third column, found none for {pair.source!r:.80}"
            "; make it with `babelspan align BITEXT --out linked.<a>-<b>.tsv.gz`"
        )
    return pair


def _bitext(encoder: TextEncoder, chosen: Sequence[SentencePair]) -> Bitext:
    return Bitext(
        encoder.texts([pair.source for pair in chosen]),
        encoder.texts([pair.target for pair in chosen]),
        tuple(chosen),
    )


def _linked(bitext: Bitext) -> LinkedBitext:
    pairs = [segmented(pair) for pair in bitext.pairs]
    source, sources = words_of(bitext.source, [pair.source_words for pair in pairs])
    target, targets = words_of(bitext.target, [pair.target_words for pair in pairs])
    links = [
        (here[i], there[j])
        for pair, here, there in zip(bitext.pairs, sources, targets, strict=True)
        for i, j in (sorted(pair.links.links) if pair.links else ())
        if i in here and j in there
    ]
    return LinkedBitext(bitext, source, target, torch.tensor(links, dtype=torch.long).view(-1, 2))
