"""A reader that answers: windows, engine and decoder put together."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from typing import Any

from babelspan.reading.decode import (
    MAX_ANSWER_TOKENS,
    Candidates,
    candidates,
    predictions,
    total_log_mass,
)
from babelspan.seams import Engine, Logits, Window
from babelspan.types import UNDETERMINED, Example, Limits, Prediction

_EXAMPLES_AT_ONCE = 128

_Started = tuple[list[Example], list[tuple[int, Window]]]
"""Examples and their windows, each with the position of its example."""

Watch = Callable[[int, int], None]
"""Called with the number of windows read so far and in all."""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer in one of several contexts; `context` is its index."""

    context: int
    prediction: Prediction


class Answerer:
    """Answers questions about contexts with one reader. Safe under threads.

    Args:
        engine: the reader.
        limits: how long contexts are cut into windows; None for the engine's own.
        max_answer_tokens: the longest answer, in tokens.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        limits: Limits | None = None,
        max_answer_tokens: int = MAX_ANSWER_TOKENS,
    ) -> None:
        if max_answer_tokens < 1:
            raise ValueError(f"max_answer_tokens must be 1 or more, got {max_answer_tokens}")
        self.engine = engine
        self.limits = engine.limits if limits is None else limits
        self.max_answer_tokens = max_answer_tokens

    @property
    def languages_beside(self) -> tuple[str, ...]:
        """Of the translations that the reader reads beside a text; none for most readers."""
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
            yield predictions(example, found, allows_no_answer=allows_no_answer)[0]

    def ask(
        self, question: str, contexts: Sequence[str], *, top_k: int = 1, watch: Watch | None = None
    ) -> list[Found]:
        """The best answers to one question among several contexts, best first, no two overlapping.

        A span is weighed by its odds against "no answer" in the same window, which tells apart
        windows that hold the answer and windows that only look like it; `logit` is that log-odds.
        Scores are shares of all spans of all contexts and of "nowhere": they add up to less than 1.

        Args:
            question: the question.
            contexts: the texts to search; those without tokens hold no answer.
            top_k: how many answers to give, at most.
            watch: told how many windows have been read.

        Raises:
            ValueError: if the question is empty or `top_k` below 1.
            DataError: if the question leaves no room for a context.
        """
        examples = [_example(str(i), question, context) for i, context in enumerate(contexts)]
        return self.among(examples, top_k=top_k, watch=watch)

    def among(
        self, examples: Sequence[Example], *, top_k: int = 1, watch: Watch | None = None
    ) -> list[Found]:
        """As `ask`, with the question and each of its contexts as an example.

        Args:
            examples: with their position as id.
            top_k: as in `ask`.
            watch: as in `ask`.

        Raises:
            ValueError: if `top_k` is below 1.
            DataError: if the question leaves no room for a context.
        """
        if top_k < 1:
            raise ValueError(f"top_k must be 1 or more, got {top_k}")
        read = [
            [of_window.against_no_answer() for of_window in found]
            for _, found in self._read(examples, top_k=top_k, allows_overlap=False, watch=watch)
        ]
        everything = [c for found in read for c in found]
        if not everything:
            return []
        mass = total_log_mass(everything, allows_no_answer=True)
        answers = [
            Found(int(example.id), prediction)
            for example, found in zip(examples, read, strict=True)
            for prediction in predictions(
                example, found, top_k=top_k, allows_overlap=False, log_mass=mass
            )
            if prediction.span is not None
        ]
        return sorted(answers, key=lambda a: -a.prediction.logit)[:top_k]

    def __call__(
        self,
        question: str | Sequence[str],
        context: str | Sequence[str],
        *,
        top_k: int = 1,
        doc_stride: int | None = None,
        max_answer_len: int = 15,
        max_seq_len: int | None = None,
        handle_impossible_answer: bool = False,
    ) -> Any:
        """Answer as the question-answering pipeline of transformers 4 did.

        Args:
            question: a question, or a list of them.
            context: the text for all questions, or a list, one for each.
            top_k: how many answers to each question.
            doc_stride: context tokens that neighbouring windows share; less than a window has room
                for beside the question.
            max_answer_len: the longest answer, in tokens.
            max_seq_len: tokens of a window, at most.
            handle_impossible_answer: whether "no answer" (empty, 0 to 0) competes.

        Returns:
            A dict with `score` (probability), `start`, `end` (characters, end exclusive) and
            `answer`, with `context[start:end] == answer`; a list of dicts, best first, where
            top_k is above 1; a list of these where question or context is a list.

        Raises:
            ValueError: if the lists differ in length, or a question is empty.
            ConfigError: if `doc_stride` is more than a window has room for.
            DataError: if a question leaves no room for its context.
        """
        if top_k < 1:
            raise ValueError(f"top_k must be 1 or more, got {top_k}")
        settings = Answerer(
            self.engine,
            limits=self._limits(max_seq_len, doc_stride),
            max_answer_tokens=max_answer_len,
        )
        answered = [
            [
                _pipeline_answer(p)
                for p in predictions(
                    example, found, top_k=top_k, allows_no_answer=handle_impossible_answer
                )
            ]
            for example, found in settings._read(_paired(question, context), top_k=top_k)
        ]
        shaped = [a[0] for a in answered] if top_k == 1 else answered
        return shaped[0] if isinstance(question, str) and isinstance(context, str) else shaped

    def _read(
        self,
        examples: Iterable[Example],
        *,
        top_k: int = 1,
        allows_overlap: bool = True,
        watch: Watch | None = None,
    ) -> Iterator[tuple[Example, list[Candidates]]]:
        """Each example with the candidates of its windows, in order.

        While the windows of some examples are read, those of the next are cut.
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
            under_way.append(self.engine.read([window for _, window in windows]))
            return chunk, windows

        try:
            for (chunk, windows), _ in pairwise(chain(map(started, _chunks(examples)), [([], [])])):
                found: list[list[Candidates]] = [[] for _ in chunk]
                for (position, window), logits in zip(windows, under_way[0], strict=True):
                    found[position] += candidates(
                        [window],
                        [logits.start],
                        [logits.last],
                        top_k=top_k,
                        allows_overlap=allows_overlap,
                        max_answer_tokens=self.max_answer_tokens,
                    )
                    done += 1
                    if watch is not None:
                        watch(done, total)
                del under_way[0]
                yield from zip(chunk, found, strict=True)
        finally:
            for reads in under_way:
                reads.close()

    def _limits(self, max_length: int | None, overlap: int | None) -> Limits:
        """The answerer's limits with those that a call names."""
        limits = self.limits
        if max_length is not None:
            limits = replace(limits, max_length=max_length)
        return limits if overlap is None else replace(limits, overlap=overlap, step=None)


def _chunks(examples: Iterable[Example]) -> Iterator[list[Example]]:
    remaining = iter(examples)
    while chunk := list(islice(remaining, _EXAMPLES_AT_ONCE)):
        yield chunk


def _example(identity: str, question: str, context: str) -> Example:
    if not question.strip():
        raise ValueError("the question is empty; ask something")
    return Example(
        id=identity,
        question=question,
        context=context,
        answers=None,
        question_language=UNDETERMINED,
        context_language=UNDETERMINED,
    )


def _paired(question: str | Sequence[str], context: str | Sequence[str]) -> list[Example]:
    questions = [question] if isinstance(question, str) else list(question)
    contexts = [context] if isinstance(context, str) else list(context)
    if isinstance(context, str):
        contexts *= len(questions)
    elif isinstance(question, str):
        questions *= len(contexts)
    if len(questions) != len(contexts):
        raise ValueError(
            f"expected as many questions as contexts, got {len(questions)} and {len(contexts)}"
        )
    return [
        _example(str(i), q, c) for i, (q, c) in enumerate(zip(questions, contexts, strict=True))
    ]


def _pipeline_answer(prediction: Prediction) -> dict[str, Any]:
    span = prediction.span
    return {
        "score": prediction.score,
        "start": 0 if span is None else span.start,
        "end": 0 if span is None else span.end,
        "answer": prediction.text,
    }
