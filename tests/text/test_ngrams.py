"""The language of a text by its n-grams, and by its script where that decides."""

from babelspan.text.ngrams import NgramLists, ngrams, words_of

SHARES = {
    "en": {"the": 0.02, " th": 0.02, "wha": 0.005, "ing": 0.01},
    "de": {"der": 0.02, "ein": 0.015, "sch": 0.012, "the": 0.0005},
}


def test_ngrams_have_the_borders_of_their_word():
    assert [*ngrams("ab")] == [" ", "a", "b", " ", " a", "ab", "b ", " ab", "ab ", " ab "]


def test_words_are_in_small_letters_and_one_form():
    assert words_of("Cafe\u0301, ＡＢ 12") == ["café", "ab"]


def test_the_language_with_the_likelier_ngrams():
    lists = NgramLists(SHARES)
    assert lists.language_of("What is the thing?") == "en"
    assert lists.language_of("Wer ist der Schein?") == "de"


def test_a_script_of_one_language_decides():
    assert NgramLists(SHARES).language_of("橋はいつできたか") == "ja"
    assert NgramLists(SHARES).language_of("다리는 언제") == "ko"


def test_no_language_where_nothing_or_too_little_speaks_for_one():
    lists = NgramLists(SHARES)
    assert lists.language_of("12 + 7") == "und"
    assert lists.language_of("xyz") == "und"
    assert lists.language_of("") == "und"
    close = NgramLists({"en": {"abc": 0.01}, "de": {"abc": 0.005}})
    assert close.language_of("abc") == "und"  # 0.7 nats apart


def test_latin_names_do_not_decide_in_a_text_of_another_script():
    lists = NgramLists({"en": {"the": 0.02, " th": 0.02}, "ru": {"что": 0.02, " де": 0.01}})
    assert lists.language_of("Что делала The Theremin Thereafter?") == "ru"
    assert lists.language_of("What is the thing that says что?") == "en"
    assert NgramLists(SHARES).language_of("谁嬴得了 2000 年 the thing") == "zh"
