"""Unpacking bzip2 in threads: the same bytes as `bz2`, cut files, streams of every length."""

import bz2
import random
import threading

import pytest

from babelspan.data import bzip2
from babelspan.data.bzip2 import opened

PARTS = [random.Random(n).randbytes(n * 700) for n in range(1, 30)]


@pytest.fixture
def packed(tmp_path):
    path = tmp_path / "some.bz2"
    path.write_bytes(b"".join(map(bz2.compress, PARTS)))
    return path


@pytest.mark.parametrize("at_once", [1, 9, 1000, 1 << 20])
def test_streams_are_unpacked_in_order(packed, monkeypatch, at_once):
    monkeypatch.setattr(bzip2, "_AT_ONCE", at_once)
    with opened(packed, 3) as file:
        assert not isinstance(file, bz2.BZ2File)
        assert file.read() == b"".join(PARTS)


@pytest.mark.parametrize("content", [b"", b"text" * 1000])
def test_a_single_stream_is_unpacked_by_bz2(tmp_path, content):
    (tmp_path / "one.bz2").write_bytes(bz2.compress(content))
    with opened(tmp_path / "one.bz2", 3) as file:
        assert isinstance(file, bz2.BZ2File)
        assert file.read() == content


def test_a_cut_file_is_refused(packed):
    packed.write_bytes(packed.read_bytes()[:-5])
    with opened(packed, 2) as file, pytest.raises(EOFError, match="before the end"):
        file.read()


def test_broken_bytes_are_refused(packed):
    raw = bytearray(packed.read_bytes())
    raw[5000:5010] = bytes(10)
    packed.write_bytes(raw)
    with opened(packed, 2) as file, pytest.raises(OSError, match="Invalid data stream"):
        file.read()


def test_closing_early_ends_the_threads(packed):
    before = threading.active_count()
    with opened(packed, 2) as file:
        assert file.read(100) == b"".join(PARTS)[:100]
    assert threading.active_count() == before
