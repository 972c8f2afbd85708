"""Our own rule for any language: by pencil, and its scripts against those of `regex`."""

import unicodedata
from dataclasses import replace

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.scoring.figures import figures
from babelspan.scoring.scorers import unicode
from babelspan.types import Answer, Example

# P and R are the units of the prediction and of the gold that are shared.
BY_PENCIL = [
    # prediction, gold, exact match, F1
    ("東京。", "東京", 1, 1),
    ("「東 京」", "東京", 1, 1),  # between characters a space makes no difference
    ("東京都", "東京", 0, 4 / 5),  # P 2/3, R 2/2
    ("京東", "東京", 0, 1),
    ("ＮＨＫは", "nhk は", 1, 1),  # letters stay together, kana part
    ("ﾀﾜｰ", "タワー", 1, 1),
    ("2008年8月", "2008年", 0, 2 / 3),  # 2008 年 8 月: P 2/4, R 2/2
    ("ภาษาไทย", "ไทย", 0, 3 / 5),  # ภ า ษ า ไ ท ย: P 3/7, R 3/3
    ("ที่", "ที", 0, 0),  # a character with its marks is one unit
    ("ភ្នំពេញ", "ពេញ", 0, 2 / 3),  # ភ្ នំ ពេ ញ: P 2/4, R 2/2
    ("မြန်မာ", "မာ", 0, 1 / 2),  # မြ န် မာ: P 1/3, R 1/1
    ("서울의", "서울", 0, 0),  # Korean has spaces
    ("서울 시", "서울", 0, 2 / 3),
    ("दिल्ली।", "दिल्ली", 1, 1),
    ("STRASSE", "Straße", 1, 1),
    ("ﬁne", "fine", 1, 1),
    ("Mu\u0308ller", "Müller", 1, 1),
    ("می\u200cخواهم", "میخواهم", 1, 1),
    ("\u200fשלום", "שלום", 1, 1),
    ("the cat", "cat", 0, 2 / 3),  # articles stay
    ("U.S.", "us", 1, 1),
    ("A:\u0301", "á", 1, 1),  # the mark joins the letter once the sign between them is gone
    ("$5 + €6", "5 6", 1, 1),
    ("½", "12", 1, 1),  # a fault: the stroke is a symbol
    ("。", "", 1, 1),
    ("", "", 1, 1),
    ("", "東", 0, 0),
]


@pytest.mark.parametrize(("prediction", "gold", "exact_match", "f1"), BY_PENCIL)
def test_figures_by_pencil(prediction, gold, exact_match, f1):
    assert unicode.exact_match(prediction, gold, "und") == exact_match
    assert unicode.f1(prediction, gold, "und") == pytest.approx(f1, abs=1e-12)


def test_the_signature_names_the_version_of_unicode():
    assert unicode.RULES.endswith(f"unicode{unicodedata.unidata_version}")


def test_a_question_may_have_no_answer():
    answered = Example(
        id="q1",
        question="?",
        context="",
        answers=(Answer("東京", None),),
        question_language="ja",
        context_language="ja",
    )
    examples = [answered, replace(answered, id="q2", answers=())]
    assert figures(examples, {"q1": "東京", "q2": ""}, unicode).f1 == 1
    assert figures(examples, {"q1": "東京", "q2": "東京"}, unicode).f1s.tolist() == [1, 0]
    assert figures(examples, {"q2": ""}, unicode).f1s.tolist() == [0, 1]


UNSPACED = [
    *("Thai", "Lao", "Tibetan", "Myanmar", "Khmer", "Tai_Le", "New_Tai_Lue", "Tai_Tham"),
    *("Tai_Viet", "Balinese", "Javanese", "Han", "Hiragana", "Katakana", "Bopomofo"),
]
ALSO = set("〆ーꧏ")  # of no script of its own
LETTER = regex.compile("[" + "".join(rf"\p{{Script={s}}}" for s in UNSPACED) + "]")


def test_characters_are_units_in_the_scripts_that_have_no_spaces_and_in_no_others():
    every = map(chr, [*range(0x20000), 0x20000, 0x2A6DF, 0x2F800, 0x30000])
    letters = [c for c in every if unicodedata.category(c)[0] in "LN"]
    plain = [c for c in letters if unicodedata.normalize("NFKC", c).casefold() == c]
    cut = {c for c in plain if unicode.units(c + c) == (c, c)}

    assert len(plain) > 60_000
    assert cut == {c for c in plain if LETTER.match(c)} | ALSO


PIECES = ["Cat", "ß", "İ", "東", "ไทย", "ที่", "\u0301", "。", "-", " ", "\u200b", "①", "क्षि", "1"]
KNOWN = st.characters(exclude_categories=["Cn", "Cs"])  # `regex` may know a later Unicode
TEXT = st.lists(st.sampled_from(PIECES) | KNOWN, max_size=8).map("".join)


@settings(max_examples=100)
@given(TEXT)
def test_units_hold_letters_marks_and_digits_and_no_space_or_sign(text):
    units = unicode.units(text)
    assert all(units)
    assert not regex.search(r"[\s\p{P}\p{S}\p{Cf}]", "".join(units).replace("\x1f", ""))
    assert unicode.units(" ".join(units)) == units or regex.match(r"\p{M}", "".join(units))


@settings(max_examples=60)
@given(TEXT, TEXT)
def test_case_width_and_signs_make_no_difference(one, other):
    assert unicode.f1(one, other, "und") == unicode.f1(f"«{one}»", f"{other}…", "und")
    assert unicode.units(one.swapcase()) == unicode.units(one) or not one.isascii()
