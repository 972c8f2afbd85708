"""Files are taken out of archives one by one; what points elsewhere is refused."""

import gzip
import io
import random
import tarfile
import zipfile

import pytest

from babelspan.datasets import archives
from babelspan.datasets.archives import unpack
from babelspan.types import DataError


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in files.items():
            pack.writestr(name, content)
    return path


def tarred(path, files):
    with tarfile.open(path, "w:gz") as pack:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            pack.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture(params=[zipped, tarred])
def packed(request, tmp_path):
    return lambda files: request.param(tmp_path / "pack", files)


def test_what_is_asked_for_is_written_and_nothing_else(packed, tmp_path):
    archive = packed({"a/one.json": b"1", "a/two.json": b"2", "a/three.json": b"3"})
    out = tmp_path / "out"
    unpack(archive, {"a/three.json": out / "x", "a/one.json": out / "y"})

    assert {p.name: p.read_bytes() for p in out.iterdir()} == {"x": b"3", "y": b"1"}


@pytest.mark.parametrize(
    "name", ["../evil.json", "a/../../evil.json", "/evil.json", "..\\evil.json", "C:\\evil.json"]
)
def test_an_archive_that_points_outside_is_refused(packed, tmp_path, name):
    archive = packed({"a.json": b"1", name: b"2"})
    before = sorted(tmp_path.parent.rglob("*"))
    with pytest.raises(DataError, match=r"pack: holds '.*evil.json', a path outside the archive"):
        unpack(archive, {"a.json": tmp_path / "out"})
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_what_an_archive_lacks_is_said(packed, tmp_path):
    archive = packed({"a.json": b"1", "b.json": b"2"})
    with pytest.raises(DataError, match=r"expected the file 'c.json', found a.json, b.json$"):
        unpack(archive, {"a.json": tmp_path / "out", "c.json": tmp_path / "c"})
    assert not (tmp_path / "out").exists()


def test_a_file_that_would_be_too_large_is_refused(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 1000)
    archive = packed({"a.json": bytes(1001)})
    with pytest.raises(DataError, match=r"'a.json' has 1,001 bytes unpacked, more than 1,000$"):
        unpack(archive, {"a.json": tmp_path / "out"})
    assert not (tmp_path / "out").exists()


def test_a_zip_that_understates_a_size_gives_no_more_than_it_states(tmp_path):
    archive = zipped(tmp_path / "pack", {"a.json": b"x" * 5000})
    raw = archive.read_bytes().replace((5000).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    archive.write_bytes(raw)
    with pytest.raises(DataError, match=r"pack: the archive is broken \(.*CRC"):
        unpack(archive, {"a.json": tmp_path / "out"})
    assert not (tmp_path / "out").exists()


def test_a_broken_archive_is_said(packed, tmp_path):
    archive = packed({"a.json": bytes(range(256)) * 200, "b.json": b"2"})
    whole = archive.read_bytes()
    for content in (whole[: len(whole) // 2], b"not an archive", b"", gzip.compress(b"neither")):
        archive.write_bytes(content)
        with pytest.raises(DataError, match=r"pack: the archive is broken \(.*\); fetch it again$"):
            unpack(archive, {"a.json": tmp_path / "out"})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("kind", "place"), [("gz", -6), ("xz", None), ("bz2", None)])
def test_a_tar_whose_bytes_have_changed_is_said(tmp_path, kind, place):
    archive = tmp_path / "pack"
    content = random.Random(1).randbytes(50_000)
    with tarfile.open(archive, f"w:{kind}") as pack:
        info = tarfile.TarInfo("a.json")
        info.size = len(content)
        pack.addfile(info, io.BytesIO(content))
    packed = bytearray(archive.read_bytes())
    packed[len(packed) // 2 if place is None else place] ^= 0xFF
    archive.write_bytes(packed)
    with pytest.raises(DataError, match=r"pack: the archive is broken \(.*\); fetch it again$"):
        unpack(archive, {"a.json": tmp_path / "out"})
    assert not (tmp_path / "out").exists()


def test_a_folder_or_link_is_not_a_file(tmp_path):
    archive = tmp_path / "pack"
    with tarfile.open(archive, "w:gz") as pack:
        for name, kind in (("a", tarfile.DIRTYPE), ("b", tarfile.SYMTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "../../secret"
            pack.addfile(info)
    for name in ("a", "b"):
        with pytest.raises(DataError, match=rf"expected '{name}' to be a file"):
            unpack(archive, {name: tmp_path / "out"})


def test_an_encrypted_archive_is_refused(tmp_path):
    archive = zipped(tmp_path / "pack", {"a.json": b"1"})
    raw = bytearray(archive.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(header) + flags] |= 1  # the flag of encryption, in both headers
    archive.write_bytes(raw)
    with pytest.raises(
        DataError, match=r"pack: cannot be unpacked \(.*encrypted.*\); unpack it by"
    ):
        unpack(archive, {"a.json": tmp_path / "out"})


def test_an_unknown_method_of_compression_is_refused(tmp_path):
    archive = zipped(tmp_path / "pack", {"a.json": b"1"})
    raw = bytearray(archive.read_bytes())
    for header, method in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        raw[raw.index(header) + method] = 99
    archive.write_bytes(raw)
    with pytest.raises(DataError, match=r"pack: cannot be unpacked \(.*compression.*\); unpack it"):
        unpack(archive, {"a.json": tmp_path / "out"})
