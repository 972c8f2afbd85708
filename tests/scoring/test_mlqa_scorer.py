"""The MLQA rule in its seven languages: by pencil, and against a second program."""

import string
import unicodedata
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.scoring.scorers import mlqa
from babelspan.types import ConfigError

# P and R are the words of the prediction and of the gold that are shared; F1 = 2PR / (P + R).
BY_PENCIL = [
    # language, prediction, gold, exact match, F1
    ("en", "The “Rhine”", "rhine", 1, 1),
    ("en", "東京。", "東京", 1, 1),  # punctuation of any script goes, in any language
    ("en", "$5", "5", 1, 1),  # ASCII signs that are no punctuation to Unicode go too
    ("en", "€5", "5", 0, 0),  # others stay
    ("en", "der Rhein", "Rhein", 0, 2 / 3),  # P 1/2, R 1/1
    ("en", "東京都", "東京", 0, 0),  # only in Chinese is a word cut
    ("es", "La Habana", "Habana", 1, 1),
    ("es", "¿Quién?", "quién", 1, 1),
    ("es", "el río Ebro", "un río: Tajo", 0, 1 / 2),  # P 1/2, R 1/2
    ("es", "unas, los, unos", "las", 1, 0),  # both normalise to nothing
    ("es", "lago", "go", 0, 0),
    ("es", "the Ebro", "Ebro", 0, 2 / 3),
    ("hi", "दिल्ली।", "दिल्ली", 1, 1),
    ("hi", "नई दिल्ली", "दिल्ली", 0, 2 / 3),
    ("hi", "the दिल्ली", "दिल्ली", 0, 2 / 3),  # there are no articles
    ("vi", "cái nhà", "nhà", 1, 1),
    ("vi", "Những con mèo", "con mèo", 1, 1),
    ("vi", "thủ đô của Việt Nam", "thủ đô Việt Nam", 1, 1),
    ("vi", "chiếc xe là", "xe đạp", 0, 2 / 3),  # P 1/1, R 1/2
    ("de", "der Rhein", "Rhein", 1, 1),
    ("de", "Dem alten Haus", "ein altes Haus", 0, 1 / 2),  # P 1/2, R 1/2
    ("de", "„die Örtze“", "ÖRTZE", 1, 1),
    ("de", "dessen Haus", "des Haus", 0, 2 / 3),  # P 1/2, R 1/1
    ("de", "the Rhine", "Rhine", 0, 2 / 3),
    ("ar", "الكتاب", "كتاب", 1, 1),
    ("ar", "من البيت", "من بيت", 1, 1),
    ("ar", "أين؟", "أين", 1, 1),
    ("ar", "مالك", "م ك", 1, 1),  # the fault: every "ال" goes, so that a name falls apart
    ("ar", "مالك", "مك", 0, 0),
    ("ar", "ك سالم", "مالك", 0, 4 / 5),  # ك س م and م ك: P 2/3, R 2/2
    ("ar", "ال", "", 1, 0),
    ("zh", "东京。", "东京", 1, 1),
    ("zh", "东京都", "东京", 0, 4 / 5),  # P 2/3, R 2/2
    ("zh", "京东", "东京", 0, 1),
    ("zh", "iPhone手机", "iphone 手机", 1, 1),  # letters stay together, characters part
    ("zh", "2008年8月", "2008年", 0, 2 / 3),  # 2008 年 8 月: P 2/4, R 2/2
    ("zh", "《红楼梦》", "红楼梦", 1, 1),
    ("zh", "the 东京", "东京", 0, 4 / 5),
    ("zh", "東京タワー", "東京", 0, 4 / 5),  # kana are a word: P 2/3, R 2/2
    ("zh", "𠮷野家", "𠮷", 0, 1 / 2),  # beyond the range of the rule, so a word: P 1/3, R 1/1
    ("zh", "𠮷𠮷", "𠮷", 0, 0),
    ("zh", "\u9fa5\u9fa5", "\u9fa5", 0, 2 / 3),  # the last that is cut: P 1/2, R 1/1
    ("zh", "\u9fa6\u9fa6", "\u9fa6", 0, 0),  # and the first that is not
    ("zh", "\u4e00\u4e00", "\u4e00", 0, 2 / 3),
    *((language, "。", "", 1, 0) for language in mlqa.LANGUAGES),
    *((language, "", "x", 0, 0) for language in mlqa.LANGUAGES),
]


@pytest.mark.parametrize(("language", "prediction", "gold", "exact_match", "f1"), BY_PENCIL)
def test_figures_by_pencil(language, prediction, gold, exact_match, f1):
    assert mlqa.exact_match(prediction, gold, language) == exact_match
    assert mlqa.f1(prediction, gold, language) == pytest.approx(f1, abs=1e-12)


def test_the_languages_are_the_seven_of_mlqa():
    assert sorted(mlqa.LANGUAGES) == ["ar", "de", "en", "es", "hi", "vi", "zh"]
    assert {row[0] for row in BY_PENCIL} == set(mlqa.LANGUAGES)


@pytest.mark.parametrize("language", ["ko", "und", "zh-Hant", "EN", ""])
def test_another_language_is_refused_by_its_name(language):
    message = rf"knows the languages en, es, hi, vi, de, ar, zh, got '{language}'; .* --language$"
    for figure in (mlqa.exact_match, mlqa.f1):
        with pytest.raises(ConfigError, match=message):
            figure("x", "x", language)


def test_the_punctuation_is_that_of_unicode_and_of_ascii():
    table = mlqa.punctuation()

    assert set(string.punctuation) <= {chr(point) for point in table}
    assert {ord(c) for c in "。「」،؟।—“…·"} <= set(table)
    assert not {ord(c) for c in "€°ー々\u0301 ك"} & set(table)
    if unicodedata.unidata_version == "14.0.0":  # the count is that of Python 3.11
        assert len(table) == 828
    assert mlqa.RULES.endswith(f"unicode{unicodedata.unidata_version}")


ARTICLES = {
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "hi": "",
    "vi": "của là cái chiếc những",
    "de": "ein eine einen einem eines einer der die das den dem des",
    "zh": "",
}


def second_words(text, language):
    """Words left of a text: lower case, no punctuation, no articles, cut for the language."""
    text = "".join(
        c for c in text.lower() if unicodedata.category(c)[0] != "P" and c not in string.punctuation
    )
    if language == "ar":
        return " ".join(text.split("ال")).split()
    if language == "zh":
        return "".join(f" {c} " if 0x4E00 <= ord(c) <= 0x9FA5 else c for c in text).split()
    runs, run = [], ""
    for c in [*text, " "]:  # runs of letters and digits, to find whole-word articles
        if c.isalnum():
            run += c
            continue
        runs += [" " if run in ARTICLES[language].split() else run, c]
        run = ""
    return "".join(runs).split()


def second_f1(predicted, gold):
    """Twice the words in common over all words: the same as 2PR / (P + R), in whole numbers."""
    left, shared = list(gold), 0
    for word in predicted:
        if word in left:
            left.remove(word)
            shared += 1
    return Fraction(2 * shared, len(predicted) + len(gold)) if shared else Fraction(0)


LATIN = ["the", "La", "las", "ein", "DER", "des", "cái", "là", "ß", "İ", "cat", "e\u0301", "1932"]
OTHERS = [
    "ال",
    "مالك",
    "مِيرا",
    "،",
    "東",
    "京",
    "\u4e00",
    "\u9fa5",
    "\u9fa6",
    "、",
    "𠮷",
    "ー",
    "दिल्ली",
    "।",
    "🗼",
    "서울",
]
BETWEEN = [" ", "  ", "\u00a0", "\u3000", "\n", "\x1f", ".", "-", "_", "$", "€", "“"]
PIECES = st.sampled_from([*LATIN, *OTHERS, *BETWEEN])
TEXT = st.lists(PIECES | st.characters(), max_size=8).map("".join)


@pytest.mark.parametrize("language", mlqa.LANGUAGES)
@settings(max_examples=60, deadline=None)
@given(prediction=TEXT, gold=TEXT)
def test_a_second_program_gives_the_same(language, prediction, gold):
    predicted_words, gold_words = second_words(prediction, language), second_words(gold, language)

    assert mlqa.normalise(prediction, language).split() == predicted_words
    assert mlqa.exact_match(prediction, gold, language) == (predicted_words == gold_words)
    expected = float(second_f1(predicted_words, gold_words))
    assert mlqa.f1(prediction, gold, language) == pytest.approx(expected, abs=1e-12)
