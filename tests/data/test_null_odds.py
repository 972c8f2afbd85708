"""Null odds of SQuAD 2: what is read, and what is refused."""

import json

import pytest

from babelspan.data.predictions import load_null_odds
from babelspan.types import DataError


def written(tmp_path, value):
    path = tmp_path / "null_odds.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_null_odds_keep_their_order(tmp_path):
    found = load_null_odds(written(tmp_path, {"q2": 1, "q1": -3.5, "q0": 1e300}))
    assert list(found.items()) == [("q2", 1.0), ("q1", -3.5), ("q0", 1e300)]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1], r"null_odds.json: expected a JSON object \{id: number\}, found list"),
        ({"q1": "1"}, r"question 'q1': expected a finite number, found '1'"),
        ({"q1": True}, r"question 'q1': expected a finite number, found True"),
        ({"q1": float("nan")}, r"question 'q1': expected a finite number, found nan"),
        ({"q1": float("-inf")}, r"question 'q1': expected a finite number, found -inf"),
    ],
)
def test_other_values_are_refused(tmp_path, value, message):
    with pytest.raises(DataError, match=message):
        load_null_odds(written(tmp_path, value))
