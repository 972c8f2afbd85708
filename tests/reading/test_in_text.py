"""Translations that a text has, in the form it has, and names that sound like its words."""

import pytest

from babelspan.reading.glosses import Glosses
from babelspan.reading.in_text import LIKELY, LIKELY_DROPPED, TextWords

GERMAN = TextWords("Der Boykott traf Tiffany und die Brücken der alten Stadt im Jahr 1357.", "de")


def test_the_most_likely_translation_that_the_text_has_is_preferred():
    options = {"ort": 5.0, "stadt": 3.0, "brücken": 2.0}
    assert GERMAN.translation("place", options, "ort") == "stadt"


def test_a_word_that_the_text_has_stays():
    assert GERMAN.translation("tiffany", {"lampe": 5.0}, "lampe") == "tiffany"
    assert GERMAN.translation("1357", {"stadt": 5.0}, "stadt") == "1357"
    assert GERMAN.translation("die", {"sterben": 5.0}, "sterben") == "sterben"


def test_a_word_of_grammar_that_looks_the_same_does_not_stay():
    text = TextWords("They come from Rome", "en")
    assert text.translation("come", {"how": 5.0}, "how") == "how"


def test_a_number_has_the_digits_of_the_text():
    assert TextWords("در سال ۱۹۹۰", "fa").translation("1990", {}, "1990") == "۱۹۹۰"
    assert TextWords("in 1990", "en").translation("۱۹۹۰", {}, "۱۹۹۰") == "1990"
    assert TextWords("2010年", "zh").translation("10", {}, "10") == "10"


def test_a_number_stays_unless_the_text_has_a_translation_of_it():
    assert GERMAN.translation("9", {"september": 5.0}, "september") == "9"
    assert TextWords("drei Brücken", "de").translation("3", {"drei": 5.0}, "drei") == "drei"


def test_without_one_in_the_text_the_chosen_translation_stays():
    assert GERMAN.translation("x", {"ort": 5.0, "dorf": 3.0}, "dorf") == "dorf"


def test_a_translation_that_is_hardly_likely_is_not_preferred():
    assert GERMAN.translation("x", {"ort": 1.0, "stadt": LIKELY * 0.9}, "ort") == "ort"
    assert GERMAN.translation("x", {"ort": 1.0, "stadt": LIKELY * 1.1}, "ort") == "stadt"


def test_a_word_that_is_dropped_comes_back_only_for_a_likely_translation():
    assert GERMAN.translation("x", {"": 1.0, "stadt": LIKELY_DROPPED * 0.9}, "") == ""
    assert GERMAN.translation("x", {"": 1.0, "stadt": LIKELY_DROPPED * 1.1}, "") == "stadt"


def test_short_words_of_grammar_are_not_preferred():
    text = TextWords("Il va à la ville", "fr")
    assert text.translation("x", {"son": 5.0, "la": 3.0}, "son") == "son"
    assert text.translation("x", {"la": 5.0, "son": 3.0}, "la") == "la"


@pytest.mark.parametrize(
    ("text", "language", "word", "form"),
    [
        ("die Brücken", "de", "brücke", "brücken"),
        ("в городах", "ru", "город", "городах"),
        ("والمدينة", "ar", "مدينة", "والمدينة"),
        ("서울에서", "ko", "서울", "서울에서"),
        ("인구는", "ko", "인구가", "인구는"),
        ("1357 gebaut", "de", "135", "other"),
        ("die Brückenbauerin", "de", "brücke", "other"),
        ("他在北京市", "zh", "北京", "北京"),
        ("status 是", "zh", "us", "other"),
        ("העיר הַגְּדוֹלָה", "he", "גדולה", "הגדולה"),
    ],
)
def test_forms_of_a_translation_stand_in_the_text(text, language, word, form):
    assert TextWords(text, language).translation("x", {"other": 2.0, word: 1.0}, "other") == form


@pytest.mark.parametrize(
    ("text", "language", "name", "found"),
    [
        ("At Tiffany and others", "en", "тиффани", "tiffany"),
        ("در تیفانی بود", "fa", "tiffany", "تیفانی"),
        ("マケドニア首相", "ja", "macedonia", "マケドニア"),
        ("The club of Macedonians", "en", "македонский", "macedonians"),
        ("Die Disqualifikation", "de", "disqualification", "disqualifikation"),
        ("a distant tune", "en", "даути", ""),  # no capital
        ("Das Land", "de", "lente", ""),  # few consonants, one script
        ("Lund", "sv", "лето", ""),
        ("At Tiffany's shop", "en", "тиффани", "tiffany"),
        ("A " + "Tifany" * 10, "en", "тифани" * 10, ""),  # too long
        ("The Song", "en", "塚城", ""),
    ],
)
def test_a_name_is_the_word_that_sounds_like_it(text, language, name, found):
    assert TextWords(text, language).translation(name, {}, name) == (found or name)


def test_a_question_is_translated_with_the_words_of_its_text():
    links = {
        "de": {"bridge": {"steg": 5.0, "brücke": 4.0}, "tiffany": {}},
        "ru": {"bridge": {"мост": 3.0}},
    }
    glosses = Glosses(links, links.__getitem__)
    asked = {"source": "ru", "target": "de"}
    assert glosses.gloss("Мост Тиффани", **asked) == "steg тиффани"
    text = "Tiffany mag die Brücken."
    assert glosses.gloss("Мост Тиффани", **asked, text=text) == "brücken tiffany"
    assert glosses.gloss("Мост mag", **asked, text=text) == "brücken mag"


@pytest.mark.parametrize(
    ("text", "language", "question", "found"),
    [
        ("Gold near Ballarat", "en", "巴 拉 瑞 特 附近 有", "ballarat 附近 有"),
        ("Ballarat's gold", "en", "巴 拉瑞 特 附近", "ballarat 附近"),
        ("gold near ballarat", "en", "巴 拉 瑞 特", "巴 拉 瑞 特"),  # no capital
        ("Золото в Балларате", "ru", "巴 拉 瑞 特 附近", "балларате 附近"),
        ("The Rankine cycle", "en", "朗 肯 循环 和 朗 肯", "rankine 循环 和 rankine"),
        ("Bell", "en", "贝 尔", "贝 尔"),  # too few consonants
        ("Gold near Ballarat", "en", "巴拉瑞特 附近", "巴拉瑞特 附近"),  # a known word
        ("Nothing alike", "en", "巴 拉 瑞 特", "巴 拉 瑞 特"),
        ("Written 巴兰瑞特 here", "en", "巴 拉 瑞 特", "巴 拉 瑞 特"),
    ],
)
def test_names_in_a_chinese_question_become_the_words_that_sound_alike(
    text, language, question, found
):
    words = TextWords(text, language).with_names(question.split(), known=())
    assert words == found.split()


def test_words_with_translations_are_no_names_to_look_for_in_a_chinese_question():
    text = TextWords("Gold near Ballarat", "en")
    assert text.with_names([*"巴拉瑞特"], known={"ballarat"}) == [*"巴拉瑞特"]


def test_a_name_becomes_the_chinese_characters_that_sound_like_it():
    text = TextWords("行星格利泽 518b 的质量", "zh")
    assert text.translation("gliese", {}, "gliese") == "格利泽"
    assert text.translation("neptune", {}, "neptune") == "neptune"


def test_a_chinese_question_is_translated_with_the_names_of_its_text():
    links = {"zh": {"gold": {"黄金": 3.0}, "watt": {"瑞": 2.0}}}
    glosses = Glosses(links, links.__getitem__)
    asked = {"source": "zh", "target": "en"}
    assert glosses.gloss("巴拉瑞特黄金", **asked, text="Gold near Ballarat") == "ballarat gold"
    assert glosses.gloss("巴拉瑞特黄金", **asked, text="Gold") == "巴 拉 watt 特 gold"


@pytest.fixture
def compared(monkeypatch):
    """The pairs of words that are compared."""
    pairs = []

    def noted(one, other):
        pairs.append((one, other))
        return 0.0

    monkeypatch.setattr("babelspan.reading.in_text._likeness", noted)
    return pairs


def test_a_hostile_text_is_compared_with_few_words(compared):
    names = " ".join(f"B{'a' * i}k{'e' * j}t" for i in range(30) for j in range(20))
    TextWords(names, "en").translation("бактик", {}, "бактик")
    assert 0 < len(compared) <= 100
    compared.clear()
    TextWords("巴克特" * 16_000, "zh").translation("bactot", {}, "bactot")
    assert len(compared) <= 1
    compared.clear()
    TextWords(names, "en").with_names([*"巴克特"] * 20, known=())
    assert 0 < len(compared) <= 100


def test_a_word_that_sounds_alike_in_one_script_does_not_count_as_translated():
    links = {"pl": {"what": {"co": 3.0}}}
    glosses = Glosses(links, links.__getitem__)
    asked = {"source": "en", "target": "pl"}
    assert glosses.gloss("what strzeleckii dublinie", **asked, text="Strzelecki Dublin") == ""
