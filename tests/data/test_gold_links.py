"""Gold word alignments from files."""

import gzip

import pytest

from babelspan.data.gold_links import load_gold
from babelspan.types import Alignment, ConfigError, DataError, Span


def gold(tmp_path, *lines, name="gold.ja-en.tsv.gz"):
    path = tmp_path / name
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return path


def links(*pairs):
    return Alignment(frozenset(pairs))


def test_words_are_put_together_as_the_language_is_written(tmp_path):
    path = gold(tmp_path, "古い 橋 。\tAn old bridge .\t0-1 1p0 1-2")
    (found,) = load_gold(path, source="ja", target="en")
    assert (found.pair.pair.source, found.pair.pair.target) == ("古い橋。", "An old bridge .")
    assert found.pair.source_words == (Span(0, 2), Span(2, 3), Span(3, 4))
    assert found.pair.words == (["古い", "橋", "。"], ["An", "old", "bridge", "."])
    assert found.sure == links((0, 1), (1, 2))
    assert found.possible == links((0, 1), (1, 0), (1, 2))
    (turned,) = load_gold(path, source="en", target="ja")
    assert turned.pair.words == (["An", "old", "bridge", "."], ["古い", "橋", "。"])
    assert (turned.pair.pair.source_language, turned.pair.pair.target_language) == ("en", "ja")
    assert turned.sure == links((1, 0), (2, 1))


def test_other_languages_are_refused(tmp_path):
    path = gold(tmp_path, "a\tb\t0-0", name="gold.en-fr.tsv")
    with pytest.raises(ConfigError, match="expected gold links between 'en' and 'de', with a name"):
        list(load_gold(path, source="en", target="de"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a\tb"], "line 1: expected words, a tab, words, a tab and links, found 'a.*b'"),
        (["a\tb\t0-0", "\tb\t"], "line 2: expected words"),
        (["a\tb\t0-1"], "line 1: the link 0-1 is beyond the 1 and 1 words"),
        ([], "expected sentence pairs with gold links, found an empty file"),
    ],
)
def test_a_broken_line_is_named(tmp_path, lines, message):
    with pytest.raises(DataError, match=message):
        list(load_gold(gold(tmp_path, *lines), source="ja", target="en"))
