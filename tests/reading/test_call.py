"""The call of the pipeline of transformers 4: what is taken, what is refused and how."""

import copy
import pickle
from dataclasses import make_dataclass

import pytest

import babelspan
from babelspan.types import ConfigError

QUESTION = "When was the bridge opened?"
OTHER = "Who built the bridge?"
CONTEXT = "The bridge was opened in 1894. It was built by Horace Jones."
RECORD = {"question": QUESTION, "context": CONTEXT}
SquadExample = make_dataclass("SquadExample", ["question_text", "context_text"])


@pytest.fixture(scope="module")
def qa():
    return babelspan.load_answerer()


@pytest.fixture(scope="module")
def answer(qa):
    found = qa(QUESTION, CONTEXT)
    assert found["answer"] == "1894"
    return found


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((QUESTION, CONTEXT), {}),
        ((QUESTION,), {"context": CONTEXT}),
        ((), RECORD),
        ((RECORD,), {}),
        ((), {"data": RECORD}),
        ((), {"X": RECORD}),
        ((SquadExample(QUESTION, CONTEXT),), {}),
        ((), RECORD | {"top_k": None, "doc_stride": None, "max_answer_len": None}),
        ((), RECORD | {"max_seq_len": None, "handle_impossible_answer": None}),
        ((), RECORD | {"batch_size": 8, "padding": "longest", "num_workers": 2}),
    ],
)
def test_one_question_in_every_form_gives_a_dict(qa, answer, words, named):
    assert qa(*words, **named) == answer


@pytest.mark.parametrize(
    "records",
    [[RECORD], (RECORD, RECORD), [RECORD, SquadExample(QUESTION, CONTEXT)]],
)
@pytest.mark.parametrize("name", [None, "data", "X"])
def test_records_give_a_list(qa, answer, records, name):
    found = qa(records) if name is None else qa(**{name: records})
    assert found == [answer] * len(records)


def test_an_iterator_of_records_is_answered_as_it_is_read(qa, answer):
    taken = []

    def records():
        for number in range(400):
            taken.append(number)
            yield RECORD

    found = qa(records())
    assert taken == []
    assert next(found) == answer
    assert len(taken) < 400
    found.close()


def test_topk_is_top_k(qa):
    assert qa(QUESTION, CONTEXT, topk=3) == qa(QUESTION, CONTEXT, top_k=3)
    assert len(qa(QUESTION, CONTEXT, topk=3)) == 3
    assert len(qa(QUESTION, CONTEXT, topk=3, top_k=2)) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "question: expected a text"),
        ((None,), "question: expected a text .* got None"),
        ((1,), "expected a question and a context, .* got int alone"),
        ((QUESTION,), "expected a question and a context, .* got str alone"),
        ((None, CONTEXT), "question: expected a text .* got None"),
        (("", CONTEXT), "the question is empty"),
        ((QUESTION, b"text"), "context: expected a text .* got bytes"),
        (({"This": "is odd"}, CONTEXT), "question: expected a text .* got dict"),
        ((QUESTION, {"text": CONTEXT}), "context: expected a text .* got dict"),
        (([QUESTION, None], [CONTEXT] * 2), "question: expected a text .* got None"),
        (([QUESTION] * 2, [CONTEXT] * 3), "as many questions as contexts, got 2 and 3"),
        (({"question": QUESTION, "context": None},), "context: expected a text .* got None"),
        (([RECORD, {"question": "", "context": CONTEXT}],), "the question is empty"),
        (([RECORD, CONTEXT],), "record 1: expected a dict with .* got str"),
    ],
)
def test_what_is_no_question_or_no_context_is_named(qa, words, message):
    with pytest.raises(ValueError, match=message):
        qa(*words)


@pytest.mark.parametrize(
    ("missing", "record"), [("question", {"context": ""}), ("context", {"question": "?"})]
)
def test_a_record_without_a_part_is_refused(qa, missing, record):
    with pytest.raises(KeyError, match=f"record 0: expected a key '{missing}', found"):
        qa(record)
    with pytest.raises(KeyError, match="record 1: expected a key"):
        qa([RECORD, record])


def test_data_with_a_question_is_refused(qa):
    with pytest.raises(ValueError, match="data, or question and context, got both"):
        qa(QUESTION, CONTEXT, data=RECORD)


@pytest.mark.parametrize(
    ("option", "remedy"),
    [
        ("max_question_len", "questions are never cut here; leave it out"),
        ("align_to_words", "leave it out; an answer never cuts a character"),
        ("top_n", "there is no such option of a call"),
    ],
)
def test_options_that_cannot_be_kept_say_what_to_do(qa, option, remedy):
    with pytest.raises(ConfigError, match=f"^{option}: {remedy}"):
        qa(QUESTION, CONTEXT, **{option: 1})


def test_an_empty_context_has_an_empty_answer(qa):
    nothing = {"score": 0.0, "start": 0, "end": 0, "answer": ""}
    assert qa(QUESTION, "") == nothing
    assert qa([RECORD, {"question": OTHER, "context": ""}])[1] == nothing


def test_ask_takes_one_text(qa):
    assert qa.ask(QUESTION, CONTEXT) == qa.ask(QUESTION, [CONTEXT])
    assert qa.ask(QUESTION, CONTEXT)[0].prediction.text == "1894"


@pytest.mark.parametrize("contexts", [None, {"a": CONTEXT}, b"text", 3])
def test_ask_refuses_what_is_no_text(qa, contexts):
    with pytest.raises(ValueError, match=r"contexts: expected a text .* or a list of texts, got"):
        qa.ask(QUESTION, contexts)
    with pytest.raises(ValueError, match=r"context: expected a text .*, got int"):
        qa.ask(QUESTION, [CONTEXT, 7])


@pytest.mark.parametrize("again", [lambda qa: pickle.loads(pickle.dumps(qa)), copy.deepcopy])
def test_a_pickled_answerer_answers_alike(again):
    qa = babelspan.load_answerer(max_length=64, overlap=8, max_answer_tokens=5, workers=1)
    other = again(qa)
    assert (other.limits, other.max_answer_tokens) == (qa.limits, 5)
    assert other.engine.workers == 1
    assert other(QUESTION, CONTEXT * 9, top_k=4) == qa(QUESTION, CONTEXT * 9, top_k=4)
