"""The call signature of the question-answering pipeline of transformers up to version 4.

Accepted are a question and a context, each a string or a list of strings; or a record, or a list or
an iterator of records. A record is a mapping with "question" and "context", or an object such as
`SquadExample` with `question_text` and `context_text`.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from babelspan.types import UNDETERMINED, ConfigError, Example, Prediction

_IDLE = {"batch_size", "num_workers", "padding"}
"""Batching options; they are accepted and ignored, because answers do not depend on them."""
_REFUSED = {
    "max_question_len": "questions are never cut here; leave it out, and shorten a question that "
    "is refused as too long",
    "align_to_words": "leave it out; an answer never cuts a character as people see it, and begins "
    "and ends where tokens do",
}
_FORMS = (
    "a question and a context, lists of them, or records with 'question' and 'context' (a dict, a "
    "list of dicts, or an iterator of dicts)"
)


class Call(NamedTuple):
    """The examples of a call, and the form in which answers are returned."""

    examples: Iterable[Example]
    form: Literal["one", "list", "stream"]


def called(question: Any, context: Any, data: Any) -> Call:
    """Convert the arguments of a call to examples.

    Args:
        question: a question or a list of questions; without a context, one or several records.
        context: a text or a list of texts.
        data: one or several records, instead of question and context.

    Raises:
        ValueError: if they have none of these forms, lists differ in length, or a question is
            empty.
        KeyError: if a record has no question or no context.
    """
    if data is not None and (question is not None or context is not None):
        raise ValueError("expected data, or question and context, got both; leave one out")
    records = question if data is None and context is None else data
    if records is None:
        return _paired(question, context)
    if _is_record(records):
        return Call([_recorded(0, records)], "one")
    if isinstance(records, str) or not isinstance(records, Iterable):
        raise ValueError(f"expected {_FORMS}; got {_shown(records)} alone")
    examples = (_recorded(number, record) for number, record in enumerate(records))
    return Call(examples, "stream") if isinstance(records, Iterator) else Call([*examples], "list")


def top_k_of(top_k: int | None, options: Mapping[str, Any]) -> int:
    """The number of answers to return, from `top_k` and the other options of a call.

    Raises:
        ConfigError: if an option is not supported or unknown.
        ValueError: if the number is not a whole number, or is below 1.
    """
    for name in options:
        if name in _REFUSED:
            raise ConfigError(f"{name}: {_REFUSED[name]}")
        if name not in {*_IDLE, "topk"}:
            raise ConfigError(f"{name}: there is no such option of a call")
    wanted = options.get("topk") if top_k is None else top_k
    return 1 if wanted is None else counted("top_k", wanted)


def counted(name: str, value: Any, *, least: int = 1) -> int:
    """Check a whole number given by a user, and return it.

    Raises:
        ValueError: if it is not a whole number, or is below `least`.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be a whole number, {least} or more, got {value!r}")
    return value


def log_weights_of(weights: Sequence[float] | None, contexts: int) -> list[float]:
    """Logarithms of the weights of contexts; zeros for None.

    Raises:
        ValueError: if they are not one positive number for each context.
    """
    if weights is None:
        return [0.0] * contexts
    if len(weights) != contexts or not all(0 < weight < math.inf for weight in weights):
        raise ValueError(
            f"weights must be {contexts} positive numbers, one for each context, got {weights!r}"
        )
    return [math.log(weight) for weight in weights]


def example_of(
    identity: str,
    question: Any,
    context: Any,
    *,
    question_language: str = UNDETERMINED,
    context_language: str = UNDETERMINED,
) -> Example:
    """An example from a question and a text, after checking both.

    Raises:
        ValueError: if one of them is not a string, or the question is empty.
    """
    for name, value in (("question", question), ("context", context)):
        if not isinstance(value, str):
            raise ValueError(f"{name}: expected a text (str), got {_shown(value)}")
    if not question.strip():
        raise ValueError("the question is empty; ask something")
    return unlabelled(
        identity,
        question,
        context,
        question_language=question_language,
        context_language=context_language,
    )


def examples_over(
    question: Any,
    contexts: Any,
    *,
    question_language: str = UNDETERMINED,
    context_language: str = UNDETERMINED,
) -> list[Example]:
    """Examples from one question and one or several texts; ids are the positions of the texts.

    Raises:
        ValueError: if one of them is not a string, or the question is empty.
    """
    return [
        example_of(
            str(number),
            question,
            context,
            question_language=question_language,
            context_language=context_language,
        )
        for number, context in enumerate(texts_of("contexts", contexts))
    ]


def unlabelled(
    identity: str,
    question: str,
    context: str,
    *,
    question_language: str = UNDETERMINED,
    context_language: str = UNDETERMINED,
) -> Example:
    """An example whose answers are unknown, from a question and a text."""
    return Example(
        id=identity,
        question=question,
        context=context,
        answers=None,
        question_language=question_language,
        context_language=context_language,
    )


def pipeline_answer(prediction: Prediction) -> dict[str, Any]:
    """An answer in the format of the pipeline; "no answer" is empty, from 0 to 0."""
    span = prediction.span
    return {
        "score": prediction.score,
        "start": 0 if span is None else span.start,
        "end": 0 if span is None else span.end,
        "answer": prediction.text,
    }


def texts_of(name: str, value: Any) -> list[Any]:
    """A list of texts from one text or several.

    Raises:
        ValueError: if the value is neither a text nor a list of texts.
    """
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes | Mapping) or not isinstance(value, Iterable):
        raise ValueError(f"{name}: expected a text (str) or a list of texts, got {_shown(value)}")
    return list(value)


def _paired(question: Any, context: Any) -> Call:
    questions, contexts = texts_of("question", question), texts_of("context", context)
    if isinstance(context, str):
        contexts *= len(questions)
    elif isinstance(question, str):
        questions *= len(contexts)
    if len(questions) != len(contexts):
        raise ValueError(
            f"expected as many questions as contexts, got {len(questions)} and {len(contexts)}"
        )
    pairs = enumerate(zip(questions, contexts, strict=True))
    examples = [example_of(str(number), q, c) for number, (q, c) in pairs]
    is_one = isinstance(question, str) and isinstance(context, str)
    return Call(examples, "one" if is_one else "list")


def _is_record(value: Any) -> bool:
    return isinstance(value, Mapping) or hasattr(value, "question_text")


def _recorded(number: int, record: Any) -> Example:
    if not _is_record(record):
        raise ValueError(
            f"record {number}: expected a dict with 'question' and 'context', got {_shown(record)}"
        )
    if not isinstance(record, Mapping):
        return example_of(str(number), record.question_text, record.context_text)
    for key in ("question", "context"):
        if key not in record:
            raise KeyError(f"record {number}: expected a key {key!r}, found {list(record)}")
    return example_of(str(number), record["question"], record["context"])


def _shown(value: Any) -> str:
    return "None" if value is None else type(value).__name__
