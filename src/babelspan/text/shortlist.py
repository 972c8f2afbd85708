"""Rank texts for a question by the character n-grams that they share with it.

A word with a space on each side is split into character 4-grams, so that inflected forms, and names
spelt alike in two languages, match; Korean and scripts without spaces are split into bigrams. Texts
are ranked by BM25 (Robertson and Zaragoza 2009, *The probabilistic relevance framework*) with its
usual constants, lengths in characters, and squared IDF, because two languages share mainly names
and numbers. Across scripts little but numbers is shared, unless the question is glossed in the
language of the text; the loss in recall is in docs/results/ask.md.
"""

import math
import unicodedata
from collections.abc import Sequence
from itertools import chain

import numpy as np
import regex
from numpy.typing import NDArray

from babelspan.text.languages import UNSPACED_SCRIPTS

_PIECE = 4
_DENSE_PIECE = 2
_K1 = 1.2
_B = 0.75

_DENSE = rf"{UNSPACED_SCRIPTS}\p{{Hangul}}"
"""Scripts in which two characters carry as much information as four letters."""

_NO_WORD = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
_RUN = regex.compile(
    rf"(?P<dense>[{_DENSE}][{_DENSE}\p{{M}}]*)|[[\p{{L}}\p{{M}}\p{{N}}]--[{_DENSE}]]+",
    regex.VERSION1,
)


class Shortlist:
    """Ranks a list of texts for many questions.

    Args:
        texts: the texts.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._folded = [_folded(text) for text in texts]
        lengths = np.array([len(folded) for folded in self._folded], dtype=np.float32)
        relative = lengths / max(lengths.mean(), 1.0) if len(lengths) else lengths
        self._damping: NDArray[np.float32] = _K1 * (1 - _B + _B * relative)

    def best(self, question: str, count: int, *, put: Sequence[str] | None = None) -> list[int]:
        """Indices of the `count` texts most similar to a question, in the order of the texts.

        Among texts with equal scores (often 0) the first are taken.

        Args:
            question: the question.
            count: maximum number of texts.
            put: for each text, the question as it is asked about that text, which may be glossed in
                the text's language. The rankings by these and by the question are interleaved.

        Raises:
            ValueError: if `count` is below 1.
        """
        if count < 1:
            raise ValueError(f"count must be 1 or more, got {count}")
        return sorted(self.ranked(question, put)[:count])

    def ranked(self, question: str, put: Sequence[str] | None = None) -> list[int]:
        """Indices of all texts, the most similar first; arguments as in `best`."""
        found: dict[str, NDArray[np.float32]] = {}
        of_question = self._scores(question, found)
        own: list[int] = np.argsort(-of_question, kind="stable").tolist()
        if put is None or {*put} <= {question}:
            return own
        scores = np.zeros(len(self._folded), dtype=np.float32)
        for one in dict.fromkeys(put):
            where = [number for number, other in enumerate(put) if other == one]
            scores[where] = self._scores(one, found)[where]
        others = np.argsort(-scores, kind="stable").tolist()
        return list(dict.fromkeys(chain.from_iterable(zip(own, others, strict=True))))

    def scores(self, question: str) -> NDArray[np.float32]:
        """The BM25 score of each text for a question, (texts,); 0 if they share nothing."""
        return self._scores(question, {})

    def _scores(self, question: str, found: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """The scores for a question; `found` keeps those of each n-gram for similar questions."""
        scores = np.zeros(len(self._folded), dtype=np.float32)
        for piece in _pieces(question):
            if piece not in found:
                found[piece] = self._scores_of(piece)
            scores += found[piece]
        return scores

    def _scores_of(self, piece: str) -> NDArray[np.float32]:
        """The part of the score of each text that an n-gram contributes, (texts,)."""
        counts = np.array([f.count(piece) for f in self._folded], dtype=np.float32)
        holding = int(np.count_nonzero(counts))
        rarity = math.log(1 + (len(counts) - holding + 0.5) / (holding + 0.5))
        return rarity**2 * counts * (_K1 + 1) / (counts + self._damping)


def _folded(text: str) -> str:
    """Words with one space before and after each, after NFKC and case folding."""
    return f" {_NO_WORD.sub(' ', unicodedata.normalize('NFKC', text).casefold()).strip()} "


def _pieces(question: str) -> list[str]:
    """The distinct character n-grams of the words of a question."""
    pieces: dict[str, None] = {}
    for run in _RUN.finditer(_folded(question)):
        is_dense = run["dense"] is not None
        word = run[0] if is_dense else f" {run[0]} "
        length = min(_DENSE_PIECE if is_dense else _PIECE, len(word))
        pieces |= dict.fromkeys(word[i : i + length] for i in range(len(word) - length + 1))
    return list(pieces)
