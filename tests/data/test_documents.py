"""Documents: every character as the file has it, or an error that says where it breaks."""

import io

import pytest

from babelspan.data.documents import Document, read_document
from babelspan.types import DataError

TEXT = "\ufeffBrücke\r\n桥\rالجسر\n\n다리 👨\u200d👩 cafe\u0301\u2028\0𐍈 "


def test_every_character_is_kept(tmp_path):
    path = tmp_path / "bridge.txt"
    path.write_bytes(TEXT.encode("utf-8"))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_document(str(path)) == Document(str(path), TEXT)


def test_an_empty_file_is_an_empty_text(tmp_path):
    (tmp_path / "empty.txt").touch()
    assert read_document(str(tmp_path / "empty.txt")).text == ""


def test_standard_input_is_read_as_a_file_is(monkeypatch):
    raw = io.BytesIO(TEXT.encode("utf-8"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(raw, encoding="latin-1"))
    assert read_document("-") == Document("-", TEXT)


def test_a_bad_byte_is_named_with_its_place(tmp_path, monkeypatch):
    path = tmp_path / "latin.txt"
    path.write_bytes("Brü".encode() + b"cke \xfc")
    with pytest.raises(
        DataError, match=r"latin\.txt: expected UTF-8, found the byte 0xfc at byte 8; convert"
    ):
        read_document(str(path))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a\xed\xa0\x80")))
    with pytest.raises(
        DataError, match="standard input: expected UTF-8, found the byte 0xed at byte 1"
    ):
        read_document("-")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.txt: there is no such file"):
        read_document(str(tmp_path / "nowhere.txt"))


def test_a_folder_is_no_document(tmp_path):
    with pytest.raises(DataError, match=rf"{tmp_path.name}: expected a file, found a folder"):
        read_document(str(tmp_path))
