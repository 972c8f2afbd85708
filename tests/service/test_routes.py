"""What the routes answer: the same as the answerer, in every form that it is asked in."""

import json

import pytest

from babelspan.data.squad import load_squad
from babelspan.documents.confined import confined
from served import SAMPLES, TEXT, default_answerer
from world import World

EVENTS = {"Accept": "text/event-stream"}
LINES = {"Content-Type": "application/x-ndjson"}


def samples():
    return [load_squad(SAMPLES / f"test.{code}.json")[0] for code in ("ar", "de", "hi", "ko", "zh")]


@pytest.mark.parametrize("example", samples(), ids=lambda e: e.id)
def test_an_answer_is_that_of_the_answerer_bit_for_bit(served, example):
    before = "👨\u200d👩\u200d👧 e\u0301 \U00010348 "
    texts = [before + example.context * 4, "Nothing else is here."]
    status, found = served.json(
        "POST",
        "/v1/answer",
        {"question": example.question, "texts": [{"text": t} for t in texts], "top_k": 3},
    )
    expected = default_answerer().ask(example.question, texts, top_k=3)
    assert status == 200
    assert [(a["answer"], a["score"], a["logit"], a["probability"]) for a in found["answers"]] == [
        (p.text, p.score, p.logit, p.probability) for p in (f.prediction for f in expected)
    ]
    for answer, f in zip(found["answers"], expected, strict=True):
        text, place = texts[f.context], answer["place"]
        assert place["document"] == f"text {f.context + 1}"
        start, end = place["start"], place["end"]
        assert text[start:end] == answer["answer"]
        assert (
            text.encode()[place["utf8"]["start"] : place["utf8"]["end"]].decode()
            == (answer["answer"])
        )
        wide = text.encode("utf-16-le")
        assert wide[2 * place["utf16"]["start"] : 2 * place["utf16"]["end"]] == (
            answer["answer"].encode("utf-16-le")
        )
        assert text[:start].endswith(answer["before"]) and len(answer["before"]) == min(120, start)
        assert text[end:].startswith(answer["after"])
    share = found["no_answer_score"] + sum(a["score"] for a in found["answers"])
    assert 0 < share <= 1 + 1e-9
    assert found["complete"] and found["read"]["windows"] == found["read"]["of"] > 1


def test_named_languages_reach_the_reader(served):
    question = "In which year was the bridge built?"
    text = "Die alte Brücke wurde im Jahr 1357 gebaut, das Tor im Jahr 1380."
    asked = [
        {"question": question, "texts": [{"text": text}]},
        {"question": question, "texts": [{"text": text, "language": "de"}]},
        {"question": question, "texts": [{"text": text}], "question_language": "fr"},
    ]
    found = [served.json("POST", "/v1/answer", one)[1]["answers"][0]["logit"] for one in asked]
    expected = [
        default_answerer().ask(question, text, **spoken)[0].prediction.logit
        for spoken in ({}, {"context_language": "de"}, {"question_language": "fr"})
    ]
    assert found == expected
    assert found[0] == found[1] != found[2]


def test_direction_and_language_come_with_an_answer(served):
    text = {"text": "تأسست المكتبة عام 1924 في مدينة القدس.", "language": "ar", "name": "a.txt"}
    _, found = served.json(
        "POST", "/v1/answer", {"question": "When was the library founded?", "texts": [text]}
    )
    (answer,) = found["answers"]
    assert answer["answer"].endswith("1924")
    assert (answer["direction"], answer["language"]) == ("rtl", "ar")
    assert answer["place"]["document"] == "a.txt"
    assert served.ask()[1]["answers"][0]["direction"] == "ltr"
    assert served.ask()[1]["answers"][0]["language"] == "und"


def test_a_reader_that_is_not_calibrated_gives_no_probability(served):
    answerer = served.service.readers.named(None).answerer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answerer, "calibration", None)
        (answer,) = served.ask()[1]["answers"]
    assert "probability" not in answer
    (answer,) = served.ask()[1]["answers"]
    assert 0 < answer["probability"] < 1


def test_texts_without_anything_have_no_answer(served):
    status, found = served.ask(text=" \n")
    assert (status, found["answers"], found["no_answer_score"]) == (200, [], 1.0)
    assert found["complete"] and found["read"] == {"windows": 0, "of": 0, "texts": 1}


@pytest.mark.parametrize(
    "question", ["?!…", "😀" * 50, "\u0301" * 100, "\x00", "𐍈𐍈?", "e\u0301" * 100]
)
def test_odd_questions_are_answered(served, question):
    status, found = served.ask(question)
    assert status == 200
    for answer in found["answers"]:
        assert TEXT[answer["place"]["start"] : answer["place"]["end"]] == answer["answer"]


@pytest.mark.parametrize(
    "text",
    [
        "x" * 20_000,
        "a\r\nb\rc\u2028d",
        "\ufeffThe lake",
        "สะพานเก่าอยู่เหนือแม่น้ำ" * 20,
        "\u202eright to left\u202c lake",
        "\ue000\ue001 lake",
        "e\u0301 é lake",
    ],
)
def test_odd_texts_keep_their_places(served, text):
    status, found = served.ask(text=text, top_k=2)
    assert status == 200
    for answer in found["answers"]:
        assert text[answer["place"]["start"] : answer["place"]["end"]] == answer["answer"]


def test_an_event_stream_ends_in_the_same_answer(served):
    body = {"question": "Where is the lake?", "texts": [{"text": TEXT * 40}], "top_k": 2}
    status, headers, content = served.call("POST", "/v1/answer", body, **EVENTS)
    events = [block.split("\n") for block in content.decode().split("\n\n")[:-1]]
    names = [lines[0].removeprefix("event: ") for lines in events]
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    assert names[-1] == "done" and names.count("done") == 1
    assert set(names) <= {"progress", "answers", "done"}
    done = json.loads(events[-1][1].removeprefix("data: "))
    assert done == served.json("POST", "/v1/answer", body)[1]


def test_an_event_stream_of_a_bad_request_is_a_plain_problem(served):
    status, headers, _ = served.call("POST", "/v1/answer", {"question": "Who?"}, **EVENTS)
    assert (status, headers["content-type"]) == (422, "application/problem+json")


def test_a_batch_is_answered_in_order_line_by_line(served):
    lines = [
        {"id": i, "question": "Where is it?", "texts": [{"text": TEXT * (1 + 7 * (i % 2))}]}
        for i in range(12)
    ]
    broken = ["{", json.dumps({"id": "x", "question": "Who?"}), "[]", "", " "]
    body = "\n".join([*map(json.dumps, lines), *broken])
    status, headers, content = served.call("POST", "/v1/batch", body, **LINES)
    found = [json.loads(line) for line in content.splitlines()]
    assert (status, headers["content-type"]) == (200, "application/x-ndjson")
    assert [line["id"] for line in found] == [*range(12), None, "x", None]
    assert [line.get("error", {}).get("status") for line in found] == [None] * 12 + [400, 422, 422]
    for line, asked in zip(found, lines, strict=False):
        alone = served.json("POST", "/v1/answer", {k: v for k, v in asked.items() if k != "id"})
        assert {k: v for k, v in line.items() if k != "id"} == alone[1]


def test_stored_documents_are_asked_about_by_id(served):
    raw = f"{TEXT}\r\n".encode()
    status, stored = served.json("PUT", "/v1/documents/lake%20and%20ship.txt", raw)
    assert (status, stored["name"], stored["bytes"]) == (201, "lake and ship.txt", len(raw))
    assert served.json("PUT", "/v1/documents/other", raw)[0] == 200
    path = f"/v1/documents/{stored['id']}"
    assert served.json("GET", path) == (200, stored | {"name": "other"})
    assert served.call("GET", f"{path}/text")[2] == raw
    asked = {"question": "Where is the lake?"}
    _, found = served.json("POST", "/v1/answer", asked | {"documents": [stored["id"]]})
    assert found["answers"][0]["answer"] == served.ask(text=raw.decode())[1]["answers"][0]["answer"]
    assert found["answers"][0]["place"]["document"] == "other"
    assert served.call("DELETE", path)[0] == 204
    assert served.json("GET", path)[0] == 404
    status, problem = served.json("POST", "/v1/answer", asked | {"documents": [stored["id"]]})
    assert status == 404 and "is not stored, or no longer; send it again" in problem["detail"]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"%PDF-1.7", "expected a PDF that can be opened"),
        (b"\xff\xff", "expected UTF-8"),
        (b" ", "white space only"),
    ],
)
def test_documents_that_are_no_text_are_refused(served, raw, why):
    status, problem = served.json("PUT", "/v1/documents/x", raw)
    assert status == 422 and why in problem["detail"]


def test_a_reader_of_files_that_is_killed_is_started_again(served):
    assert served.json("PUT", "/v1/documents/a.pdf", b"%PDF-1.7 broken")[0] == 422
    child = confined()._child
    child.kill()
    child.wait()
    page = b"<!doctype html><p>The lake lies in <b>Siberia</b>."
    status, stored = served.json("PUT", "/v1/documents/a.html", page)
    assert (status, stored["kind"]) == (201, "html")
    body = {"question": "Where is the lake?", "documents": [stored["id"]]}
    (answer,) = served.json("POST", "/v1/answer", body)[1]["answers"]
    source = answer["place"]["source"]
    assert page[source["start"] : source["end"]] == answer["answer"].encode() == b"Siberia"


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"top_k": 3},
        {"topk": 2, "max_answer_len": 3},
        {"handle_impossible_answer": True},
        {"doc_stride": 16, "max_seq_len": 64},
    ],
)
def test_the_old_pipeline_is_the_call_of_the_answerer(served, parameters):
    context = TEXT * 8
    status, found = served.json(
        "POST",
        "/v1/pipeline",
        {"inputs": {"question": "Who?", "context": context}, "parameters": parameters},
    )
    options = {"top_k" if k == "topk" else k: v for k, v in parameters.items()}
    assert (status, found) == (200, default_answerer()("Who?", context, **options))


def test_judgements_become_questions_to_train_on(served):
    path = served.service.settings.feedback
    judged = {"question": "Where is the lake?", "text": TEXT, "start": 17, "end": 24}
    for verdict in ("right", "none", "wrong"):
        assert served.call("POST", "/v1/feedback", judged | {"verdict": verdict})[0] == 204
    right, none = load_squad(path)
    assert [a.text for a in right.answers] == [TEXT[17:24]] == ["Siberia"]
    assert (right.question, right.context, none.answers) == (judged["question"], TEXT, ())
    assert len(load_squad(path.with_name("feedback.wrong.jsonl"))) == 1
    status, problem = served.json("POST", "/v1/feedback", judged | {"verdict": "right", "end": 17})
    assert status == 422 and "0 <= start < end" in problem["detail"]


def test_readers_are_told_and_loaded_anew(served):
    status, found = served.json("GET", "/v1/readers")
    (reader,) = found["readers"]
    assert (status, reader["name"], found["feedback"]) == (200, "default", True)
    before = served.service.readers.named(None)
    assert served.json("POST", "/v1/readers/default/reload")[1]["sha256"] == reader["sha256"]
    assert served.service.readers.named(None) is not before
    assert served.ask()[0] == 200
    assert served.json("POST", "/v1/readers/defualt/reload")[0] == 404
    status, problem = served.ask(reader="defualt")
    assert status == 404 and "did you mean 'default'?" in problem["detail"]


def test_a_broken_reader_is_told_and_the_old_one_stays(served):
    old = served.service.readers.named(None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("babelspan.service.readers.load_answerer", broken)
        status, problem = served.json("POST", "/v1/readers/default/reload")
    assert status == 409 and "the old one stays: no reader here" in problem["detail"]
    assert served.service.readers.named(None) is old
    assert served.ask()[0] == 200


def broken(source, workers):
    from babelspan.types import DataError

    raise DataError("no reader here")


def test_the_description_names_every_route(served):
    _, described = served.json("GET", "/openapi.json")
    assert described["openapi"] == "3.1.0"
    from babelspan.service.app import make_app

    router = make_app(served.service)._app
    routes = {r.path for r in router.routes} - {"/", "/openapi.json"}
    assert routes - set(described["paths"]) == {"/v2/health/live", "/v2/health/ready"}
    assert set(described["paths"]) <= routes
    text = json.dumps(described)
    for reference in set(text.split('"$ref": "')[1:]):
        name = reference.split('"')[0].removeprefix("#/components/schemas/")
        assert name in described["components"]["schemas"]


def test_health_and_counters(served):
    for path in ("/livez", "/readyz", "/v2/health/live", "/v2/health/ready"):
        assert served.call("GET", path)[0] == 200
        assert served.call("HEAD", path)[2] == b""
    served.ask()
    text = served.call("GET", "/metrics")[2].decode()
    assert 'babelspan_requests_total{route="/v1/answer",status="200"}' in text
    assert 'babelspan_ready{reader="default"} 1.0' in text


def test_the_world_of_the_tests_fits_through_a_batch(served):
    examples = World(0).examples(20)
    body = "\n".join(
        json.dumps({"id": e.id, "question": e.question, "texts": [{"text": e.context}]})
        for e in examples
    )
    found = map(json.loads, served.call("POST", "/v1/batch", body, **LINES)[2].splitlines())
    for line, example in zip(found, examples, strict=True):
        (best,) = default_answerer().ask(example.question, [example.context])
        assert (line["id"], line["answers"][0]["answer"]) == (example.id, best.prediction.text)
        assert line["answers"][0]["score"] == best.prediction.score
