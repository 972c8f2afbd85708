"""Word links in the Pharaoh format, looked up by their sentence pairs."""

import pytest

from babelspan.data.pharaoh import PharaohAligner, save_pairs
from babelspan.types import Alignment, DataError, SentencePair

PAIRS = [SentencePair("the red house", "la casa roja"), SentencePair("it is", "es")]


def folder(tmp_path, links):
    save_pairs(tmp_path / "pairs.es.txt", PAIRS)
    (tmp_path / "links.es.txt").write_text(links, encoding="utf-8")
    return tmp_path


def test_links_of_each_pair_in_any_order(tmp_path):
    aligner = PharaohAligner(folder(tmp_path, "0-0 1-2 2p1\n0-0 1-0\n"), "es")
    assert aligner.align([PAIRS[1], PAIRS[0]]) == [
        Alignment(frozenset({(0, 0), (1, 0)})),
        Alignment(frozenset({(0, 0), (1, 2), (2, 1)})),
    ]


def test_a_line_without_links(tmp_path):
    aligner = PharaohAligner(folder(tmp_path, "\n0-0\n"), "es")
    assert aligner.align([PAIRS[0]]) == [Alignment(frozenset())]


def test_each_pair_is_written_once(tmp_path):
    assert save_pairs(tmp_path / "pairs.es.txt", [*PAIRS, PAIRS[0]]) == 2
    written = (tmp_path / "pairs.es.txt").read_text(encoding="utf-8")
    assert written == "the red house ||| la casa roja\nit is ||| es\n"


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ("0-0\n", r"links.es.txt: expected 2 lines, as pairs.es.txt has, found 1"),
        ("0-0\n0:0\n", r"line 2: expected links like 0-0 1-2, found '0:0'"),
        ("0-0 3-0\n\n", r"line 1: the link 3-0 is beyond the 3 and 3 words"),
        ("0-0\n0-1\n", r"line 2: the link 0-1 is beyond the 2 and 1 words"),
    ],
)
def test_bad_links_are_told(tmp_path, links, message):
    with pytest.raises(DataError, match=message):
        PharaohAligner(folder(tmp_path, links), "es")


def test_a_pair_that_is_not_there(tmp_path):
    aligner = PharaohAligner(folder(tmp_path, "0-0\n0-0\n"), "es")
    with pytest.raises(DataError, match=r"expected the pair 'a \|\|\| b', found none"):
        aligner.align([SentencePair("a", "b")])


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"pairs\.es\.txt: there is no such file"):
        PharaohAligner(tmp_path, "es")
