"""Predictions: question id -> answer text, in one JSON object."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.data.predictions import load_predictions, save_predictions
from babelspan.types import DataError


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), st.text()), st.sampled_from(["p.json", "p.json.gz"]))
def test_predictions_are_read_as_they_were_written(tmp_path_factory, predictions, name):
    path = tmp_path_factory.getbasetemp() / name
    save_predictions(path, predictions)

    assert load_predictions(path) == predictions
    assert list(load_predictions(path)) == list(predictions)


def test_the_file_is_what_other_scorers_read(tmp_path):
    save_predictions(tmp_path / "p.json", {"q1": "東京 🗼", "q2": "", "q3": "\udc80"})

    assert json.loads((tmp_path / "p.json").read_bytes()) == {
        "q1": "東京 🗼",
        "q2": "",
        "q3": "\udc80",
    }


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], r"expected a JSON object {id: text}, found list"),
        ("q1", r"expected a JSON object {id: text}, found str"),
        ({"q1": "a", "q2": None}, r"question 'q2': expected the text of an answer, found NoneType"),
        ({"q1": ["a"]}, r"question 'q1': expected the text of an answer, found list"),
        ({"q1": 1932}, r"question 'q1': expected the text of an answer, found int"),
    ],
)
def test_other_types_are_refused(tmp_path, value, message):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(value))

    with pytest.raises(DataError, match=rf"^{re.escape(str(path))}: {message}$"):
        load_predictions(path)


def test_a_data_set_is_not_taken_for_predictions(tmp_path):
    path = tmp_path / "test.en.json"
    path.write_text('{"version": "1.1", "data": []}')
    with pytest.raises(DataError, match=r"expected predictions, .* found a data set; give"):
        load_predictions(path)


def test_a_file_cut_short_is_refused(tmp_path):
    path = tmp_path / "p.json"
    path.write_text('{"q1": "Par')

    with pytest.raises(DataError, match=r"p\.json: expected JSON, .*the file may be cut short"):
        load_predictions(path)


def test_the_list_of_hugging_face_is_read(tmp_path):
    path = tmp_path / "p.json"
    records = [{"id": "q1", "prediction_text": "東京"}, {"id": 2, "prediction_text": ""}]
    path.write_text(json.dumps(records))
    assert load_predictions(path) == {"q1": "東京", "2": ""}
    path.write_text(json.dumps([*records, {"id": "2", "prediction_text": "x"}]))
    with pytest.raises(
        DataError, match=r"p\.json: expected one record for each id, found repeated"
    ):
        load_predictions(path)
    path.write_text(json.dumps([*records, {"id": "3"}]))
    with pytest.raises(DataError, match="found list"):
        load_predictions(path)
