"""Bad requests: each gets its status, and one sentence that says what was expected and found."""

import json
import time

import pytest

from served import TEXT, serving

GOOD = {"question": "Where is the lake?", "texts": [{"text": TEXT}]}


def changed(**keys):
    return json.dumps(GOOD | keys)


MANY_KEYS = ", ".join(f'"key {n}": {n}' for n in range(200_000))
BODIES = {
    "truncated": ('{"question": "W', 400, "expected JSON, found an error at line 1 column 14"),
    "empty": ("", 400, "expected JSON"),
    "NaN": ('{"within": NaN}', 400, "expected a number, found NaN, which is not valid JSON"),
    "infinity": ('{"within": -Infinity}', 400, "found -Infinity"),
    "huge": ('{"within": 1e999}', 400, "expected a number below 1.8e308, found 1e999"),
    "digits": (f'{{"top_k": {"9" * 100_000}}}', 400, "the body: "),
    "twice": ('{"top_k": 1, "top_k": 2}', 400, "expected each key once, found 'top_k' twice"),
    "twice among many": (f'{{{MANY_KEYS}, "key 199999": 0}}', 400, "found 'key 199999' twice"),
    "deep": ("[" * 100_000, 400, "nested too deeply"),
    "surrogate": ('{"question": "\\ud83c"}', 400, "found half of a surrogate pair"),
    "raw surrogate": ('{"question": "\ud83c"}', 400, "expected JSON in UTF-8, found the byte 0xed"),
    "utf-16": (GOOD["question"].encode("utf-16"), 400, "expected JSON in UTF-8"),
    "list": ("[]", 422, "expected a JSON object, found a list of 0"),
    "text": ('"x"', 422, "expected a JSON object, found 'x'"),
    "unknown key": (changed(topk=3), 422, "unknown key 'topk'; did you mean 'top_k'?"),
    "inner key": (changed(texts=[{"txt": "x"}]), 422, "unknown key 'txt'; did you mean 'text'?"),
    "no question": ('{"texts": [{"text": "x"}]}', 422, "expected a key 'question', found none"),
    "blank": (changed(question=" \n"), 422, "question: expected a question, found ' \\n'"),
    "no text": (
        changed(texts=[]),
        422,
        "expected either texts, documents (one or more) or a collection, found none",
    ),
    "both": (changed(documents=["sha256:0"]), 422, "found both"),
    "number": (changed(question=3), 422, "question: expected a valid string, found 3"),
    "long": (changed(question="x" * 1001), 422, "at most 1000 characters"),
    "too many tokens": (changed(question="\u0301e " * 300), 422, "shorten it"),
    "top_k 0": (changed(top_k=0), 422, "top_k: expected greater than or equal to 1, found 0"),
    "top_k -1": (changed(top_k=-1), 422, "found -1"),
    "top_k 10^9": (changed(top_k=10**9), 422, "less than or equal to 100, found 1000000000"),
    "top_k true": (changed(top_k=True), 422, "top_k: expected a valid integer, found true"),
    "top_k text": (changed(top_k="3"), 422, "top_k: expected a valid integer, found '3'"),
    "top_k 2.0": (changed(top_k=2.0), 422, "top_k: expected a valid integer, found 2.0"),
    "within 0": (changed(within=0), 422, "within: expected greater than 0"),
    "partial": (changed(partial="yes"), 422, "partial: expected a valid boolean"),
    "null": (changed(texts=None), 422, "texts: expected a valid list, found null"),
    "language": (
        changed(texts=[{"text": "x", "language": "<b>"}]),
        422,
        "expected a language code such as zh",
    ),
    "many": (changed(texts=[{"text": "x"}] * 101), 422, "at most 100 items"),
    "no object": (changed(texts=["x"]), 422, "texts.0: expected an object, found 'x'"),
}


@pytest.mark.parametrize(("body", "status", "why"), BODIES.values(), ids=BODIES)
def test_a_bad_body_is_told_in_one_sentence(served, body, status, why):
    found, headers, content = served.call(
        "POST", "/v1/answer", body, **{"Content-Type": "application/json"}
    )
    problem = json.loads(content)
    assert (found, headers["content-type"]) == (status, "application/problem+json")
    assert why in problem["detail"]
    assert problem["status"] == status and problem["type"] == "about:blank" and problem["title"]
    assert "\n" not in problem["detail"] and len(problem["detail"]) < 400


@pytest.mark.parametrize(
    ("headers", "status", "why"),
    [
        ({"Content-Type": "text/plain"}, 415, "expected application/json, found 'text/plain'"),
        ({"Content-Encoding": "gzip"}, 415, "expected an uncompressed body, found 'gzip'"),
        ({"Host": "evil.example"}, 421, "found 'evil.example'"),
        ({"Host": "127.0.0.1.evil.example:80"}, 421, "Host"),
        ({"Origin": "http://evil.example"}, 403, "Origin: 'http://evil.example'"),
        ({"Origin": "null"}, 403, "expected a request from this service's own page"),
    ],
)
def test_bad_headers_are_refused(served, headers, status, why):
    found, problem = served.json("POST", "/v1/answer", GOOD, **headers)
    assert found == status and why in problem["detail"]


def test_the_own_page_may_ask(served):
    own = {"Origin": f"http://127.0.0.1:{served.port}"}
    assert served.json("POST", "/v1/answer", GOOD, **own)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/answer", 405),
        ("TRACE", "/", 405),
        ("DELETE", "/v1/readers", 405),
        ("GET", "/../etc/passwd", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "//v1/readers", 404),
        ("GET", "/v1/documents/%00", 404),
        ("GET", "/v1/documents/..%2F..%2Fetc%2Fpasswd", 404),
        ("PUT", "/v1/documents/..%2Fpasswd", 404),
        ("GET", f"/{'x' * 10_000}", 404),
        ("POST", "/v1/nothing", 404),
    ],
)
def test_other_paths_and_methods_are_refused(served, method, path, status):
    found, headers, content = served.call(method, path)
    assert (found, headers["content-type"]) == (status, "application/problem+json")
    assert json.loads(content)["status"] == status


def test_a_wrong_path_is_named_with_where_the_right_ones_are_listed(served):
    _, _, content = served.call("POST", "/v1/answers")
    told = "there is no '/v1/answers'; GET /openapi.json lists all paths"
    assert json.loads(content)["detail"] == told


def test_a_wrong_method_is_told_the_right_ones(served):
    for path, methods in (
        ("/v1/answer", "OPTIONS, POST"),
        ("/v1/documents/x", "DELETE, GET, HEAD, OPTIONS, PUT"),
    ):
        status, headers, _ = served.call("TRACE", path)
        assert (status, headers["allow"]) == (405, methods)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_token_is_asked_for(tmp_path, scheme):
    token = "correct-horse-battery-staple"
    (tmp_path / "token").write_text(f"{token}\n")
    with serving(token_file=tmp_path / "token") as service:
        status, headers, content = service.call("POST", "/v1/answer", GOOD)
        assert (status, headers["www-authenticate"]) == (401, "Bearer")
        assert token not in content.decode()
        for given in ("Bearer wrong", "Basic correct-horse-battery-staple", "Bearer", "Bearer é"):
            answer = service.json(
                "POST", "/v1/answer", GOOD, Authorization=given.encode().decode("latin-1")
            )
            assert answer[0] == 401
        for path in ("/v1/readers", "/metrics"):
            assert service.call("GET", path)[0] == 401
            assert service.call("GET", path, Authorization=f"{scheme} {token}")[0] == 200
        for path in ("/", "/livez", "/readyz", "/openapi.json"):
            assert service.call("GET", path)[0] == 200


def test_other_origins_ask_where_they_may():
    page = {"Origin": "https://example.org"}
    with serving(origins=("https://example.org",)) as service:
        status, headers, _ = service.call("POST", "/v1/answer", GOOD, **page)
        assert (status, headers["access-control-allow-origin"]) == (200, page["Origin"])
        asks = {"Access-Control-Request-Method": "POST", **page}
        status, headers, _ = service.call("OPTIONS", "/v1/answer", **asks)
        assert (status, headers["access-control-allow-origin"]) == (204, page["Origin"])
        assert service.call("OPTIONS", "/v1/answer", Origin="http://evil.example")[0] == 403
        assert service.call("POST", "/v1/answer", GOOD, Origin="http://evil.example")[0] == 403


def test_every_response_tells_browsers_to_trust_nothing(served):
    for path in ("/", "/v1/readers", "/nothing"):
        headers = served.call("GET", path)[1]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "server" not in headers


def test_logs_hold_no_texts_and_no_second_lines(served, capfd):
    served.ask("Where is the secret\nlake?", text="The secret lake lies here.")
    served.call("GET", "/v1/documents/a%0Ab%22secret")
    logged, end = "", time.monotonic() + 30
    wanted = ('"/v1/answer"', '"/v1/documents/{id}"')
    while not all(route in logged for route in wanted) and time.monotonic() < end:
        time.sleep(0.05)  # a line comes after its response, that of an earlier request perhaps now
        logged += capfd.readouterr().err
    assert all(route in logged for route in wanted)
    lines = logged.splitlines()
    assert all(json.loads(line)["event"] == "request" for line in lines)
    assert "secret" not in "".join(lines)
