"""The input of a question generator: the question's language, the answer, and the text around it.

A source is `prefix language middle answer middle text suffix`; prefix, middle and suffix are the
special tokens that the tokenizer puts around a pair (Riabi et al. 2021, arXiv:2010.12643, Section
4.2: LANG SEP answer SEP context). The question follows, piece (subword) by piece, and ends with the
last id of the suffix.

Trained tokens have ids after those of the tokenizer: two markers around the answer in the text,
then one token for each question language.

Shapes: S tokens of a source, T pieces of a question with its end, X tokens of a text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from babelspan.config import nearest
from babelspan.reading.tokens import Tokens
from babelspan.reading.windows import Featurizer
from babelspan.text.languages import AUTONYMS
from babelspan.types import ConfigError, DataError, Example, Span

MARKS = 2
"""Number of trained tokens before those of the languages: start and end of the answer."""
LONGEST_QUESTION = 48
"""Maximum number of pieces of a question, its end included; room for them is kept."""

_BORDER = re.compile(r"(?:[.!?…][\"'”’»)\]]*\s|[。！？।؟۔]|\n)\s*")


@dataclass(frozen=True, kw_only=True)
class Form:
    """The input format of a generator; it is fixed once the generator has been trained.

    Attributes:
        answer: "prefix" to put the answer before the text only; "both" to mark it in the text too,
            which distinguishes several occurrences of the same words.
        language: "token" for one trained token per question language; "words" for the language's
            own name in words.
        context_tokens: maximum number of tokens of the text, taken around the answer.
        pointer: whether pieces may be copied from the source.
    """

    answer: Literal["prefix", "both"] = "both"
    language: Literal["token", "words"] = "token"
    context_tokens: Annotated[int, Field(ge=16)] = 96
    pointer: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The input of the generator for one question, as token ids, with the gold question.

    Attributes:
        id: id of the example.
        question_language: language of the question.
        ids: token ids of the source, (S,).
        question: piece ids of the gold question and its end, (T,); empty if it is to be generated.
    """

    id: str
    question_language: str
    ids: NDArray[np.int32]
    question: NDArray[np.int32]

    @property
    def length(self) -> int:
        """Number of tokens of source and question."""
        return len(self.ids) + len(self.question)


class Sources:
    """Makes sources from examples.

    Args:
        featurizer: the encoder's tokenizer and limits.
        form: input format of the generator.
        pieces: size of the vocabulary of tokenizer and encoder.
        languages: question language -> index of its token, from 0.
    """

    def __init__(
        self, featurizer: Featurizer, form: Form, *, pieces: int, languages: Mapping[str, int]
    ) -> None:
        self._featurizer = featurizer
        self._form = form
        self._pieces = pieces
        self._languages = languages
        self.end = featurizer.frame.suffix[-1]

    def of(self, example: Example, *, is_asked: bool = False) -> Source:
        """The source of an example, for its first answer with a known offset.

        Args:
            example: a text with an answer; the question may be empty.
            is_asked: whether the question is to be generated, so that the example's is not used.

        Raises:
            ConfigError: if the generator does not support the question language.
            DataError: if no answer has a known offset, or answer or question is too long.
        """
        span = next((a.span for a in example.answers or () if a.span is not None), None)
        if span is None:
            raise DataError(
                f"question {example.id!r}: expected an answer with a known offset, found none"
            )
        text = self._featurizer.tokens(example.context)
        first, end = _covered(text, span)
        if first == end:
            raise DataError(f"question {example.id!r}: the answer has no tokens")
        question = np.zeros(0, np.int32) if is_asked else self._question(example)
        around = self._around(example.context, text, first, end, example.id)
        ids = self._put_together(example.question_language, text.ids, (first, end), around)
        room = self._featurizer.max_positions - LONGEST_QUESTION
        if len(ids) > room:
            raise DataError(
                f"question {example.id!r}: expected a source of at most {room} tokens, found "
                f"{len(ids)}; lower context_tokens"
            )
        return Source(example.id, example.question_language, ids, question)

    def _question(self, example: Example) -> NDArray[np.int32]:
        pieces = self._featurizer.tokens(example.question).ids
        if not 0 < len(pieces) < LONGEST_QUESTION:
            raise DataError(
                f"question {example.id!r}: expected 1 to {LONGEST_QUESTION - 1} tokens, found "
                f"{len(pieces)}"
            )
        return np.append(pieces, np.int32(self.end))

    def _around(
        self, context: str, text: Tokens, first: int, end: int, identity: str
    ) -> tuple[int, int]:
        """Tokens [first, end) of the text around the answer: whole sentences, if they fit."""
        room = self._form.context_tokens
        if end - first > room // 2:
            raise DataError(
                f"question {identity!r}: the answer has {end - first} tokens, expected at most "
                f"{room // 2}"
            )
        before = (room - (end - first)) // 2
        start = max(0, min(first - before, len(text.ids) - room))
        stop = min(len(text.ids), start + room)
        borders = [m.end() for m in _BORDER.finditer(context)]
        starts = _starts(context, text)
        if start:
            whole = [b for b in borders if starts[start] <= b <= starts[first]]
            start = int(np.searchsorted(starts, whole[0])) if whole else start
        if stop < len(text.ids):
            whole = [b for b in borders if text.offsets[end - 1, 1] <= b <= starts[stop]]
            stop = int(np.searchsorted(starts, whole[-1])) if whole else stop
        return min(start, first), max(stop, end)

    def _put_together(
        self,
        language: str,
        text: NDArray[np.int32],
        answer: tuple[int, int],
        around: tuple[int, int],
    ) -> NDArray[np.int32]:
        frame = self._featurizer.frame
        (first, end), (start, stop) = answer, around
        is_marked = self._form.answer == "both"
        opening, closing = ([self._pieces + i] if is_marked else [] for i in range(MARKS))
        parts = [
            *(frame.prefix, self._named(language), frame.middle, text[first:end], frame.middle),
            *(text[start:first], opening, text[first:end], closing, text[end:stop], frame.suffix),
        ]
        return np.concatenate([np.asarray(part, np.int32) for part in parts])

    def _named(self, language: str) -> NDArray[np.int32] | list[int]:
        """The language of the question, as tokens."""
        if self._form.language == "words":
            return self._featurizer.tokens(AUTONYMS.get(language, language)).ids
        if language not in self._languages:
            raise ConfigError(
                f"the generator writes no questions in {language!r}"
                f"{nearest(language, list(self._languages))}"
            )
        return [self._pieces + MARKS + self._languages[language]]


def _starts(context: str, text: Tokens) -> NDArray[np.int32]:
    """Character at which each token of a text starts, not counting leading white space, (X,)."""
    pieces = [context[start:end] for start, end in text.offsets.tolist()]
    spaces = [len(piece) - len(piece.lstrip()) for piece in pieces]
    return text.offsets[:, 0] + np.array(spaces, np.int32)


def _covered(text: Tokens, span: Span) -> tuple[int, int]:
    """Tokens [first, end) that overlap a span; empty if none does."""
    tokens = np.flatnonzero((text.offsets[:, 1] > span.start) & (text.offsets[:, 0] < span.end))
    return (int(tokens[0]), int(tokens[-1]) + 1) if len(tokens) else (0, 0)
