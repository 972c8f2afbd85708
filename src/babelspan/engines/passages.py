"""Readers that select passages, run by PyTorch."""

from collections.abc import Iterator, Sequence

import torch

from babelspan.engines.articles import ArticleEngine
from babelspan.engines.torch import GPU_BATCH_TOKENS, batches
from babelspan.networks.passage_reader import PassageReader
from babelspan.reading.articles import ArticleLogits, ArticleWindow


class PassageEngine(ArticleEngine):
    """Answers questions about whole articles.

    On the CPU windows are read one at a time, so that an answer does not depend on what else is
    read; on a GPU in batches of similar length.

    Args:
        reader: a reader in evaluation mode, on its device.
    """

    def __init__(self, reader: PassageReader) -> None:
        super().__init__(reader.featurizer)
        self._reader = reader

    def _some(
        self, windows: Sequence[ArticleWindow]
    ) -> Iterator[tuple[ArticleWindow, ArticleLogits]]:
        device = next(self._reader.parameters()).device
        tokens = 1 if device.type == "cpu" else GPU_BATCH_TOKENS
        for batch in batches([window.length for window in windows], tokens):
            yield from self._batch([windows[i] for i in batch], device)

    @torch.inference_mode()
    def _batch(
        self, windows: Sequence[ArticleWindow], device: torch.device
    ) -> list[tuple[ArticleWindow, ArticleLogits]]:
        reading = self._reader.read(self._reader.collate_articles(windows).to(device))
        arrays = [logits.cpu().numpy() for logits in reading]
        found = []
        for window, start, last, passages, kinds in zip(windows, *arrays, strict=True):
            size, there = window.length, 1 + len(window.passages)
            found.append(
                (window, ArticleLogits(start[:size], last[:size], passages[:there], kinds))
            )
        return found
