"""Pieces of vocabularies of other families, and exact links between two cuts of a text."""

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from babelspan.vocabulary.links import overlapping, self_links
from babelspan.vocabulary.old import family_of, written

SPECIAL = {"[UNK]", "<unk>"}


def wordpiece(*pieces):
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def bytes_of(*pieces):
    tokenizer = Tokenizer(models.BPE({p: i for i, p in enumerate(pieces)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def sentencepiece(*pieces):
    tokenizer = Tokenizer(models.Unigram([(p, -float(i)) for i, p in enumerate(pieces)], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


@pytest.mark.parametrize(
    ("tokenizer", "family", "expected"),
    [
        (
            wordpiece("[UNK]", "[unused7]", "the", "##s", ",", "##,", "中", "##中", "[", "##"),
            "wordpiece",
            {"▁the": 2, "s": 3, "▁,": 4, "中": 6, "▁[": 8},
        ),
        (
            bytes_of("<unk>", "Ġthe", "s", ",", "Ġ,", "Ġb", "Ã©", "Ã", "ä¸Ń", "'t", "ĠĠ"),
            "bytes",
            {"▁the": 1, "s": 2, "▁,": 3, "▁b": 5, "é": 6, "中": 8},
        ),
        (
            sentencepiece("<unk>", "▁the", "s", ",", "▁,", "▁", "▁中国", "中国", "<0x0A>", "▁日"),
            "sentencepiece",
            {"▁the": 1, "s": 2, "▁,": 3, "▁": 5, "中国": 7, "日": 9},
        ),
    ],
)
def test_pieces_as_a_skeleton_writes_them(tokenizer, family, expected):
    assert family_of(tokenizer) == family
    assert written(tokenizer, SPECIAL) == expected


def test_words_start_words():
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "the": 1, "中国": 2}, unk_token="[UNK]"))
    assert (family_of(tokenizer), written(tokenizer, SPECIAL)) == ("words", {"▁the": 1, "中国": 2})


def cut(rng, length):
    """Places of tokens in order, some with gaps between them."""
    ends = np.unique(rng.integers(1, length + 1, 6))
    starts = np.concatenate([[0], ends[:-1]])
    kept = rng.random(len(ends)) < 0.8
    return np.stack([starts, ends], axis=1)[kept]


def test_overlapping_tokens_by_a_double_loop():
    rng = np.random.default_rng(0)
    for _ in range(200):
        one, other = cut(rng, 12), cut(rng, 12)
        expected = [
            (i, j)
            for i, (a, b) in enumerate(one)
            for j, (c, d) in enumerate(other)
            if a < d and c < b
        ]
        assert [*map(tuple, overlapping(one, other).tolist())] == expected


def test_links_are_counted_over_all_texts_and_unknown_pieces_are_not_linked():
    old = wordpiece("[UNK]", "river", "##bank", "##s", "a")
    new = wordpiece("[UNK]", "riverbank", "##s", "a", "x")
    texts = ["A riverbank", "riverbanks a", "x a"] * 700  # more than one batch
    found = self_links(old, new, texts, unknown=0)
    links = dict(zip(zip(found.new_ids, found.old_ids, strict=True), found.counts, strict=True))
    assert links == {(1, 1): 1400, (1, 2): 1400, (2, 3): 700, (3, 4): 2100}
