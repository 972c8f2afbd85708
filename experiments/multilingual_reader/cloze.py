"""Cross-lingual cloze questions from bitext: find the missing words of a sentence in a translation.

The question is a sentence with one or two words replaced by [MASK], in one language; the text is
its translation with the neighbouring sentences, in another language; the answer is the words that
the missing words are linked to. This is span selection (Glass et al. 2020, arXiv:1909.04120) on
sentence pairs: it trains cross-lingual question answering without labels, in all languages with
bitext.

Shapes: B rows, L tokens.
"""

import random
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import regex
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from babelspan.vocabulary.skeleton import BORDER

GROUP = 8
FROM_ENGLISH, TO_ENGLISH = 0.35, 0.25
"""Fractions of English questions and of English texts; in the rest, neither is English."""
TEXT_TOKENS = (64, 96, 128, 192)
MOST_QUESTION_TOKENS = 48
MOST_WORDS = 3
FREQUENT = 150
"""Number of most frequent pieces of a language; no answer consists of these alone."""

Ids = NDArray[np.int32]
Links = list[tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Cloze:
    """A batch of questions.

    Attributes:
        input_ids: (B, L).
        attention_mask: 1 for tokens, (B, L).
        token_type_ids: 1 for the text, (B, L).
        answers: first and last token, (B, 2).
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor
    answers: Tensor


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and its text: ids with special tokens, start of the text, tokens of the answer."""

    ids: list[int]
    text_at: int
    answer: tuple[int, int]


class ClozeBatches:
    """Batches by number, a pure function of seed and number.

    Args:
        path: the file written by `pack.py`.
        tokenizer: the new tokenizer.
        same: new id of each old id that both vocabularies share, else -1.
        tokens: approximate number of tokens per batch.
        seed: seed of all random choices.
    """

    def __init__(
        self, path: Path, tokenizer: Tokenizer, *, same: np.ndarray, tokens: int, seed: int
    ) -> None:
        with np.load(path) as arrays:
            self.arrays = dict(arrays)
        self.same = same
        self.tokens = tokens
        self.seed = seed
        self.frame = [tokenizer.token_to_id(n) for n in ("[CLS]", "[SEP]", "[MASK]")]
        pieces = [tokenizer.id_to_token(i) or "" for i in range(tokenizer.get_vocab_size())]
        word = regex.compile(r"[\p{L}\p{N}]")
        self.is_word = np.array([bool(word.search(p)) for p in pieces])
        self.is_spaced_rest = self.is_word & np.array(
            [not p.startswith(BORDER) and not _UNSPACED.search(p) for p in pieces]
        )
        owners = self.arrays["language"]
        self.by_language = {int(g): np.flatnonzero(owners == g) for g in np.unique(owners)}
        self.languages = sorted(self.by_language)
        self.weights = [len(self.by_language[g]) ** 0.5 for g in self.languages]
        self.frequent = self._frequent()
        self.translated: dict[bytes, list[int]] = defaultdict(list)
        for row in range(len(owners)):
            self.translated[self._source(row).tobytes()].append(row)
        self.group = lru_cache(maxsize=2)(self._group)

    def __call__(self, number: int) -> Cloze:
        """The batch with this number."""
        return self.group(number // GROUP)[number % GROUP]

    def _frequent(self) -> np.ndarray:
        """Whether each piece is among the most frequent ones of a language."""
        found = np.zeros(len(self.is_word), bool)
        starts = self.arrays["target_at"]
        for rows in self.by_language.values():
            ids = self.arrays["target"][starts[rows[0]] : starts[rows[-1] + 1]]
            found[np.argsort(np.bincount(ids, minlength=len(found)))[-FREQUENT:]] = True
        english = self.same[self.arrays["source"]]
        counts = np.bincount(english[english >= 0], minlength=len(found))
        found[np.argsort(counts)[-FREQUENT:]] = True
        return found

    def _group(self, number: int) -> list[Cloze]:
        rng = random.Random(f"cloze-{self.seed}-{number}")
        found: list[Asked] = []
        size = 0
        while size < self.tokens * GROUP:
            asked = self._asked(rng)
            if asked is not None:
                found.append(asked)
                size += len(asked.ids)
        found.sort(key=lambda asked: len(asked.ids))
        parts: list[list[Asked]] = [[] for _ in range(GROUP)]
        seen = 0
        for asked in found:
            seen += len(asked.ids)
            parts[min(seen * GROUP // size, GROUP - 1)].append(asked)
        rng.shuffle(parts)
        return [_batch(part or found[:1]) for part in parts]

    def _asked(self, rng: random.Random) -> Asked | None:
        (language,) = rng.choices(self.languages, self.weights)
        row = int(rng.choice(self.by_language[language]))
        kind = rng.random()
        links = [(int(i), int(j)) for i, j in self._part("links", row)]
        if kind < FROM_ENGLISH + TO_ENGLISH:
            english = self._english(row)
            if english is None:
                return None
            if kind < FROM_ENGLISH:
                return self._ask(english, row, links, rng, is_english=False)
            swapped = [(j, i) for i, j in links]
            return self._ask(self._part("target", row), row, swapped, rng, is_english=True)
        others = [r for r in self.translated[self._source(row).tobytes()] if r != row]
        if not others:
            return None
        other = rng.choice(others)
        by_english = defaultdict(list)
        for i, j in self._part("links", other):
            by_english[int(i)].append(int(j))
        joined = [(a, j) for i, j in links for a in by_english[i]]
        return self._ask(self._part("target", other), row, joined, rng, is_english=False)

    def _ask(
        self, question: Ids, row: int, links: Links, rng: random.Random, *, is_english: bool
    ) -> Asked | None:
        """A question about the text around a row; None if there are no suitable words."""
        sentence = self._english(row) if is_english else self._part("target", row)
        assert sentence is not None
        gap = self._gap(question, sentence, links, rng)
        if gap is None:
            return None
        (ask_first, ask_end), (first, end) = gap
        cls, sep, mask = self.frame
        before, after = question[:ask_first].tolist(), question[ask_end:].tolist()
        if rng.random() < 0.5:  # a shorter question has fewer words in common with the sentence
            before = before[rng.randint(0, len(before)) :]
            after = after[: rng.randint(0, len(after))]
            if len(before) + len(after) < 3:
                return None
        half = MOST_QUESTION_TOKENS // 2
        asked = [cls, *before[-half:], mask, *after[:half], sep]
        text, at = self._text(row, sentence, rng, is_english=is_english)
        begin = len(asked) + at + first
        return Asked([*asked, *text, sep], len(asked), (begin, begin + end - first - 1))

    def _gap(
        self, question: Ids, sentence: Ids, links: Links, rng: random.Random
    ) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Tokens [first, end) of words in the question, and of the words linked to them."""
        wanted = [j for _, j in links if self.is_word[sentence[j]]]
        wanted = [j for j in wanted if not self.frequent[sentence[j]]]
        if not wanted:
            return None
        first = rng.choice(wanted)
        words = rng.choice((1, 1, 2, MOST_WORDS))
        first, end = self._whole(sentence, first, first + 1)
        for _ in range(words - 1):
            if end < len(sentence) and self.is_word[sentence[end]]:
                first, end = self._whole(sentence, first, end + 1)
        linked = sorted({i for i, j in links if first <= j < end})
        begin, stop = self._whole(question, linked[0], linked[-1] + 1)
        if stop - begin > 3 * (end - first) + 2 or stop - begin > 8:
            return None
        if any(begin <= i < stop and not first <= j < end for i, j in links):
            return None
        return (begin, stop), (first, end)

    def _whole(self, ids: Ids, first: int, end: int) -> tuple[int, int]:
        """Extend tokens [first, end) to whole words."""
        while first > 0 and self.is_spaced_rest[ids[first]]:
            first -= 1
        while end < len(ids) and self.is_spaced_rest[ids[end]]:
            end += 1
        return first, end

    def _text(
        self, row: int, sentence: Ids, rng: random.Random, *, is_english: bool
    ) -> tuple[list[int], int]:
        """The sentence with its neighbours, and its start."""
        rows = self.by_language[int(self.arrays["language"][row])]
        place = int(np.searchsorted(rows, row))
        left, right = place, place
        text, at = sentence.tolist(), 0
        size = rng.choice(TEXT_TOKENS)
        while len(text) < size:
            if rng.random() < 0.5:
                left = (left - 1) % len(rows)
                other, is_before = int(rows[left]), True
            else:
                right = (right + 1) % len(rows)
                other, is_before = int(rows[right]), False
            part = self._english(other) if is_english else self._part("target", other)
            if part is None:
                continue
            text = [*part.tolist(), *text] if is_before else [*text, *part.tolist()]
            at += len(part) if is_before else 0
        return text, at

    def _english(self, row: int) -> Ids | None:
        """The English side by the new tokenizer; None if the old one tokenized it differently."""
        ids = self.same[self._source(row)]
        return ids if (ids >= 0).all() else None

    def _source(self, row: int) -> Ids:
        return self._part("source", row)

    def _part(self, name: str, row: int) -> Ids:
        start, end = self.arrays[f"{name}_at"][row : row + 2]
        return self.arrays[name][start:end]


_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}]")


def _batch(rows: list[Asked]) -> Cloze:
    shape = (len(rows), max(len(row.ids) for row in rows))
    ids, mask, types = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    for b, row in enumerate(rows):
        ids[b, : len(row.ids)] = torch.tensor(row.ids)
        mask[b, : len(row.ids)] = 1
        types[b, row.text_at : len(row.ids)] = 1
    return Cloze(ids, mask, types, torch.tensor([row.answer for row in rows]))
