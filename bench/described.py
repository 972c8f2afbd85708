"""Whether the service is as `/openapi.json` describes it: requests that schemathesis makes of it.

Right and wrong ones for every route, and what comes back: statuses, media types, the schemas of
answers, methods that a route does not have. This takes schemathesis, and a few minutes:

    pip install "schemathesis>=4.32"
    python -m pytest bench/described.py
"""

import json

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.specs.openapi import checks

from babelspan.service.openapi import description
from served import serving

EXAMPLES = 10


@schemathesis.serializer("application/x-ndjson")
def lines(_, value):
    return json.dumps(value).encode() + b"\n"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with serving(feedback=tmp_path_factory.mktemp("kept") / "feedback.jsonl") as served:
        yield f"http://127.0.0.1:{served.port}"


@schemathesis.openapi.from_dict(description()).parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, deadline=None)
def test_the_service_is_as_described(case, base):
    # a schema cannot say all, such as that an end is within the text; those requests are refused
    but = [checks.positive_data_acceptance]
    if case.operation.path == "/v1/batch":  # what is wrong with a line is told in its line
        but.append(checks.negative_data_rejection)
    case.call_and_validate(base_url=base, excluded_checks=but)
