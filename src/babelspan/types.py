"""The types of the toolkit: spans, answers, examples, predictions, sentence pairs.

A bare `start` or `end` counts Unicode code points, as Python strings do; `end` is exclusive and
`last` inclusive. Everything here is immutable.
"""

from dataclasses import dataclass

UNDETERMINED = "und"
"""Language code of a text whose language is unknown (ISO 639-2)."""


class DataError(ValueError):
    """A file does not contain what was expected."""


class ConfigError(ValueError):
    """A setting is unknown, of the wrong type, or without effect."""


class TranslationError(RuntimeError):
    """A translation system stopped, could not be reached, or returned something unexpected."""


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text: characters `start` up to, not including, `end`; never empty."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span must have 0 <= start < end, got ({self.start}, {self.end})")

    def of(self, text: str) -> str:
        """The characters of `text` at this place."""
        return text[self.start : self.end]

    def overlaps(self, other: "Span") -> bool:
        """Whether the two share a character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer string and where it starts in its context, in characters.

    `start` is None when only the text is known: such an answer is used for scoring and not for
    training.
    """

    text: str
    start: int | None

    @property
    def span(self) -> Span | None:
        """The place of the answer, or None when only its text is known."""
        return None if self.start is None else Span(self.start, self.start + len(self.text))

    def is_in(self, context: str) -> bool:
        """Whether `context` holds the text at the stated place."""
        if not self.text or self.start is None or self.start < 0:
            return False
        return context.startswith(self.text, self.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A question about a context.

    Attributes:
        id: unique within a data set; parallel sets share ids between languages.
        question: the question.
        context: the text that is searched.
        answers: gold answers; None if unknown, () if the question is unanswerable.
        question_language: ISO 639-1 code, or "und" (undetermined).
        context_language: ISO 639-1 code, or "und".
        title: title of the article, for grouping; may be empty.
        origin: id of the example that this one was translated or generated from, or None.
        strategy: how it was made from its origin, such as "T(Q)"; empty if it has none.
        others: the same question and context in other languages, for readers that read several
            texts side by side (`babelspan.reading.parallel`); no file holds them.
    """

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...] | None
    question_language: str
    context_language: str
    title: str = ""
    origin: str | None = None
    strategy: str = ""
    others: tuple["Example", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a reader answers; `span` is None and `text` empty for "no answer in this context".

    If the span is None and the text is not empty, the answer comes through another language
    (`babelspan.reading.pivot`) and its place in the context was not found.

    Attributes:
        id: the example's.
        span: place in the example's context, if any; `context[span.start:span.end] == text`.
        text: the answer.
        score: in [0, 1]: the share of this span among all spans of the windows read for the
            question (see `reading.decode`).
        logit: start logit + last logit, unnormalised; comparable between contexts of one question.
        no_answer_logit: the same sum for "no answer", the smallest over the windows.
        probability: that the answer is right, where there is one and the reader is calibrated
            (see `scoring.calibration`); else None.
    """

    id: str
    span: Span | None
    text: str
    score: float
    logit: float
    no_answer_logit: float
    probability: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryAnswer:
    """An answer to a question of the TyDi QA primary tasks, an annotator's or a system's.

    Attributes:
        passage: index of the passage with the answer, or None.
        place: bytes of the minimal answer in the UTF-8 of the document, from the first up to, not
            including, the second; None where there is none.
        yes_no: "yes" or "no" where that is the minimal answer, or None.
        passage_score: the system's confidence in the passage.
        minimal_score: the system's confidence in the minimal answer.
    """

    passage: int | None
    place: tuple[int, int] | None
    yes_no: str | None
    passage_score: float = 0.0
    minimal_score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryQuestion:
    """A question of the TyDi QA primary tasks, without its document.

    Attributes:
        id: unique within a data set.
        language: its English name in lower case, as the files have it.
        answers: one per annotator, or the one of a system.
    """

    id: int
    language: str
    answers: tuple[PrimaryAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleAnswer:
    """An annotator's answer to a question over an article.

    Attributes:
        passage: index of the passage with the answer, or None.
        span: characters of the minimal answer in the article; None where there is none.
        yes_no: "yes" or "no" where that is the minimal answer, or None.
    """

    passage: int | None
    span: Span | None
    yes_no: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A question over a whole article, one of whose passages may have the answer.

    Attributes:
        id: unique within a data set.
        language: its English name in lower case, as the files of TyDi QA have it.
        question: the question.
        text: the article.
        passages: places of the passages that may be chosen, in order, without overlap; None for one
            without characters, which cannot be chosen but counts.
        answers: one per annotator; () if there are no annotations, as in a test set.
    """

    id: int
    language: str
    question: str
    text: str
    passages: tuple[Span | None, ...]
    answers: tuple[ArticleAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class Alignment:
    """Word links of a sentence pair: (source word, target word), both counted from 0."""

    links: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class SentencePair:
    """A sentence and its translation.

    Attributes:
        source: the sentence.
        target: its translation.
        source_language: ISO 639-1 code, or "und".
        target_language: ISO 639-1 code, or "und".
        links: between the words of both as `text.words.words` finds them; None if unknown.
    """

    source: str
    target: str
    source_language: str = UNDETERMINED
    target_language: str = UNDETERMINED
    links: Alignment | None = None


@dataclass(frozen=True, slots=True)
class SegmentedPair:
    """A sentence pair with the places of its words: what word links count.

    Attributes:
        pair: the sentences.
        source_words: places of the words of the source, in order.
        target_words: places of the words of the target, in order.
    """

    pair: SentencePair
    source_words: tuple[Span, ...]
    target_words: tuple[Span, ...]

    @property
    def words(self) -> tuple[list[str], list[str]]:
        """The words of source and target."""
        return (
            [word.of(self.pair.source) for word in self.source_words],
            [word.of(self.pair.target) for word in self.target_words],
        )


@dataclass(frozen=True, slots=True)
class Passage:
    """A text without questions.

    Attributes:
        text: the text.
        language: ISO 639-1 code, or "und".
    """

    text: str
    language: str = UNDETERMINED


MAX_LENGTH = 384
OVERLAP = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How a long context is cut into windows.

    Attributes:
        max_length: most tokens in a window.
        overlap: context tokens that neighbouring windows share. If `step` is None too, None means
            128, or half of the room if a long question leaves less than 256 tokens.
        step: context tokens from the start of a window to that of the next: the "doc stride" of
            `run_squad.py` and of papers that name one. None if `overlap` is used instead.

    Raises:
        ConfigError: if a limit is negative, or both `overlap` and `step` are given.
    """

    max_length: int = MAX_LENGTH
    overlap: int | None = None
    step: int | None = None

    def __post_init__(self) -> None:
        if self.overlap is not None and self.step is not None:
            raise ConfigError(
                f"expected overlap or step, got both ({self.overlap} and {self.step}): a step is "
                "what a window has beyond its overlap with the next one; leave one out"
            )
        if self.overlap is not None and self.overlap < 0:
            raise ConfigError(f"overlap must not be negative, got {self.overlap}")
        if self.step is not None and self.step < 1:
            raise ConfigError(f"step must be 1 or more, got {self.step}")

    def step_in(self, room: int) -> int:
        """Context tokens from one window to the next, if windows have `room` for the context.

        Raises:
            ConfigError: if this is impossible in windows with that room.
        """
        if self.step is not None:
            if self.step > room:
                raise ConfigError(
                    f"step is {self.step}, which would skip context between windows: with this "
                    f"question they have room for {room} context tokens; lower step to {room} or "
                    "raise max_length"
                )
            return self.step
        if self.overlap is None:
            return room - min(OVERLAP, room // 2)
        if self.overlap >= room:
            raise ConfigError(
                f"overlap is {self.overlap}: with this question windows have room for {room} "
                f"tokens of the context; lower overlap to {room - 1} or less, or raise max_length"
            )
        return room - self.overlap
