"""Readers that select passages, exported to ONNX and run by onnxruntime; needs no PyTorch."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from babelspan.data.exported import OUTPUTS, PASSAGES
from babelspan.engines.articles import ArticleEngine
from babelspan.engines.onnx import OnnxEngine
from babelspan.reading.articles import ArticleLogits, ArticleWindow, means_of
from babelspan.reading.windows import Featurizer
from babelspan.types import ConfigError


class OnnxPassageEngine(ArticleEngine):
    """Answers questions about whole articles; each worker reads one window at a time.

    Args:
        folder: made by `babelspan export` from a reader that selects passages.
        workers: number of windows read in parallel; 0 for one per core.

    Raises:
        ConfigError: if the reader does not select passages.
        DataError: as `OnnxEngine`.
    """

    def __init__(self, folder: Path, *, workers: int = 0) -> None:
        self._engine = OnnxEngine(folder, workers=workers)
        featurizer = self._engine.featurizer
        if not {*PASSAGES} <= self._engine.outputs or not isinstance(featurizer, Featurizer):
            raise ConfigError(f"{folder}: expected a reader that selects passages")
        super().__init__(featurizer)

    def _some(
        self, windows: Sequence[ArticleWindow]
    ) -> Iterator[tuple[ArticleWindow, ArticleLogits]]:
        read = self._engine.arrays([w.window for w in windows], (*OUTPUTS, *PASSAGES))
        for window, (start, last, of_tokens, kinds) in zip(windows, read, strict=True):
            passages = means_of(window, of_tokens[0])
            yield window, ArticleLogits(start[0], last[0], passages, kinds[0])
