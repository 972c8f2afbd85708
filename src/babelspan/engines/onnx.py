"""Readers exported to ONNX, run by onnxruntime on the CPU; needs no PyTorch.

One window at a time, as many side by side as there are cores: nothing is padded, and an answer
cannot depend on what else is in a batch, which matters in int8, where onnxruntime scales
activations by the whole batch. It was also the fastest arrangement measured (docs/decisions/0009).
"""

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from tokenizers import Tokenizer

from babelspan.data.exported import MODEL, SETTINGS, TOKENIZER, Settings
from babelspan.data.files import read_json, read_text
from babelspan.reading.parallel import ParallelFeaturizer
from babelspan.reading.windows import Featurizer
from babelspan.seams import Logits, Window
from babelspan.types import DataError, Example, Limits

_SLOWER_FUSED = ["SkipLayerNormFusion", "BiasGeluFusion"]
"""Rewritings of onnxruntime that cost time: what they put in is not vectorised (decision 0018)."""


class OnnxEngine:
    """The reader of a folder made by `babelspan export`.

    Args:
        folder: holds `model.onnx`, `tokenizer.json` and `reader.json`.
        workers: windows read side by side, which share the cores; 0 for one a core, which reads
            most. One reads a single window soonest.

    Raises:
        DataError: if a file is missing or broken, or onnxruntime cannot load the network.
    """

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
        self._featurizer = exported_featurizer(folder)
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="reading")

    @property
    def languages(self) -> tuple[str, ...]:
        """Of the translations that the reader reads beside a text; none for most readers."""
        found = self._featurizer
        return found.languages if isinstance(found, ParallelFeaturizer) else ()

    @property
    def limits(self) -> Limits:
        """How contexts are cut where a call does not say."""
        return self._featurizer.limits

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[Window]:
        """The windows of each example; see `Featurizer.windows`."""
        return self._featurizer.windows(examples, limits)

    def read(self, windows: Sequence[Any]) -> Generator[Logits, None, None]:
        """Logits of windows, each read by itself, without padding; threads begin at once."""
        results = _results([self._threads.submit(self._read, window) for window in windows])
        next(results)  # from here on, closing it cancels what has not begun
        return cast(Generator[Logits, None, None], results)

    def _read(self, window: Any) -> Logits:
        known = self._featurizer.inputs(window)
        start, last = self._session.run(
            ["start_logits", "last_logits"], {name: known[name] for name in self._inputs}
        )
        return Logits(start[0, : window.length], last[0, : window.length])


def _results(begun: Sequence[Future[Logits]]) -> Generator[Logits | None, None, None]:
    """None, and then the results in order."""
    try:
        yield None
        for read in begun:
            yield read.result()
    finally:
        for read in begun:
            read.cancel()


def exported_featurizer(folder: Path) -> Featurizer | ParallelFeaturizer:
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
    one = Featurizer(tokenizer, max_positions=settings.max_positions, pad_id=settings.pad_id)
    return one if settings.languages is None else ParallelFeaturizer(one, settings.languages)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
