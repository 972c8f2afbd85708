"""AWESOME-align beside a version with loops, and at the edges of a window."""

import math

import pytest
import torch

from babelspan.aligners import Options, awesome, load_aligner
from babelspan.aligners.awesome import VectorAligner
from babelspan.text.segmented import by_spaces, segmented
from babelspan.types import Alignment, ConfigError, DataError, SentencePair
from miniature import miniature_reader

WORDS = [*(f"w{n}" for n in range(12)), "-", "."]
READER = miniature_reader(WORDS, seed=3, max_length=48)
NONE = Alignment(frozenset())


def pairs(*texts):
    return [segmented(SentencePair(*both)) for both in texts]


PAIRS = pairs(
    ("w0 w1-w2 w3.", "w4 w5 w6-w7 w8 w9-w3"),
    ("w5", "w5 w1"),
    ("w2 w2 w7 w1 w0 w3 w4", "w9 w8 w7 w6 w5"),
    ("w1-w1 w5 . w9", "w0-w5 w9-w9"),
)


def aligned(given, *, layer=1, threshold=0.05, reader=READER):
    aligner = VectorAligner(reader.encoder, layer=layer, threshold=threshold, identity="mine")
    return aligner.align(given)


def by_loops(pair, *, layer, threshold):
    """Each side read by itself, each softmax written out."""
    vectors, words = [], []
    for text, places in (
        (pair.pair.source, pair.source_words),
        (pair.pair.target, pair.target_words),
    ):
        batch = READER.encoder.texts([text])
        with torch.no_grad():
            inputs = READER.encoder.inputs(batch)
            hidden = READER.encoder.model(**inputs, output_hidden_states=True).hidden_states[layer]
        vectors.append(hidden[0, 1:-1].tolist())
        words.append(
            [
                next((n for n, w in enumerate(places) if w.start <= a and b <= w.end), None)
                for a, b in batch.parts[0].offsets.tolist()
            ]
        )
    products = [
        [math.exp(sum(x * y for x, y in zip(a, b, strict=True))) for b in vectors[1]]
        for a in vectors[0]
    ]
    found = set()
    for i, row in enumerate(products):
        for j, product in enumerate(row):
            over_targets = product / sum(row)
            over_sources = product / sum(other[j] for other in products)
            if min(over_targets, over_sources) > threshold:
                found.add((words[0][i], words[1][j]))
    return Alignment(frozenset(link for link in found if None not in link))


@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("threshold", [0.001, 0.05, 0.3])
def test_equals_loops_over_tokens(layer, threshold):
    expected = [by_loops(pair, layer=layer, threshold=threshold) for pair in PAIRS]
    assert aligned(PAIRS, layer=layer, threshold=threshold) == expected
    assert sum(len(a.links) for a in expected) > 0
    if threshold == 0.3:
        assert expected != [by_loops(p, layer=2 - layer // 2, threshold=0.001) for p in PAIRS]


def test_links_do_not_depend_on_the_batch(monkeypatch):
    alone = [aligned([pair])[0] for pair in PAIRS]
    assert aligned(PAIRS[::-1])[::-1] == alone
    monkeypatch.setattr(awesome, "BATCH_TOKENS", 20)
    assert aligned(PAIRS) == alone


def test_sentences_without_words_have_no_links():
    empty = pairs(("", ""), ("w1", ""), ("", "w1"), (".", "w1"), (" ", "."))
    assert aligned([PAIRS[0], *empty], threshold=0.0)[1:] == [NONE] * 5


def test_a_piece_may_show_several_words():
    """Characters of a script without spaces are words, and a token may have several of them."""
    reader = miniature_reader(["中国", "大"], seed=3)
    (found,) = aligned(pairs(("大", "中国 大")), reader=reader, threshold=0.0)
    assert found.links == {(0, 0), (0, 1), (0, 2)}


def test_the_end_of_a_long_sentence_has_no_links():
    """46 tokens fit: 45 words and the first half of one that is cut, which counts as not there."""
    text = " ".join([*["w1"] * 45, "w2-w3", "w4"])
    (found,) = aligned(pairs((text, text)), threshold=0.0)
    assert {i for i, _ in found.links} == {j for _, j in found.links} == set(range(45))
    ten_thousand = " ".join(["w1 w5"] * 5_000)
    (found,) = aligned(pairs((ten_thousand, "w1 w2")), threshold=0.0)
    assert max(i for i, _ in found.links) == 45


def test_words_may_be_parted_by_spaces():
    spaced = [by_spaces(SentencePair("w1 .", ". w1"))]
    assert aligned(spaced, threshold=0.0) == [
        Alignment(frozenset({(0, 0), (0, 1), (1, 0), (1, 1)}))
    ]


def test_it_is_loaded_by_name(tmp_path):
    READER.save(tmp_path)
    options = Options(bitext=list, layer=1, threshold=0.05)
    aligner = load_aligner(f"awesome:{tmp_path}", options)
    assert aligner.align(PAIRS) == aligned(PAIRS)
    assert aligner.identity.endswith(",layer=1,threshold=0.05")
    default = load_aligner(f"awesome:{tmp_path}", Options(bitext=list))
    assert default.identity.endswith(",layer=1,threshold=0.001")  # two thirds of two layers
    with pytest.raises(ConfigError, match=r"layer must be in \[0, 2\] for this reader, got 3"):
        load_aligner(f"awesome:{tmp_path}", Options(bitext=list, layer=3))
    with pytest.raises(DataError, match="reader '/nowhere'"):
        load_aligner("awesome:/nowhere", Options(bitext=list))
