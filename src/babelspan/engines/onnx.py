"""Readers exported to ONNX, run by onnxruntime on the CPU; needs no PyTorch.

One window at a time, as many side by side as there are cores: nothing is padded, and an answer
cannot depend on what else is in a batch, which matters in int8, where onnxruntime scales
activations by the whole batch. It was also the fastest arrangement measured (docs/decisions/0009).
"""

import os
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError
from tokenizers import Tokenizer

from babelspan.data.exported import MODEL, SETTINGS, TOKENIZER, Settings
from babelspan.data.files import read_json, read_text
from babelspan.reading.windows import Featurizer
from babelspan.seams import FloatArray, IntArray
from babelspan.types import DataError

_SLOWER_FUSED = ["SkipLayerNormFusion", "BiasGeluFusion"]
"""Rewritings of onnxruntime that cost time: what they put in is not vectorised (decision 0018)."""


class OnnxEngine:
    """The network of a folder made by `babelspan export`.

    Args:
        folder: holds `model.onnx`.
        workers: windows read side by side, which share the cores; 0 for one a core, which reads
            most. One reads a single window soonest.

    Raises:
        DataError: if the model is missing or onnxruntime cannot load it.
    """

    batch_tokens = 1

    def __init__(self, folder: Path, *, workers: int = 0) -> None:
        import onnxruntime  # takes 0.1 s, so that `babelspan --help` does without

        path = folder / MODEL
        if not path.is_file():
            raise DataError(f"{folder}: expected an exported reader with {MODEL}, found none")
        self.workers = workers or _cores()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, _cores() // self.workers)
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path),
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=_SLOWER_FUSED,
            )
        except Exception as error:  # onnxruntime has a class of its own for each cause
            cause = " ".join(str(error).split())
            raise DataError(
                f"{path}: onnxruntime cannot load it ({cause}); export it again"
            ) from None
        self._inputs = [node.name for node in self._session.get_inputs()]

    def __call__(
        self, input_ids: IntArray, attention_mask: IntArray, token_type_ids: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Start logits and last logits, each (B, L), of windows padded on the right.

        Windows are run one by one, each without its padding, which gets minus infinity.
        """
        start_logits, last_logits = np.full((2, *input_ids.shape), -np.inf, dtype=np.float32)
        for row, length in enumerate(attention_mask.sum(axis=1)):
            window = slice(row, row + 1), slice(length)
            known = {
                "input_ids": input_ids[window],
                "attention_mask": attention_mask[window],
                "token_type_ids": token_type_ids[window],
            }
            start_logits[window], last_logits[window] = self._session.run(
                ["start_logits", "last_logits"], {name: known[name] for name in self._inputs}
            )
        return start_logits, last_logits


def exported_featurizer(folder: Path) -> Featurizer:
    """The featurizer of an exported reader.

    Raises:
        DataError: if its settings or its tokenizer are missing or broken.
    """
    try:
        settings = TypeAdapter(Settings).validate_python(read_json(folder / SETTINGS))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"{folder / SETTINGS}: expected the settings of an exported reader, found in {key!r}: "
            f"{first['msg']}; export it again"
        ) from None
    text = read_text(folder / TOKENIZER)
    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # the library raises bare Exception
        raise DataError(
            f"{folder / TOKENIZER}: not a tokenizer ({error}); export it again"
        ) from None
    return Featurizer(tokenizer, max_positions=settings.max_positions, pad_id=settings.pad_id)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
