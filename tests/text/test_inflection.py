"""Base forms by the ending."""

import pytest

from babelspan.text.inflection import stems


@pytest.mark.parametrize(
    ("word", "base"),
    [
        ("dogs", "dog"), ("boxes", "box"), ("houses", "house"), ("churches", "church"),
        ("cities", "city"), ("ties", "tie"), ("anna's", "anna"), ("dogs'", "dogs"),
        ("opened", "open"), ("used", "use"), ("stopped", "stop"), ("carried", "carry"),
        ("opening", "open"), ("using", "use"), ("running", "run"),
        ("older", "old"), ("largest", "large"), ("happier", "happy"), ("biggest", "big"),
        ("was", "be"), ("does", "do"), ("had", "have"),
    ],
)  # fmt: skip
def test_english_endings(word, base):
    assert base in stems(word, "en")


@pytest.mark.parametrize("word", ["glass", "house", "went", "his", "gas", "red", "s", ""])
def test_english_words_without_an_ending_have_no_base(word):
    assert [stem for stem in stems(word, "en") if len(stem) < len(word)] == []


def test_other_languages_lose_up_to_three_letters_and_keep_four():
    assert stems("häusern", "de") == ["häuser", "häuse", "häus"]
    assert stems("casas", "es") == ["casa"]
    assert stems("casa", "es") == []
    assert stems("北京", "zh") == []
