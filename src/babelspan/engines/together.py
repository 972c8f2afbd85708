"""An exported reader of parallel texts: each text is encoded separately, then all are combined.

There is no padding in the encoder, and a text that is part of several inputs, such as the
translation of a long text, is encoded once while its vectors are in the cache.

Shapes: K translations, L tokens of the own text, M of the longest translation, H width.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from babelspan.data.exported import BESIDE, BESIDE_INPUTS, INPUTS, MODEL, OUTPUTS, VECTORS
from babelspan.reading.parallel import ParallelFeaturizer, ParallelWindow, numbered
from babelspan.reading.windows import Window
from babelspan.seams import FloatArray
from babelspan.types import DataError

_KEPT = 16
"""Size of the cache in texts; 16 texts of 384 tokens take 19 MB with a base encoder."""


class Together:
    """The two networks of an exported reader of parallel texts. Thread-safe.

    Args:
        folder: the folder of the networks, for error messages.
        featurizer: the featurizer of the reader.
        one: the loaded `model.onnx`, which encodes a text.
        beside: the loaded `beside.onnx`, which combines the vectors of the texts.

    Raises:
        DataError: if they have other inputs or outputs, or do not belong together.
    """

    def __init__(self, folder: Path, featurizer: ParallelFeaturizer, one: Any, beside: Any) -> None:
        self._featurizer = featurizer.one
        self._one, self._beside = one, beside
        self._taken = [node.name for node in one.get_inputs()]
        self._taken_together = [node.name for node in beside.get_inputs()]
        widths = {node.name: node.shape[-1] for node in one.get_outputs()}
        taken = {node.name: node.shape[-1] for node in beside.get_inputs()}
        given = [node.name for node in beside.get_outputs()]
        if VECTORS not in widths or not {*OUTPUTS} <= {*given} or not {*taken} <= {*BESIDE_INPUTS}:
            raise DataError(
                f"{folder / BESIDE}: expected a network from {', '.join(BESIDE_INPUTS)} to "
                f"{' and '.join(OUTPUTS)}, and {VECTORS} from {MODEL}, found one from "
                f"{', '.join(taken)} to {', '.join(given)}; export it again"
            )
        if taken.get("own") != widths[VECTORS]:
            raise DataError(
                f"{folder / BESIDE}: expected a network for vectors of width {widths[VECTORS]}, "
                f"as {MODEL} gives, found one for {taken.get('own')}; export it again"
            )
        self._read = lru_cache(maxsize=_KEPT)(self._vectors)

    def logits(self, window: ParallelWindow) -> Sequence[FloatArray]:
        """Start and last logits of the own text, (1, L) each."""
        texts, _, rows = numbered([window])
        own, *others = (self._read(*_ids_and_types(text)) for text in texts)
        known = dict(zip(BESIDE_INPUTS, (own, *_padded(others or [own])), strict=False))
        if not others:  # the input must not be empty; no row refers to it
            rows = rows + 1
        found: list[FloatArray] = self._beside.run(
            OUTPUTS, {name: {**known, "rows": rows}[name] for name in self._taken_together}
        )
        return found

    def _vectors(self, ids: bytes, types: bytes) -> FloatArray:
        """Vectors of a text, (1, L, H)."""
        read, kinds = (np.frombuffer(of, np.int32)[None].astype(np.int64) for of in (ids, types))
        known = dict(zip(INPUTS, (read, np.ones_like(read), kinds), strict=True))
        vectors: FloatArray = self._one.run([VECTORS], {n: known[n] for n in self._taken})[0]
        return vectors


def _ids_and_types(window: Window) -> tuple[bytes, bytes]:
    return window.ids().tobytes(), window.types().tobytes()


def _padded(texts: Sequence[FloatArray]) -> tuple[FloatArray, Any]:
    """Pad the vectors of texts to (K, M, H); also returns their mask (K, M)."""
    longest = max(vectors.shape[1] for vectors in texts)
    side_by_side = np.zeros((len(texts), longest, texts[0].shape[2]), np.float32)
    mask = np.zeros(side_by_side.shape[:2], np.int64)
    for number, vectors in enumerate(texts):
        side_by_side[number, : vectors.shape[1]] = vectors[0]
        mask[number, : vectors.shape[1]] = 1
    return side_by_side, mask
