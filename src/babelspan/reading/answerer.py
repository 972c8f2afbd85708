"""The answerer: cuts texts into windows, runs a reader on them, and decodes the answers."""

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from typing import Any

from babelspan.reading.call import (
    called,
    counted,
    examples_over,
    log_weights_of,
    pipeline_answer,
    top_k_of,
)
from babelspan.reading.crew import Crew
from babelspan.reading.decode import (
    MAX_ANSWER_TOKENS,
    Candidates,
    candidates,
    predictions,
    total_log_mass,
)
from babelspan.scoring.calibration import Calibration
from babelspan.seams import Engine, Knowing, Logits, Window
from babelspan.text.scripts import hardly_known
from babelspan.types import UNDETERMINED, Example, Limits, Prediction, Span

_EXAMPLES_AT_ONCE = 128
_SEEN = 500
"""Number of characters of a text in which scripts are checked."""
_TOKENS_OF_A_CALL = 15
"""Default maximum answer length of a call, in tokens, as in the pipeline of transformers 4."""

_Started = tuple[list[Example], list[tuple[int, Window]]]
"""Examples and their windows, each with the position of its example."""

Watch = Callable[[int, int], None]
"""Called with the number of windows read so far and the total number."""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer in one of several contexts; `context` is the index of that context."""

    context: int
    prediction: Prediction


class Answerer:
    """Answers questions about contexts with one reader. Threads can share it.

    Args:
        engine: the reader.
        limits: limits for cutting contexts into windows; None for the engine's limits.
        max_answer_tokens: maximum length of an answer in tokens; None for 30, or 15 in a call.
        whole_words: whether an answer that starts or ends inside a word is extended to the word.
        calibration: converts scores to probabilities; None for no probabilities.
        crew: threads shared with other answerers; None for the engine's own threads.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        limits: Limits | None = None,
        max_answer_tokens: int | None = None,
        whole_words: bool = False,
        calibration: Calibration | None = None,
        crew: Crew | None = None,
    ) -> None:
        self.engine = engine
        self.calibration = calibration
        self.crew = crew
        self.limits = engine.limits if limits is None else limits
        self.whole_words = whole_words
        given = max_answer_tokens is not None
        self.max_answer_tokens = counted(
            "max_answer_tokens", max_answer_tokens if given else MAX_ANSWER_TOKENS
        )
        self._tokens_of_a_call = self.max_answer_tokens if given else _TOKENS_OF_A_CALL

    def unfamiliar(self, text: str) -> tuple[str, ...]:
        """Names of the scripts in a text that the tokenizer hardly covers; empty if unknown.

        Only the middle of a long text is checked.
        """
        if not isinstance(self.engine, Knowing):
            return ()
        start = max(0, (len(text) - _SEEN) // 2)
        part = text[start : start + _SEEN]
        return hardly_known(part, self.engine.known(part))

    @property
    def languages_beside(self) -> tuple[str, ...]:
        """Languages of the translations that the reader takes with a text; usually empty."""
        found: tuple[str, ...] = getattr(self.engine, "languages", ())
        return found

    def predict(
        self, examples: Iterable[Example], *, allows_no_answer: bool = False
    ) -> Iterator[Prediction]:
        """The best answer to each example, in order.

        Raises:
            DataError: if a question leaves no room for its context.
        """
        for example, found in self._read(examples):
            best = predictions(
                example,
                found,
                allows_no_answer=allows_no_answer,
                whole_words=self.whole_words,
            )[0]
            yield self._judged(best, found)

    def spans(self, examples: Iterable[Example], *, top_k: int) -> Iterator[list[Span]]:
        """For each example, in order, its best answers without overlaps, best first.

        The question may be empty: a reader that was trained without questions finds likely answers
        to questions about a text (Alberti et al. 2019, arXiv:1906.05416).
        """
        for example, found in self._read(examples, top_k=top_k, allows_overlap=False):
            best = predictions(
                example,
                found,
                top_k=top_k,
                allows_overlap=False,
                whole_words=self.whole_words,
            )
            yield [prediction.span for prediction in best if prediction.span is not None]

    def ask(
        self,
        question: str,
        contexts: str | Sequence[str],
        *,
        question_language: str = UNDETERMINED,
        context_language: str = UNDETERMINED,
        top_k: int = 1,
        weights: Sequence[float] | None = None,
        watch: Watch | None = None,
    ) -> list[Found]:
        """The best answers to one question in several contexts, best first, without overlaps.

        A span is ranked by its odds against "no answer" in the same window. This separates windows
        with the answer from windows that only look similar. `logit` is the logarithm of these odds.
        The score is the span's share of all spans of all contexts and "no answer", so scores add up
        to less than 1. The probability is computed from the score, calibrated on single texts.

        Args:
            question: the question.
            contexts: the texts to search, or one text; a text without tokens has no answer.
            question_language: ISO 639-1 code; with "und" it is detected if the reader needs it.
            context_language: language of all contexts, likewise.
            top_k: the maximum number of answers.
            weights: a factor of each context for the odds of its spans; None for equal weights.
            watch: called with the number of windows that have been read.

        Raises:
            ValueError: if the question is empty, a context is not a text, `top_k` is below 1, or
                the weights are not one positive number for each context.
            DataError: if the question leaves no room for a context.
        """
        examples = examples_over(
            question,
            contexts,
            question_language=question_language,
            context_language=context_language,
        )
        return self.among(examples, top_k=top_k, weights=weights, watch=watch)

    def among(
        self,
        examples: Sequence[Example],
        *,
        top_k: int = 1,
        weights: Sequence[float] | None = None,
        watch: Watch | None = None,
    ) -> list[Found]:
        """Like `ask`, with one example for each context.

        Args:
            examples: the question with each context; the id is the position of the context.
            top_k: as in `ask`.
            weights: as in `ask`.
            watch: as in `ask`.

        Raises:
            ValueError, DataError: as in `ask`.
        """
        counted("top_k", top_k)
        log_weights_of(weights, len(examples))
        read = [
            [of_window.against_no_answer() for of_window in found]
            for _, found in self._read(examples, top_k=top_k, allows_overlap=False, watch=watch)
        ]
        return self.best_found(examples, read, top_k=top_k, weights=weights)[0]

    def best_found(
        self,
        examples: Sequence[Example],
        read: Sequence[Sequence[Candidates]],
        *,
        top_k: int,
        weights: Sequence[float] | None = None,
    ) -> tuple[list[Found], float]:
        """The best answers to one question, as in `ask`, and the share of "no answer".

        Args:
            examples: the question with each context; the id is the number of the context.
            read: candidates of the windows of each example, `against_no_answer`, no overlaps.
            top_k: the maximum number of answers.
            weights: as in `ask`.
        """
        read = [
            [of_window.weighted(log_weight) for of_window in found]
            for found, log_weight in zip(read, log_weights_of(weights, len(read)), strict=True)
        ]
        everything = [c for found in read for c in found]
        if not everything:
            return [], 1.0
        mass = total_log_mass(everything, allows_no_answer=True)
        answers = [
            Found(int(example.id), self._judged(prediction, everything, mass))
            for example, found in zip(examples, read, strict=True)
            for prediction in predictions(
                example,
                found,
                top_k=top_k,
                allows_overlap=False,
                log_mass=mass,
                whole_words=self.whole_words,
            )
            if prediction.span is not None
        ]
        return sorted(answers, key=lambda a: -a.prediction.logit)[:top_k], math.exp(-mass)

    def borrowing(self, crew: Crew) -> "Answerer":
        """A copy of this answerer whose windows are read by a crew of its engine."""
        shared = copy(self)
        shared.crew = crew
        return shared

    def __call__(
        self,
        question: Any = None,
        context: Any = None,
        *,
        data: Any = None,
        top_k: int | None = None,
        doc_stride: int | None = None,
        max_answer_len: int | None = None,
        max_seq_len: int | None = None,
        handle_impossible_answer: bool | None = None,
        **options: Any,
    ) -> Any:
        """Answer like the question-answering pipeline of transformers 4.

        Differences: scores are shares of all spans that were read; a list of one gives a list of
        one; an empty context gives an empty answer with a score of 0; questions are never cut.

        Args:
            question: a question or a list of questions; without a context, a record with the keys
                "question" and "context", or a list or iterator of records.
            context: one text for all questions, or a list with one text for each.
            data: records, instead of question and context; `X` is another name for it.
            top_k: the number of answers to each question; 1 if None. `topk` is another name for it.
            doc_stride: context tokens shared by neighbouring windows; less than their room.
            max_answer_len: maximum answer length in tokens; None for the answerer's limit, or 15.
            max_seq_len: the maximum number of tokens in a window.
            handle_impossible_answer: whether the answer may be empty ("", 0 to 0).
            options: `batch_size`, `num_workers` and `padding` are accepted and have no effect.

        Returns:
            A dict with `score`, `start`, `end` (characters, end exclusive) and `answer`, with
            `context[start:end] == answer`. If `top_k` is above 1, a list of dicts, best first. A
            list of these for lists, an iterator for an iterator.

        Raises:
            ValueError: if the question or the context is missing or has the wrong type, lists
                differ in length, or a question is empty.
            KeyError: if a record has no question or no context.
            ConfigError: if an option is not supported; the message says what to do instead.
            DataError: if a question leaves no room for its context.
        """
        examples, form = called(question, context, options.pop("X", data))
        wanted = top_k_of(top_k, options)
        settings = Answerer(
            self.engine,
            crew=self.crew,
            limits=self.limits_with(max_seq_len, doc_stride),
            max_answer_tokens=self._tokens_of_a_call
            if max_answer_len is None
            else counted("max_answer_len", max_answer_len),
            whole_words=self.whole_words,
        )
        answered = settings._answers(
            examples, wanted, allows_no_answer=bool(handle_impossible_answer)
        )
        if form == "stream":
            return answered
        return next(answered) if form == "one" else list(answered)

    def _answers(
        self, examples: Iterable[Example], top_k: int, *, allows_no_answer: bool
    ) -> Iterator[Any]:
        """Answers in the format of the pipeline: a dict, or a list of dicts if `top_k` > 1."""
        for example, found in self._read(examples, top_k=top_k):
            answers = [
                pipeline_answer(p)
                for p in predictions(
                    example,
                    found,
                    top_k=top_k,
                    allows_no_answer=allows_no_answer,
                    whole_words=self.whole_words,
                )
            ]
            yield answers[0] if top_k == 1 else answers

    def _read(
        self,
        examples: Iterable[Example],
        *,
        top_k: int = 1,
        allows_overlap: bool = True,
        watch: Watch | None = None,
    ) -> Iterator[tuple[Example, list[Candidates]]]:
        """Each example with the candidates of its windows, in order.

        The windows of the next examples are cut while those of the last are being read.
        """
        done = total = 0
        under_way: list[Generator[Logits, None, None]] = []

        def started(chunk: list[Example]) -> _Started:
            nonlocal total
            windows = [
                (position, window)
                for position, example in enumerate(chunk)
                for window in self.engine.windows([example], self.limits)
            ]
            total += len(windows)
            reads = self.engine.read if self.crew is None else self.crew.read
            under_way.append(reads([window for _, window in windows]))
            return chunk, windows

        try:
            for (chunk, windows), _ in pairwise(chain(map(started, chunks(examples)), [([], [])])):
                found: list[list[Candidates]] = [[] for _ in chunk]
                for (position, window), logits in zip(windows, under_way[0], strict=True):
                    found[position] += candidates(
                        [window],
                        [logits.start],
                        [logits.last],
                        top_k=top_k,
                        allows_overlap=allows_overlap,
                        max_answer_tokens=self.max_answer_tokens,
                        whole_words=self.whole_words,
                    )
                    done += 1
                    if watch is not None:
                        watch(done, total)
                del under_way[0]
                yield from zip(chunk, found, strict=True)
        finally:
            for reads in under_way:
                reads.close()

    def _judged(
        self, answer: Prediction, found: Sequence[Candidates], log_mass: float | None = None
    ) -> Prediction:
        """Add the calibrated probability that an answer is right, if there is a calibration.

        It is computed from the answer's share of all spans and "no answer", whether or not "no
        answer" was allowed: for a text of one window it is the same in `ask` and `predict`.
        """
        if self.calibration is None or answer.span is None:
            return answer
        if log_mass is None:
            log_mass = total_log_mass(found, allows_no_answer=True)
        share = math.exp(min(answer.logit - log_mass, 0.0))
        return replace(answer, probability=self.calibration.probability(share))

    def limits_with(self, max_length: int | None, overlap: int | None) -> Limits:
        """The answerer's limits, overridden by those of a call."""
        limits = self.limits
        if max_length is not None:
            limits = replace(limits, max_length=max_length)
        return limits if overlap is None else replace(limits, overlap=overlap, step=None)


def chunks(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """Split examples into lists of the size that is processed at once."""
    remaining = iter(examples)
    while chunk := list(islice(remaining, _EXAMPLES_AT_ONCE)):
        yield chunk
