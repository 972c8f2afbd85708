"""Export a reader to a folder that runs without PyTorch.

Uses `torch.onnx.export` (dynamo), with the names and shapes that `optimum` and other users of
onnxruntime expect: any number of windows, padded and masked (docs/decisions/0046). Our engine reads
one window at a time, without padding (docs/decisions/0009). Each attention becomes one operator of
onnxruntime if that gives the logits of PyTorch; otherwise it stays as PyTorch exports it. int8 is
onnxruntime's dynamic quantisation: weights as 8-bit integers per output channel, activations scaled
at run time. Token embeddings may be 4-bit integers (`export.block_quantised`) in either case.
"""

import contextlib
import io
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor

from babelspan.data.exported import INPUTS, MODEL, SETTINGS, Settings
from babelspan.data.files import replacing, write_json
from babelspan.export.block_quantised import BLOCK, quantise_vectors
from babelspan.export.fused import skip_idle_masks
from babelspan.export.graphs import Graph, graphs_of
from babelspan.networks.parallel_texts import ParallelReader
from babelspan.networks.reader import Reader
from babelspan.reading.glossed import FOLDER as DICTIONARIES
from babelspan.types import ConfigError, DataError
from babelspan.version import VERSION

_OPSET = 20
_TOLERANCE = 1e-3


def export(
    reader: Reader,
    folder: Path,
    *,
    int8: bool = False,
    int4_vectors: bool = False,
    whole_words: bool = False,
    dictionaries: Path | None = None,
) -> None:
    """Write settings, tokenizer or words, dictionaries, and last `model.onnx`; each atomically.

    A reader of parallel texts gets a second network, `beside.onnx`, before it.

    Args:
        reader: the reader; it is put into evaluation mode and moved to the CPU.
        folder: created if needed.
        int8: whether to quantise: a quarter of the size, two to three times the speed, and slightly
            different logits.
        int4_vectors: whether to quantise token embeddings to 4 bits: half the size of 8-bit ones.
        whole_words: whether the exported reader extends answers to whole words (`text.borders`).
        dictionaries: folder of dictionaries to copy (`reading.glossed`).

    Raises:
        ConfigError: if readers of this kind cannot be exported or quantised, the folder contains a
            checkpoint or other files, or embeddings of this width cannot be quantised to 4 bits.
        DataError: if the exported network does not give the reader's logits.
    """
    graphs = graphs_of(reader)
    main = graphs[MODEL]
    if any(folder.glob("*.safetensors")):
        raise ConfigError(
            f"{folder}: expected a folder without a checkpoint, found one, which the exported "
            "reader would hide; choose another folder"
        )
    _check_integers(main, int8=int8, int4_vectors=int4_vectors)
    _refuse_other_files(folder)
    settings = Settings(
        max_positions=main.featurizer.max_positions,
        pad_id=main.featurizer.pad_id,
        precision="int8" if int8 else "fp32",
        vectors="int4" if int4_vectors else "int8" if int8 else "fp32",
        whole_words=whole_words,
        babelspan=VERSION,
        languages=reader.languages if isinstance(reader, ParallelReader) else None,
        kind=main.kind,
    )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".exporting-") as beside:
        paths = {
            name: _written(
                graph,
                Path(beside) / name,
                int8=int8,
                int4_vectors=int4_vectors and name == MODEL,
            )
            for name, graph in graphs.items()
        }
        _finish(main, folder, paths, settings, dictionaries)


def _check_integers(graph: Graph, *, int8: bool, int4_vectors: bool) -> None:
    vectors = graph.word_vectors
    if vectors is None and (int8 or int4_vectors):
        raise ConfigError(
            f"readers of kind {graph.name!r} are exported in fp32 only; leave out --int8 and "
            "--int4-vectors"
        )
    if int4_vectors and vectors is not None and vectors.shape[1] % BLOCK:
        raise ConfigError(
            f"4-bit word vectors need a width that is a multiple of {BLOCK}, found "
            f"{vectors.shape[1]}; leave out --int4-vectors"
        )


def _refuse_other_files(folder: Path) -> None:
    """Refuse a folder with files that are not of an exported reader."""
    if (folder / SETTINGS).exists() or not folder.exists():
        return
    if not folder.is_dir() or any(not path.name.startswith(".") for path in folder.iterdir()):
        raise ConfigError(
            f"{folder}: expected an empty or a new folder, or an exported reader, found other "
            "files; choose another folder"
        )


def _written(graph: Graph, path: Path, *, int8: bool, int4_vectors: bool) -> Path:
    """Write a network to a folder of its own, with the quantisation asked for; returns its path."""
    path.parent.joinpath(path.stem).mkdir()
    path = path.parent / path.stem / path.name
    with _quiet():
        _write_onnx(graph.eval().cpu(), path)
        if int4_vectors:
            path = _with_small_vectors(path, _name_of(graph, graph.word_vectors))
        if int8:
            path = _quantised(path)
    return path


def _finish(
    graph: Graph,
    folder: Path,
    paths: Mapping[str, Path],
    settings: Settings,
    dictionaries: Path | None,
) -> None:
    """Move all files to the folder, `reader.json` first and `model.onnx` last.

    So a rerun knows the folder of an interrupted export. A large network has a file of weights.
    """
    said = {key: value for key, value in asdict(settings).items() if value is not None}
    write_json(folder / SETTINGS, said)
    graph.save_settings(folder)
    if dictionaries:
        _copy_dictionaries(dictionaries, folder / DICTIONARIES)
    for name, path in paths.items():
        weights = path.with_name(f"{path.name}.data")
        for file in (weights, path) if weights.exists() else (path,):
            with replacing(folder / file.name.replace(path.name, name)) as final:
                file.replace(final)


def _copy_dictionaries(source: Path, folder: Path) -> None:
    """Copy the files of a folder; those of an earlier export that it lacks are removed."""
    names = {path.name for path in source.iterdir()}
    for name in sorted(names):
        with replacing(folder / name) as beside:
            shutil.copyfile(source / name, beside)
    for old in folder.glob("*.tsv*"):
        if old.name not in names:
            old.unlink()


def _write_onnx(graph: Graph, path: Path) -> None:
    """Write the network, with fused attention if that gives the logits of PyTorch.

    Attention is not fused either if the network cannot then be traced, loaded or run.
    """
    agrees = False
    with contextlib.suppress(Exception):  # onnxruntime raises a different class for each cause
        with graph.attention():
            _trace(graph, path)
        skip_idle_masks(path, INPUTS[1])
        agrees = _agrees(graph, path)
    if not agrees:
        _trace(graph, path)
        if not _agrees(graph, path):
            raise DataError(
                f"the {graph.name} reader gives other logits in ONNX than in PyTorch, so it was "
                "not exported; use the checkpoint"
            )


def _trace(graph: Graph, path: Path) -> None:
    program = torch.onnx.export(
        graph,
        graph.example(),
        dynamo=True,
        opset_version=_OPSET,
        input_names=[*graph.inputs],
        output_names=[*graph.outputs],
        dynamic_shapes=graph.dynamic_shapes(),
        verbose=False,
    )
    assert program is not None
    for node in program.model.graph:
        node.metadata_props.clear()  # stack traces with local file paths
    program.save(path)


@torch.inference_mode()
def _agrees(graph: Graph, path: Path) -> bool:
    """Whether the network in a file gives the logits of PyTorch on random inputs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    taken = [node.name for node in session.get_inputs()]
    for probe in graph.probes():
        given = dict(zip(graph.inputs, probe, strict=True))
        found = session.run(None, {name: given[name].numpy() for name in taken})
        for ours, theirs in zip(found, graph(**given), strict=True):
            if not np.allclose(ours, theirs, rtol=_TOLERANCE, atol=_TOLERANCE):
                return False
    return True


def _name_of(graph: Graph, matrix: Tensor | None) -> str:
    """The name of a matrix in an exported network."""
    (name,) = [n for n, parameter in graph.named_parameters() if parameter is matrix]
    return name


def _with_small_vectors(path: Path, name: str) -> Path:
    model = onnx.load(path)
    quantise_vectors(model, name)
    small = path.with_name("int4-vectors.onnx")
    onnx.save(model, small)
    return small


def _quantised(path: Path) -> Path:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    _forget_shapes_of_weights(path)
    small = path.with_name("int8.onnx")
    quantize_dynamic(path, small, weight_type=QuantType.QInt8, per_channel=True)
    return small


def _forget_shapes_of_weights(path: Path) -> None:
    """Remove recorded shapes of weights: the quantiser transposes some without updating them."""
    model = onnx.load(path, load_external_data=False)
    weights = {weight.name for weight in model.graph.initializer}
    others = [value for value in model.graph.value_info if value.name not in weights]
    del model.graph.value_info[:]
    model.graph.value_info.extend(others)
    onnx.save(model, path)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the output of the exporter; exceptions are still raised."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
