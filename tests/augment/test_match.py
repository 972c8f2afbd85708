"""Answers looked for by their words: forms, places, languages."""

import pytest

from babelspan.augment.match import find_answer, find_overlapping
from babelspan.types import Span

START = Span(0, 1)


def found(context, answer, language, near=START):
    place = find_answer(context, answer, language, near=near)
    return None if place is None else (place.start, place.of(context))


def test_as_it_stands():
    assert found("Nació en París en 1950.", "París", "es") == (9, "París")


def test_but_for_case_and_accents():
    assert found("Nació en PARÍS.", "paris", "es") == (9, "PARÍS")
    assert found("Die Straße ist lang.", "STRASSE", "de") == (4, "Straße")
    assert found("Ἀθῆναι εἶναι", "Αθηναι", "el") == (0, "Ἀθῆναι")


def test_decomposed_letters_are_found_whole():
    assert found("en Pari\u0301s.", "París", "es") == (3, "Pari\u0301s")


def test_marks_on_the_last_letter_belong_to_the_answer():
    assert found("un cafe\u0301 solo", "café", "es") == (3, "cafe\u0301")
    assert found("قرأ كِتَابٌ جديد", "كتاب", "ar") == (4, "كِتَابٌ")
    assert found("un cafe\u0301", "CAFE", "es") == (3, "cafe\u0301")


def test_vowel_signs_are_no_accents():
    assert found("की", "क", "hi") is None


@pytest.mark.parametrize(
    ("context", "answer", "language", "expected"),
    [
        ("visto en parque.", "el parque", "es", "parque"),
        ("in Stadt München", "die Stadt", "de", "Stadt"),
        ("dans hôtel ancien", "l'hôtel", "fr", "hôtel"),
        ("في كتاب قديم", "الكتاب", "ar", "كتاب"),
    ],
)
def test_without_the_article(context, answer, language, expected):
    assert found(context, answer, language)[1] == expected


def test_without_marks_at_the_ends():
    assert found("Se llama Marte", "«Marte».", "es")[1] == "Marte"


def test_the_form_with_the_article_comes_first():
    assert found("parque, el parque", "el parque", "es") == (8, "el parque")


def test_whole_words_only():
    assert found("Parisino de origen", "Paris", "es") is None
    assert found("1950s", "1950", "en") is None


def test_scripts_without_spaces_have_no_whole_words():
    assert found("他出生在北京市。", "北京", "zh") == (4, "北京")
    assert found("彼は東京に住む", "東京", "ja") == (2, "東京")
    assert found("เขาอยู่กรุงเทพมหานคร", "กรุงเทพ", "th") == (7, "กรุงเทพ")


def test_the_place_in_the_expected_part_or_nearest_to_it():
    context = "Roma. Un texto. Roma otra vez. Roma."
    assert found(context, "Roma", "es", Span(16, 30))[0] == 16
    assert found(context, "Roma", "es", Span(28, 36))[0] == 31
    assert found(context, "Roma", "es", Span(6, 8))[0] == 0


def test_what_is_not_there():
    assert found("Nació en París.", "Londres", "es") is None
    assert found("Nació en París.", "...", "es") is None


def test_most_of_the_words_in_another_order():
    context = "No ayudó. Su desastrosa situación financiera lo obligó."
    place = find_overlapping(context, "Situación financiera desastrosa", "es", near=Span(10, 55))
    assert place.of(context) == "desastrosa situación financiera"


def test_too_few_words_in_common():
    context = "Su desastrosa situación lo obligó a vender."
    near = Span(0, len(context))
    assert find_overlapping(context, "la situación de la empresa", "es", near=near) is None


def test_only_the_part_that_is_near_is_looked_at():
    context = "gran casa. Otra cosa."
    assert find_overlapping(context, "casa gran", "es", near=Span(11, 21)) is None
    assert find_overlapping(context, "casa gran", "es", near=Span(0, 10)).of(context) == "gran casa"
