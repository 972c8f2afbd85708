"""Extracting chosen files of an archive; nothing is written to a path that an archive names."""

import gzip
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO

from babelspan.data.files import replacing
from babelspan.types import DataError

LARGEST = 2 * 2**30
"""Maximum uncompressed size of a file in bytes; files in the catalogue are much smaller."""

_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
)
_CHUNK = 1 << 18


def unpack(archive: Path, targets: Mapping[str, Path]) -> None:
    """Write files of a zip or tar archive to given paths, each completely or not at all.

    Args:
        archive: the archive.
        targets: path within the archive -> the file to write.

    Raises:
        DataError: if the archive is broken or encrypted, lacks a file, has a path that points
            outside, or a file would be larger than `LARGEST`.
    """
    try:
        for member, packed in _opened(archive, targets.keys()):
            with replacing(targets[member]) as beside, beside.open("wb") as file:
                shutil.copyfileobj(packed, file)
    except _BROKEN as error:
        why = str(error).partition("\n")[0].rstrip(":")
        raise DataError(f"{archive}: the archive is broken ({why}); fetch it again") from None
    except RuntimeError as error:  # from zipfile: encryption, or an unknown compression method
        raise DataError(
            f"{archive}: cannot be unpacked ({error}); unpack it by hand and pack it as plain zip"
        ) from None


def _opened(archive: Path, members: Collection[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield each of the members for reading; a tar archive is read from start to end."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as pack:
            _check(archive, members, {i.filename: i.file_size for i in pack.infolist()})
            for member in members:
                with pack.open(member) as packed:
                    yield member, packed
        return
    with tarfile.open(archive) as pack:
        infos = {info.name: info for info in pack}
        while pack.fileobj and pack.fileobj.read(_CHUNK):
            pass  # read to the end, where the checksum of the whole is
        _check(archive, members, {name: info.size for name, info in infos.items()})
        for member in sorted(members, key=lambda m: infos[m].offset):
            found = pack.extractfile(infos[member]) if infos[member].isreg() else None
            if found is None:
                raise DataError(f"{archive}: expected {member!r} to be a file")
            with found:
                yield member, found


def _check(archive: Path, members: Collection[str], sizes: Mapping[str, int]) -> None:
    for name in sizes:
        path = PurePosixPath(name.replace("\\", "/"))
        has_drive = ":" in path.parts[0] if path.parts else False
        if path.is_absolute() or has_drive or ".." in path.parts:
            raise DataError(
                f"{archive}: holds {name!r}, a path outside the archive; do not trust it, download "
                "the published archive again"
            )
    for member in members:
        if member not in sizes:
            found = ", ".join(sorted(sizes)[:5])
            raise DataError(f"{archive}: expected the file {member!r}, found {found}")
        if sizes[member] > LARGEST:
            raise DataError(
                f"{archive}: {member!r} has {sizes[member]:,} bytes unpacked, more than {LARGEST:,}"
            )
