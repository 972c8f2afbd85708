"""Checks of the places to write to, before anything slow begins."""

import os
from collections.abc import Iterable
from pathlib import Path

from babelspan.types import ConfigError


def refuse_unwritable(path: Path) -> None:
    """Refuse a file that cannot be written, by writing a temporary file in its folder.

    An existing file at the path is not touched.

    Raises:
        ConfigError: if there is a folder or a device at the path, or nothing can be written there.
    """
    if path.is_dir():
        raise ConfigError(f"{path}: expected a file to write to, found a folder")
    if path.exists() and not path.is_file():
        raise ConfigError(
            f"{path}: expected a file to write to, found a pipe, socket or device; choose another "
            "place"
        )
    trial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            trial.write_bytes(b"trial")
        finally:
            trial.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written: {error.strerror}; choose another place"
        ) from None


def refuse_overwriting(path: Path, inputs: Iterable[Path], *, option: str) -> None:
    """Refuse to write a file that is also read.

    Args:
        path: the file to write.
        inputs: files that are read.
        option: the option that names `path`, for the error.

    Raises:
        ConfigError: if it is one of the inputs, by whatever name.
    """
    if not path.exists():
        return
    for read in inputs:
        if read.exists() and path.samefile(read):
            raise ConfigError(
                f"{option} {path}: this file is read ({read}), and would be overwritten; choose "
                "another name"
            )
