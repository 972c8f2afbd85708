"""The layouts in which data sets are published become examples, faults named with their place."""

import gzip
import json

import pytest

from babelspan.datasets.catalogue import Source
from babelspan.datasets.layouts import LAYOUTS, read
from babelspan.types import Answer, DataError

SOURCE = Source(
    name="file",
    url=None,
    member="",
    split="dev",
    question_language="sw",
    context_language="en",
    bytes=None,
    sha256=None,
    output="dev.sw-en.json.gz",
)
CONTEXT = "Juma 𠮷 lives in Mombasa."


def squad(*qas, **article):
    paragraphs = [{"context": CONTEXT, "qas": list(qas)}]
    return {"data": [{"title": "Juma", "paragraphs": paragraphs, **article}]}


def asked(identity="q1", start=16, text="Mombasa"):
    answers = [{"text": text, "answer_start": start}]
    return {"id": identity, "question": "Wapi?", "answers": answers}


@pytest.fixture
def written(tmp_path):
    def write(content, name="file"):
        path = tmp_path / name
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_squad_keeps_every_answer_as_it_is(written):
    found = read([written(squad(asked(), asked("q2", start=3)))], SOURCE, "squad")

    assert [e.id for e in found.examples] == ["q1", "q2"]
    assert [e.answers for e in found.examples] == [
        (Answer("Mombasa", 16),),
        (Answer("Mombasa", 3),),
    ]
    assert {(e.question_language, e.context_language) for e in found.examples} == {("sw", "en")}
    assert found.examples[0].title == "Juma"
    assert found.changes == {}


def test_gzip_is_read_as_it_is(tmp_path):
    path = tmp_path / "file.json.gz"
    path.write_bytes(gzip.compress(json.dumps(squad(asked())).encode()))
    assert len(read([path], SOURCE, "squad").examples) == 1


def test_unanswerable_questions_and_empty_answers(written):
    impossible = {"id": "q1", "question": "?", "answers": [], "is_impossible": True}
    empty = {"id": "q2", "question": "?", "answers": [{"text": "", "answer_start": None}]}
    unknown = {"id": "q3", "question": "?"}
    found = read([written(squad(impossible, empty, unknown))], SOURCE, "squad")

    assert [e.answers for e in found.examples] == [(), (), None]
    assert found.changes == {"empty answers left out": 1}


def test_missing_ids_are_made_of_places_and_repeated_ones_made_unique(written):
    nameless = {"question": "?", "answers": []}
    document = squad(nameless, nameless, id=77)
    assert [e.id for e in read([written(document)], SOURCE, "squad").examples] == [
        "77_0_0",
        "77_0_1",
    ]

    guided = squad({"guid": "klue-7", "question": "?", "answers": []}, nameless)
    found = read([written(guided)], SOURCE, "squad")
    assert ([e.id for e in found.examples], found.changes) == (["klue-7", "0_0_1"], {"ids made": 1})

    found = read([written(squad(asked(), asked(), asked("q1-2"), asked()))], SOURCE, "squad")
    assert [e.id for e in found.examples] == ["q1", "q1-2", "q1-2-2", "q1-3"]
    assert found.changes == {"repeated ids made unique": 3}


def test_several_files_are_one_and_their_ids_are_unique_together(written):
    paths = [written(squad(asked()), "a"), written(squad(asked(), asked("q2")), "b")]
    found = read(paths, SOURCE, "squad")
    assert [e.id for e in found.examples] == ["q1", "q1-2", "q2"]


def test_tydiqa_gold_passage_is_parted_by_the_language_in_its_ids(written):
    document = squad(asked("english-1-0"), asked("swahili-2-0"), asked("english-3-0"))
    found = read([written(document)], SOURCE, "tydiqa-goldp")
    assert [e.id for e in found.examples] == ["english-1-0", "english-3-0"]


ROW = {
    "id": 7,
    "question": "Wapi?",
    "context": CONTEXT,
    "answers": {"text": ["Mombasa", ""], "answer_start": [16, -1]},
}


def test_rows_in_lines_or_in_a_list(written):
    nothing = {**ROW, "id": "8", "answers": {"text": [], "answer_start": []}}
    lines = "\n".join(json.dumps(r) for r in (ROW, nothing)) + "\n\n"
    for content in (lines, [ROW, nothing]):
        found = read([written(content)], SOURCE, "rows")
        assert [(e.id, e.answers) for e in found.examples] == [
            ("7", (Answer("Mombasa", 16),)),
            ("8", ()),
        ]
        assert found.changes == {"empty answers left out": 1}


def test_rows_may_call_the_id_question_id(written):
    row = {**ROW, "question_id": "x_1"}
    del row["id"]
    assert read([written([row])], SOURCE, "rows").examples[0].id == "x_1"


def test_a_line_separator_of_unicode_does_not_end_a_record(written):
    row = json.dumps({**ROW, "context": CONTEXT + "\u2028\x85"}, ensure_ascii=False)
    assert read([written(row)], SOURCE, "rows").examples[0].context.endswith("\u2028\x85")


def test_afriqa_asks_in_the_african_language(written):
    row = {
        "id": "1",
        "question_lang": "Wapi?",
        "question_translated": "Where?",
        "context": CONTEXT,
        "title": " Juma,",
        "answer_pivot": {"text": ["Mombasa"], "answer_start": [16]},
    }
    nowhere = {
        "id": "2",
        "question_lang": "Lini?",
        "context": None,
        "title": None,
        "answer_pivot": {"text": ["1894"], "answer_start": []},
    }
    content = "\n".join(json.dumps(r) for r in (row, nowhere))
    found = read([written(content)], SOURCE, "afriqa")
    (example,) = found.examples
    assert found.changes == {"questions without a passage left out": 1}
    assert (example.question, example.title) == ("Wapi?", "Juma,")
    assert example.answers == (Answer("Mombasa", 16),)


@pytest.mark.parametrize(
    ("layout", "content", "message"),
    [
        ("squad", [], r"file: expected a list of objects 'data', as in the SQuAD layout"),
        ("squad", {"data": ["x"]}, r"file: expected a list of objects 'data'"),
        ("squad", {"data": [{}]}, r"file: article 0: expected a list of objects 'paragraphs'"),
        ("squad", squad(1), r"article 0, paragraph 0: expected a list of objects 'qas'"),
        ("squad", squad({"id": "a"}), r"file: question 'a': expected a key 'question'"),
        ("squad", squad(asked(start="3")), r"question 'q1': expected 'answer_start' to be int"),
        ("squad", squad(asked() | {"answers": "x"}), r"expected a list of objects 'answers'"),
        ("squad", '{"data": [', r"file: expected JSON, found something else at line 1"),
        ("rows", '{"id": 1}\n{"id', r"file: record 1: expected 'question' \(str\), found"),
        ("rows", json.dumps(ROW) + '\n{"id', r"file: expected JSON in line 2, found something"),
        ("rows", "7", r"file: record 1: expected an object, found int"),
        ("rows", [ROW | {"context": None}], r"record 1: expected 'context' \(str\), found"),
        ("rows", [ROW | {"answers": []}], r"record 1: expected 'answers' \(dict\), found"),
        (
            "rows",
            [ROW | {"answers": {"text": ["a"], "answer_start": []}}],
            r"record 1: 1 answers have 0 offsets",
        ),
        (
            "rows",
            [ROW | {"answers": {"text": ["a"], "answer_start": [None]}}],
            r"record 1: expected texts and numbers as answers, found",
        ),
        ("afriqa", [ROW], r"record 1: expected 'question_lang' \(str\), found"),
    ],
)
def test_what_is_not_of_the_layout_is_said_with_its_place(written, layout, content, message):
    with pytest.raises(DataError, match=message):
        read([written(content)], SOURCE, layout)


def test_every_layout_was_tried():
    assert set(LAYOUTS) == {"squad", "tydiqa-goldp", "rows", "afriqa"}
