"""Files of the TyDi QA primary tasks: what is read from them, and what is refused."""

import gzip
import json
import re

import pytest

from babelspan.data.tydiqa import load_primary_golds, load_primary_predictions
from babelspan.types import DataError, PrimaryAnswer, PrimaryQuestion


def annotation(passage=-1, start=-1, end=-1, yes_no="NONE"):
    return {
        "annotation_id": 7,
        "passage_answer": {"candidate_index": passage},
        "minimal_answer": {"plaintext_start_byte": start, "plaintext_end_byte": end},
        "yes_no_answer": yes_no,
    }


GOLD = {
    "example_id": -5,
    "language": "telugu",
    "question_text": "ఎవరు?",
    "document_plaintext": "ఎవరు ఎవరు",
    "annotations": [annotation(1, 13, 25), annotation(0, yes_no="YES"), annotation()],
    "passage_answer_candidates": [],
}
PREDICTION = {
    "example_id": -5,
    "language": "telugu",
    "passage_answer_index": 1,
    "passage_answer_score": 2,
    "minimal_answer": {"start_byte_offset": 13, "end_byte_offset": 25},
    "minimal_answer_score": -0.5,
    "yes_no_answer": "NONE",
}


def written(tmp_path, *records, packed=False):
    lines = "".join(f"{json.dumps(r, ensure_ascii=False)}\n" for r in records).encode()
    path = tmp_path / ("lines.jsonl.gz" if packed else "lines.jsonl")
    path.write_bytes(gzip.compress(lines) if packed else lines)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_golds_have_the_answers_of_their_annotators(tmp_path, packed):
    other = {**GOLD, "example_id": 8, "language": "korean"}
    found = load_primary_golds(written(tmp_path, GOLD, other, packed=packed))

    answers = (
        PrimaryAnswer(passage=1, place=(13, 25), yes_no=None),
        PrimaryAnswer(passage=0, place=None, yes_no="yes"),
        PrimaryAnswer(passage=None, place=None, yes_no=None),
    )
    assert found == [
        PrimaryQuestion(id=-5, language="telugu", answers=answers),
        PrimaryQuestion(id=8, language="korean", answers=answers),
    ]


def test_predictions_have_scores(tmp_path):
    short = {k: v for k, v in PREDICTION.items() if k not in ("passage_answer_index",)}
    short |= {"example_id": 6, "yes_no_answer": "no"}
    short["minimal_answer"] = {"start_byte_offset": -1, "end_byte_offset": -1}
    found = load_primary_predictions(written(tmp_path, PREDICTION, short))

    first = PrimaryAnswer(
        passage=1, place=(13, 25), yes_no=None, passage_score=2, minimal_score=-0.5
    )
    second = PrimaryAnswer(
        passage=None, place=None, yes_no="no", passage_score=2, minimal_score=-0.5
    )
    assert [q.answers for q in found] == [(first,), (second,)]
    assert [q.id for q in found] == [-5, 6]


def without(record, key):
    return {k: v for k, v in record.items() if k != key}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (without(GOLD, "annotations"), "line 2: expected a key 'annotations' of TyDi QA, found"),
        ({**GOLD, "annotations": []}, "line 2: expected annotations, found none; is this a test"),
        ({**GOLD, "example_id": "x"}, "line 2: expected 'example_id' to be int, found 'x'"),
        ({**GOLD, "annotations": [annotation(True)]}, "'candidate_index' to be int, found True"),
        (
            {**GOLD, "annotations": [annotation(1, 9, 4)]},
            "expected 0 <= 'plaintext_start_byte' <= 'plaintext_end_byte' or both -1, "
            "found 9 and 4",
        ),
        ({**GOLD, "annotations": [annotation(1, -1, 4)]}, "or both -1, found -1 and 4"),
        (
            {**GOLD, "annotations": [annotation(yes_no="maybe")]},
            "'yes_no_answer' to be YES, NO or NONE, found 'maybe'",
        ),
        (["no object"], "line 2: expected a key 'annotations' of TyDi QA, found list"),
    ],
)
def test_golds_that_are_broken_are_told_with_their_line(tmp_path, broken, message):
    path = written(tmp_path, {**GOLD, "example_id": 1}, broken)
    with pytest.raises(DataError, match=re.escape(message)) as error:
        load_primary_golds(path)
    assert str(error.value).startswith(f"{path}: line 2: ")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (without(PREDICTION, "minimal_answer"), "expected a key 'minimal_answer' of TyDi QA"),
        (without(PREDICTION, "language"), "expected a key 'language' of TyDi QA"),
        (
            {**PREDICTION, "minimal_answer_score": "high"},
            "'minimal_answer_score' to be int or float, found 'high'",
        ),
        (
            {**PREDICTION, "passage_answer_score": float("nan")},
            "'passage_answer_score' to be a number, found nan",
        ),
        ({**PREDICTION, "yes_no_answer": None}, "to be YES, NO or NONE, found None"),
        (
            {**PREDICTION, "yes_no_answer": "YES"},
            "expected a minimal answer or 'yes', found both; for yes and no both offsets are -1",
        ),
        ("a string", "expected a key 'minimal_answer' of TyDi QA, found str"),
    ],
)
def test_predictions_that_are_broken_are_told_with_their_line(tmp_path, broken, message):
    path = written(tmp_path, {**PREDICTION, "example_id": 1}, broken)
    with pytest.raises(DataError, match=re.escape(message)) as error:
        load_primary_predictions(path)
    assert str(error.value).startswith(f"{path}: line 2: ")


def test_an_id_that_comes_twice_is_told(tmp_path):
    with pytest.raises(DataError, match=r"line 2: the id -5 comes twice; make the ids unique"):
        load_primary_golds(written(tmp_path, GOLD, GOLD))


@pytest.mark.parametrize("content", [b'{"example_id": 1,', b"\xff\xfe{}"])
def test_a_line_that_is_no_json_is_told(tmp_path, content):
    path = tmp_path / "lines.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"lines.jsonl: line 1: expected a JSON object, found some"):
        load_primary_golds(path)


def test_blank_lines_are_skipped_and_a_file_of_nothing_else_is_told(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text(f"\n{json.dumps(GOLD)}\r\n \n\n")
    assert [question.id for question in load_primary_golds(path)] == [-5]
    path.write_text(f"\n{json.dumps(GOLD)}\n{json.dumps(GOLD)}\n")
    with pytest.raises(DataError, match="line 3: the id -5 comes twice"):
        load_primary_golds(path)
    for content in ("", "\n \n"):
        path.write_text(content)
        for load in (load_primary_golds, load_primary_predictions):
            with pytest.raises(DataError, match=r"lines.jsonl: expected lines of TyDi QA, found n"):
                load(path)


def test_files_that_cannot_be_read_are_told(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.jsonl: there is no such file"):
        load_primary_golds(tmp_path / "nowhere.jsonl")
    cut = written(tmp_path, GOLD, packed=True)
    cut.write_bytes(cut.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"lines.jsonl.gz: the gzip data is broken"):
        load_primary_golds(cut)
