"""The sample set: parallel, in place, and short."""

import unicodedata

import pytest

from babelspan.data.folder import cross, find
from babelspan.jobs.samples import SAMPLES, sample_texts

LANGUAGES = ["ar", "de", "en", "es", "hi", "ko", "ru", "zh"]
SCRIPT = {
    "ar": "ARABIC", "de": "LATIN", "en": "LATIN", "es": "LATIN",
    "hi": "DEVANAGARI", "ko": "HANGUL", "ru": "CYRILLIC", "zh": "CJK",
}  # fmt: skip


@pytest.fixture(scope="module")
def sets():
    return {f.context_language: f.load() for f in find([SAMPLES])}


def test_every_language_has_the_same_questions_in_the_same_order(sets):
    assert sorted(sets) == LANGUAGES
    english = [e.id for e in sets["en"]]
    assert len(english) >= 72
    assert len(set(english)) == len(english)
    for examples in sets.values():
        assert [e.id for e in examples] == english


def test_every_topic_has_three_questions_over_one_text(sets):
    for examples in sets.values():
        topics = {}
        for e in examples:
            topics.setdefault(e.id.rpartition("-")[0], []).append(e)
        assert len(topics) >= 24
        for of_topic in topics.values():
            assert len(of_topic) == 3
            assert len({e.context for e in of_topic}) == 1
            assert len({e.question for e in of_topic}) == 3


def test_each_answer_is_in_its_place_and_nowhere_else(sets):
    for language, examples in sets.items():
        for e in examples:
            (answer,) = e.answers
            assert answer.span.of(e.context) == answer.text
            assert e.context.count(answer.text) == 1, (language, e.id)
            assert answer.text == answer.text.strip()
            assert answer.text.casefold() not in e.question.casefold(), (language, e.id)


def test_texts_are_in_their_script_and_normal_form(sets):
    for language, examples in sets.items():
        for e in examples:
            letters = [c for c in e.context if c.isalpha()]
            own = sum(unicodedata.name(c).startswith(SCRIPT[language]) for c in letters)
            assert own > 0.8 * len(letters), (language, e.id)
            for text in (e.context, e.question):
                assert unicodedata.is_normalized("NFC", text), (language, e.id)
                assert text == text.strip()
            assert e.question.endswith(("?", "؟", "？"))


def test_sample_texts_have_a_file_for_each_topic_and_language():
    texts = sample_texts()
    assert len(texts) >= 24 * 8
    assert len({name.split(".")[0] for name in texts}) * 8 == len(texts)


def test_the_set_can_be_crossed(sets):
    assert len(cross(sets)) == 64
