"""Readers that select passages, run by PyTorch."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import torch

from babelspan.engines.torch import GPU_BATCH_TOKENS, batches
from babelspan.networks.passage_reader import PassageReader
from babelspan.reading.articles import ArticleLogits, ArticleWindow, Choice, choose, example_of
from babelspan.types import Article

_TOGETHER = 64
"""Windows of an article that are in memory at a time."""


class PassageEngine:
    """Answers questions over whole articles, whose windows are read a few at a time.

    On the CPU one window at a time, so that an answer does not depend on what else is read; on a
    GPU in batches of like length.

    Args:
        reader: in evaluation mode, on its device.
    """

    def __init__(self, reader: PassageReader) -> None:
        self._reader = reader

    def choose(self, article: Article) -> Choice:
        """The answer over an article; errors as in `Featurizer.windows` and `articles.choose`."""
        return choose(self.read(self.windows(article)))

    def windows(self, article: Article) -> Iterator[ArticleWindow]:
        """The windows of an article, in order; errors as in `Featurizer.windows`."""
        return self._reader.article_windows(article)

    def refuse_long_question(self, article: Article) -> None:
        """See that a question leaves room for its article; errors as in `Featurizer.windows`."""
        list(self._reader.windows([replace(example_of(article), context="")]))

    def read(
        self, windows: Iterable[ArticleWindow]
    ) -> Iterator[tuple[ArticleWindow, ArticleLogits]]:
        """Each window with its logits; a few windows are in memory at a time."""
        remaining = iter(windows)
        device = next(self._reader.parameters()).device
        tokens = 1 if device.type == "cpu" else GPU_BATCH_TOKENS
        while some := list(islice(remaining, _TOGETHER)):
            for batch in batches([window.length for window in some], tokens):
                yield from self._batch([some[i] for i in batch], device)

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
