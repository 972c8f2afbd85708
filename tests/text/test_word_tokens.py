"""Words and marks of texts: every letter in one token, exact places, scripts without spaces."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from babelspan.data.folder import find
from babelspan.text.word_tokens import word_tokens


def texts(text, unspaced="words"):
    return [place.of(text) for place in word_tokens(text, unspaced)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't go!", ["Don", "'", "t", "go", "!"]),
        ("naïve nai\u0308ve", ["naïve", "nai\u0308ve"]),
        ("1,000 km²", ["1", ",", "000", "km²"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("도쿄에서 왔다", ["도", "쿄", "에", "서", "왔", "다"]),
        ("台北捷運2024年", ["台北", "捷運", "2024", "年"]),
        ("東京タワーは高い", ["東京タワー", "は", "高い"]),
        ("ประเทศไทยมี", ["ประเทศไทย", "มี"]),
        ("a\u00a0b\u3000c", ["a", "b", "c"]),
        ("𝒳😀x", ["𝒳", "😀", "x"]),
        ("", []),
        (" \n", []),
    ],
)
def test_words_of_many_scripts(text, expected):
    assert texts(text) == expected


def test_characters_in_place_of_words():
    assert texts("台北2024年 ok", "characters") == ["台", "北", "2024", "年", "ok"]
    assert texts("กำลัง", "characters") == ["ก", "ำ", "ล\u0e31", "ง"]


@given(st.text(max_size=60), st.sampled_from(["words", "characters"]))
def test_places_are_in_order_and_cover_every_sign(text, unspaced):
    places = word_tokens(text, unspaced)
    end = 0
    for place in places:
        assert not text[end : place.start].strip()
        assert place.start >= end
        end = place.end
    assert not text[end:].strip()
    assert not any(regex.search(r"\s", place.of(text)) for place in places)


def test_a_lone_surrogate_is_a_token_and_shifts_nothing():
    assert texts("台\ud800北 x\udfff") == ["台", "\ud800", "北", "x", "\udfff"]


@pytest.mark.data
@pytest.mark.parametrize(
    ("path", "share"), [("drcd/test-first-half.zh", 0.96), ("xquad/test.en", 0.98)]
)
def test_answers_stand_on_borders_of_words(real_data, path, share):
    examples = find([real_data / "qa" / f"{path}.json.gz"])[0].load()[::9]
    exact = 0
    for example in examples:
        places = word_tokens(example.context, "words")
        starts, ends = {p.start for p in places}, {p.end for p in places}
        span = example.answers[0].span
        exact += span.start in starts and span.end in ends
    assert exact >= share * len(examples)
