"""Reading files with clear errors; writing files completely or not at all."""

import csv
import errno
import gzip
import hashlib
import json
import os
import zlib
from base64 import b85encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BufferedIOBase, BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast

from babelspan.types import DataError

LARGEST = 2**30
"""Maximum uncompressed size of a gzip file that is read into memory: 1 GiB."""

_GZIP = b"\x1f\x8b"
_CHUNK = 2**20
_SPECIAL = "expected a file, found a pipe, socket or device"


def read_bytes(path: Path, *, largest: int = LARGEST, most: int | None = None) -> bytes:
    """Return the content of a file, decompressed if it is gzipped (by first bytes, not by name).

    Args:
        path: the file.
        largest: maximum uncompressed size of a gzip file in bytes.
        most: maximum size of the file itself in bytes; None for no limit. No more is read.

    Raises:
        DataError: if the file is missing, unreadable, a broken gzip, or too large.
    """
    with _told(path):
        with path.open("rb") as file:
            raw = file.read(-1 if most is None else most + 1)
        if most is not None and len(raw) > most:
            raise too_large(path, most)
        return _unpacked(raw, path, largest) if raw.startswith(_GZIP) else raw


def too_large(where: object, most: int) -> DataError:
    """Return the error for a file, or another source, of more than `most` bytes."""
    return DataError(f"{where}: expected at most {most / 2**20:,.0f} MiB, found more; split it")


def _unpacked(packed: bytes, path: Path, largest: int) -> bytes:
    chunks = []
    size = 0
    with gzip.GzipFile(fileobj=BytesIO(packed)) as content:
        while chunk := content.read(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > largest:
                raise DataError(
                    f"{path}: expected at most {largest / 2**20:,.0f} MiB unpacked, found more in "
                    f"a gzip file of {len(packed):,} bytes; split the file, or delete it if you do "
                    "not trust it"
                )
    return b"".join(chunks)


@contextmanager
def opened(path: Path) -> Iterator[BufferedIOBase]:
    """Open a file as an uncompressed stream, for files that are too large for memory.

    Raises:
        DataError: as `read_bytes`, also inside the block while reading; also for a pipe, which
            cannot be read twice.
    """
    with _told(path):
        if _is_special(path):
            raise DataError(f"{path}: {_SPECIAL}; save its content to a file first")
        with path.open("rb") as raw:
            is_gzip = raw.read(len(_GZIP)) == _GZIP
        with gzip.open(path) if is_gzip else path.open("rb") as content:
            yield content


def _is_special(path: Path) -> bool:
    """Return whether a path is a pipe, a socket or a device."""
    return path.exists() and not (path.is_file() or path.is_dir())


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: expected a file, found a folder; name a file in it") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the gzip data is broken ({error}); fetch it again") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None


def read_text(path: Path) -> str:
    """Return the content of a UTF-8 file with all characters, including line ends and BOM.

    Raises:
        DataError: if the file cannot be read or is not UTF-8; the message locates the bad byte.
    """
    return decode_utf8(read_bytes(path), str(path))


def lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without their line feeds; one line is in memory at a time.

    Raises:
        DataError: as `read_text`; the message gives the line of the bad byte.
    """
    with opened(path) as content:
        for number, raw in enumerate(content, 1):
            line = decode_utf8(raw, f"{path}: line {number}").removesuffix("\n")
            yield line.removeprefix("\ufeff") if number == 1 else line


def decode_utf8(raw: bytes, name: str) -> str:
    """Decode bytes as UTF-8; errors call their source `name`."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: expected UTF-8, found the byte 0x{raw[error.start]:02x} at byte "
            f"{error.start}; convert the file, for example with iconv"
        ) from None


def read_json(path: Path) -> Any:
    """Return the JSON value in a file, gzipped or not, with or without a byte-order mark.

    Raises:
        DataError: if it is not JSON; the message gives line and column.
    """
    return parse_json(read_text(path), path)


def parse_json(text: str, path: Path) -> Any:
    """Return the JSON value of a text; `path` is for error messages; raises as `read_json`."""
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}: expected JSON, found something else at line {error.lineno} column "
            f"{error.colno} ({error.msg}); the file may be cut short"
        ) from None
    except ValueError as error:  # a number with thousands of digits
        raise DataError(f"{path}: the JSON cannot be read: {error}") from None
    except RecursionError:
        raise DataError(f"{path}: the JSON is nested too deeply") from None


def read_record(path: Path, keys: Iterable[str] = ()) -> dict[str, Any]:
    """Return the record of a job: a JSON object with at least the given keys.

    Raises:
        DataError: if the record is broken or something else.
    """
    remedy = "remove it, or choose another folder, to start over"
    try:
        found = read_json(path)
    except DataError as error:
        raise DataError(f"{error}; {remedy}") from None
    if not isinstance(found, dict):
        raise DataError(
            f"{path}: expected the record of a job, found {type(found).__name__}; {remedy}"
        )
    for key in keys:
        if key not in found:
            raise DataError(
                f"{path}: expected the record of a job with {key!r}, found "
                f"{', '.join(map(repr, found)) or 'nothing in it'}; {remedy}"
            )
    return found


def checksum(path: Path) -> str:
    """Return the SHA-256 of the uncompressed content in hexadecimal, with gzip or without."""
    with opened(path) as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's raw bytes in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def short_checksum(raw: bytes) -> str:
    """Return the first 128 bits of a SHA-256 in base 85, for places with many checksums."""
    return b85encode(hashlib.sha256(raw).digest()[:16]).decode()


def checksum_of_tree(path: Path) -> str:
    """Return the SHA-256 over the names and bytes of a folder's files, in hexadecimal."""
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; on success it replaces `path`.

    A crash, a full disk or an exception leaves an existing file at `path` unchanged.

    Raises:
        OSError: if it cannot be written, with the file's name; also for a pipe or a device such as
            /dev/null, which a file would replace.
    """
    if _is_special(path):
        raise OSError(errno.EINVAL, _SPECIAL, str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    except OSError as error:
        if error.filename is None or str(error.filename) == str(beside):  # such as a full disk
            error.filename = str(path)
        raise
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder in `folder`; on success its files are moved to `folder`.

    They are moved in the order in which they were written. This is for libraries that choose the
    names of files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".saving-", suffix=".part") as beside:
        yield Path(beside)
        for file in sorted(Path(beside).iterdir(), key=lambda f: (f.stat().st_mtime_ns, f.name)):
            file.chmod(0o644)
            file.replace(folder / file.name)


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write in pieces; it appears only when complete, gzipped for `.gz`.

    The gzip header has no timestamp.
    """
    with replacing(path) as beside, beside.open("wb") as raw:
        if path.suffix != ".gz":
            yield raw
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
            yield cast(BinaryIO, packed)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file completely or not at all, gzipped if its name ends in `.gz`.

    Text is encoded as UTF-8; a lone surrogate, which UTF-8 cannot encode, becomes its JSON escape.
    """
    if isinstance(content, str):
        content = content.encode("utf-8", errors="backslashreplace")
    with replacing(path) as beside:
        beside.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON; see `write_whole`."""
    write_whole(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write records as JSON lines, all or none; lone surrogates as in `write_whole`."""
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    with writing(path) as file:
        file.writelines(line.encode(errors="backslashreplace") for line in lines)


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as comma-separated values (RFC 4180); the keys of the first row are the header."""
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
