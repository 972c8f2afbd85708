"""Export of a reader to a folder that answers without PyTorch.

Through `torch.onnx.export` (dynamo) with dynamic batch and length, and for int8 onnxruntime's
dynamic quantisation: weights as 8-bit integers per output channel, activations scaled at run time.
"""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from babelspan.answering.exported import MODEL, SETTINGS, TOKENIZER, Settings
from babelspan.data.files import replacing, write_json
from babelspan.models.pretrained import PretrainedReader
from babelspan.models.reader import Batch
from babelspan.version import VERSION

_OPSET = 20


def export(reader: PretrainedReader, folder: Path, *, int8: bool = False) -> None:
    """Write `tokenizer.json`, `reader.json` and last `model.onnx`, each whole or not at all.

    Args:
        reader: put into evaluation mode and moved to the CPU.
        folder: made if need be.
        int8: whether to quantise: a quarter of the size, about twice the speed, and logits that
            differ a little.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".exporting-") as beside:
        path = Path(beside) / MODEL
        with _quiet():
            _write_onnx(reader.eval().cpu(), path)
            if int8:
                path = _quantised(path)
        _finish(reader, folder, path, int8=int8)


def _finish(reader: PretrainedReader, folder: Path, path: Path, *, int8: bool) -> None:
    """Put everything in its place, the network last; a large one has weights in a second file."""
    with replacing(folder / TOKENIZER) as final:
        reader.encoder.tokenizer.save(str(final))
    settings = Settings(
        max_positions=reader.encoder.max_positions,
        pad_id=reader.encoder.pad_id,
        precision="int8" if int8 else "fp32",
        babelspan=VERSION,
    )
    write_json(folder / SETTINGS, asdict(settings))
    weights = path.with_name(f"{path.name}.data")
    for file in (weights, path) if weights.exists() else (path,):
        with replacing(folder / file.name.replace(path.name, MODEL)) as final:
            file.replace(final)


class _Network(nn.Module):
    """A reader as a function of three tensors."""

    def __init__(self, reader: PretrainedReader) -> None:
        super().__init__()
        self.reader = reader

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, Tensor]:
        batch = Batch(input_ids, attention_mask, token_type_ids, answers=input_ids, windows=())
        reading = self.reader(batch)
        return reading.start_logits, reading.last_logits


def _write_onnx(reader: PretrainedReader, path: Path) -> None:
    ids = torch.full((2, 16), reader.encoder.pad_id + 1)
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
    program = torch.onnx.export(
        _Network(reader).eval(),
        (ids, mask, torch.zeros_like(ids)),
        dynamo=True,
        opset_version=_OPSET,
        input_names=["input_ids", "attention_mask", "token_type_ids"],
        output_names=["start_logits", "last_logits"],
        dynamic_shapes=[{0: batch, 1: length}] * 3,
        verbose=False,
    )
    assert program is not None
    program.save(path)


def _quantised(path: Path) -> Path:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    small = path.with_name("int8.onnx")
    quantize_dynamic(path, small, weight_type=QuantType.QInt8, per_channel=True)
    return small


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's talk from the user; errors still come through."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
