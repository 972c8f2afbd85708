"""Word vectors from token vectors.

A word may have several tokens, and a token may cover several words, as in scripts without spaces,
where each character is a word.

Shapes: B texts of a batch, L tokens, H width, I pairs of a token and a word that overlap, W words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from babelspan.networks.reader import moved_to
from babelspan.networks.texts import Texts
from babelspan.reading.tokens import Tokens
from babelspan.types import Span

Pooling = Literal["last", "mean"]


def shown(tokens: Tokens, words: Sequence[Span]) -> NDArray[np.int64]:
    """Pairs (token, word) that overlap, sorted by token, (I, 2).

    A word that ends after the last token has been cut by truncation and is left out.

    Args:
        tokens: the tokens of a text that are in the window.
        words: spans of its words, in order.
    """
    starts, ends = (
        np.array([getattr(word, side) for word in words], np.int64) for side in ("start", "end")
    )
    reach = int(tokens.offsets[-1, 1]) if len(tokens.ids) else 0
    first = np.searchsorted(ends, tokens.offsets[:, 0], side="right")
    after = np.searchsorted(starts, tokens.offsets[:, 1], side="left")
    after = np.minimum(after, np.searchsorted(ends, reach, side="right"))
    many = np.maximum(after - first, 0)
    token = np.repeat(np.arange(len(many)), many)
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    return np.stack([token, first[token] + within], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of a batch of texts that are not cut by truncation.

    Attributes:
        text: index of each word's text, (W,), ascending.
        token: token index, among all B * L, of each token-word pair, (I,).
        word: word index, among all W, of each token-word pair, (I,), ascending.
    """

    text: Tensor
    token: Tensor
    word: Tensor

    def to(self, device: torch.device) -> "Words":
        """A copy on a device."""
        return Words(*(moved_to(device, t) for t in (self.text, self.token, self.word)))

    def vectors(self, hidden: Tensor, pooling: Pooling) -> Tensor:
        """The vector of each word, (W, H): of its last token, or the mean of its tokens.

        Args:
            hidden: vectors of the tokens, (B, L, H).
            pooling: "last" or "mean".
        """
        of_tokens = hidden.flatten(0, 1)[self.token].float()
        counts = torch.bincount(self.word, minlength=len(self.text))
        if pooling == "last":
            return of_tokens[counts.cumsum(0) - 1]
        sums = of_tokens.new_zeros(len(self.text), hidden.shape[-1])
        return sums.index_add(0, self.word, of_tokens) / counts[:, None]


def words_of(texts: Texts, words: Sequence[Sequence[Span]]) -> tuple[Words, list[dict[int, int]]]:
    """The words of a batch of texts, and their indices in it.

    Args:
        texts: B texts.
        words: spans of the words of each text.

    Returns:
        The words, and for each text {index in the text: index in the batch}, without words that
        were cut by truncation.
    """
    length = texts.input_ids.shape[1]
    of_text: list[int] = []
    token: list[NDArray[np.int64]] = []
    word: list[NDArray[np.int64]] = []
    numbers: list[dict[int, int]] = []
    for row, (part, places) in enumerate(zip(texts.parts, words, strict=True)):
        showings = shown(part, places)
        showings = showings[np.argsort(showings[:, 1], kind="stable")]
        there, number = np.unique(showings[:, 1], return_inverse=True)
        numbers.append({int(w): len(of_text) + n for n, w in enumerate(there)})
        token.append(showings[:, 0] + row * length + texts.first)
        word.append(number + len(of_text))
        of_text += [row] * len(there)
    return (
        Words(
            torch.tensor(of_text, dtype=torch.long),
            torch.from_numpy(np.concatenate(token)),
            torch.from_numpy(np.concatenate(word)),
        ),
        numbers,
    )
