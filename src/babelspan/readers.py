"""Load readers by name, and build answerers from them.

A reader is "default" (the one in the package), a folder made by `babelspan export` (run by
onnxruntime), or a checkpoint that transformers loads, given as a folder or a hub name (run by
PyTorch; needs the extra `train`).
"""

import hashlib
import importlib.util
import os
import socket
import urllib.parse
import urllib.request
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from babelspan.data.calibrations import CALIBRATION, load_curve
from babelspan.data.exported import MODEL, SETTINGS, load_settings
from babelspan.data.files import checksum, checksum_of_tree, read_json
from babelspan.engines.onnx import OnnxEngine
from babelspan.networks.store import NETWORK, NEW
from babelspan.reading.answerer import Answerer
from babelspan.reading.glossed import FOLDER as DICTIONARIES
from babelspan.reading.glossed import glossed_of
from babelspan.reading.parallel import SETTINGS as PARALLEL
from babelspan.scoring.calibration import Calibration
from babelspan.seams import Engine
from babelspan.types import MAX_LENGTH, ConfigError, DataError, Limits
from babelspan.version import how_to_install

if TYPE_CHECKING:
    from babelspan.networks.reader import Reader

DEFAULT = "default"
_WEIGHTS = (".onnx", ".safetensors")
PARTS = (
    *("*.onnx*", "*.safetensors", "*.safetensors.index.json"),
    *("config.json", NETWORK, SETTINGS, PARALLEL, "generator.json"),
    *("tokenizer.json", "tokenizer_config.json"),
    *("special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt"),
    *("qanet.json", "words.json", "words.npy"),
    *("*.model", "dictionaries/*.tsv*"),
)
"""Files that the answers of a reader depend on; a network with other files adds them here."""
UNKNOWN_COMMIT = "@unknown-commit"
"""The end of the identity of a reader on the hub that has not been loaded yet."""
DEFAULT_FOLDER = Path(__file__).parent / "assets" / "reader"

_PATIENCE = 5.0
"""Timeout of the hub in seconds, before a local copy is looked for."""


def load_answerer(
    reader: str | os.PathLike[str] = DEFAULT,
    *,
    max_length: int = MAX_LENGTH,
    overlap: int | None = None,
    step: int | None = None,
    max_answer_tokens: int | None = None,
    workers: int = 0,
) -> Answerer:
    """Load a reader and return an answerer, which answers questions with it.

    Args:
        reader: "default", a folder, or a name on the Hugging Face hub.
        max_length: the maximum number of tokens in a window.
        overlap: context tokens that neighbouring windows share. If None, 128, or half of the room
            that a long question leaves.
        step: context tokens from one window to the next; instead of `overlap`.
        max_answer_tokens: maximum length of an answer in tokens; None for 30, or 15 when the
            answerer is called as a function.
        workers: the number of windows that an exported reader reads in parallel; 0 for one per
            core.

    Raises:
        DataError: if there is no such reader, or it is broken.
        ConfigError: if it needs PyTorch and PyTorch is not installed, or if a limit is impossible
            for this reader.
        ValueError: if a number is out of range.
    """
    reader = os.fspath(reader)
    return _answerer(
        reader,
        calibration_of(reader),
        limits=Limits(max_length=max_length, overlap=overlap, step=step),
        workers=workers,
        max_answer_tokens=max_answer_tokens,
    )


def load_calibrated(reader: str, calibration: Calibration) -> Answerer:
    """Load a reader with another calibration than that in its folder, which is not read.

    Errors are those of `load_answerer`.
    """
    return _answerer(reader, calibration)


def _answerer(
    reader: str,
    calibration: Calibration | None,
    *,
    limits: Limits = Limits(),
    workers: int = 0,
    max_answer_tokens: int | None = None,
) -> Answerer:
    folder = folder_of(reader)
    whole_words = False
    if _runs_by_onnx(folder):
        engine: Engine = OnnxEngine(folder, workers=workers, limits=limits)
        whole_words = load_settings(folder).whole_words
    else:
        checkpoint = load_checkpoint(reader, limits=limits)  # refuses if PyTorch is missing
        from babelspan.engines.torch import TorchEngine

        checkpoint.to(device()).eval()
        engine = TorchEngine(checkpoint, glossed_of(folder))
    return Answerer(
        engine,
        max_answer_tokens=max_answer_tokens,
        whole_words=whole_words,
        calibration=calibration,
    )


def answerer_of(checkpoint: "Reader") -> Answerer:
    """An answerer for a loaded reader, on the device of the reader."""
    from babelspan.engines.torch import TorchEngine

    return Answerer(TorchEngine(checkpoint))


def calibration_of(reader: str) -> Calibration | None:
    """The calibration in a reader's folder, which turns scores into probabilities, or None.

    Raises:
        DataError: if the file is broken or was made for another reader.
    """
    path = folder_of(reader) / CALIBRATION
    if not path.is_file():
        return None
    curve = load_curve(path)
    if curve.reader != checksum_of(reader):
        raise DataError(
            f"{path}: this calibration was made for another reader, or for older weights; run "
            "`babelspan calibrate` again, or remove the file"
        )
    return Calibration(slope=curve.slope, offset=curve.offset)


def load_checkpoint(
    reader: str,
    *,
    limits: Limits = Limits(),
    gives_new_head: bool = False,
) -> "Reader":
    """Load a reader for training; see `networks.store.load`. Errors are those of `load_answerer`.

    The weights of an exported reader are restored from its network (`export.restored`).
    """
    folder = folder_of(reader)
    is_new = reader.startswith(NEW)
    looks_local = _looks_local(reader)
    holds_one = any((folder / name).is_file() for name in ("config.json", NETWORK, MODEL))
    if looks_local and not holds_one:
        raise DataError(
            f"reader {reader!r}: expected a folder with {MODEL} (made by `babelspan export`) or "
            "with config.json (a checkpoint), found "
            f"{'neither in it' if folder.is_dir() else 'no folder'}"
        )
    if not looks_local and not is_new:
        _refuse_misspelt(reader, "reader")
    if not all(map(importlib.util.find_spec, ("torch", "transformers"))):
        found = "this is a checkpoint, and" if looks_local else "there is no such folder;"
        what = "a checkpoint" if looks_local else "a reader from the hub"
        raise ConfigError(
            f"reader {reader!r}: {found} {what} needs PyTorch and transformers: "
            f"{how_to_install('train')}, or use a folder made by `babelspan export`"
        )
    if is_exported(reader):
        from babelspan.export.restored import restored

        return restored(folder, limits=limits)
    name = str(folder) if looks_local else reader
    if not looks_local and not is_new:
        name = _on_the_hub(reader)
    from babelspan.networks import store

    network = store.load(name, limits=limits, gives_new_head=gives_new_head)
    if not hasattr(network, "windows"):
        raise DataError(
            f"reader {reader!r}: expected a network that answers questions, found one of kind "
            f"{network.kind!r}"
        )
    return network


def require(name: str, what: str) -> None:
    """Check that a network is there: its folder, or else the hub or a local copy of it.

    Args:
        name: "default", a folder, or a name on the hub.
        what: what the name stands for, for errors.

    Raises:
        DataError: if it is not.
    """
    if _looks_local(name):
        if not folder_of(name).is_dir():
            raise DataError(f"{what} {name!r}: expected a folder with a checkpoint, found none")
    elif name.startswith(NEW):
        raise DataError(f"{what} {name!r}: expected a trained network, found a new one")
    else:
        _refuse_misspelt(name, what)
        _on_the_hub(name, what)


def _looks_local(name: str) -> bool:
    """Whether a name stands for a folder, not for a network on the hub."""
    folder = folder_of(name)
    return folder.is_absolute() or name.startswith((".", "~")) or folder.exists()


def _refuse_misspelt(name: str, what: str) -> None:
    """Refuse a name that is nearly "default", before it is looked up on the hub."""
    if "/" not in name and get_close_matches(name, [DEFAULT], cutoff=0.8):
        raise DataError(f"{what} {name!r}: there is no such folder; did you mean {DEFAULT!r}?")


def _on_the_hub(name: str, what: str = "reader") -> str:
    """The name of a network on the hub; offline, the folder of its local copy.

    The hub is probed first because its library needs a minute to report a missing network.

    Raises:
        DataError: if the hub cannot be reached and there is no copy.
    """
    from huggingface_hub import constants, snapshot_download

    why = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else _unreachable(constants.ENDPOINT)
    if why is None:
        return name
    try:
        return snapshot_download(name, local_files_only=True)
    except Exception:  # the library raises a different class for each cause
        raise DataError(
            f"{what} {name!r}: there is no such folder, the hub cannot be reached ({why}), and "
            "this machine has no copy; download it on a machine with a network (`hf "
            "download NAME --local-dir FOLDER`), copy the folder here and use its path"
        ) from None


def _unreachable(url: str) -> str | None:
    """Why a host cannot be reached; None if it can be, or if a proxy is configured."""
    if urllib.request.getproxies().get("https"):
        return None
    host = urllib.parse.urlsplit(url).hostname or url
    try:
        socket.create_connection((host, 443), timeout=_PATIENCE).close()
    except OSError as error:
        return f"{host}: {error.strerror or error}"
    return None


def is_exported(reader: str) -> bool:
    """Whether a folder has an exported network and no checkpoint."""
    folder = folder_of(reader)
    return (folder / MODEL).exists() and not _has_weights(folder)


def _runs_by_onnx(folder: Path) -> bool:
    """Whether to use onnxruntime; an ONNX file beside a checkpoint may be from another program."""
    has_settings = (folder / SETTINGS).exists()
    return (folder / MODEL).exists() and (has_settings or not _has_weights(folder))


def _has_weights(folder: Path) -> bool:
    return any(folder.glob("*.safetensors"))


def languages_beside(reader: str) -> tuple[str, ...]:
    """Languages of the translations that a reader takes with a text; does not load the reader."""
    files = [folder_of(reader) / name for name in (SETTINGS, PARALLEL)]
    found = next((read_json(file) for file in files if file.is_file()), None)
    languages = found.get("languages") if isinstance(found, dict) else None
    return tuple(languages) if isinstance(languages, list) else ()


def device() -> str:
    """The PyTorch device for a checkpoint: a GPU if there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def folder_of(reader: str) -> Path:
    """The folder of a reader's files, if they are on this machine."""
    return DEFAULT_FOLDER if reader == DEFAULT else Path(reader).expanduser()


def dictionaries_of(reader: str) -> Path:
    """The folder of a reader's dictionaries.

    Raises:
        ConfigError: if it has none.
    """
    folder = folder_of(reader) / DICTIONARIES
    if not folder.is_dir():
        raise ConfigError(
            f"reader {reader!r}: expected a reader with dictionaries, found none in its folder; "
            "name another one, such as default"
        )
    return folder


def checksum_of(reader: str) -> str:
    """The identity of a reader; readers with the same identity give the same answers.

    For a folder: the SHA-256 in hexadecimal of the files that answers depend on, which are weights,
    tokenizer and settings (`PARTS`); the folder's name and other files do not count. For a reader
    on the hub: `name@commit`, with the commit in the cache (known once the reader has been loaded),
    or `name@unknown-commit`. For a new, untrained reader: its name.
    """
    folder = folder_of(reader)
    if reader.startswith(NEW):
        return reader
    if not folder.is_dir():
        commit = _commit_of(reader)
        return f"{reader}@{commit}" if commit else reader + UNKNOWN_COMMIT
    parts = parts_of(reader)
    if not any(path.suffix in _WEIGHTS for path in parts):
        return checksum_of_tree(folder)
    digest = hashlib.sha256()
    for path in parts:
        digest.update(f"{path.name}\0{checksum(path)}\0".encode())
    return digest.hexdigest()


def parts_of(reader: str) -> list[Path]:
    """The files of a reader's folder that its answers depend on; empty for a reader on the hub."""
    folder = folder_of(reader)
    return sorted({path for pattern in PARTS for path in folder.glob(pattern)})


def shortened(identity: str) -> str:
    """A short form of a reader's identity: the first 12 digits of its checksum or commit.

    A new, untrained reader has neither; its identity is returned unchanged.
    """
    if identity.startswith(NEW):
        return identity
    name, at, digest = identity.rpartition("@")
    return f"{name}@{digest[:12]}" if at else f"sha256:{digest[:12]}"


def _commit_of(name: str) -> str | None:
    """The hub commit of a name in the local cache; does not use the network."""
    if not importlib.util.find_spec("huggingface_hub"):
        return None
    from huggingface_hub import try_to_load_from_cache

    try:
        config = try_to_load_from_cache(name, "config.json")
    except ValueError:  # not a valid name on the hub
        return None
    return Path(config).parent.name if isinstance(config, str) else None
