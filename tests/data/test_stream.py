"""Files read paragraph by paragraph: the same questions as read at once, the same errors."""

import gzip
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babelspan.data import stream
from babelspan.data.squad import load_squad
from babelspan.data.stream import count_paragraphs, stream_squad
from babelspan.types import DataError

LANGUAGES = {"question_language": "en", "context_language": "de"}


def write(path, document):
    raw = json.dumps(document).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def paragraph(number, questions=2):
    context = f"Absatz {number} über Köln."
    return {
        "context": context,
        "qas": [
            {
                "id": f"{number}-{q}",
                "question": "Which city?",
                "answers": [{"text": "Köln", "answer_start": context.index("Köln")}],
            }
            for q in range(questions)
        ],
    }


def document(*articles):
    return {
        "version": "1.1",
        "data": [
            {"title": f"title {number}", "paragraphs": list(paragraphs)}
            for number, paragraphs in enumerate(articles)
        ],
    }


def streamed(path, **options):
    return [e for some in stream_squad(path, **LANGUAGES, **options) for e in some]


@pytest.mark.parametrize("name", ["some.json", "some.json.gz"])
def test_the_same_questions_as_read_at_once(tmp_path, name):
    path = write(tmp_path / name, document([paragraph(0), paragraph(1)], [], [paragraph(2, 0)]))
    assert streamed(path) == load_squad(path, **LANGUAGES)
    assert [len(some) for some in stream_squad(path, **LANGUAGES)] == [2, 2, 0]
    assert count_paragraphs(path) == 3


FLAT = [
    {
        "id": "a",
        "title": "Köln",
        "context": "Köln\u2028 am Rhein.",
        "question": "Where?",
        "answers": {"text": ["Rhein", ""], "answer_start": [9, 0]},
    },
    {"id": 7, "context": "Köln", "question": "Who?", "answers": {"text": [], "answer_start": []}},
    {"question_id": "c", "context": "Bonn", "question": "What?", "answers": None},
]
"""Flat records: answered, unanswerable, and with unknown answers."""


@pytest.mark.parametrize(
    "text",
    [
        "".join(json.dumps(row) + "\n" for row in FLAT),
        "\ufeff" + "\r\n\r\n".join(json.dumps(row, ensure_ascii=False) for row in FLAT),
        json.dumps(FLAT, indent=1),
        json.dumps(FLAT[0]),
        "[]",
    ],
    ids=["lines", "lines-with-blank-ones", "list", "one-line", "none"],
)
def test_flat_records_are_read_as_at_once(tmp_path, text):
    path = tmp_path / "some.jsonl"
    path.write_text(text, encoding="utf-8", newline="")
    at_once = load_squad(path, **LANGUAGES)

    assert streamed(path) == at_once
    assert count_paragraphs(path) == len(at_once)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps(FLAT[0]) + "\n[1]", "record 2: expected an object, found list"),
        (json.dumps(FLAT[0]) + '\n{"id": 1}', "record 2: expected 'question'"),
        (json.dumps(FLAT[0]) + "\n{", r"line 2 column 2 \(Expecting property name"),
        (json.dumps([*FLAT, 5]), "record 4: expected an object, found int"),
        (
            '[{"id": 1, "question": "?", "context": "a",'
            ' "answers": {"text": ["a"], "answer_start": [false]}}]',
            "record 1: expected texts and numbers as answers",
        ),
    ],
)
def test_a_broken_flat_record_is_told_with_its_number(tmp_path, text, message):
    path = tmp_path / "some.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        streamed(path)


@given(shape=st.lists(st.lists(st.integers(0, 3), max_size=3), max_size=4))
def test_any_shape(tmp_path_factory, shape):
    path = tmp_path_factory.mktemp("shape") / "some.json"
    write(path, document(*([paragraph(n, q) for n, q in enumerate(a)] for a in shape)))
    assert streamed(path) == load_squad(path, **LANGUAGES)
    assert count_paragraphs(path) == sum(map(len, shape))


def test_a_list_of_one_paragraph_after_another_key(tmp_path):
    made = document([paragraph(0)])
    made = {"data": made["data"], "other": {"data": [1, {"paragraphs": [2]}]}}
    path = write(tmp_path / "some.json", made)
    assert [e.id for e in streamed(path)] == ["0-0", "0-1"]


def test_misplaced_answers(tmp_path):
    made = document([paragraph(0)])
    made["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] = 0
    path = write(tmp_path / "some.json", made)
    with pytest.raises(DataError, match="question '0-0': the answer 'Köln' is not at character 0"):
        streamed(path)
    assert streamed(path, keep_misplaced=True)[0].answers[0].start is None


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"data": [{"paragraphs": [{"context": "a", ', "expected JSON, found something else"),
        (b"<html>", "expected JSON, found something else"),
        (b'{"version": "1.1"}', "expected a list 'data' of the SQuAD layout, found none"),
        (b'{"data": [{"paragraphs": [{"qas": []}]}]}', "paragraph 0: expected a key 'context'"),
        (b'{"data": [{"paragraphs": [7]}]}', "paragraph 0: expected a key 'context'"),
        (b"", "expected JSON"),
        (b'{"data": "\xff"}', r"bad.json: expected UTF-8, found the byte 0xff at byte 10; convert"),
        (b'{"data": [7]}', "article 0: expected a key 'paragraphs' .* found int"),
        (b'{"data": [{"paragraphs": {}}]}', "article 0: expected 'paragraphs' to be list"),
        (b'{"data": []} x', r"line 1 column 14 \(Extra data\)"),
        (b'{"data": [1 2]}', "article 0: expected a key 'paragraphs'"),
        (b'{\n"a": [],\n b}', r"line 3 column 2 \(Expecting property name"),
        (b'{"data": [' + b"[" * 200_000, "nested too deeply"),
        (b'{"data": [' + b"1" * 5000 + b"]}", "the JSON cannot be read"),
    ],
)
def test_what_is_no_such_file_is_told(tmp_path, raw, message):
    path = tmp_path / "bad.json"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=message) as caught:
        streamed(path)
    assert "bad.json" in str(caught.value)


def test_a_mark_of_byte_order_is_passed_over(tmp_path):
    path = write(tmp_path / "some.json", document([paragraph(0)]))
    plain = streamed(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert streamed(path) == plain == load_squad(path, **LANGUAGES)


def test_half_characters_are_kept_as_when_read_at_once(tmp_path):
    path = write(tmp_path / "some.json", document([paragraph(0, 1)]))
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"Which", b"\\ud83d\\ude00 \\ud83d \\udc00 Which"))
    assert streamed(path)[0].question == "\U0001f600 \ud83d \udc00 Which city?"
    assert streamed(path) == load_squad(path, **LANGUAGES)


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 64])
def test_what_is_read_at_a_time_changes_nothing(tmp_path, monkeypatch, at_once):
    made = {"n": [-1.5e-3, True, None, 12345], **document([paragraph(0), paragraph(1)], [])}
    raw = json.dumps(made, indent=2, ensure_ascii=False).replace("city", "\\ud83d\\ude00")
    path = tmp_path / "some.json"
    path.write_text(raw, encoding="utf-8")
    monkeypatch.setattr(stream, "_AT_ONCE", at_once)
    assert streamed(path) == load_squad(path, **LANGUAGES)
    path.write_text(raw.replace("Absatz 1", 'Absatz" 1'), encoding="utf-8")
    with pytest.raises(DataError) as of_all:
        load_squad(path)
    with pytest.raises(DataError) as of_stream:
        streamed(path)
    assert str(of_stream.value) == str(of_all.value)


def test_a_gzip_with_a_wrong_byte(tmp_path):
    path = write(tmp_path / "some.json.gz", document([paragraph(n) for n in range(50)]))
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 20] = b"\xff" * 20
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"the gzip data is broken .*; fetch it again"):
        streamed(path)


def test_a_gzip_cut_short(tmp_path):
    path = write(tmp_path / "some.json.gz", document([paragraph(0)]))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="the gzip data is broken"):
        streamed(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        streamed(tmp_path / "none.json")


def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(paragraphs):
        made = document(*([paragraph(n, 4)] for n in range(paragraphs)))
        path = write(tmp_path / f"{paragraphs}.json", made)
        del made
        tracemalloc.start()
        for _ in stream_squad(path, **LANGUAGES):
            pass
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(6000) < 1.5 * peak(600)
