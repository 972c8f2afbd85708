"""Questions word by word: most likely translations, by way of English, scripts without spaces."""

import random

import pytest

from babelspan.reading.glosses import Glosses, inverted

LINKS = {
    "de": {
        "which": {"welche": 6.0, "welches": 2.0},
        "bridge": {"brücke": 9.0, "steg": 1.0},
        "old": {"alt": 4.0, "alte": 5.0},
        "the": {"die": 3.0, "": 7.0},
    },
    "es": {
        "which": {"cuál": 5.0},
        "bridge": {"puente": 8.0},
        "footbridge": {"puente": 1.0},
        "old": {"viejo": 3.0},
        "the": {"el": 5.0},
    },
    "zh": {"which": {"哪": 4.0}, "bridge": {"大桥": 3.0, "桥": 2.0}, "old": {"老": 2.0}},
}


@pytest.fixture
def glosses():
    return Glosses(LINKS, LINKS.__getitem__)


def test_each_word_has_its_most_likely_translation_and_some_have_none(glosses):
    gloss = glosses.gloss("Which is the old Bridge?", source="en", target="de")
    assert gloss == "welche is alte brücke"


def test_another_language_goes_by_way_of_english(glosses):
    assert glosses.gloss("¿Cuál puente?", source="es", target="de") == "welche brücke"
    assert glosses.gloss("Steg", source="de", target="en") == "bridge"


def test_forms_of_a_known_word_are_translated_too(glosses):
    assert glosses.gloss("Welcher Brücken?", source="de", target="es") == "cuál puente"
    assert glosses.gloss("Which bridges", source="en", target="de") == "welche brücke"


def test_ways_through_several_english_words_add_up():
    links = {
        "de": {"a": {"x": 3.0}, "b": {"x": 2.0}, "c": {"x": 2.0}},
        "es": {"a": {"one": 9.0}, "b": {"two": 5.0}, "c": {"two": 1.0}},
    }
    gloss = Glosses(links, links.__getitem__).gloss("x", source="de", target="es")
    assert gloss == "two"  # 4 links in 7 lead to it; the best single way leads to "one"


def test_a_text_without_spaces_is_cut_into_the_longest_known_words(glosses):
    assert glosses.gloss("哪大桥?", source="zh", target="de") == "welche brücke"
    assert glosses.gloss("哪未桥 A1", source="zh", target="en") == "which 未 bridge a1"


def test_two_words_may_have_one_translation():
    links = {
        "es": {"how": {"cómo": 5.0}, "many": {"muchos": 4.0}, "how many": {"cuántos": 3.0}},
        "de": {"how": {"wie": 5.0}, "many": {"viele": 4.0}, "how much": {"wieviel": 1.0}},
    }
    glosses = Glosses(links, links.__getitem__)
    assert glosses.gloss("How many?", source="en", target="es") == "cuántos"
    assert glosses.gloss("How many?", source="en", target="de") == "wie viele"
    assert glosses.gloss("Cuántos?", source="es", target="en") == "how many"
    assert glosses.gloss("Cuántos cómo", source="es", target="de") == "cuántos wie"


def test_katakana_is_cut_into_whole_words_only():
    links = {"team": {"チーム": 2.0}, "soccer": {"サッカー": 3.0}, "page": {"リー": 4.0}}
    glosses = Glosses(["ja"], {"ja": links}.__getitem__)
    assert glosses.gloss("サッカーチーム", source="ja", target="en") == "soccer team"
    assert glosses.gloss("リーチーム", source="ja", target="en") == ""
    assert glosses.gloss("サッカーのチームのリーブ", source="ja", target="en") == (
        "soccer の team の リーブ"
    )


def test_numbers_before_letters_without_spaces_are_words_of_their_own():
    glosses = Glosses(["ja"], {"ja": {"year": {"年": 4.0}}}.__getitem__)
    assert glosses.gloss("1943年", source="ja", target="en") == "1943 year"


def test_a_translation_without_spaces_has_them_round_foreign_words_only(glosses):
    assert glosses.gloss("Which old bridge", source="en", target="zh") == "哪老大桥"
    assert glosses.gloss("Which Prague bridge", source="en", target="zh") == "哪 prague 大桥"


def test_letters_are_compared_in_one_form(glosses):
    decomposed = "bru\u0308cke"
    assert glosses.gloss(decomposed, source="de", target="en") == "bridge"


def test_a_question_of_no_words_has_no_gloss(glosses):
    assert glosses.gloss("?!", source="en", target="de") == ""
    assert glosses.gloss("the", source="en", target="de") == ""


def test_translations_can_be_drawn(glosses):
    rng = random.Random(1)

    def choose(options):
        return rng.choices(list(options), list(options.values()))[0]

    drawn = {glosses.gloss("bridge", source="en", target="de", choose=choose) for _ in range(200)}
    assert drawn == {"brücke", "steg"}


def test_links_are_read_once_and_only_for_the_languages_of_a_question():
    asked = []

    def links(language):
        asked.append(language)
        return LINKS[language]

    glosses = Glosses(LINKS, links)
    for _ in range(3):
        glosses.gloss("old bridge", source="en", target="de")
        glosses.gloss("alte brücke", source="de", target="es")
    assert asked == ["de", "es"]


def test_inverted_links_leave_out_what_has_no_translation():
    assert inverted(LINKS["de"])["die"] == {"the": 3.0}
    assert "" not in inverted(LINKS["de"])


def test_a_question_of_words_that_the_dictionary_does_not_know_has_no_gloss(glosses):
    assert glosses.gloss("Wo steht der alte Turm von Prag?", source="en", target="de") == ""
    assert glosses.gloss("Which old Prague tower?", source="en", target="de") != ""


def test_arabic_vowel_signs_do_not_hide_a_word():
    links = {"ar": {"later": {"لاحقا": 3.0}, "number": {"عدد": 2.0}}}
    glosses = Glosses(links, links.__getitem__)
    assert glosses.gloss("لاحقًا العَدَد", source="ar", target="en") == "later number"
