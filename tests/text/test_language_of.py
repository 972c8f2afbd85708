"""The language of a text: by its script where that decides."""

import pytest

from babelspan.jobs.samples import sample_texts
from babelspan.text.language_of import language_of


def test_the_samples_are_told_apart():
    for name, text in sample_texts().items():
        assert language_of(text) == name.split(".")[-2], name


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "und"),
        ("1894 — !?", "und"),
        ("東京", "zh"),
        ("東京は日本の首都", "ja"),
        ("סבבה", "he"),
        ("\ud800", "und"),
        ("Wann wurde die Brücke eröffnet?", "de"),
    ],
)
def test_odd_texts(text, language):
    assert language_of(text) == language


def test_languages_may_be_restricted():
    assert language_of("Di mana jembatan itu?", {"id", "en"}) == "id"
    assert language_of("Where is it?", {"de"}) == "de"
