"""Which tokens show which words, and the vectors of words."""

import numpy as np
import pytest
import torch

from babelspan.networks.words import shown, words_of
from babelspan.reading.tokens import Tokens
from babelspan.text.segmented import segmented
from babelspan.types import SentencePair, Span
from miniature import miniature_reader


def tokens(*offsets):
    return Tokens(
        np.arange(len(offsets), dtype=np.int32), np.array(offsets, np.int32).reshape(-1, 2)
    )


@pytest.mark.parametrize(
    ("offsets", "words", "expected"),
    [
        ([(0, 3), (4, 6)], [(0, 3), (4, 6)], [(0, 0), (1, 1)]),
        ([(0, 2), (2, 3), (3, 4)], [(0, 3)], [(0, 0), (1, 0)]),
        ([(0, 2)], [(0, 1), (1, 2)], [(0, 0), (0, 1)]),
        ([(0, 1), (1, 3)], [(0, 2), (2, 3)], [(0, 0), (1, 0), (1, 1)]),
        ([(0, 3), (4, 5)], [(0, 3), (4, 9)], [(0, 0)]),
        ([(0, 0), (0, 3)], [(0, 3)], [(1, 0)]),
        ([], [(0, 3)], []),
        ([(0, 3)], [], []),
    ],
    ids=["words", "pieces", "characters", "across", "cut", "of nothing", "no tokens", "no words"],
)
def test_which_token_shows_which_word(offsets, words, expected):
    found = shown(tokens(*offsets), [Span(*word) for word in words])
    assert [tuple(row) for row in found.tolist()] == expected


def test_vectors_of_words():
    reader = miniature_reader(["a", "b", "-", "c"], max_length=48)
    texts = ["a-b c", "", "... c-c-c a"]
    places = [segmented(SentencePair(text, "")).source_words for text in texts]
    batch = reader.encoder.texts(texts)
    words, numbers = words_of(batch, places)
    assert numbers == [{0: 0, 1: 1}, {}, {0: 2, 1: 3}]
    assert words.text.tolist() == [0, 0, 2, 2]
    hidden = torch.randn(*batch.input_ids.shape, 5)
    last, mean = words.vectors(hidden, "last"), words.vectors(hidden, "mean")
    for number, (row, first, after) in enumerate([(0, 1, 4), (0, 4, 5), (2, 4, 9), (2, 9, 10)]):
        assert torch.equal(last[number], hidden[row, after - 1])
        assert torch.allclose(mean[number], hidden[row, first:after].mean(dim=0))
