"""Windows of whole words with their characters, for readers with a table of word vectors.

A window is `[NONE] question context`; no special tokens separate the parts, which differ in their
type ids. Token ids are rows of the table; the characters ("letters") of each word are added when a
window is read.

Shapes: B windows, L tokens of a window, S letters of a word.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from babelspan.reading.tokens import TokenMemory, Tokens
from babelspan.reading.windows import Featurizer, Frame, Padded, Window
from babelspan.text.word_tokens import word_tokens
from babelspan.types import UNDETERMINED, Example, Limits
from babelspan.vocabulary.word_table import LETTER_UNKNOWN, NONE, PAD, UNKNOWN, WordTable

_KEPT_WORDS = 2**17
"""Size of the cache of letter ids, in words."""
_QUESTION, _CONTEXT = 0, 1


class Kind(NamedTuple):
    """The meaning of a type id: the part that a token belongs to, and the side of its text."""

    side: int
    part: int

    @property
    def id(self) -> int:
        """The type id."""
        return 2 * self.side + self.part


class WordFeaturizer(Featurizer):
    """Cuts examples into windows of words, with a table of word vectors. Thread-safe.

    Args:
        table: maps words to rows, and texts to sides.
        limits: default limits for cutting contexts into windows.

    Raises:
        ConfigError: if windows would be longer than the reader takes.
    """

    def __init__(self, table: WordTable, limits: Limits | None = None) -> None:
        self.table = table
        self.max_positions = table.max_positions
        self.pad_id = PAD
        self.limits = self.within(Limits() if limits is None else limits)
        self.frame = _frame(0, 0)
        self._by_language: dict[str, TokenMemory] = {}
        self._spelt: dict[str, NDArray[np.int32]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.table, self.limits)

    def tokens(self, text: str, language: str = UNDETERMINED) -> Tokens:
        """The words and punctuation of a text in a language, as table rows and offsets."""
        places = word_tokens(text, self.table.unspaced)
        rows = [self.table.row_of(place.of(text), language) for place in places]
        offsets = [(place.start, place.end) for place in places]
        return Tokens(np.array(rows, np.int32), np.array(offsets, np.int32).reshape(-1, 2))

    def known(self, text: str) -> NDArray[np.int32]:
        """Characters [start, end) of the words of a text that are in the table, (T, 2)."""
        tokens = self._memory(UNDETERMINED)(text)
        places: NDArray[np.int32] = tokens.offsets[tokens.ids != UNKNOWN]
        return places

    def frame_of(self, example: Example) -> Frame:
        """The special tokens of an example; their type ids depend on the sides of both texts."""
        question = self.table.side_of(example, example.question_language)
        return _frame(question, self.table.side_of(example, example.context_language))

    def of_question(self, example: Example) -> Tokens:
        """The question's tokens."""
        return self._memory(example.question_language)(example.question)

    def of_context(self, example: Example) -> Tokens:
        """The context's tokens."""
        return self._memory(example.context_language)(example.context)

    def pad(self, windows: Sequence[Window]) -> Padded:
        """Convert windows to arrays, padded right: ids (B, L, 1 + S), mask and types (B, L)."""
        rows = super().pad(windows)
        ids = np.zeros((*rows.input_ids.shape, self.table.features), np.int64)
        ids[..., 0] = rows.input_ids
        if self.table.spelling:
            for row, window in enumerate(windows):
                ids[row, 1 : window.length, 1:] = self._letters_of(window)
        return rows._replace(input_ids=ids)

    def _letters_of(self, window: Window) -> NDArray[np.int32]:
        """Letter ids of the words of question and context, (L - 1, S)."""
        example = window.example
        question = self.of_question(example).offsets
        parts = ((example.question, question), (example.context, window.offsets))
        words = [text[start:end] for text, places in parts for start, end in places.tolist()]
        return np.stack([self._letters(word) for word in words])

    def _letters(self, word: str) -> NDArray[np.int32]:
        known = self._spelt.get(word)
        if known is None:
            known = np.zeros(self.table.spelling, np.int32)
            numbers = self.table.letter_numbers
            for place, letter in enumerate(word[: self.table.spelling]):
                known[place] = numbers.get(letter, LETTER_UNKNOWN)
            if len(self._spelt) >= _KEPT_WORDS:
                self._spelt = {}
            self._spelt[word] = known
        return known

    def _memory(self, language: str) -> TokenMemory:
        """The token cache of a language; languages without words of their own share one."""
        key = language if language in self.table.words else UNDETERMINED
        if key not in self._by_language:
            self._by_language[key] = TokenMemory(lambda text: self.tokens(text, key))
        return self._by_language[key]


def _frame(question_side: int, context_side: int) -> Frame:
    context = Kind(context_side, _CONTEXT).id
    return Frame(
        prefix=[NONE],
        middle=[],
        suffix=[],
        prefix_types=[context],
        question_type=Kind(question_side, _QUESTION).id,
        middle_types=[],
        context_type=context,
        suffix_types=[],
    )
