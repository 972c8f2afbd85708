"""Save and load the weights of a network except those of its inner reader, saved separately."""

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from babelspan.data.files import replacing
from babelspan.types import DataError

_INNER = "inner."


def save_own(network: nn.Module, path: Path) -> None:
    """Write the weights atomically."""
    weights = {name: tensor.contiguous() for name, tensor in _own(network).items()}
    with replacing(path) as beside:
        save_file(weights, beside)


def load_own(network: nn.Module, path: Path, what: str) -> None:
    """Read the weights into a network.

    Args:
        network: a network with exactly these weights.
        path: path of the file.
        what: description of the weights, for error messages.

    Raises:
        DataError: if the file is missing, broken or of another network.
    """
    try:
        weights = load_file(path)
        if weights.keys() != (expected := _own(network).keys()):
            raise ValueError(f"other tensors: {sorted(weights.keys() ^ expected)[:3]}")
        network.load_state_dict(weights, strict=False)
    except Exception as error:  # the library has an exception class of its own
        cause = " ".join(str(error).split())[:200]
        raise DataError(
            f"{path}: expected {what}, found something else ({cause}); train or fetch the reader "
            "again"
        ) from error


def _own(network: nn.Module) -> dict[str, Tensor]:
    return {k: v for k, v in network.state_dict().items() if not k.startswith(_INNER)}
