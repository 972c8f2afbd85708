"""Documents: every character as the file has it, or an error that says where it breaks."""

import gzip
import io
import os
import random
import tracemalloc
import zipfile

import pytest

from babelspan.data import documents
from babelspan.data.documents import (
    Document,
    find_documents,
    read_document,
    read_documents,
)
from babelspan.documents import reading
from babelspan.documents.reading import read_any
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


def zipped(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as pack:
        for name, text in members.items():
            pack.writestr(name.replace("__", "/"), text)
    return content.getvalue()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"%PDF-1.4 BT (The bridge) Tj ET", "found a PDF; convert it .* pdftotext"),
        (zipped(word__document="<w/>"), r"found a Word document \(DOCX\); convert .* pandoc"),
        (zipped(mimetype="application/vnd.oasis.opendocument.text"), "found an OpenDocument text"),
        (zipped(mimetype="application/epub+zip"), "found an EPUB book"),
        (zipped(a="b"), "found a ZIP archive or an Office document; unpack"),
        (b"\xef\xbb\xbf\r\n <!DOCTYPE HTML><p>x", "found an HTML page; convert it .* w3m -dump"),
        (b"<html lang=en>", "found an HTML page"),
        ("Größe".encode("utf-16"), "found text in UTF-16; convert it with iconv -f UTF-16"),
        (b"{\\rtf1 x}", "found an RTF document; save it as UTF-8"),
        (b"\x89PNG\r\n", "found an image"),
        (
            "Brücke".encode("utf-16-le"),
            "found text in UTF-16LE; convert it with iconv -f UTF-16LE -t UTF-8",
        ),
        (
            "Brücke".encode("utf-16-be"),
            "found text in UTF-16BE; convert it with iconv -f UTF-16BE -t UTF-8",
        ),
        (b"a.txt" + bytes(95) + b"0000644" + bytes(20) + b"text", "found a binary file; leave it"),
        (b"\x7fELF\x02\0\0\xff", "found a binary file; leave it out"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_documents_of_other_kinds_are_named_with_what_to_do(tmp_path, raw, message, packed):
    path = tmp_path / "document"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    with pytest.raises(DataError, match=f"document: expected plain text, {message}"):
        read_document(str(path))


@pytest.mark.parametrize("text", ["PK is a text", "50 %PDF", "a < b <html>", "nul \0 inside"])
def test_texts_that_only_look_like_other_kinds_are_read(tmp_path, text):
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert read_document(str(tmp_path / "a.txt")).text == text


@pytest.mark.parametrize("read", [read_document, read_any])
def test_of_a_file_that_is_too_large_no_more_is_read_than_shows_it(tmp_path, monkeypatch, read):
    path = tmp_path / "a.txt"
    path.touch()
    os.truncate(path, 2**28)
    for module in (documents, reading):
        monkeypatch.setattr(module, "LARGEST_TEXT", 2**20)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"a\.txt: expected at most 1 MiB, found more"):
        read(str(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


def test_a_gzip_file_that_is_too_large_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "LARGEST_TEXT", 2**20)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(random.Random(1).randbytes(2**21)))
    with pytest.raises(DataError, match=r"a\.gz: expected at most 1 MiB, found more; split it"):
        read_document(str(path))


def test_a_text_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "LARGEST_TEXT", 2**20)
    path = tmp_path / "a.txt"
    path.write_bytes(b"a" * 2**20)
    assert len(read_document(str(path)).text) == 2**20
    path.write_bytes(b"a" * (2**20 + 1))
    with pytest.raises(DataError, match=r"a\.txt: expected at most 1 MiB, found more"):
        read_document(str(path))
    path.write_bytes(gzip.compress(b"a" * (2**20 + 1)))
    with pytest.raises(DataError, match=r"a\.txt: expected at most 1 MiB unpacked"):
        read_document(str(path))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a" * (2**20 + 1))))
    with pytest.raises(DataError, match="standard input: expected at most 1 MiB, found more"):
        read_document("-")


def test_files_of_folders_come_sorted_without_hidden_ones(tmp_path):
    for name in ("b/z.txt", "b/.hidden", "b/a/x.txt", ".git/config", "a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "b" / "loop").symlink_to(tmp_path, target_is_directory=True)
    found = list(find_documents(["-", str(tmp_path), "other"], recursive=True))
    inside = [os.path.relpath(name, tmp_path) for name in found[1:-1]]
    assert (found[0], found[-1]) == ("-", "other")
    assert inside == ["a.txt", "b/z.txt", "b/a/x.txt"]


def test_a_folder_is_taken_only_when_asked_for(tmp_path):
    with pytest.raises(DataError, match=rf"{tmp_path.name}: .* found a folder; add -r"):
        list(find_documents([str(tmp_path)]))
    with pytest.raises(DataError, match=rf"{tmp_path.name}: expected files .* found none"):
        list(find_documents([str(tmp_path)], recursive=True))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every folder")
def test_a_folder_that_cannot_be_opened_is_told(tmp_path):
    (tmp_path / "shut").mkdir(mode=0)
    _, skipped = read_documents(find_documents([str(tmp_path)], recursive=True))
    assert "shut: cannot be read: Permission denied" in skipped[0]


def test_files_that_cannot_be_read_are_skipped_with_the_reason(tmp_path):
    contents = {"good.txt": b"text", "latin.txt": b"\xfc", "empty.txt": b" \n", "p.pdf": b"%PDF-1"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    found, skipped = read_documents(str(tmp_path / name) for name in (*contents, "missing.txt"))
    assert [d.text for d in found] == ["text"]
    reasons = ("0xfc at byte 0", "empty.txt: holds no text", "found a PDF", "no such file")
    assert len(skipped) == len(reasons)
    for line, reason in zip(skipped, reasons, strict=True):
        assert reason in line
