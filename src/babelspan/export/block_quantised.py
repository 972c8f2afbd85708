"""Block-wise 4-bit quantisation of the token embeddings of an exported network.

Half the size of 8-bit integers, so that a vocabulary of many languages fits. The operator is
`com.microsoft.GatherBlockQuantized` of onnxruntime.

Shapes: V pieces (subwords), H width, K blocks of a vector.
"""

from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from babelspan.types import DataError

BLOCK = 32
"""Block size: number of values that share a scale; a power of two, 16 or more."""

_DOMAIN = "com.microsoft"
_TOP = 15


class Blocks(NamedTuple):
    """A block-quantised matrix (V, H): value = (code - zero) * scale.

    Attributes:
        codes: in [0, 15], (V, H).
        scales: (V, K).
        zeros: zero points, in [0, 15], (V, K).
    """

    codes: NDArray[np.uint8]
    scales: NDArray[np.float32]
    zeros: NDArray[np.uint8]

    def restored(self) -> NDArray[np.float32]:
        """The dequantised matrix, (V, H)."""
        size, blocks = self.scales.shape
        parts = self.codes.reshape(size, blocks, -1).astype(np.float32)
        values = (parts - self.zeros[:, :, None]) * self.scales[:, :, None]
        return values.reshape(size, -1).astype(np.float32)


def blocks(matrix: NDArray[np.float32], *, block: int = BLOCK) -> Blocks:
    """Quantise a matrix (V, H); the range of each block includes its values and zero.

    Raises:
        ValueError: if H is not a multiple of the block size.
    """
    size, width = matrix.shape
    if width % block:
        raise ValueError(f"expected a width that is a multiple of {block}, got {width}")
    parts = matrix.reshape(size, width // block, block)
    low = np.minimum(parts.min(axis=2), 0)
    high = np.maximum(parts.max(axis=2), 0)
    scales = ((high - low) / _TOP).astype(np.float32)
    safe = np.where(scales > 0, scales, 1.0)
    zeros = np.clip(np.rint(-low / safe), 0, _TOP).astype(np.uint8)
    codes = np.clip(np.rint(parts / safe[:, :, None]) + zeros[:, :, None], 0, _TOP)
    return Blocks(codes.astype(np.uint8).reshape(size, width), scales, zeros)


def quantise_vectors(model: onnx.ModelProto, name: str, *, block: int = BLOCK) -> None:
    """Quantise the token embeddings of a network, in place.

    Args:
        model: a network with one `Gather` from the matrix.
        name: name of the matrix, (V, H).
        block: block size.

    Raises:
        DataError: if there is no such matrix, or not exactly one look-up in it.
    """
    graph = model.graph
    found = [t for t in graph.initializer if t.name == name]
    nodes = [n for n in graph.node if n.op_type == "Gather" and n.input[0] == name]
    if len(found) != 1 or len(nodes) != 1:
        raise DataError(
            f"expected one matrix {name!r} with one look-up, found {len(found)} and {len(nodes)}"
        )
    made = blocks(numpy_helper.to_array(found[0]), block=block)
    graph.initializer.remove(found[0])
    graph.initializer.extend(
        [
            _nibbles(made.codes, f"{name}_codes"),
            numpy_helper.from_array(made.scales, f"{name}_scales"),
            _nibbles(made.zeros, f"{name}_zeros"),
        ]
    )
    _look_up(nodes[0], name, block)
    if _DOMAIN not in {o.domain for o in model.opset_import}:
        model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))


def _look_up(node: Any, name: str, block: int) -> None:
    ids = node.input[1]
    del node.input[:]
    node.input.extend([f"{name}_codes", ids, f"{name}_scales", f"{name}_zeros"])
    del node.attribute[:]
    node.op_type, node.domain = "GatherBlockQuantized", _DOMAIN
    for key, value in {"gather_axis": 0, "quantize_axis": 1, "block_size": block}.items():
        node.attribute.append(helper.make_attribute(key, value))


def _nibbles(codes: NDArray[np.uint8], name: str) -> onnx.TensorProto:
    """Pack values in [0, 15] into a UINT4 tensor: two per byte, the first in the low half."""
    flat = codes.ravel()
    if len(flat) % 2:
        flat = np.append(flat, np.uint8(0))
    packed = (flat[0::2] | (flat[1::2] << 4)).astype(np.uint8)
    return helper.make_tensor(name, onnx.TensorProto.UINT4, codes.shape, packed.tobytes(), raw=True)
