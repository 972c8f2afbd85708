"""Windows of a text and of its translations.

An example's translations are its `others`. Each is cut into windows of its own; a window of the
own text takes along one window of each, and answers are always places in the own text.

Shapes: B windows, N languages of the translations, K translations that are there, L tokens.
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
"""The file of a saved reader of parallel texts that says how it reads them."""


@dataclass(frozen=True, slots=True, eq=False)
class ParallelWindow:
    """A window of a text with the windows of its translations.

    Attributes:
        own: of the text itself.
        others: one for each language of the reader, in its order; None where there is none.
    """

    own: Window
    others: tuple[Window | None, ...]

    @property
    def example(self) -> Example:
        """The own example."""
        return self.own.example

    @property
    def present(self) -> list[Window]:
        """The windows of the translations that are there."""
        return [window for window in self.others if window is not None]

    @property
    def length(self) -> int:
        """Tokens of the own window, L."""
        return self.own.length

    @property
    def tokens(self) -> int:
        """Tokens of all its windows."""
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
        """As `Window.tokens_of`, of the own window."""
        return self.own.tokens_of(span)


class Numbered(NamedTuple):
    """Windows with their translations in one list, and who belongs to whom.

    Attributes:
        texts: B own windows, then K of translations.
        owners: index of the own window of each translation, (K,).
        rows: index among the K translations, for each own window and language; K for none, (B, N).
    """

    texts: list[Window]
    owners: IntArray
    rows: IntArray


def numbered(windows: Sequence[ParallelWindow]) -> Numbered:
    """All texts of some windows, to be read together."""
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
    """Examples with their translations in, windows out. Safe under threads.

    Args:
        featurizer: cuts each text.
        languages: of the translations that the reader takes; others are left out.
    """

    def __init__(self, featurizer: Featurizer, languages: Sequence[str]) -> None:
        self.one = featurizer
        self.languages = tuple(languages)
        self.max_positions = featurizer.max_positions
        self.pad_id = featurizer.pad_id
        self.tokenizer = featurizer.tokenizer

    @property
    def limits(self) -> Limits:
        """How contexts are cut where a call does not say."""
        return self.one.limits

    def windows(
        self, examples: Iterable[Example], limits: Limits | None = None
    ) -> Iterator[ParallelWindow]:
        """The windows of each example, in order; errors as in `Featurizer.windows`.

        Of a translation with several windows the one is taken whose middle lies nearest to the same
        fraction of its text.
        """
        for example in examples:
            own = list(self.one.windows([example], limits))
            yield from self._beside(own, limits, learns=False)

    def together(
        self, group: Sequence[Example], limits: Limits | None = None
    ) -> Iterator[tuple[ParallelWindow, ...]]:
        """Windows to learn from, as `Featurizer.together`.

        A window that holds the answer takes along windows that hold it where there are any.
        """
        cut = list(self.one.together(group, limits))
        members = [
            list(self._beside([row[i] for row in cut], limits, learns=True))
            for i in range(len(group))
        ]
        return zip(*members, strict=True)

    def known(self, text: str) -> NDArray[np.int32]:
        """Places of the known tokens of a text, as `Featurizer.known`."""
        return self.one.known(text)

    def _beside(
        self, own: Sequence[Window], limits: Limits | None, *, learns: bool
    ) -> Iterator[ParallelWindow]:
        """Windows of one example, each with those of its translations that belong to it."""
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
    """The window at a fraction of its text; of those with the answer, if it is wanted."""
    fit = [w for w in windows if _gold(w) is not None] if answered else []
    return min(fit or windows, key=lambda w: abs(_middle(w, windows) - place), default=None)


def _middle(window: Window, windows: Sequence[Window]) -> float:
    """Where the middle of a window lies in its text, as a fraction."""
    return (window.first_token + window.size / 2) / (windows[-1].first_token + windows[-1].size)


def _gold(window: Window) -> tuple[int, int] | None:
    span = next((a.span for a in window.example.answers or () if a.span is not None), None)
    return None if span is None else window.tokens_of(span)
