"""Spans and answers count characters; an end is exclusive."""

from dataclasses import FrozenInstanceError

import pytest

from babelspan.types import Answer, ConfigError, DataError, Example, Span

CONTEXT = "Café 🗼 مِيرا 東京."


@pytest.mark.parametrize(("start", "end"), [(0, 0), (3, 3), (3, 2), (-1, 2), (-3, -1), (0, -1)])
def test_a_span_is_never_empty_nor_before_the_text(start, end):
    message = rf"^a span must have 0 <= start < end, got \({start}, {end}\)$"
    with pytest.raises(ValueError, match=message):
        Span(start, end)


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [(0, 4, "Café"), (5, 6, "🗼"), (7, 12, "مِيرا"), (13, 15, "東京"), (15, 16, ".")],
)
def test_a_span_counts_characters_and_its_end_is_exclusive(start, end, text):
    assert Span(start, end).of(CONTEXT) == text
    assert Answer(text, start).span == Span(start, end)
    assert Answer(text, start).is_in(CONTEXT)


@pytest.mark.parametrize(
    "answer",
    [
        Answer("東京", 12),
        Answer("東京", 14),
        Answer("東京", None),
        Answer(".", -1),  # where Python would count from the end
        Answer("", 0),
        Answer("", 99),
        Answer("東京。", 13),
        Answer(". ", 15),
        Answer("Cafe\u0301", 0),
        Answer("東京", 99),
        Answer("東京", 20),  # its place in bytes of UTF-16
    ],
)
def test_an_answer_elsewhere_or_nowhere_is_not_in_the_context(answer):
    assert not answer.is_in(CONTEXT)


def test_an_answer_without_a_place_has_no_span():
    assert Answer("東京", None).span is None
    with pytest.raises(ValueError, match=r"got \(3, 3\)"):
        _ = Answer("", 3).span


def test_values_do_not_change_and_equal_by_content():
    span = Span(1, 2)
    with pytest.raises(FrozenInstanceError):
        span.start = 0
    assert span == Span(1, 2)
    assert len({span, Span(1, 2), Span(1, 3)}) == 2


def test_an_example_is_built_by_name_and_can_be_a_key():
    with pytest.raises(TypeError):
        Example("q1", "?", "x", None, "en", "en")
    example = Example(
        id="q1",
        question="?",
        context="x",
        answers=(Answer("x", 0),),
        question_language="en",
        context_language="zh",
    )
    assert (example.title, example.origin) == ("", None)
    assert not hasattr(example, "__dict__")
    assert {example: 1}[example] == 1


def test_errors_of_files_and_settings_are_value_errors_and_differ():
    assert issubclass(DataError, ValueError)
    assert issubclass(ConfigError, ValueError)
    assert not issubclass(DataError, ConfigError)
    assert not issubclass(ConfigError, DataError)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ((0, 2), (1, 3), True),
        ((0, 2), (2, 3), False),
        ((0, 9), (3, 4), True),
        ((5, 6), (0, 5), False),
    ],
)
def test_spans_overlap_where_they_share_a_character(one, other, shared):
    assert Span(*one).overlaps(Span(*other)) is shared
    assert Span(*other).overlaps(Span(*one)) is shared
