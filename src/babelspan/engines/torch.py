"""Readers run by PyTorch: any checkpoint, any device that PyTorch knows."""

import torch

from babelspan.networks.pretrained import PretrainedReader
from babelspan.networks.reader import Batch
from babelspan.seams import FloatArray, IntArray

_GPU_BATCH_TOKENS = 32_768


class TorchEngine:
    """The network of a reader, as the engine of an answerer.

    On the CPU one window at a time (see `engines.onnx`), on a GPU in large batches.

    Args:
        reader: in evaluation mode (`reader.eval()`), as `readers` and the training loop see to.
    """

    workers = 1

    def __init__(self, reader: PretrainedReader) -> None:
        self._reader = reader

    @property
    def batch_tokens(self) -> int:
        """Tokens of a batch on the device that the reader is on now; training may move it."""
        return 1 if self._device.type == "cpu" else _GPU_BATCH_TOKENS

    @torch.inference_mode()
    def __call__(
        self, input_ids: IntArray, attention_mask: IntArray, token_type_ids: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Start logits and last logits, each (B, L)."""
        batch = Batch(
            input_ids=torch.from_numpy(input_ids),
            attention_mask=torch.from_numpy(attention_mask),
            token_type_ids=torch.from_numpy(token_type_ids),
            answers=torch.empty(0),
            windows=(),
        )
        reading = self._reader(batch.to(self._device))
        return reading.start_logits.cpu().numpy(), reading.last_logits.cpu().numpy()

    @property
    def _device(self) -> torch.device:
        return next(self._reader.parameters()).device
