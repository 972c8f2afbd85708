"""Sentence pairs from files."""

import gzip

import pytest

from babelspan.data.bitext import distinct, held_back, load_bitext, named
from babelspan.types import Alignment, DataError, SentencePair


def write(path, *lines):
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def test_pairs_in_order_and_empty_lines_skipped(tmp_path):
    path = write(tmp_path / "x.en-zh.tsv.gz", "\ufeffA bridge.\t 一座桥。 ", "", "Two.\t二。")
    assert list(load_bitext(path)) == [
        SentencePair("A bridge.", "一座桥。"),
        SentencePair("Two.", "二。"),
    ]


@pytest.mark.parametrize("line", ["no tab", "one\t", "\ttwo", "\ttwo\t0-0", "a\tb\t\t"])
def test_a_broken_line_is_named(tmp_path, line):
    path = write(tmp_path / "x.en-de.tsv.gz", "a\tb", line)
    with pytest.raises(DataError, match=r"x\.en-de\.tsv\.gz: line 2: expected a sentence, a tab"):
        list(load_bitext(path))


def test_a_third_column_has_word_links(tmp_path):
    """They count words, of which a full stop is none and each Chinese character is one."""
    path = write(
        tmp_path / "x.en-zh.tsv.gz", "A bridge.\t一座桥。\t0-1 1-2", "Two.\t二。\t", "a\tb"
    )
    links = [pair.links for pair in load_bitext(path)]
    assert links == [Alignment(frozenset({(0, 1), (1, 2)})), Alignment(frozenset()), None]


@pytest.mark.parametrize(
    ("links", "message"),
    [("2-0", "line 1: the link 2-0 is beyond the 2 and 3 words"), ("c", "links like 0-0 1-2")],
)
def test_broken_links_are_named(tmp_path, links, message):
    path = write(tmp_path / "x.en-zh.tsv.gz", f"A bridge.\t一座桥。\t{links}")
    with pytest.raises(DataError, match=message):
        list(load_bitext(path))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tatoeba-anki.en-de.tsv.gz", ("tatoeba-anki", "en", "de")),
        ("ntrex.en-zh-Hant.tsv", ("ntrex", "en", "zh-Hant")),
        ("muse.tsv", None),
        ("en-de.tsv.gz", None),
    ],
)
def test_names(tmp_path, name, expected):
    assert named(tmp_path / name) == expected


def test_each_pair_once():
    a, b = SentencePair("a", "b"), SentencePair("a", "c")
    assert list(distinct([a, b, a])) == [a, b]


def test_translations_of_a_sentence_are_held_back_together():
    rule = held_back(0.3)
    pairs = [SentencePair(f"Sentence {i}.", "x") for i in range(2_000)]
    share = sum(map(rule, pairs)) / len(pairs)
    assert 0.25 < share < 0.35
    for pair in pairs[:50]:
        assert rule(pair) == rule(SentencePair(pair.source.upper() + "  ", "y"))
    assert not any(map(held_back(0.0), pairs))
    with pytest.raises(ValueError, match=r"share must be in \[0, 1\], got 1.5"):
        held_back(1.5)
