"""Whatever is sent, nothing is a bug of ours; real questions are answered as `predict` does."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.data.squad import load_squad
from served import default_answerer

KEYS = [
    *("question", "texts", "text", "name", "language", "documents", "reader", "top_k", "within"),
    *("partial", "surroundings", "max_answer_tokens", "inputs", "context", "parameters"),
    *("doc_stride", "max_seq_len", "verdict", "start", "end", "id"),
    *("translations", "question_translations", "collection", "passages", "question_language"),
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["right", "wrong", "none", "default", "en", "Where is it?"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
NEARLY_RIGHT = {
    "/v1/answer": {"question": "Where?", "texts": [{"text": "It is in Siberia."}]},
    "/v1/pipeline": {"inputs": {"question": "Where?", "context": "It is in Siberia."}},
    "/v1/feedback": {"question": "Where?", "text": "In Siberia.", "verdict": "none"},
    "/v1/batch": {"id": 1, "question": "Where?", "texts": [{"text": "It is in Siberia."}]},
}


@settings(max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize("path", NEARLY_RIGHT)
def test_no_request_is_a_bug_of_ours(served, path, data):
    body = dict(NEARLY_RIGHT[path])
    for key in data.draw(st.lists(st.sampled_from(KEYS), max_size=2)):
        body[key] = data.draw(VALUES)
    whole = data.draw(st.sampled_from([body, data.draw(VALUES)]))
    kind = "application/x-ndjson" if path == "/v1/batch" else "application/json"
    status, _, content = served.call("POST", path, json.dumps(whole), **{"Content-Type": kind})
    assert status < 500, content
    if content:
        found = json.loads(content.splitlines()[0])
        error = found.get("error", found) if isinstance(found, dict) else {}
        assert status == 200 or error["status"] == status
        assert error.get("status", 200) < 500


@settings(max_examples=60)
@given(raw=st.binary(max_size=40))
@pytest.mark.parametrize("path", NEARLY_RIGHT)
def test_no_bytes_are_a_bug_of_ours(served, path, raw):
    kind = "application/x-ndjson" if path == "/v1/batch" else "application/json"
    status, _, content = served.call("POST", path, raw, **{"Content-Type": kind})
    assert status < 500, content
    lines = content.splitlines() if path == "/v1/batch" else []
    assert all(json.loads(line)["error"]["status"] < 500 for line in lines)


@pytest.mark.data
@pytest.mark.parametrize("language", ["en", "zh"])
def test_real_questions_are_answered_as_predict_does(served, real_data, language):
    """A sample: each answer of `predict` has the same bits through the route."""
    examples = load_squad(real_data / "qa" / "xquad" / f"test.{language}.json.gz")[::40]
    for example, best in zip(examples, default_answerer().predict(examples), strict=True):
        inputs = {"question": example.question, "context": example.context}
        body = {"inputs": inputs, "parameters": {"max_answer_len": 30}}
        status, found = served.json("POST", "/v1/pipeline", body)
        place = (best.span.start, best.span.end)
        assert (status, found["answer"], found["score"]) == (200, best.text, best.score)
        assert (found["start"], found["end"]) == place
