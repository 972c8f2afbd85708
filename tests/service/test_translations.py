"""Texts with translations beside them: the answers of the reader, and what it does not read."""

import json
from dataclasses import replace

import pytest

from babelspan.networks.parallel_texts import Attention, ParallelReader
from babelspan.readers import answerer_of
from babelspan.reading.crew import Crew
from miniature import miniature_reader
from served import serving
from world import World

WORLD = World(0)
CODES = {"L0": "qaa", "L1": "qab", "L2": "qac"}


@pytest.fixture(scope="module")
def answerer():
    inner = miniature_reader(WORLD.vocabulary(), max_length=100)
    attention = Attention(languages=("qab", "qac"), heads=4)
    reader = ParallelReader(inner, attention, seed=3)
    reader.head.weight.data.normal_()
    return answerer_of(reader.eval())


@pytest.fixture(scope="module")
def beside(answerer):
    """A service whose reader reads translations into qab and qac."""
    with serving() as one:
        reader = one.service.readers.named(None)
        reader.crew.close()
        reader.crew = Crew(answerer.engine)
        reader.answerer = answerer.borrowing(reader.crew)
        yield one


def told(language):
    (example,) = WORLD.examples(1, language, language, seed=5)
    code = CODES[language]
    return replace(example, question_language=code, context_language=code, answers=None)


def request(*languages):
    own, others = told("L0"), [told(language) for language in languages]
    text = {"text": own.context}
    if others:
        text["translations"] = {o.context_language: o.context for o in others}
    asked = {"question": own.question, "texts": [text], "top_k": 2}
    if others:
        asked["question_translations"] = {o.question_language: o.question for o in others}
    return asked, replace(own, id="0", others=tuple(others))


@pytest.mark.parametrize("languages", [(), ("L1",), ("L2", "L1")])
def test_answers_are_those_of_the_reader_with_translations_beside(answerer, beside, languages):
    asked, example = request(*languages)
    status, found = beside.json("POST", "/v1/answer", asked)
    expected = answerer.among([example], top_k=2)
    assert status == 200, found
    assert len(expected) == 2
    assert [(a["answer"], a["logit"]) for a in found["answers"]] == [
        (f.prediction.text, f.prediction.logit) for f in expected
    ]
    for answer in found["answers"]:
        place = answer["place"]
        assert example.context[place["start"] : place["end"]] == answer["answer"]
    alone = answerer.among([replace(example, others=())], top_k=2)
    assert ([f.prediction.logit for f in alone] == [f.prediction.logit for f in expected]) is (
        not languages
    )


def test_a_batch_takes_them_too_and_a_translation_counts_for_the_rate(beside, monkeypatch):
    charged = []
    monkeypatch.setattr(beside.service.admission, "charge", lambda _, texts: charged.append(texts))
    lines = [json.dumps(request(*languages)[0]) for languages in ((), ("L1", "L2"))]
    status, _, content = beside.call(
        "POST", "/v1/batch", "\n".join(lines), **{"Content-Type": "application/x-ndjson"}
    )
    assert status == 200
    one, other = (json.loads(line) for line in content.splitlines())
    assert one["answers"][0]["logit"] != other["answers"][0]["logit"]
    assert charged == [1, 3]


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
@pytest.mark.parametrize("question", [True, False])
def test_a_reader_of_one_text_refuses_them(served, accept, question):
    asked, _ = request("L1")
    if question:
        del asked["texts"][0]["translations"]
    status, found = served.json("POST", "/v1/answer", asked, Accept=accept)
    assert status == 422
    assert found["detail"] == (
        "translations: expected a reader that reads translations into 'qab' beside a text, found "
        "one that reads one text only; leave them out, or name another reader"
    )


def test_another_language_and_a_missing_question_are_refused(beside):
    asked, _ = request("L1")
    asked["texts"][0]["translations"]["fr"] = "x"
    _, found = beside.json("POST", "/v1/answer", asked)
    assert (
        "into 'fr' beside a text, found one that reads translations into qab, qac"
        in (found["detail"])
    )
    asked, _ = request("L1", "L2")
    del asked["question_translations"]["qac"]
    status, found = beside.json("POST", "/v1/answer", asked)
    assert (status, found["where"]) == (422, "question_translations")
    assert (
        "expected the question in 'qac', as a text is translated into it, found none"
        in (found["detail"])
    )


@pytest.mark.parametrize("key", ["<b>\n", "x" * 400])
def test_a_key_that_is_no_language_is_told_on_one_line(beside, key):
    asked, _ = request()
    asked["texts"][0]["translations"] = {key: "x"}
    status, found = beside.json("POST", "/v1/answer", asked)
    assert status == 422
    assert "\n" not in found["detail"] and len(found["detail"]) < 400


def test_the_readers_say_what_they_read_and_openapi_has_the_keys(beside, served):
    for one, languages in ((beside, ["qab", "qac"]), (served, [])):
        _, found = one.json("GET", "/v1/readers")
        assert found["readers"][0]["languages_beside"] == languages
    _, found = served.json("GET", "/openapi.json")
    schemas = found["components"]["schemas"]
    assert schemas["Text"]["properties"]["translations"]["type"] == "object"
    assert "question_translations" in schemas["BatchLine"]["properties"]
