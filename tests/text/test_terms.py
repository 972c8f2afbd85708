"""Terms of a search: by script, the same however a word is written."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.text.sounds import MARK, likely_sounds, sounds
from babelspan.text.terms import LONGEST, folded, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Die Brücken, 1894!", ["die", "bruck", "1894"]),
        ("l'eau iPhone7", ["l", "eau", "iphon", "7"]),
        ("東京タワー", ["東京", "京タ", "タワ", "ワー"]),
        ("橋", ["橋"]),
        ("한국어를", ["한국", "국어", "어를"]),
        ("สะพาน", ["สะพ", "ะพา", "พาน"]),
        ("الجسر والجسر", ["جسر", "والجس"]),
        ("ال", ["ال"]),
        ("यह पुल", ["यह", "पुल"]),
        ("١٨٩٤ १८९४ ๑๘๙๔ １８９４", ["1894"] * 4),
        ("", []),
        ("!? — \u0000 \ud800", []),
    ],
)
def test_terms_by_script(text, expected):
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("مُدَرِّسَة", "مدرسه"),
        ("کتاب‌ی", "كتابي"),
        ("ÉCOLE", "ecole"),
        ("ﬁnance", "finance"),
        ("Ёлка", "елка"),
        ("ΟΔΟΣ", "οδός"),
        ("ｶﾞ", "ガ"),
        ("שָׁלוֹם", "שלום"),
    ],
)
def test_one_word_in_two_spellings_has_one_term(one, other):
    assert terms(one) == terms(other)


def test_marks_that_tell_words_apart_stay():
    assert terms("की") != terms("क")
    assert terms("ที่") != terms("ท")
    assert terms("か") != terms("が")


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_normal_forms_do_not_matter_and_terms_are_short(text):
    found = terms(text)
    assert found == terms(unicodedata.normalize("NFD", text))
    assert all(term and not any(c.isspace() for c in term) for term in found)
    assert all(len(t) <= LONGEST or t.isdecimal() for t in found)


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_takes_no_other_way(text):
    assert folded(text) == text.casefold()


@pytest.mark.parametrize(
    "names",
    [
        ("Merkel", "Меркель", "메르켈", "メルケル", "ميركل"),
        ("Gutenberg", "Гутенберг", "グーテンベルク"),
    ],
)
def test_names_sound_alike_in_several_scripts(names):
    keys = [set(sounds(name)) for name in names]
    first = keys[0]
    assert all(len(first & other) == 1 or _near(first, other) for other in keys[1:])
    assert all(key.startswith(MARK) for of_name in keys for key in of_name)


def _near(one, other):
    """Whether two keys differ in one letter only: scripts do not tell all letters apart."""
    (a,), (b,) = one, other
    return len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) <= 1


def test_short_words_and_chinese_have_no_sound():
    assert sounds("wie war es 北京 สะพาน") == []


def test_what_is_likely_no_name_has_no_key():
    assert likely_sounds("wie der Merkel, iPhone oder d'Artagnan traf") == sounds(
        "Merkel iPhone Artagnan"
    )
    assert likely_sounds("protestantisch gesagt") == sounds("protestantisch")  # a loan word
    for text in ("თბილისი", "東京タワー", "انجيلا ميركل", "स्टालिन"):
        assert likely_sounds(text) == sounds(text)
