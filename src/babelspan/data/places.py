"""Checks of output paths before slow work starts."""

import os
from collections.abc import Iterable
from pathlib import Path

from babelspan.types import ConfigError


def refuse_unwritable(path: Path) -> None:
    """Raise ConfigError if a file cannot be written; tested with a temporary file in its folder.

    An existing file at the path is not touched.

    Raises:
        ConfigError: if the path is a folder or a device, or nothing can be written there.
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
    """Raise ConfigError if the file to write is also an input.

    Args:
        path: the file to write.
        inputs: the input files.
        option: option that names `path`, for the error message.

    Raises:
        ConfigError: if it is one of the inputs, under any name.
    """
    if not path.exists():
        return
    for read in inputs:
        if read.exists() and path.samefile(read):
            raise ConfigError(
                f"{option} {path}: this is an input file ({read}) and would be overwritten; choose "
                "another name"
            )
