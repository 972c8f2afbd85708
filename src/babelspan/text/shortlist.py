"""Which of many texts may answer a question: those that share pieces of words with it.

A piece is four characters of a word with a space on each side, so that inflected forms and names
written alike in two languages meet; in Korean and in scripts without spaces it is two characters.
Texts are ranked by BM25 (Robertson and Zaragoza 2009, *The probabilistic relevance framework*)
with its usual constants, lengths in characters, and the weight of rare pieces squared: names and
numbers are what two languages share. Across scripts little but numbers is shared, unless the
question comes with its words in the language of the text; what is lost is in docs/results/ask.md.
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
"""Scripts in which two characters say as much as four letters."""

_NO_WORD = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
_RUN = regex.compile(
    rf"(?P<dense>[{_DENSE}][{_DENSE}\p{{M}}]*)|[[\p{{L}}\p{{M}}\p{{N}}]--[{_DENSE}]]+",
    regex.VERSION1,
)


class Shortlist:
    """Texts, ready to be ranked for many questions.

    Args:
        texts: the texts.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._folded = [_folded(text) for text in texts]
        lengths = np.array([len(folded) for folded in self._folded], dtype=np.float32)
        relative = lengths / max(lengths.mean(), 1.0) if len(lengths) else lengths
        self._damping: NDArray[np.float32] = _K1 * (1 - _B + _B * relative)

    def best(self, question: str, count: int, *, put: Sequence[str] | None = None) -> list[int]:
        """Indices of the `count` texts most like a question, in the order of the texts.

        Of texts that share as much (often nothing) the first are taken.

        Args:
            question: the question.
            count: how many, at most.
            put: for each text the question as it is put to that text, perhaps with its words in
                other languages: the ranking by these and that by the question take turns.

        Raises:
            ValueError: if `count` is below 1.
        """
        if count < 1:
            raise ValueError(f"count must be 1 or more, got {count}")
        return sorted(self.ranked(question, put)[:count])

    def ranked(self, question: str, put: Sequence[str] | None = None) -> list[int]:
        """Indices of all texts, the most like the question first; arguments as of `best`."""
        of_question = self.scores(question)
        own: list[int] = np.argsort(-of_question, kind="stable").tolist()
        if put is None or {*put} <= {question}:
            return own
        scores = np.zeros(len(self._folded), dtype=np.float32)
        for one in dict.fromkeys(put):
            where = [number for number, other in enumerate(put) if other == one]
            scores[where] = (of_question if one == question else self.scores(one))[where]
        others = np.argsort(-scores, kind="stable").tolist()
        return list(dict.fromkeys(chain.from_iterable(zip(own, others, strict=True))))

    def scores(self, question: str) -> NDArray[np.float32]:
        """How much each text shares with a question, (texts,); 0 where they share nothing."""
        scores = np.zeros(len(self._folded), dtype=np.float32)
        for piece in _pieces(question):
            counts = np.array([f.count(piece) for f in self._folded], dtype=np.float32)
            holding = int(np.count_nonzero(counts))
            if holding:
                rarity = math.log(1 + (len(counts) - holding + 0.5) / (holding + 0.5))
                scores += rarity**2 * counts * (_K1 + 1) / (counts + self._damping)
        return scores


def _folded(text: str) -> str:
    """Words with one space before and after each, compatible forms and cases made one."""
    return f" {_NO_WORD.sub(' ', unicodedata.normalize('NFKC', text).casefold()).strip()} "


def _pieces(question: str) -> list[str]:
    """The pieces of the words of a question, each once."""
    pieces: dict[str, None] = {}
    for run in _RUN.finditer(_folded(question)):
        is_dense = run["dense"] is not None
        word = run[0] if is_dense else f" {run[0]} "
        length = min(_DENSE_PIECE if is_dense else _PIECE, len(word))
        pieces |= dict.fromkeys(word[i : i + length] for i in range(len(word) - length + 1))
    return list(pieces)
