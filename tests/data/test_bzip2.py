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
def test_a_single_stream(tmp_path, content):
    (tmp_path / "one.bz2").write_bytes(bz2.compress(content))
    with opened(tmp_path / "one.bz2", 3) as file:
        assert file.read() == content
    with opened(tmp_path / "one.bz2", 1) as file:
        assert isinstance(file, bz2.BZ2File)


@pytest.mark.parametrize("longest", [100, 5000, 15_000])
def test_long_streams_are_not_held_in_memory(packed, monkeypatch, longest):
    """From the first stream that is too long, the reading thread unpacks the rest."""
    unpacked = []
    content = bzip2._content
    monkeypatch.setattr(bzip2, "_AT_ONCE", 50)
    monkeypatch.setattr(bzip2, "_LONGEST", longest)
    monkeypatch.setattr(bzip2, "_content", lambda s: unpacked.append(len(s)) or content(s))
    with opened(packed, 3) as file:
        assert file.read() == b"".join(PARTS)
    assert max(unpacked, default=0) <= longest + 50
    assert bool(unpacked) == (longest > len(bz2.compress(PARTS[0])))


def test_empty_streams_between_others(tmp_path):
    path = tmp_path / "some.bz2"
    path.write_bytes(b"".join(bz2.compress(part) for part in (b"", b"one", b"", b"", b"two", b"")))
    with opened(path, 2) as file:
        assert file.read() == b"onetwo"


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


def test_a_stream_without_its_first_bytes_is_refused(packed):
    """It looks like a part of the stream before it, and must not be lost."""
    raw = bytearray(packed.read_bytes())
    start = len(b"".join(map(bz2.compress, PARTS[:4])))
    raw[start : start + 10] = bytes(10)
    packed.write_bytes(raw)
    with opened(packed, 2) as file, pytest.raises(OSError, match="Invalid data stream"):
        file.read()


def test_closing_early_ends_the_threads(packed):
    before = threading.active_count()
    with opened(packed, 2) as file:
        assert file.read(100) == b"".join(PARTS)[:100]
    assert threading.active_count() == before
