"""Base class of engines for passage selection over whole articles."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from babelspan.reading.articles import (
    ArticleLogits,
    ArticleWindow,
    Choice,
    article_windows,
    choose,
    example_of,
)
from babelspan.reading.windows import Featurizer
from babelspan.types import Article

_TOGETHER = 64
"""Number of windows of an article in memory at a time."""


class ArticleEngine(ABC):
    """Answers questions about whole articles.

    Args:
        featurizer: the featurizer of the reader.
    """

    def __init__(self, featurizer: Featurizer) -> None:
        self._featurizer = featurizer

    def choose(self, article: Article) -> Choice:
        """Answer a question; errors are those of `Featurizer.windows` and `articles.choose`."""
        return choose(self.read(self.windows(article)))

    def windows(self, article: Article) -> Iterator[ArticleWindow]:
        """The windows of an article, in order; errors are those of `Featurizer.windows`."""
        return article_windows(self._featurizer, article)

    def refuse_long_question(self, article: Article) -> None:
        """Check that a question leaves room for the article; errors as in `Featurizer.windows`."""
        list(self._featurizer.windows([replace(example_of(article), context="")]))

    def read(
        self, windows: Iterable[ArticleWindow]
    ) -> Iterator[tuple[ArticleWindow, ArticleLogits]]:
        """Each window with its logits; only a few windows are in memory at a time."""
        remaining = iter(windows)
        while some := list(islice(remaining, _TOGETHER)):
            yield from self._some(some)

    @abstractmethod
    def _some(
        self, windows: Sequence[ArticleWindow]
    ) -> Iterator[tuple[ArticleWindow, ArticleLogits]]:
        """The logits of a few windows, in any order."""
