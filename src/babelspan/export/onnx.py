"""Export of a reader to a folder that answers without PyTorch.

Through `torch.onnx.export` (dynamo), for one window of any length, which is how the engine reads
(docs/decisions/0009): no padding, so no mask. Each attention becomes one operator of onnxruntime
where that gives the logits of PyTorch, and stays as PyTorch writes it where not. For int8
onnxruntime's dynamic quantisation: weights as 8-bit integers per output channel, activations scaled
at run time.
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
import onnxruntime
import torch

from babelspan.data.exported import MODEL, SETTINGS, TOKENIZER, Settings
from babelspan.data.files import replacing, write_json
from babelspan.export.fused import fused_attention
from babelspan.export.graphs import Graph, graph_of
from babelspan.networks.reader import Reader
from babelspan.types import DataError
from babelspan.version import VERSION

_OPSET = 20
_TOLERANCE = 1e-3


def export(reader: Reader, folder: Path, *, int8: bool = False) -> None:
    """Write `tokenizer.json`, `reader.json` and last `model.onnx`, each whole or not at all.

    Args:
        reader: put into evaluation mode and moved to the CPU.
        folder: made if need be.
        int8: whether to quantise: a quarter of the size, two to three times the speed, and logits
            that differ a little.

    Raises:
        ConfigError: if readers of this kind cannot be exported.
        DataError: if the exported network does not give the reader's logits.
    """
    graph = graph_of(reader)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".exporting-") as beside:
        path = Path(beside) / MODEL
        with _quiet():
            _write_onnx(graph.eval().cpu(), path)
            if int8:
                path = _quantised(path)
        _finish(graph, folder, path, int8=int8)


def _finish(graph: Graph, folder: Path, path: Path, *, int8: bool) -> None:
    """Put everything in its place, the network last; a large one has weights in a second file."""
    with replacing(folder / TOKENIZER) as final:
        graph.featurizer.tokenizer.save(str(final))
    settings = Settings(
        max_positions=graph.featurizer.max_positions,
        pad_id=graph.featurizer.pad_id,
        precision="int8" if int8 else "fp32",
        babelspan=VERSION,
        languages=graph.languages,
    )
    said = {key: value for key, value in asdict(settings).items() if value is not None}
    write_json(folder / SETTINGS, said)
    weights = path.with_name(f"{path.name}.data")
    for file in (weights, path) if weights.exists() else (path,):
        with replacing(folder / file.name.replace(path.name, MODEL)) as final:
            file.replace(final)


def _write_onnx(graph: Graph, path: Path) -> None:
    """Write the network, its attention fused if that gives the logits of PyTorch, else as it is.

    Where it cannot be traced, loaded or run with fused attention, it is written as it is, too.
    """
    agrees = False
    with contextlib.suppress(Exception):  # onnxruntime has a class of its own for each cause
        with fused_attention(graph.model, is_padded=graph.is_padded):
            _trace(graph, path)
        agrees = _agrees(graph, path)
    if not agrees:
        _trace(graph, path)
        if not _agrees(graph, path):
            raise DataError(
                f"a {graph.model.config.model_type} reader exported to ONNX gives other logits "
                "than in PyTorch; use its checkpoint"
            )


def _trace(graph: Graph, path: Path) -> None:
    program = torch.onnx.export(
        graph,
        graph.example(),
        dynamo=True,
        opset_version=_OPSET,
        input_names=graph.inputs,
        output_names=["start_logits", "last_logits"],
        dynamic_shapes=graph.dynamic_shapes(),
        verbose=False,
    )
    assert program is not None
    for node in program.model.graph:
        node.metadata_props.clear()  # where each line of code lies on this machine
    program.save(path)


@torch.inference_mode()
def _agrees(graph: Graph, path: Path) -> bool:
    """Whether the network in a file gives the logits of PyTorch on random tokens."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    taken = {node.name for node in session.get_inputs()}
    return all(
        np.allclose(ours, theirs, rtol=_TOLERANCE, atol=_TOLERANCE)
        for probe in graph.probes()
        for ours, theirs in zip(
            session.run(
                None,
                {
                    name: tensor.numpy()
                    for name, tensor in zip(graph.inputs, probe, strict=True)
                    if name in taken
                },
            ),
            graph(*probe),
            strict=True,
        )
    )


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
