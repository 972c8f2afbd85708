"""Files of word vectors: what is read, what is skipped, and what is told of a broken one."""

import gzip

import numpy as np
import pytest

from babelspan.data.word_vectors import read_vectors, write_vectors
from babelspan.types import DataError

VEC = "4 3\nthe 0.5 -1 2\nNew\u00a0York 1 2 3\nthe 9 9 9\ncat 4 5 6 \n"


def read(path, content, **wanted):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {word: vector.tolist() for word, vector in read_vectors(path, **wanted)}


def test_a_file_of_fasttext(tmp_path):
    """A word may hold a no-break space; a line may end in a space; the first of two counts."""
    expected = {"the": [0.5, -1, 2], "New\u00a0York": [1, 2, 3], "cat": [4, 5, 6]}
    assert read(tmp_path / "a.vec", VEC) == expected
    assert read(tmp_path / "a.vec.gz", gzip.compress(VEC.encode())) == expected
    assert read(tmp_path / "bom.vec", "\ufeff" + VEC) == expected


def test_a_file_of_glove_has_no_head_and_may_have_words_with_spaces(tmp_path):
    content = "the 0.5 -1 2\n. . 1 2 3\ncat\t4 5 6\n"
    assert read(tmp_path / "a.txt", content) == {
        "the": [0.5, -1, 2], ". .": [1, 2, 3], "cat": [4, 5, 6],
    }  # fmt: skip


def test_only_what_is_wanted_is_read(tmp_path):
    assert read(tmp_path / "a.vec", VEC, wanted={"cat", "dog"}) == {"cat": [4, 5, 6]}
    assert list(read(tmp_path / "a.vec", VEC, limit=1)) == ["the"]
    assert list(read(tmp_path / "a.vec", VEC, wanted={"cat"}, limit=1)) == ["the", "cat"]


def test_numbers_of_a_line_that_is_skipped_are_not_read(tmp_path):
    broken = "2 3\nthe 0.5 -1 2\nodd x y z\ncat 4 5 6\n"
    assert list(read(tmp_path / "a.vec", broken, wanted={"cat"})) == ["cat"]
    with pytest.raises(DataError, match="line 3"):
        read(tmp_path / "a.vec", broken)


def test_arrays(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, words=np.array(["the", "cat"]), vectors=np.array([[1, 2], [3, 4]]))
    assert [(w, v.tolist()) for w, v in read_vectors(path, wanted={"cat"})] == [("cat", [3, 4])]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.vec", "2 3\nthe 1 2 3\ncat 4 5\n", r"line 3: expected a word and 3 numbers .* 2 parts"),
        ("a.vec", "2 3\nthe 1 2 3\ncat 4 5 6 7\n", r"line 3: expected a word and 3 numbers .* 4"),
        ("a.vec", "2 3\nthe 1 nan 3\n", r"line 2: expected a word and 3 numbers"),
        ("a.txt", "the 1 2\ncat one two\n", r"line 2: expected a word and 2 numbers"),
        ("a.txt", "the\n", r"line 1: expected a word and some numbers"),
        ("a.vec", "2 3\n", r"expected words with vectors, found none"),
        ("a.bin", b"\x00\x01", r"text \(.vec, .txt\) or .npz, found a name that ends in .bin"),
        ("a.npz", b"no zip", r"expected the arrays 'words' and 'vectors'"),
        ("a.vec.gz", gzip.compress(VEC.encode(), mtime=0)[:-9], r"the gzip data is broken"),
    ],
)
def test_a_broken_file_is_told(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path / name, content)


def test_a_file_that_is_not_there(tmp_path):
    for name in ("none.vec", "none.npz"):
        with pytest.raises(DataError, match=f"{name}: there is no such file"):
            list(read_vectors(tmp_path / name))


def test_what_is_written_is_read(tmp_path):
    pairs = [("the", np.array([0.5, -1.25], np.float32)), ("北", np.array([1e-3, 7], np.float32))]
    write_vectors(tmp_path / "a.vec.gz", pairs, 2, 2)
    found = dict(read_vectors(tmp_path / "a.vec.gz"))
    assert list(found) == ["the", "北"]
    np.testing.assert_allclose(np.stack(list(found.values())), [[0.5, -1.25], [1e-3, 7]], rtol=1e-4)
