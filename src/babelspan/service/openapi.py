"""The OpenAPI 3.1 description of the service, generated from the request schemas."""

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
    "utf16 counts UTF-16 code units, and utf8 counts bytes of UTF-8. In a collection, start and "
    "end count code points of the whole file's text, and there is no utf16 or utf8.",
    "properties": {
        "document": {"type": "string"},
        "index": {"type": "integer", "description": "number of the text in the request, from 0"},
        "start": {"type": "integer"},
        "end": {"type": "integer"},
        "utf16": _SPAN,
        "utf8": _SPAN,
        "page": {"type": ["integer", "null"], "description": "page number from 1, if any"},
        "source": {
            "type": ["object", "null"],
            "description": "place in the file: bytes; in a PDF, characters of the page",
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
            "description": "share among all spans in the texts that were read; for ranking",
            **_SHARE,
        },
        "probability": {
            "type": "number",
            "description": "that the answer is right; only from calibrated readers",
            **_SHARE,
        },
        "logit": {"type": "number"},
        "place": _PLACE,
        "passage": {
            "type": "object",
            "description": "the passage of a collection: its text, and its place in the file",
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
_COLLECTION = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "available": {
            "type": "boolean",
            "description": "whether it could be opened when last checked; if not, the numbers are "
            "those of its last state that could be opened",
        },
        "files": {"type": "integer", "description": "number of files with passages"},
        "skipped": {"type": "integer", "description": "number of files without passages"},
        "passages": {"type": "integer"},
        "languages": {
            "type": "object",
            "description": "number of passages by language",
            "additionalProperties": {"type": "integer"},
        },
    },
    "required": ["name", "available", "files", "skipped", "passages", "languages"],
}
_LINES = "application/x-ndjson"
_ANY_TEXT = {"type": "string"}
_NAME = {"name": "name", "in": "path", "required": True, "schema": _ANY_TEXT}
_ID = {"name": "id", "in": "path", "required": True, "schema": _ANY_TEXT}


def description(root_path: str = "") -> _Json:
    """Return the OpenAPI document."""
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
            "schemas": {
                **_forms(),
                "Answers": _ANSWERS,
                "Collection": _COLLECTION,
                "Problem": _PROBLEM,
            },
        },
    }


def _forms() -> _Json:
    """Return the schemas of the requests and of their parts."""
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
                "Answer questions, one JSON line each; an error goes to the line of its question",
                {"200": answers},
                "BatchLine",
                kind=_LINES,
            )
        },
        "/v1/documents/{name}": {
            "put": _operation("Store a document", {"200": {}, "201": {}}, [_NAME], kind="*/*"),
        },
        "/v1/documents/{id}": {
            "get": _operation("Describe a stored document", {"200": {}}, [_ID]),
            "delete": _operation("Delete a stored document", {"204": None}, [_ID]),
        },
        "/v1/documents/{id}/text": {"get": _operation("Get its text", {"200": _ANY_TEXT}, [_ID])},
        **_of_collections(),
        "/v1/pipeline": {
            "post": _operation("Answer as in transformers 4", {"200": {}}, "PipelineRequest")
        },
        "/v1/feedback": {"post": _operation("Judge an answer", {"204": None}, "Feedback")},
        "/v1/readers": {"get": _operation("List the readers", {"200": {"type": "object"}})},
        "/v1/readers/{name}/reload": {
            "post": _operation("Reload a reader", {"200": {"type": "object"}}, [_NAME])
        },
        "/livez": health,
        "/readyz": health,
        "/metrics": {"get": _operation("Metrics for Prometheus", {"200": _ANY_TEXT})},
    }


def _of_collections() -> _Json:
    one = "/v1/collections/{name}"
    file = {"name": "file", "in": "query", "required": True, "schema": _ANY_TEXT}
    found = {"200": {"type": "object"}}
    listed = {
        "type": "object",
        "properties": {"collections": {"type": "array", "items": _ref("Collection")}},
        "required": ["collections"],
    }
    return {
        "/v1/collections": {"get": _operation("List the collections", {"200": listed})},
        one: {"get": _operation("Describe a collection", {"200": _ref("Collection")}, [_NAME])},
        f"{one}/search": {
            "post": _operation("Search for passages", found, "SearchRequest", path=[_NAME])
        },
        f"{one}/text": {"get": _operation("Get a file's text", {"200": _ANY_TEXT}, [_NAME, file])},
    }


def _operation(
    summary: str,
    responses: _Json,
    takes: str | list[_Json] | None = None,
    *,
    kind: str = "application/json",
    path: list[_Json] | None = None,
) -> _Json:
    """Return an operation; `takes` names the schema of its body or lists its path parameters."""
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
