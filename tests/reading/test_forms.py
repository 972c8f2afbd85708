"""Links of words by their other forms: shared beginnings, Korean particles, prefixed letters."""

import pytest

from babelspan.reading.forms import Forms

GERMAN = {
    "brücke": {"bridge": 9.0},
    "brücken": {"bridges": 4.0, "": 7.0},
    "brückenbauwesen": {"engineering": 9.0},
    "bruder": {"brother": 3.0},
    "baut": {"builds": 2.0},
}


def test_a_known_word_has_its_own_links():
    assert Forms(GERMAN, "de").of("brücke") == {"bridge": 9.0}


def test_the_links_of_forms_that_begin_alike_are_added_up():
    forms = Forms(GERMAN, "de")
    assert forms.of("brücker") == {"bridge": 9.0, "bridges": 4.0}
    assert forms.of("bruders") == {"brother": 3.0}


def test_an_english_word_loses_its_endings_only():
    forms = Forms({"bridge": {"brücke": 9.0}, "chop": {"hacken": 3.0}}, "en")
    assert forms.of("bridges") == {"brücke": 9.0}
    assert forms.of("chopped") == {"hacken": 3.0}
    assert forms.of("chopin") == {}


@pytest.mark.parametrize("word", ["baus", "brut", "brückenheiliger", "turm", "1357", "baut1"])
def test_a_word_that_is_too_little_like_a_known_one_has_no_links(word):
    assert Forms(GERMAN, "de").of(word) == {}


def test_a_word_without_translations_lends_none():
    assert Forms({"gleich": {"": 5.0}}, "de").of("gleiche") == {}


def test_a_korean_word_begins_with_a_known_one():
    forms = Forms({"대한민국": {"korea": 3.0}, "나라": {"country": 2.0}}, "ko")
    assert forms.of("대한민국의") == {"korea": 3.0}
    assert forms.of("나라입니까") == {"country": 2.0}
    assert forms.of("나") == {}


@pytest.mark.parametrize(
    ("language", "known", "word"),
    [("he", "גשר", "הגשר"), ("he", "גשר", "שהגשר"), ("ar", "جسر", "الجسر"), ("ar", "جسر", "وجسر")],
)
def test_letters_written_before_a_word_are_taken_off(language, known, word):
    assert Forms({known: {"bridge": 2.0}}, language).of(word) == {"bridge": 2.0}
    assert Forms({known: {"bridge": 2.0}}, "fa").of(word) == {}
