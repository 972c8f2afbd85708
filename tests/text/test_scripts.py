"""Scripts of letters, and those that a tokenizer hardly knows."""

import numpy as np
import pytest

from babelspan.text.scripts import hardly_known, script_of


@pytest.mark.parametrize(
    ("letters", "script"),
    [
        ("aéß", "Latin"),
        ("жЁ", "Cyrillic"),
        ("中鿿𠜎", "Han"),
        ("かㇰ"[0], "Hiragana"),
        ("한", "Hangul"),
        ("िन्", "Devanagari"),
        ("ಕ", "Kannada"),
        ("አ", "Ethiopic"),
        ("ᐃ", "Canadian Aboriginal"),
        (" 7.,!－🌉\u0301\u200d", ""),
    ],
)
def test_scripts(letters, script):
    assert {script_of(letter) for letter in letters} == {script}


def places(*spans):
    return np.array(spans, np.int32).reshape(-1, 2)


def test_what_is_spelt_letter_by_letter_is_hardly_known():
    text = "word слово"
    words = (0, 4), (5, 10)
    letters = [(i, i + 1) for i in range(5, 10)]
    assert hardly_known(text, places(*words)) == ()
    assert hardly_known(text, places(words[0], *letters)) == ("Cyrillic",)
    assert hardly_known(text, places(words[0])) == ("Cyrillic",)
    assert hardly_known(text, places((0, 4), (5, 8), (8, 9), (9, 10))) == ()
    assert hardly_known(text, places()) == ("Cyrillic", "Latin")


def test_words_of_one_letter_say_nothing_unless_they_are_unknown():
    assert hardly_known("Q?", places((0, 1), (1, 2))) == ()
    assert hardly_known("x + y", places((0, 1), (2, 3), (4, 5))) == ()
    assert hardly_known("ж", places()) == ("Cyrillic",)
    assert hardly_known("ка", places((0, 1), (1, 2))) == ("Cyrillic",)


def test_characters_that_are_pieces_of_their_own_are_known_unless_cut_into_parts():
    assert hardly_known("中国", places((0, 1), (1, 2))) == ()
    assert hardly_known("中国", places((0, 2))) == ()
    assert hardly_known("中国", places(*[(0, 1)] * 3, *[(1, 2)] * 3)) == ("Han",)
    assert hardly_known("한국", places(*[(0, 1)] * 3, *[(1, 2)] * 3)) == ("Hangul",)


def test_a_few_letters_of_another_script_do_not_count():
    text = "a long sentence in English with the letter ж in it"
    assert hardly_known(text, places((0, 42), (44, 50))) == ()
    assert hardly_known("1894", places()) == ()
