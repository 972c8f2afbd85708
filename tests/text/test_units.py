"""Places in UTF-16 units and UTF-8 bytes, against the encoders of Python; directions of texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babelspan.text.direction import direction
from babelspan.text.units import Units, units


@given(st.text(max_size=60), st.data())
def test_units_before_a_place_are_those_of_the_encoded_text(text, data):
    places = data.draw(st.lists(st.integers(0, len(text)), max_size=8))
    found = units(text, places)
    assert set(found) == set(places)
    for place in places:
        before = text[:place]
        assert found[place].utf8 == len(before.encode("utf-8", "surrogatepass"))
        assert found[place].utf16 == sum(2 if ord(c) > 0xFFFF else 1 for c in before)


def test_a_pair_of_surrogates_is_two_units():
    assert units("a🌊é\ud800b", [0, 1, 2, 3, 4, 5]) == {
        0: Units(0, 0),
        1: Units(1, 1),
        2: Units(3, 5),
        3: Units(4, 7),
        4: Units(5, 10),
        5: Units(6, 11),
    }


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1924", " عام", "lake"], "rtl"),
        (["1924", "12", "…"], "ltr"),
        (["שלום"], "rtl"),
        (["大桥"], "ltr"),
        (["\u0301 . a"], "ltr"),
        ([], "ltr"),
    ],
)
def test_the_first_letter_with_a_direction_decides(texts, expected):
    assert direction(*texts) == expected
