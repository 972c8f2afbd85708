"""The HTTP routes of a service."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from babelspan.service import feedback as judgements
from babelspan.service import metrics
from babelspan.service.answering import Service
from babelspan.service.bodies import body_of, see_that_it_is
from babelspan.service.documents import Stored
from babelspan.service.guard import Guard
from babelspan.service.openapi import description
from babelspan.service.page import page_response
from babelspan.service.problems import Problem
from babelspan.service.schema import (
    AnswerRequest,
    Feedback,
    PipelineRequest,
    SearchRequest,
    built,
)
from babelspan.service.settings import MIB
from babelspan.service.streams import EVENTS, LINES, Batch, EventStream, client_left, unless
from babelspan.types import ConfigError, DataError

JSON = "application/json"


def make_app(service: Service) -> Guard:
    """Return the ASGI application of a service."""
    routes = [
        Route("/", page),
        Route("/v1/answer", answer, methods=["POST"]),
        Route("/v1/batch", batch, methods=["POST"]),
        Route("/v1/documents/{name}", put_document, methods=["PUT"]),
        Route("/v1/documents/{id}/text", document_text),
        Route("/v1/documents/{id}", document),
        Route("/v1/documents/{id}", remove_document, methods=["DELETE"]),
        Route("/v1/collections", collections),
        Route("/v1/collections/{name}", collection),
        Route("/v1/collections/{name}/search", search, methods=["POST"]),
        Route("/v1/collections/{name}/text", collection_text),
        Route("/v1/pipeline", pipeline, methods=["POST"]),
        Route("/v1/feedback", feedback, methods=["POST"]),
        Route("/v1/readers", readers),
        Route("/v1/readers/{name}/reload", reload, methods=["POST"]),
        Route("/openapi.json", openapi),
        Route("/livez", live),
        Route("/v2/health/live", live),
        Route("/readyz", ready),
        Route("/v2/health/ready", ready),
        Route("/metrics", measured),
    ]
    return Guard(Router(routes, redirect_slashes=False), service)


async def page(request: Request) -> Response:
    """Return the web page."""
    return page_response(request.headers.get("if-none-match"))


async def answer(request: Request) -> Response:
    """Answer one question."""
    service = _service(request)
    wanted = built(AnswerRequest, await _json(request))
    request.scope["state"]["question"] = wanted.question
    if EVENTS in request.headers.get("accept", ""):
        service.named_texts(wanted)  # report wrong names now, while the status can still be set
        return EventStream(service, wanted, _client(request))
    work = service.answer(wanted, _client(request))
    return JSONResponse(await unless(client_left(request.receive), work))


async def batch(request: Request) -> Response:
    """Answer many questions, one per line."""
    see_that_it_is(request, LINES)
    return Batch(_service(request), request, _client(request))


async def pipeline(request: Request) -> Response:
    """Answer one question in the format of the former transformers pipeline."""
    wanted = built(PipelineRequest, await _json(request))
    work = _service(request).pipeline(wanted, _client(request))
    return JSONResponse(await unless(client_left(request.receive), work))


async def put_document(request: Request) -> Response:
    """Store a document."""
    service = _service(request)
    raw = await _body(request)
    stored = await service.read_file(service.documents.read, request.path_params["name"], raw)
    is_new = service.documents.keep(stored)
    service.metrics.documents.set(service.documents.memory)
    return JSONResponse(stored.about(), 201 if is_new else 200)


async def document(request: Request) -> Response:
    """Describe a stored document."""
    return JSONResponse(_stored(request).about())


async def document_text(request: Request) -> Response:
    """Return the text of a stored document."""
    text = _stored(request).named.text
    return Response(text.encode(), media_type="text/plain; charset=utf-8")


async def remove_document(request: Request) -> Response:
    """Delete a stored document."""
    service = _service(request)
    service.documents.remove(request.path_params["id"])
    service.metrics.documents.set(service.documents.memory)
    return Response(status_code=204)


async def collections(request: Request) -> Response:
    """List the collections."""
    service = _service(request)
    return JSONResponse({"collections": await service.about_collections()})


async def collection(request: Request) -> Response:
    """Describe a collection."""
    service = _service(request)
    wanted = service.collection(request.path_params["name"])
    await service.searched(wanted.check)
    return JSONResponse(wanted.about())


async def search(request: Request) -> Response:
    """Search a collection for passages."""
    wanted = built(SearchRequest, await _json(request))
    work = _service(request).passages(request.path_params["name"], wanted)
    return JSONResponse({"passages": await unless(client_left(request.receive), work)})


async def collection_text(request: Request) -> Response:
    """Return the full text of a file of a collection, to show an answer in it."""
    service = _service(request)
    wanted = service.collection(request.path_params["name"])
    text = await service.read_file(wanted.text, request.query_params.get("file", ""))
    return Response(text.encode(), media_type="text/plain; charset=utf-8")


async def feedback(request: Request) -> Response:
    """Save a judgement of an answer."""
    service = _service(request)
    if service.settings.feedback is None:
        raise Problem(404, "judgements are not saved here; start the service with --feedback FILE")
    judged = built(Feedback, await _json(request))
    await service.in_thread(0, judgements.append, service.settings.feedback, judged)
    return Response(status_code=204)


async def readers(request: Request) -> Response:
    """List the readers, and the settings that the page needs."""
    service = _service(request)
    return JSONResponse(
        {
            "readers": [reader.about() for reader in service.readers],
            "feedback": service.settings.feedback is not None,
            "collections": list(service.collections),
        }
    )


async def reload(request: Request) -> Response:
    """Reload a reader; allowed only with the token, or from this machine."""
    service = _service(request)
    name = request.path_params["name"]
    try:
        reader = await service.in_thread(MIB, service.readers.reload, name)
    except (DataError, ConfigError) as error:
        raise Problem(409, f"the reader could not be loaded, the old one stays: {error}") from None
    return JSONResponse(reader.about())


async def openapi(request: Request) -> Response:
    """Return the OpenAPI description."""
    return JSONResponse(description(_service(request).settings.root_path))


async def live(_: Request) -> Response:
    """Report that the process is running."""
    return JSONResponse({"live": True})


async def ready(request: Request) -> Response:
    """Report that all readers are loaded and requests are accepted."""
    _service(request).admission.refuse_while_draining()
    return JSONResponse({"ready": True})


async def measured(request: Request) -> Response:
    """Return the metrics for Prometheus."""
    service = _service(request)
    for reader in service.readers:
        service.metrics.ready.labels(reader.name).set(1)
        service.metrics.waiting.labels(reader.name).set(reader.crew.waiting)
    for about in await service.about_collections():
        service.metrics.passages.labels(about["name"]).set(about["passages"])
        service.metrics.available.labels(about["name"]).set(about["available"])
    return Response(service.metrics.text(), headers={"content-type": metrics.MEDIA_TYPE})


def _service(request: Request) -> Service:
    service: Service = request.scope["state"]["service"]
    return service


def _client(request: Request) -> str:
    """Return the client's name for the rate limit."""
    return "token" if request.client is None else request.client.host


def _stored(request: Request) -> Stored:
    return _service(request).documents.get(request.path_params["id"])


async def _body(request: Request) -> bytes:
    settings = _service(request).settings
    return await body_of(
        request,
        largest=settings.body_mib * MIB,
        idle=settings.idle_seconds,
        hold=request.scope["state"]["hold"],
    )


async def _json(request: Request) -> Any:
    see_that_it_is(request, JSON)
    raw = await _body(request)
    return await _service(request).parsed(raw)
