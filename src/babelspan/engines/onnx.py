"""Readers exported to ONNX, run by onnxruntime on the CPU; needs no PyTorch.

Each worker reads one window at a time, with one worker per core: there is no padding, and an answer
cannot depend on what else is in a batch, which matters in int8, where onnxruntime scales
activations by the whole batch. This was also the fastest setup measured (docs/decisions/0009).
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from babelspan.data.exported import (
    BESIDE,
    INPUTS,
    MODEL,
    OUTPUTS,
    SETTINGS,
    TOKENIZER,
    load_settings,
)
from babelspan.data.files import read_text
from babelspan.engines.together import Together
from babelspan.machine import cores
from babelspan.reading.glossed import glossed_of
from babelspan.reading.parallel import ParallelFeaturizer
from babelspan.reading.windows import Featurizer
from babelspan.reading.words import WordFeaturizer
from babelspan.seams import FloatArray, Logits, Window
from babelspan.types import DataError, Example, Limits
from babelspan.vocabulary.word_table import load_words

_OLD_OUTPUTS = ("start_logits", "last_logits")
_SLOWER_FUSED = ["SkipLayerNormFusion", "BiasGeluFusion"]
"""Slower graph fusions of onnxruntime: their operators are not vectorised (decision 0018)."""


class OnnxEngine:
    """A reader in a folder made by `babelspan export`.

    Args:
        folder: contains `model.onnx`, `tokenizer.json` and `reader.json`, `beside.onnx` for a
            reader of parallel texts, and optionally `dictionaries` (`reading.glossed`).
        workers: number of windows read in parallel, which share the cores; 0 for one per core,
            which has the highest throughput. One has the lowest latency for a single window.
        limits: default limits for cutting contexts into windows.

    Raises:
        ConfigError: if windows would be longer than the reader supports.
        DataError: if a file is missing or broken, or onnxruntime cannot load the network.
        ValueError: if `workers` is negative.
    """

    def __init__(self, folder: Path, *, workers: int = 0, limits: Limits = Limits()) -> None:
        import onnxruntime

        if workers < 0:
            raise ValueError(f"workers must be 0 or more, got {workers}")
        if not (folder / MODEL).is_file():
            raise DataError(f"{folder}: expected an exported reader with {MODEL}, found none")
        self._folder = folder
        self._made_from = partial(type(self), folder.absolute(), workers=workers, limits=limits)
        self.workers = workers or cores()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, cores() // self.workers)
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4  # errors are reported by this class
        self._session = _session(folder / MODEL, options)
        self._inputs = [node.name for node in self._session.get_inputs()]
        self._outputs = _outputs(self._session, folder / MODEL)
        self._featurizer = exported_featurizer(folder, limits)
        self._glossed = glossed_of(folder)
        self._together: Together | None = None
        if isinstance(self._featurizer, ParallelFeaturizer):
            beside = _session(folder / BESIDE, options)
            self._together = Together(folder, self._featurizer, self._session, beside)
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="reading")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the folder name only; the reader is loaded again when unpickled."""
        return self._made_from, ()

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the translations that the reader takes with a text; usually empty."""
        found = self._featurizer
        return found.languages if isinstance(found, ParallelFeaturizer) else ()

    @property
    def limits(self) -> Limits:
        """Default limits for cutting contexts into windows."""
        return self._featurizer.limits

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[Window]:
        """The windows of each example; see `Featurizer.windows` and `reading.glossed`."""
        if self._glossed is None:
            return self._featurizer.windows(examples, limits)
        return self._glossed.windows(examples, limits, self._featurizer.windows)

    def read_as(self, example: Example) -> Example:
        """The example with its question as the reader sees it; see `reading.glossed`."""
        return example if self._glossed is None else self._glossed.glossed(example)

    def known(self, text: str) -> NDArray[np.int32]:
        """Characters of the known tokens of a text; see `Featurizer.known`."""
        return self._featurizer.known(text)

    def read(self, windows: Sequence[Any]) -> Generator[Logits, None, None]:
        """Logits of windows, each read separately, without padding; reading starts at once.

        A single window is read by the thread that asks for its logits.
        """
        if len(windows) == 1:
            return (self._read(window) for window in windows)
        results = _results([self._threads.submit(self._read, window) for window in windows])
        next(results)  # from here on, closing the generator cancels queued windows
        return cast(Generator[Logits, None, None], results)

    @property
    def outputs(self) -> frozenset[str]:
        """Names of the outputs of the network."""
        return frozenset(node.name for node in self._session.get_outputs())

    @property
    def featurizer(self) -> Featurizer | ParallelFeaturizer:
        """The featurizer, which cuts texts into windows."""
        return self._featurizer

    def arrays(self, windows: Sequence[Any], names: Sequence[str]) -> Iterator[list[FloatArray]]:
        """Named outputs of the network for each window, read as in `read`."""
        begun = [self._threads.submit(self._arrays, window, names) for window in windows]
        for found in begun:
            yield found.result()

    def _arrays(self, window: Any, names: Sequence[str]) -> list[FloatArray]:
        assert isinstance(self._featurizer, Featurizer)
        known = self._featurizer.inputs(window)
        try:
            found: list[FloatArray] = self._session.run(
                names, {name: known[name] for name in self._inputs}
            )
        except Exception as error:  # onnxruntime has a class of its own for each cause
            raise self._broken(window, " ".join(str(error).split())) from None
        return found

    def _read(self, window: Any) -> Logits:
        try:
            start, last = self._logits(window)
        except Exception as error:  # onnxruntime has a class of its own for each cause
            raise self._broken(window, " ".join(str(error).split())) from None
        shape = (1, window.length)
        if start.shape != shape or last.shape != shape:
            raise self._broken(window, f"logits of the shapes {start.shape} and {last.shape}")
        return Logits(start[0], last[0])

    def _logits(self, window: Any) -> Sequence[FloatArray]:
        """Start and last logits, (1, L) each."""
        if isinstance(self._featurizer, ParallelFeaturizer):
            assert self._together is not None
            return self._together.logits(window)
        known = self._featurizer.inputs(window)
        found: list[FloatArray] = self._session.run(
            self._outputs, {name: known[name] for name in self._inputs}
        )
        return found

    def _broken(self, window: Window, found: str) -> DataError:
        return DataError(
            f"{self._folder}: expected logits of the {window.length} tokens of a window, found "
            f"{found}; {SETTINGS} or {TOKENIZER} may be another reader's: export it again"
        )


def _session(path: Path, options: Any) -> Any:
    """Load a network.

    Raises:
        DataError: if it does not exist, or onnxruntime cannot load it.
    """
    import onnxruntime  # here, because it takes 0.1 s and `babelspan --help` does not need it

    try:
        return onnxruntime.InferenceSession(
            str(path),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=_SLOWER_FUSED,
        )
    except Exception as error:  # onnxruntime has a class of its own for each cause
        cause = " ".join(str(error).split())
        raise DataError(f"{path}: onnxruntime cannot load it ({cause}); export it again") from None


def _outputs(session: Any, path: Path) -> list[str]:
    """The output names of start and last logits, after checking the inputs and outputs.

    Readers that were exported before masks were supported have another name for the last logits.

    Raises:
        DataError: if the network is not an exported reader.
    """
    inputs = [node.name for node in session.get_inputs()]
    outputs = [node.name for node in session.get_outputs()]
    names = next((n for n in (OUTPUTS, _OLD_OUTPUTS) if {*n} <= {*outputs}), None)
    if names is None or not {"input_ids"} <= {*inputs} <= {*INPUTS}:
        raise DataError(
            f"{path}: expected a network from {', '.join(INPUTS)} to {' and '.join(OUTPUTS)}, "
            f"found one from {', '.join(inputs)} to {', '.join(outputs)}; it was not made by "
            "`babelspan export`"
        )
    return [*names]


def _results(begun: Sequence[Future[Logits]]) -> Generator[Logits | None, None, None]:
    """Yield None, then the results in order."""
    try:
        yield None
        for read in begun:
            yield read.result()
    finally:
        for read in begun:
            read.cancel()


def exported_featurizer(folder: Path, limits: Limits = Limits()) -> Featurizer | ParallelFeaturizer:
    """The featurizer of an exported reader, with default limits.

    Raises:
        ConfigError: if windows would be longer than the reader supports.
        DataError: if its settings or its tokenizer are missing or broken.
    """
    settings = load_settings(folder)
    if settings.kind == "words":
        return WordFeaturizer(load_words(folder), limits)
    text = read_text(folder / TOKENIZER)
    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # the library raises bare Exception
        raise DataError(
            f"{folder / TOKENIZER}: not a tokenizer ({error}); export it again"
        ) from None
    one = Featurizer(
        tokenizer,
        max_positions=settings.max_positions,
        pad_id=settings.pad_id,
        limits=limits,
        copies=False,  # this takes a quarter of a second
    )
    return one if settings.languages is None else ParallelFeaturizer(one, settings.languages)
