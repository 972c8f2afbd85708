"""Word links in the Pharaoh format, looked up by their sentence pairs."""

import pytest

from babelspan.data.pharaoh import (
    PharaohAligner,
    links_line,
    numbered_pairs,
    read_links,
    save_pairs,
)
from babelspan.text.segmented import by_spaces
from babelspan.types import Alignment, DataError, SentencePair

PAIRS = [SentencePair("the red house", "la casa roja"), SentencePair("it is", "es")]
SEGMENTED = [by_spaces(pair) for pair in PAIRS]


def folder(tmp_path, links):
    save_pairs(tmp_path / "pairs.es.txt", PAIRS)
    (tmp_path / "links.es.txt").write_text(links, encoding="utf-8")
    return tmp_path


def test_links_of_each_pair_in_any_order(tmp_path):
    aligner = PharaohAligner(folder(tmp_path, "0-0 1-2 2p1\n0-0 1-0\n"), "es")
    assert aligner.align(SEGMENTED[::-1]) == [
        Alignment(frozenset({(0, 0), (1, 0)})),
        Alignment(frozenset({(0, 0), (1, 2), (2, 1)})),
    ]


def test_a_line_without_links(tmp_path):
    aligner = PharaohAligner(folder(tmp_path, "\n0-0\n"), "es")
    assert aligner.align(SEGMENTED[:1]) == [Alignment(frozenset())]


def test_each_pair_is_written_once(tmp_path):
    assert save_pairs(tmp_path / "pairs.es.txt", [*PAIRS, PAIRS[0]]) == 2
    written = (tmp_path / "pairs.es.txt").read_text(encoding="utf-8")
    assert written == "the red house ||| la casa roja\nit is ||| es\n"


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ("0-0\n", r"links.es.txt: expected 2 lines as in pairs.es.txt, found 1"),
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
        aligner.align([by_spaces(SentencePair("a", "b"))])


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"pairs\.es\.txt: there is no such file"):
        PharaohAligner(tmp_path, "es")


def test_pairs_are_read_with_their_line_numbers(tmp_path):
    path = tmp_path / "pairs.es.txt"
    path.write_text("the red house ||| la casa roja\n\nit is ||| es\n", encoding="utf-8")
    assert list(numbered_pairs(path)) == [(1, PAIRS[0]), (2, None), (3, PAIRS[1])]


@pytest.mark.parametrize("line", ["a b", "a ||| ", " ||| b", "a ||| b ||| c"])
def test_a_line_without_two_sides_is_named(tmp_path, line):
    path = tmp_path / "pairs.es.txt"
    path.write_text(f"a ||| b\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"line 2: expected the words of a sentence, ' \|\|\| '"):
        list(numbered_pairs(path))


def test_links_are_written_in_order_and_read_back():
    found = read_links("10-2 2p1 0-0", (11, 3), "x")
    assert links_line(found.links) == "0-0 2-1 10-2"
    assert links_line(found.sure) == "0-0 10-2"
    assert links_line(Alignment(frozenset())) == ""
