"""Words and their places, in languages with spaces between them and without."""

import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.text.words import lexical_words, segmenter, words
from babelspan.types import ConfigError

LETTERS = st.text(st.sampled_from("ab é谁在中国ใคร者は9𠀀\u0301\u200d👩.-'’\ud800 \n"), max_size=12)


def cut(text, language, how=lexical_words):
    return [span.of(text) for span in how(text, language)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "It's Anna's well-known dogs' 3.5 km!",
         ["It's", "Anna's", "well", "known", "dogs'", "3", "5", "km"]),
        ("en", "'so', he said: rock 'n' roll", ["so", "he", "said", "rock", "n", "roll"]),
        ("fr", "l’eau d'Anna", ["l", "eau", "d", "Anna"]),
        ("hi", "भाषा क्या है?", ["भाषा", "क्या", "है"]),
        ("en", "Ame\u0301lie", ["Ame\u0301lie"]),
        ("zh", "北京大学的学生喜欢音乐。", ["北京", "大学", "的", "学生", "喜欢", "音乐"]),
        ("zh", "1989年，A 队？", ["1989", "年", "A", "队"]),
        ("zh", "北京𠀀大学", ["北京", "𠀀", "大学"]),
        ("ja", "学生は図書館で本を読む。", ["学生", "は", "図書館", "で", "本", "を", "読む"]),
        ("th", "ฉันรักภาษาไทย", ["ฉัน", "รัก", "ภาษา", "ไทย"]),
        ("lo", "ຂ້ອຍຮັກພາສາລາວ", ["ຂ້ອຍ", "ຮັກ", "ພາສາ", "ລາວ"]),
        ("zh", "\ud800北京", ["北京"]),
        ("zh", "", []),
    ],
)  # fmt: skip
def test_words_of_a_dictionary(language, text, expected):
    assert cut(text, language) == expected


@given(LETTERS, st.sampled_from(["en", "fr", "zh", "ja", "th"]))
@settings(max_examples=100)
def test_words_are_in_order_apart_and_hold_every_letter_and_digit(text, language):
    spans = lexical_words(text, language)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    inside = {i for span in spans for i in range(span.start, span.end)}
    assert {i for i, c in enumerate(text) if c.isalnum()} <= inside


def test_characters_are_words_where_no_dictionary_is_asked():
    assert cut("他在 U.S. well-known", "zh", words) == ["他", "在", "U.S", "well-known"]
    assert cut("Type是abc中国3.5年", "zh", words) == ["Type", "是", "abc", "中", "国", "3.5", "年"]
    assert cut("コーヒー2杯", "ja", words) == ["コ", "ー", "ヒ", "ー", "2", "杯"]
    assert cut("น้ำx", "th", words) == ["น้", "ำ", "x"]


def test_without_icu_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "icu4py", None)
    monkeypatch.setitem(sys.modules, "icu4py.breakers", None)
    assert segmenter() == "no ICU"
    assert cut("no need", "en") == ["no", "need"]
    with pytest.raises(ConfigError, match=r"text in 'th' .* pip install \"\.\[translate\]\""):
        lexical_words("ไทย", "th")


def test_the_version_of_icu_is_known():
    assert segmenter().startswith("ICU 7")
