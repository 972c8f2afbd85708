"""Test the service against its description in `/openapi.json` with schemathesis.

schemathesis sends valid and invalid requests to every route and checks the responses: status codes,
media types, schemas, unsupported methods. Half of the names in paths exist: a stored text, a
collection with its file, and a reader of the service. Needs schemathesis and takes a few minutes:

    pip install "schemathesis>=4.32"
    python -m pytest bench/described.py
"""

import json
from hashlib import sha256

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.specs.openapi import checks

from babelspan.jobs.index import index
from babelspan.service.collections import opened
from babelspan.service.openapi import description
from served import TEXT, serving

EXAMPLES = 40
STORED = f"sha256:{sha256(TEXT.encode()).hexdigest()}"
KNOWN = {"/v1/collections/": "papers", "/v1/readers/": "default", "/v1/documents/": STORED}
"""An existing name for each prefix of a path."""


@schemathesis.serializer("application/x-ndjson")
def lines(_, value):
    return json.dumps(value).encode() + b"\n"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The address of a service with a collection of one file, and with feedback enabled."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "papers").mkdir()
    (folder / "papers" / "lake.txt").write_text(TEXT, encoding="utf-8")
    index([folder / "papers"], folder / "papers.index")
    collections = opened({"papers": str(folder / "papers.index")})
    with serving(collections, feedback=folder / "feedback.jsonl") as served:
        yield f"http://127.0.0.1:{served.port}", str(folder / "papers" / "lake.txt"), served


@schemathesis.openapi.from_dict(description()).parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, deadline=None)
def test_the_service_is_as_described(case, base):
    address, file, served = base
    served.call("PUT", "/v1/documents/lake.txt", TEXT)
    name_a_known_thing(case, file)
    # a schema cannot express everything, such as an end within the text; such requests are refused
    but = [checks.positive_data_acceptance]
    if case.operation.path == "/v1/batch":  # errors of a line are reported in its line
        but.append(checks.negative_data_rejection)
    case.call_and_validate(base_url=address, excluded_checks=but)


def name_a_known_thing(case, file):
    """Use an existing name in every other case; the rest keep generated names."""
    path = case.operation.path
    if sha256(repr((case.path_parameters, case.query, case.body)).encode()).digest()[0] % 2:
        return
    for key in case.path_parameters or {}:
        case.path_parameters[key] = next(n for p, n in KNOWN.items() if path.startswith(p))
    if "file" in (case.query or {}):
        case.query["file"] = file
