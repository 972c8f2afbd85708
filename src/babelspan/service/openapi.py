"""The description of the service's interface, OpenAPI 3.1, from the forms of its requests."""

from typing import Any

from babelspan.service.schema import (
    AnswerRequest,
    BatchLine,
    Feedback,
    PipelineRequest,
    SearchRequest,
    adapter,
)
from babelspan.version import VERSION

_Json = dict[str, Any]

_SHARE = {"minimum": 0, "maximum": 1}
_SPAN = {
    "type": "object",
    "properties": {"start": {"type": "integer"}, "end": {"type": "integer"}},
    "required": ["start", "end"],
}
_PLACE = {
    "type": "object",
    "description": "start and end count code points of the text as sent; end is exclusive. "
    "utf16 counts UTF-16 code units, utf8 bytes of the UTF-8 of the text. In a collection they "
    "count code points of the text of the whole file, and there is no utf16 or utf8.",
    "properties": {
        "document": {"type": "string"},
        "index": {"type": "integer", "description": "of the text in the request, from 0"},
        "start": {"type": "integer"},
        "end": {"type": "integer"},
        "utf16": _SPAN,
        "utf8": _SPAN,
        "page": {"type": ["integer", "null"], "description": "from 1, where there are pages"},
        "source": {
            "type": ["object", "null"],
            "description": "of a file: start and end in bytes, in a PDF in characters of the page",
        },
    },
    "required": ["document", "start", "end"],
}
_ANSWER = {
    "type": "object",
    "properties": {
        "answer": {"type": "string"},
        "score": {
            "type": "number",
            "description": "share of all spans in the texts that were read; to rank answers",
            **_SHARE,
        },
        "probability": {
            "type": "number",
            "description": "that the answer is right; of calibrated readers only",
            **_SHARE,
        },
        "logit": {"type": "number"},
        "place": _PLACE,
        "passage": {
            "type": "object",
            "description": "of a collection, that was read: its text, and where in the file it is",
        },
        "before": {"type": "string"},
        "after": {"type": "string"},
        "language": {"type": "string"},
        "direction": {"enum": ["ltr", "rtl"]},
    },
    "required": ["answer", "score", "place", "before", "after", "language", "direction"],
}
_ANSWERS = {
    "type": "object",
    "properties": {
        "answers": {"type": "array", "items": _ANSWER},
        "no_answer_score": {"type": "number", **_SHARE},
        "complete": {"type": "boolean"},
        "read": {"type": "object"},
        "reader": {"type": "object"},
        "signature": {"type": "string"},
    },
    "required": ["answers", "no_answer_score", "complete", "read", "reader", "signature"],
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "where": {"type": "string"},
        "expected": {"type": "string"},
        "found": {"type": "string"},
        "do": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail"],
}
_LINES = "application/x-ndjson"
_ANY_TEXT = {"type": "string"}
_NAME = {"name": "name", "in": "path", "required": True, "schema": _ANY_TEXT}
_ID = {"name": "id", "in": "path", "required": True, "schema": _ANY_TEXT}


def description(root_path: str = "") -> _Json:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Babelspan",
            "version": VERSION,
            "summary": "Questions in any language; answers are places in your texts.",
        },
        "servers": [{"url": root_path or "/"}],
        "security": [{}, {"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {**_forms(), "Answers": _ANSWERS, "Problem": _PROBLEM},
        },
    }


def _forms() -> _Json:
    """The schemas of requests, and of what is in them."""
    found: _Json = {}
    for kind in (AnswerRequest, BatchLine, SearchRequest, PipelineRequest, Feedback):
        schema = adapter(kind).json_schema(ref_template="#/components/schemas/{model}")
        found |= schema.pop("$defs", {})
        found[kind.__name__] = schema
    return found


def _paths() -> _Json:
    answers = _ref("Answers")
    health = {"get": _operation("Whether the service is ready", {"200": {"type": "object"}})}
    return {
        "/v1/answer": {"post": _operation("Answer a question", {"200": answers}, "AnswerRequest")},
        "/v1/batch": {
            "post": _operation(
                "Answer questions, a line of JSON each, or say in its line what is wrong with one",
                {"200": answers},
                "BatchLine",
                kind=_LINES,
            )
        },
        "/v1/documents/{name}": {
            "put": _operation("Keep a text", {"200": {}, "201": {}}, [_NAME], kind="*/*"),
        },
        "/v1/documents/{id}": {
            "get": _operation("What is known of a text", {"200": {}}, [_ID]),
            "delete": _operation("Forget a text", {"204": None}, [_ID]),
        },
        "/v1/documents/{id}/text": {"get": _operation("A kept text", {"200": _ANY_TEXT}, [_ID])},
        **_of_collections(),
        "/v1/pipeline": {
            "post": _operation("As transformers 4 did", {"200": {}}, "PipelineRequest")
        },
        "/v1/feedback": {"post": _operation("Judge an answer", {"204": None}, "Feedback")},
        "/v1/readers": {"get": _operation("The readers", {"200": {"type": "object"}})},
        "/v1/readers/{name}/reload": {
            "post": _operation("Load a reader anew", {"200": {"type": "object"}}, [_NAME])
        },
        "/livez": health,
        "/readyz": health,
        "/metrics": {"get": _operation("Counters, for Prometheus", {"200": _ANY_TEXT})},
    }


def _of_collections() -> _Json:
    one = "/v1/collections/{name}"
    file = {"name": "file", "in": "query", "required": True, "schema": _ANY_TEXT}
    found = {"200": {"type": "object"}}
    return {
        "/v1/collections": {"get": _operation("The collections", found)},
        one: {"get": _operation("What is known of a collection", found, [_NAME])},
        f"{one}/search": {
            "post": _operation("Passages for a question", found, "SearchRequest", path=[_NAME])
        },
        f"{one}/text": {"get": _operation("All text of a file", {"200": _ANY_TEXT}, [_NAME, file])},
    }


def _operation(
    summary: str,
    responses: _Json,
    takes: str | list[_Json] | None = None,
    *,
    kind: str = "application/json",
    path: list[_Json] | None = None,
) -> _Json:
    """An operation; `takes` names the form of its body, or lists what is in its address."""
    told = {
        status: {
            "description": "done",
            **({} if schema is None else {"content": {_media(schema, kind): {"schema": schema}}}),
        }
        for status, schema in responses.items()
    }
    problem = {"application/problem+json": {"schema": _ref("Problem")}}
    found: _Json = {
        "summary": summary,
        "responses": {**told, "default": {"description": "a problem", "content": problem}},
    }
    parameters = takes if isinstance(takes, list) else path
    if parameters:
        found["parameters"] = parameters
    if isinstance(takes, str) or kind == "*/*":
        schema = _ref(takes) if isinstance(takes, str) else {}
        found["requestBody"] = {"required": True, "content": {kind: {"schema": schema}}}
    return found


def _media(schema: _Json, takes: str) -> str:
    if takes == _LINES:
        return takes
    return "text/plain" if schema is _ANY_TEXT else "application/json"


def _ref(name: str) -> _Json:
    return {"$ref": f"#/components/schemas/{name}"}
