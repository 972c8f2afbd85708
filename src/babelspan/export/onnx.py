"""Export of a reader to a folder that answers without PyTorch.

Through `torch.onnx.export` (dynamo), with the names and shapes that `optimum` and other users of
onnxruntime expect: any number of windows, padded and masked (docs/decisions/0046). Our engine reads
one at a time, without padding (docs/decisions/0009). Each attention becomes one operator of
onnxruntime where that gives the logits of PyTorch, and stays as PyTorch writes it where not. For
int8 onnxruntime's dynamic quantisation: weights as 8-bit integers per output channel, activations
scaled at run time. Word vectors may be 4-bit integers (`export.block_quantised`) whatever the rest
is.
"""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from babelspan.data.exported import INPUTS, MODEL, OUTPUTS, SETTINGS, TOKENIZER, Settings
from babelspan.data.files import replacing, write_json
from babelspan.export.block_quantised import BLOCK, quantise_vectors
from babelspan.export.fused import fused_attention, skip_idle_masks
from babelspan.networks.pretrained import PretrainedReader
from babelspan.networks.reader import Batch, Reader
from babelspan.types import ConfigError, DataError
from babelspan.version import VERSION

_OPSET = 20
_PROBE = 384
"""Tokens of the window on which an export is compared with PyTorch, at most."""
_TOLERANCE = 1e-3


def export(
    reader: Reader,
    folder: Path,
    *,
    int8: bool = False,
    int4_vectors: bool = False,
    whole_words: bool = False,
) -> None:
    """Write tokenizer, settings, `config.json` and last `model.onnx`, each whole or not at all.

    Args:
        reader: put into evaluation mode and moved to the CPU.
        folder: made if need be.
        int8: whether to quantise: a quarter of the size, two to three times the speed, and logits
            that differ a little.
        int4_vectors: whether word vectors become 4-bit integers: half the size of 8-bit ones.
        whole_words: whether the exported reader widens answers to whole words (`text.borders`).

    Raises:
        ConfigError: if readers of this kind cannot be exported, the folder has a checkpoint, or
            word vectors of this width cannot be 4-bit integers.
        DataError: if the exported network does not give the reader's logits.
    """
    if not isinstance(reader, PretrainedReader):
        raise ConfigError(
            f"a reader of the kind {reader.kind!r} cannot be exported yet; use its checkpoint"
        )
    if any(folder.glob("*.safetensors")):
        raise ConfigError(
            f"{folder}: holds a checkpoint, which an export would hide; name another folder"
        )
    if int4_vectors and _vectors(reader)[1].shape[1] % BLOCK:
        raise ConfigError(
            f"4-bit word vectors take a width that is a multiple of {BLOCK}, found "
            f"{_vectors(reader)[1].shape[1]}; leave --int4-vectors out"
        )
    settings = Settings(
        max_positions=reader.featurizer.max_positions,
        pad_id=reader.featurizer.pad_id,
        precision="int8" if int8 else "fp32",
        vectors="int4" if int4_vectors else "int8" if int8 else "fp32",
        whole_words=whole_words,
        babelspan=VERSION,
    )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".exporting-") as beside:
        path = Path(beside) / MODEL
        with _quiet():
            _write_onnx(reader.eval().cpu(), path)
            if int4_vectors:
                path = _with_small_vectors(path, _vectors(reader)[0])
            if int8:
                path = _quantised(path)
        _finish(reader, folder, path, settings)


def _finish(reader: PretrainedReader, folder: Path, path: Path, settings: Settings) -> None:
    """Put everything in its place, the network last; a large one has weights in a second file."""
    with replacing(folder / TOKENIZER) as final:
        reader.featurizer.tokenizer.save(str(final), pretty=False)
    reader.save_settings(folder)
    write_json(folder / SETTINGS, asdict(settings))
    weights = path.with_name(f"{path.name}.data")
    for file in (weights, path) if weights.exists() else (path,):
        with replacing(folder / file.name.replace(path.name, MODEL)) as final:
            file.replace(final)


class _Network(nn.Module):
    """A reader as a function of ids, mask and types of windows, each (B, L)."""

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
    """Write the network, its attention fused if that gives the logits of PyTorch, else as it is.

    Where it cannot be traced, loaded or run with fused attention, it is written as it is, too.
    """
    network = _Network(reader).eval()
    agrees = False
    with contextlib.suppress(Exception):  # onnxruntime has a class of its own for each cause
        with fused_attention(reader.model):
            _trace(network, path)
        skip_idle_masks(path, INPUTS[1])
        agrees = _agrees(network, path)
    if not agrees:
        _trace(network, path)
        if not _agrees(network, path):
            raise DataError(
                f"a {reader.model.config.model_type} reader exported to ONNX gives other logits "
                "than in PyTorch; use its checkpoint"
            )


def _trace(network: _Network, path: Path) -> None:
    ids = torch.full((2, 16), network.reader.featurizer.pad_id + 1)
    shape = {0: torch.export.Dim("windows"), 1: torch.export.Dim("length")}
    program = torch.onnx.export(
        network,
        (ids, torch.ones_like(ids), torch.zeros_like(ids)),
        dynamo=True,
        opset_version=_OPSET,
        input_names=[*INPUTS],
        output_names=[*OUTPUTS],
        dynamic_shapes=[shape] * len(INPUTS),
        verbose=False,
    )
    assert program is not None
    for node in program.model.graph:
        node.metadata_props.clear()  # where each line of code lies on this machine
    program.save(path)


@torch.inference_mode()
def _agrees(network: _Network, path: Path) -> bool:
    """Whether the network in a file gives the logits of PyTorch, on windows of random tokens.

    Two windows are read together, the second with half of it padding, and the first by itself.
    """
    featurizer = network.reader.featurizer
    length = min(_PROBE, featurizer.max_positions)
    ids = torch.randint(
        featurizer.tokenizer.get_vocab_size(),
        (2, length),
        generator=torch.Generator().manual_seed(0),
    )
    mask = torch.ones_like(ids)
    mask[1, length // 2 :] = 0
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    taken = [node.name for node in session.get_inputs()]
    for count in (2, 1):
        arrays = (ids[:count], mask[:count], torch.zeros_like(ids[:count]))
        given = dict(zip(INPUTS, arrays, strict=True))
        found = session.run(None, {name: given[name].numpy() for name in taken})
        for ours, theirs in zip(found, network(**given), strict=True):
            if not np.allclose(ours, theirs, rtol=_TOLERANCE, atol=_TOLERANCE):
                return False
    return True


def _vectors(reader: PretrainedReader) -> tuple[str, Tensor]:
    """The matrix of word vectors, (V, H), with its name in an export."""
    matrix: Tensor = reader.model.get_input_embeddings().weight
    (name,) = [n for n, parameter in reader.model.named_parameters() if parameter is matrix]
    return f"reader.model.{name}", matrix


def _with_small_vectors(path: Path, name: str) -> Path:
    model = onnx.load(path)
    quantise_vectors(model, name)
    small = path.with_name("int4-vectors.onnx")
    onnx.save(model, small)
    return small


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
