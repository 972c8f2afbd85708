"""Load networks by name, and save them.

A network that transformers loads has the kind "pretrained". A network of another kind is a folder
with `network.json`, which names the kind: the module of `babelspan.networks` whose function `load`
reads the rest of the folder. `new:<kind>[,key=value…]` creates an untrained network with that
module's function `new`.
"""

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from babelspan.data.files import read_json, write_json
from babelspan.types import ConfigError, DataError, Limits

if TYPE_CHECKING:
    from babelspan.networks.reader import Reader

NETWORK = "network.json"
NEW = "new:"


def load(name: str, *, limits: Limits = Limits(), gives_new_head: bool = False) -> "Reader":
    """Load the reader of a name.

    Args:
        name: a folder, a name on the Hugging Face hub, or `new:<kind>[,key=value…]`.
        limits: default limits for cutting contexts into windows.
        gives_new_head: whether an encoder without a span head gets an untrained one.

    Raises:
        ConfigError: if there is no such kind of network.
        DataError: if there is no such reader, or it is broken.
    """
    if name.startswith(NEW):
        kind, _, settings = name.removeprefix(NEW).partition(",")
        made: Reader = _module(kind, name, "new").new(settings, limits=limits)
        return made
    record = Path(name) / NETWORK
    if record.is_file():
        found = read_json(record)
        if not isinstance(found, dict) or not isinstance(found.get("kind"), str):
            raise DataError(f"{record}: expected a kind of network, found {found!r:.80}")
        read: Reader = _module(found["kind"], str(record), "load").load(Path(name), limits=limits)
        return read
    from babelspan.networks import pretrained

    return pretrained.load(name, limits=limits, gives_new_head=gives_new_head)


def save(network: Any, folder: Path) -> None:
    """Write a network to a folder that `load` can read; the kind is written last."""
    network.save(folder)
    if network.kind != "pretrained":
        write_json(folder / NETWORK, {"kind": network.kind})


def _module(kind: str, where: str, function: str) -> ModuleType:
    name = f"babelspan.networks.{kind}"
    if kind.isidentifier() and name != __name__ and importlib.util.find_spec(name):
        module = importlib.import_module(name)
        if hasattr(module, function):
            return module
    raise ConfigError(f"{where}: there is no kind of network {kind!r} in this version of Babelspan")
