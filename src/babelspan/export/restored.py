"""Restore a trainable reader from an exported one.

An export does not keep the names of weights: PyTorch's exporter numbers them, and it writes equal
arrays once. So a network with the same settings and random weights is exported too. Its arrays are
matched to these weights by their values; the name of an array, or the node input that it is, is
then the same in the reader's network. Quantised values are restored to the centre of their
quantisation step.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from babelspan.data.exported import MODEL, load_settings
from babelspan.export.block_quantised import Blocks
from babelspan.export.onnx import export
from babelspan.networks import pretrained
from babelspan.networks.pretrained import PretrainedReader
from babelspan.types import DataError, Limits


def restored(folder: Path, *, limits: Limits = Limits()) -> PretrainedReader:
    """Restore the reader in a folder written by `export`.

    Args:
        folder: folder of the exported reader.
        limits: default limits for cutting contexts into windows.

    Raises:
        DataError: if a file is missing, the reader is not a transformers reader of single texts, or
            a weight is missing, for example because another version of PyTorch wrote the network.
    """
    settings = load_settings(folder)
    if settings.kind == "words":
        raise DataError(
            f"{folder}: expected a reader with a pretrained encoder, found one with a table of "
            "words; use the checkpoint it was exported from"
        )
    if not (folder / "config.json").is_file():
        raise DataError(
            f"{folder}: expected config.json, the settings of the network, next to {MODEL}, found "
            "none; export the reader again, or use the checkpoint it was exported from"
        )
    if settings.languages is not None:
        raise DataError(
            f"{folder}: expected a reader of single texts, found one that also reads "
            "translations; use the checkpoint it was exported from"
        )
    reader = pretrained.untrained(folder, limits=limits)
    weights = dict(reader.named_parameters())
    found = _Network(folder / MODEL)
    places = _places(reader, weights)
    for name, parameter in weights.items():
        place = places.get(name)
        values = None if place is None else found.values(place)
        if place is None or values is None or values.size != parameter.numel():
            raise DataError(
                f"{folder / MODEL}: expected the weight {name!r}, found none; export it again with "
                "this version of PyTorch, or use the checkpoint it was exported from"
            )
        turned = np.ascontiguousarray(values.T if place.is_turned else values)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(turned).reshape(parameter.shape))
    return reader


@dataclass(frozen=True, slots=True)
class _Place:
    """The location of a weight in a network: its array, transposed or not, and a node input."""

    array: str
    is_turned: bool
    use: tuple[str, int]


class _Network:
    """The arrays and nodes of an exported network."""

    def __init__(self, path: Path) -> None:
        graph = onnx.load(path).graph
        self.arrays = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.nodes = {node.name: node for node in _nodes(graph)}

    @cached_property
    def uses(self) -> dict[str, tuple[str, int]]:
        """The first use of each array: name of the node and index of its input."""
        found: dict[str, tuple[str, int]] = {}
        for name, node in self.nodes.items():
            for index, taken in enumerate(node.input):
                found.setdefault(taken, (name, index))
        return found

    def values(self, place: _Place) -> NDArray[np.float32] | None:
        """The dequantised array at a location; None if there is none."""
        name = place.array
        if f"{name}_codes" in self.arrays:
            codes, scales, zeros = (self._of(name, part) for part in ("codes", "scales", "zeros"))
            return Blocks(codes.astype(np.uint8), scales, zeros.astype(np.uint8)).restored()
        if f"{name}_quantized" in self.arrays:
            codes, scale, zero = (
                self._of(name, part).astype(np.float32)
                for part in ("quantized", "scale", "zero_point")
            )
            scaled: NDArray[np.float32] = (codes - zero) * scale
            return scaled
        node, index = place.use
        if name not in self.arrays and node in self.nodes:
            name = self.nodes[node].input[index]  # equal arrays are written once
        return self.arrays[name].astype(np.float32) if name in self.arrays else None

    def _of(self, name: str, part: str) -> NDArray[Any]:
        return self.arrays[f"{name}_{part}"]


def _nodes(graph: Any) -> Iterator[Any]:
    """The nodes of a graph and of its subgraphs."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            yield from _nodes(attribute.g)


def _places(reader: PretrainedReader, weights: dict[str, torch.nn.Parameter]) -> dict[str, _Place]:
    """The location of each weight in an export; sets the weights to distinct random values."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in weights.values():
            parameter.normal_(generator=generator)
    with tempfile.TemporaryDirectory() as beside:
        export(reader, Path(beside))
        network = _Network(Path(beside) / MODEL)
    by_content = {(a.shape, a.tobytes()): name for name, a in network.arrays.items()}
    found = {}
    for name, parameter in weights.items():
        values = parameter.detach().numpy()
        for is_turned in (False, True):
            shown = np.ascontiguousarray(values.T if is_turned else values)
            array = by_content.get((shown.shape, shown.tobytes()))
            if array is not None and array in network.uses:
                found[name] = _Place(array, is_turned, network.uses[array])
                break
    return found
