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
    """A setting is unknown, has the wrong type, or has no effect."""


class TranslationError(RuntimeError):
    """A translation system stopped, could not be reached, or returned something unexpected."""


@dataclass(frozen=True, slots=True)
class Span:
    """A non-empty place in a text: the characters [start, end)."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span must have 0 <= start < end, got ({self.start}, {self.end})")

    def of(self, text: str) -> str:
        """The part of `text` that the span covers."""
        return text[self.start : self.end]

    def overlaps(self, other: "Span") -> bool:
        """Whether the two spans share a character."""
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
        """The span of the answer, or None when only its text is known."""
        return None if self.start is None else Span(self.start, self.start + len(self.text))

    def is_in(self, context: str) -> bool:
        """Whether `context` contains the text at the stated offset."""
        if not self.text or self.start is None or self.start < 0:
            return False
        return context.startswith(self.text, self.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A question about a context.

    Attributes:
        id: unique within a data set; parallel sets share ids between languages.
        question: the question.
        context: the text to answer from.
        answers: gold answers; None if unknown, () if the question is unanswerable.
        question_language: ISO 639-1 code, or "und" (undetermined).
        context_language: ISO 639-1 code, or "und".
        title: title of the article, for grouping; may be empty.
        origin: id of the example that this one was translated or generated from, or None.
        strategy: how it was made from its origin, such as "T(Q)"; empty without an origin.
        others: the same question and context in other languages, for readers of parallel texts
            (`babelspan.reading.parallel`); not stored in any file format.
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
    """A reader's answer; `span` is None and `text` empty for "no answer in this context".

    If the span is None and the text is not empty, the question was answered through a pivot
    language (`babelspan.reading.pivot`) and the answer was not found in the context.

    Attributes:
        id: id of the example.
        span: place in the example's context, if any; `context[span.start:span.end] == text`.
        text: the answer.
        score: in [0, 1]: the softmax probability of this span among all spans of the windows read
            for the question (see `reading.decode`).
        logit: start logit + last logit, unnormalised; comparable between contexts of one question.
        no_answer_logit: the same sum for "no answer", the smallest over the windows.
        probability: calibrated probability that the answer is right (see `scoring.calibration`);
            None without an answer or a calibration.
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
    """An annotator's or a system's answer to a question of the TyDi QA primary tasks.

    Attributes:
        passage: index of the passage with the answer, or None.
        place: bytes [start, end) of the minimal answer in the UTF-8 document; None if there is
            none.
        yes_no: "yes" or "no" if that is the minimal answer, or None.
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
        language: English name of the language in lower case, as in the files.
        answers: one per annotator, or the single answer of a system.
    """

    id: int
    language: str
    answers: tuple[PrimaryAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleAnswer:
    """An annotator's answer to a question over an article.

    Attributes:
        passage: index of the passage with the answer, or None.
        span: characters of the minimal answer in the article; None if there is none.
        yes_no: "yes" or "no" if that is the minimal answer, or None.
    """

    passage: int | None
    span: Span | None
    yes_no: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A question about a whole article; one of its passages may contain the answer.

    Attributes:
        id: unique within a data set.
        language: English name of the language in lower case, as in the files of TyDi QA.
        question: the question.
        text: the article.
        passages: spans of the candidate passages, in order, without overlap; None for an empty
            passage, which cannot be chosen but keeps its index.
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
    """The word links of a sentence pair: (source word, target word), both counted from 0."""

    links: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class SentencePair:
    """A sentence and its translation.

    Attributes:
        source: the sentence.
        target: its translation.
        source_language: ISO 639-1 code, or "und".
        target_language: ISO 639-1 code, or "und".
        links: links between the words that `text.words.words` finds; None if unknown.
    """

    source: str
    target: str
    source_language: str = UNDETERMINED
    target_language: str = UNDETERMINED
    links: Alignment | None = None


@dataclass(frozen=True, slots=True)
class SegmentedPair:
    """A sentence pair with the spans of its words, which word links refer to.

    Attributes:
        pair: the sentences.
        source_words: spans of the words of the source, in order.
        target_words: spans of the words of the target, in order.
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
        max_length: maximum number of tokens in a window.
        overlap: context tokens that neighbouring windows share. If `step` is None too, None means
            128, or half of the room if a long question leaves less than 256 tokens.
        step: context tokens from the start of one window to the start of the next: the "doc
            stride" of `run_squad.py` and of many papers. None if `overlap` is used instead.

    Raises:
        ConfigError: if a limit is negative, or both `overlap` and `step` are given.
    """

    max_length: int = MAX_LENGTH
    overlap: int | None = None
    step: int | None = None

    def __post_init__(self) -> None:
        if self.overlap is not None and self.step is not None:
            raise ConfigError(
                f"expected overlap or step, got both ({self.overlap} and {self.step}): the step is "
                "the room of a window for the context minus the overlap; leave one out"
            )
        if self.overlap is not None and self.overlap < 0:
            raise ConfigError(f"overlap must not be negative, got {self.overlap}")
        if self.step is not None and self.step < 1:
            raise ConfigError(f"step must be 1 or more, got {self.step}")

    def step_in(self, room: int) -> int:
        """Context tokens from one window to the next, for windows with `room` context tokens.

        Raises:
            ConfigError: if the step or overlap does not fit into that room.
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
                f"an overlap of {self.overlap} is too long: with this question a window has room "
                f"for {room} tokens of the text; lower the overlap (--overlap) to {room - 1} or "
                "less, or use longer windows (--window, max_length)"
            )
        return room - self.overlap
