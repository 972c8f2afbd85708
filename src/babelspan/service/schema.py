"""The schemas of requests: their keys, types and limits."""

from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from babelspan.config import nearest
from babelspan.service.problems import Problem, shown
from babelspan.text.languages import TAG

T = TypeVar("T")

LARGEST_TEXT = 10_000_000
LONGEST_WITHIN = 600.0
NAME = 255
_UNKNOWN = "unexpected_keyword_argument"

_Language = Annotated[str, Field(pattern=f"^{TAG}$", max_length=35)]
_Name = Annotated[str, Field(min_length=1, max_length=NAME)]
_Body = Annotated[str, Field(max_length=LARGEST_TEXT, description="Plain text; \\n, \\r kept.")]
_Question = Annotated[str, Field(min_length=1, max_length=1000)]
_Place = Annotated[int, Field(strict=True, ge=0, le=LARGEST_TEXT)]
_Tokens = Annotated[int, Field(strict=True, ge=1, le=512)]
_Flag = Annotated[bool, Field(strict=True)]
_Passages = Annotated[int, Field(strict=True, ge=1, le=200)]
_TopK = Annotated[int, Field(strict=True, ge=1, le=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text to search, with the name to use in answers.

    Attributes:
        translations: translations of the text, by language, for readers that read several.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    text: _Body
    name: _Name | None = None
    language: _Language | None = None
    translations: Annotated[dict[_Language, _Body], Field(max_length=16)] = field(
        default_factory=dict
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRequest:
    """One question over texts, over stored documents or over a collection.

    Attributes:
        collection: its name.
        passages: number of passages of the collection to read.
        question_language: detected if missing.
        within: time limit in seconds.
        partial: whether to answer from what was read when time is up (with `complete: false`).
        surroundings: characters of text to return on each side of an answer.
        question_translations: translations of the question, by language; needed for each language
            into which a text is translated.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    question: _Question
    texts: Annotated[list[Text], Field(max_length=100)] = field(default_factory=list)
    documents: Annotated[list[str], Field(max_length=100)] = field(default_factory=list)
    collection: str | None = None
    passages: _Passages | None = None
    question_language: _Language | None = None
    reader: str | None = None
    top_k: _TopK = 1
    within: Annotated[float, Field(strict=True, gt=0, le=LONGEST_WITHIN)] | None = None
    partial: _Flag = False
    surroundings: Annotated[int, Field(strict=True, ge=0, le=2000)] = 120
    max_answer_tokens: _Tokens | None = None
    question_translations: Annotated[dict[_Language, _Question], Field(max_length=16)] = field(
        default_factory=dict
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine(AnswerRequest):
    """A line of a batch: a question with an id, which is repeated in the answer."""

    id: str | Annotated[int, Field(strict=True)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A search for passages of a collection that may answer a question, without reading them."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    question: _Question
    passages: _Passages | None = None
    question_language: _Language | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineInputs:
    """Question and text of the question-answering pipeline of transformers 4."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    question: _Question
    context: _Body


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineParameters:
    """Parameters of that pipeline; `topk` is its old name of `top_k`."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    top_k: _TopK | None = None
    topk: _TopK | None = None
    doc_stride: Annotated[int, Field(strict=True, ge=0)] | None = None
    max_answer_len: _Tokens = 15
    max_seq_len: Annotated[int, Field(strict=True, ge=1)] | None = None
    handle_impossible_answer: _Flag = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRequest:
    """A request in the format of the Hugging Face inference service."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    inputs: PipelineInputs
    parameters: PipelineParameters = PipelineParameters()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """A person's judgement of an answer.

    Attributes:
        verdict: "right" if the answer is from `start` to `end`; "wrong" if the text from `start` to
            `end` is not the answer; "none" if the text has no answer.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    question: _Question
    text: _Body
    verdict: Literal["right", "wrong", "none"]
    start: _Place | None = None
    end: _Place | None = None
    name: _Name | None = None
    language: _Language | None = None
    question_language: _Language | None = None


def built(kind: type[T], value: Any, where: str = "the body") -> T:
    """Validate a request of the given kind.

    Raises:
        Problem: 422 with the first key that is unknown, missing, of a wrong type or out of range.
    """
    if not isinstance(value, dict):
        raise Problem(422, "a JSON object", found=shown(value), where=where)
    try:
        made: T = adapter(cast(Any, kind)).validate_python(value)
    except ValidationError as error:
        errors = error.errors(include_url=False)  # an unknown key explains why another is missing
        raise _problem(kind, max(errors, key=lambda e: e["type"] == _UNKNOWN)) from None
    return made


@lru_cache(maxsize=32)
def adapter(kind: Any) -> TypeAdapter[Any]:
    """Return the validator of a kind, which also gives its JSON schema."""
    return TypeAdapter(kind)


def _problem(kind: type, error: Any) -> Problem:
    path = [str(part) for part in error["loc"] if not str(part).startswith("constrained-")]
    where = ".".join(ascii(part)[1:-1][:60] for part in path)  # a key can be any string
    if error["type"] == _UNKNOWN:
        inner = {"texts": Text, "inputs": PipelineInputs, "parameters": PipelineParameters}
        known = [f.name for f in fields(inner.get(path[0], kind) if len(path) > 1 else kind)]
        return Problem(422, f"unknown key {path[-1]!a}{nearest(path[-1], known)}")
    if error["type"].startswith("missing"):
        return Problem(422, f"expected a key {where!r}, found none")
    if error["type"] == "string_pattern_mismatch":
        do = "leave it out where it is not known"
        found = shown(error["input"])
        return Problem(422, "a language code such as zh or pt-BR", found=found, do=do, where=where)
    expected = error["msg"].removeprefix("Input should be ").removeprefix("String should have ")
    if error["type"] == "dataclass_type":
        expected = "an object"
    return Problem(
        422, expected[:1].lower() + expected[1:], found=shown(error["input"]), where=where
    )
