"""Windows of a text together with windows of its translations.

An example's translations are its `others`. Each is cut into windows separately; a window of the
original text ("own") is combined with one window of each translation. Answers are always spans of
the original text.

Shapes: B windows, N languages of the translations, K windows of translations, L tokens.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from babelspan.reading.windows import Featurizer, Window
from babelspan.seams import IntArray
from babelspan.types import Example, Limits, Span

SETTINGS = "parallel.json"
"""Name of the settings file of a saved reader of parallel texts."""


@dataclass(frozen=True, slots=True, eq=False)
class ParallelWindow:
    """A window of a text with the windows of its translations.

    Attributes:
        own: the window of the text itself.
        others: one for each language of the reader, in its order; None for a missing translation.
    """

    own: Window
    others: tuple[Window | None, ...]

    @property
    def example(self) -> Example:
        """The example of the own window."""
        return self.own.example

    @property
    def present(self) -> list[Window]:
        """The windows of the translations that are not missing."""
        return [window for window in self.others if window is not None]

    @property
    def length(self) -> int:
        """Number of tokens of the own window, L."""
        return self.own.length

    @property
    def longest(self) -> int:
        """Number of tokens of the longest of its windows."""
        return max(window.length for window in (self.own, *self.present))

    @property
    def tokens(self) -> int:
        """Number of tokens of all its windows."""
        return self.own.length + sum(window.length for window in self.present)

    @property
    def context_at(self) -> int:
        """Index in the own window of its first context token."""
        return self.own.context_at

    @property
    def offsets(self) -> NDArray[np.int32]:
        """Characters [start, end) of the own window's context tokens, (size, 2)."""
        return self.own.offsets

    def tokens_of(self, span: Span) -> tuple[int, int] | None:
        """`Window.tokens_of` of the own window."""
        return self.own.tokens_of(span)


class Numbered(NamedTuple):
    """Windows and windows of translations in one list, with indices from one to the other.

    Attributes:
        texts: B own windows, then K windows of translations.
        owners: index of the own window of each translation, (K,).
        rows: index among the K translations, for each own window and language; K for none, (B, N).
    """

    texts: list[Window]
    owners: IntArray
    rows: IntArray


def numbered(windows: Sequence[ParallelWindow]) -> Numbered:
    """Collect all windows of a batch in one list."""
    there = [
        (owner, slot, other)
        for owner, window in enumerate(windows)
        for slot, other in enumerate(window.others)
        if other is not None
    ]
    languages = len(windows[0].others) if windows else 0
    rows = np.full((len(windows), languages), len(there), np.int64)
    for number, (owner, slot, _) in enumerate(there):
        rows[owner, slot] = number
    texts = [*(window.own for window in windows), *(other for _, _, other in there)]
    return Numbered(texts, np.array([owner for owner, _, _ in there], np.int64), rows)


class ParallelFeaturizer:
    """Cuts examples with their translations into windows. Thread-safe.

    Args:
        featurizer: cuts each text.
        languages: languages of the translations that the reader takes; others are ignored.
    """

    def __init__(self, featurizer: Featurizer, languages: Sequence[str]) -> None:
        self.one = featurizer
        self.languages = tuple(languages)
        self.max_positions = featurizer.max_positions
        self.pad_id = featurizer.pad_id
        self.tokenizer = featurizer.tokenizer

    @property
    def limits(self) -> Limits:
        """Default limits for cutting contexts into windows."""
        return self.one.limits

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[ParallelWindow]:
        """The windows of each example, in order; errors are those of `Featurizer.windows`.

        If a translation has several windows, the one at the most similar relative position is used.
        """
        for example in examples:
            own = list(self.one.windows([example], limits))
            yield from self._beside(own, limits, learns=False)

    def together(
        self, group: Sequence[Example], limits: Limits | None = None
    ) -> Iterator[tuple[ParallelWindow, ...]]:
        """Windows for training, as `Featurizer.together`.

        A window with the answer is combined with windows of translations that contain the answer,
        if there are any.
        """
        cut = list(self.one.together(group, limits))
        members = [
            list(self._beside([row[i] for row in cut], limits, learns=True))
            for i in range(len(group))
        ]
        return zip(*members, strict=True)

    def known(self, text: str) -> NDArray[np.int32]:
        """Characters of the known tokens of a text, as `Featurizer.known`."""
        return self.one.known(text)

    def _beside(
        self, own: Sequence[Window], limits: Limits | None, *, learns: bool
    ) -> Iterator[ParallelWindow]:
        """The windows of one example, each with the matching windows of its translations."""
        if not own:
            return
        found = {other.context_language: other for other in own[0].example.others}
        cut = [
            list(self.one.windows([found[language]], limits)) if language in found else []
            for language in self.languages
        ]
        for window in own:
            place = _middle(window, own)
            answered = learns and _gold(window) is not None
            yield ParallelWindow(window, tuple(_nearest(place, others, answered) for others in cut))


def _nearest(place: float, windows: Sequence[Window], answered: bool) -> Window | None:
    """The window closest to a relative position, preferably with the answer if `answered`."""
    fit = [w for w in windows if _gold(w) is not None] if answered else []
    return min(fit or windows, key=lambda w: abs(_middle(w, windows) - place), default=None)


def _middle(window: Window, windows: Sequence[Window]) -> float:
    """Relative position of the middle of a window in its text, from 0 to 1."""
    return (window.first_token + window.size / 2) / (windows[-1].first_token + windows[-1].size)


def _gold(window: Window) -> tuple[int, int] | None:
    span = next((a.span for a in window.example.answers or () if a.span is not None), None)
    return None if span is None else window.tokens_of(span)
