"""Files are read with clear errors and written whole or not at all."""

import gzip
import hashlib
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.data.files import (
    checksum,
    checksum_of_tree,
    lines,
    read_bytes,
    read_json,
    read_record,
    read_text,
    replacing,
    write_json,
    write_lines,
    write_whole,
)
from babelspan.types import DataError

MIXED = "ASCII, Größe, मुंबई, 東京, مِيرا, 𠮷 🗼, e\u0301, \ufeff, \u202b, \u2028, \r\n"


def test_a_file_and_its_gzip_have_the_same_content_and_checksum(tmp_path):
    plain, packed = tmp_path / "a.json", tmp_path / "a.json.gz"
    write_json(plain, [MIXED])
    write_json(packed, [MIXED])

    assert packed.read_bytes().startswith(b"\x1f\x8b")
    assert read_bytes(packed) == plain.read_bytes()
    assert checksum(packed) == checksum(plain) == hashlib.sha256(plain.read_bytes()).hexdigest()


def test_gzip_is_known_by_its_bytes_and_not_by_the_name(tmp_path):
    packed, plain = tmp_path / "packed.json", tmp_path / "plain.json.gz"
    packed.write_bytes(gzip.compress(b'{"a": 1}'))
    plain.write_bytes(b'{"a": 1}')

    assert read_json(packed) == read_json(plain) == {"a": 1}


def test_the_gzip_of_the_same_value_is_the_same_to_the_byte(tmp_path):
    for name in ("a.gz", "b.gz"):
        write_json(tmp_path / name, MIXED)

    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert (tmp_path / "a.gz").read_bytes()[4:8] == bytes(4)  # no time of writing in the header


def test_text_keeps_line_ends_and_marks(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(MIXED.encode())

    assert read_text(path) == MIXED


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = PLAIN | st.lists(PLAIN) | st.dictionaries(st.text(), st.lists(PLAIN))


@settings(max_examples=40, deadline=None)
@given(VALUES, st.sampled_from(["value.json", "value.json.gz"]))
def test_json_is_read_as_it_was_written(tmp_path_factory, value, name):
    path = tmp_path_factory.getbasetemp() / name
    write_json(path, value)

    assert read_json(path) == value


def test_a_lone_surrogate_is_written_as_its_escape(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, "x\udc80y\ud83d")

    assert path.read_bytes() == b'"x\\udc80y\\ud83d"\n'
    assert read_json(path) == "x\udc80y\ud83d"


def test_a_lone_surrogate_in_lines_is_written_as_its_escape(tmp_path):
    path = tmp_path / "some.jsonl"
    write_lines(path, [{"id": "a\ud800b"}, {"id": "東京"}])

    assert path.read_bytes() == '{"id": "a\\ud800b"}\n{"id": "東京"}\n'.encode()
    assert json.loads(path.read_bytes().splitlines()[0]) == {"id": "a\ud800b"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with pytest.raises(OSError, match="found a pipe, socket or device"):
        write_json(pipe, {})
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize("read", [checksum, lambda path: next(iter(lines(path)))])
def test_a_pipe_which_can_be_read_only_once_is_not_read_in_part(tmp_path, read):
    inside, outside = os.pipe()
    with os.fdopen(outside, "wb") as end:
        end.write(b"some text\n")
    with os.fdopen(inside, "rb") as start:
        with pytest.raises(DataError, match="found a pipe"):
            read(Path(f"/dev/fd/{start.fileno()}"))
        assert start.read() == b"some text\n"


def test_what_is_not_there_is_said(tmp_path):
    missing = tmp_path / "missing.json"
    with pytest.raises(DataError, match=rf"^{re.escape(str(missing))}: there is no such file$"):
        read_json(missing)
    with pytest.raises(DataError, match=rf"^{re.escape(str(tmp_path))}: expected a file, found a"):
        read_json(tmp_path)
    below_a_file = tmp_path / "file" / "below"
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=r"file/below: cannot be read: Not a directory"):
        read_bytes(below_a_file)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"data": [1, 2', r"expected JSON, .* line 1 column 15 .*; the file may be cut short"),
        (b'{\n "a": nothing}', r"expected JSON, .* line 2 column 7 "),
        (b"", r"expected JSON, .* line 1 column 1 "),
        (b'"Gr\xfc\xdfe"', r"expected UTF-8, found the byte 0xfc at byte 3; convert"),
        ('"Größe"'.encode("utf-16"), r"expected UTF-8, found the byte 0xff at byte 0; convert"),
        (b"9" * 5000, r"the JSON cannot be read: .*4300 digits"),
        (b"[" * 200_000, r"the JSON is nested too deeply"),
    ],
)
def test_what_is_not_json_is_said_with_its_place(tmp_path, raw, message):
    path = tmp_path / "broken.json"
    path.write_bytes(raw)

    with pytest.raises(DataError, match=rf"^{re.escape(str(path))}: {message}"):
        read_json(path)


def test_gzip_cut_anywhere_is_said(tmp_path):
    whole = gzip.compress(json.dumps(MIXED).encode())
    path = tmp_path / "cut.json.gz"
    for length in range(2, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"cut\.json\.gz: the gzip data is broken .*again$"):
            read_json(path)


@pytest.mark.parametrize("place", [2, 20, -2])  # method, deflated data, length
def test_gzip_with_a_wrong_byte_is_said(tmp_path, place):
    raw = bytearray(gzip.compress(json.dumps(MIXED).encode(), mtime=0))
    raw[place] ^= 0xFF
    path = tmp_path / "bad.json.gz"
    path.write_bytes(raw)

    with pytest.raises(DataError, match=r"bad\.json\.gz: the gzip data is broken"):
        read_bytes(path)


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, OSError])
def test_what_stood_there_stays_when_the_block_fails(tmp_path, failure):
    path = tmp_path / "kept.txt"
    path.write_text("old")

    def half_written():
        with replacing(path) as beside:
            beside.write_text("ne")
            assert path.read_text() == "old"
            raise failure

    with pytest.raises(failure):
        half_written()

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_leaves_nothing_where_nothing_was(tmp_path):
    path = tmp_path / "never.txt"
    with pytest.raises(ZeroDivisionError), replacing(path) as beside:
        beside.write_text(str(1 / 0))
    with pytest.raises(FileNotFoundError), replacing(path):
        pass

    assert list(tmp_path.iterdir()) == []


def test_the_new_file_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "new folder" / "deep" / "file.txt"
    for text in ("old", "new"):
        with replacing(path) as beside:
            assert beside.parent == path.parent
            beside.write_text(text)

    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_json_is_written_beside_and_not_over_the_old_file(tmp_path):
    path, old = tmp_path / "a.json", tmp_path / "link to the old one"
    write_json(path, "old")
    old.hardlink_to(path)
    write_json(path, "new")

    assert (read_json(path), read_json(old)) == ("new", "old")


def test_a_value_that_is_no_json_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, "old")
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})

    assert read_json(path) == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_checksum_of_a_tree_sees_names_bytes_and_where_they_part(tmp_path):
    def tree(name, **files):
        for file, content in files.items():
            path = tmp_path / name / file.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return checksum_of_tree(tmp_path / name)

    first = tree("first", a="1", sub__b="2")
    assert tree("same", sub__b="2", a="1") == first
    others = [
        tree("content", a="1", sub__b="3"),
        tree("renamed", a="1", sub__c="2"),
        tree("moved", a="1", b="2"),
        tree("swapped", a="2", sub__b="1"),
        tree("more", a="1", sub__b="2", z=""),
        tree("boundary", a="12", sub__b=""),
    ]
    assert len({first, *others}) == 7


def test_json_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "windows.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}')

    assert read_json(path) == {"a": 1}


def test_text_that_is_not_unicode_is_written_as_its_escape(tmp_path):
    write_whole(tmp_path / "a.html", "é\r\n\udc80")

    assert (tmp_path / "a.html").read_bytes() == b"\xc3\xa9\r\n\\udc80"


def test_a_full_device_is_told_with_the_file(tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught, replacing(tmp_path / "p.json"):
        full()
    assert caught.value.filename == str(tmp_path / "p.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "expected the record of a job, found list"),
        ("{", "expected JSON"),
        ("", "expected JSON"),
        ('{"b": 1}', "expected the record of a job with 'a', found 'b'"),
        ("{}", "expected the record of a job with 'a', found nothing in it"),
    ],
)
def test_a_broken_record_is_told_with_the_file_and_what_to_do(tmp_path, content, message):
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(DataError, match=rf"run.json: {message}.*; remove it, or choose another"):
        read_record(path, ["a"])


def test_a_record(tmp_path):
    write_json(tmp_path / "run.json", {"a": 1, "b": 2})
    assert read_record(tmp_path / "run.json", ["a"]) == {"a": 1, "b": 2}


def test_what_grows_beyond_the_limit_when_it_is_unpacked_is_refused(tmp_path):
    path = tmp_path / "bomb.json.gz"
    packed = gzip.compress(b" " * (5 * 2**20))
    path.write_bytes(packed)

    assert len(read_bytes(path, largest=5 * 2**20)) == 5 * 2**20
    with pytest.raises(
        DataError, match=rf"at most 4 MiB unpacked, .* {len(packed):,} bytes; split"
    ):
        read_bytes(path, largest=4 * 2**20)


def test_the_limit_stops_unpacking_before_the_memory_is_full(tmp_path, monkeypatch):
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b" " * (64 * 2**20)))
    taken = []
    read = gzip.GzipFile.read
    monkeypatch.setattr(
        gzip.GzipFile, "read", lambda self, size=-1: taken.append(read(self, size)) or taken[-1]
    )
    with pytest.raises(DataError, match="at most 2 MiB unpacked"):
        read_bytes(path, largest=2 * 2**20)
    assert sum(map(len, taken)) <= 4 * 2**20
