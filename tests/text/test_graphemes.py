r"""Grapheme clusters: `snap` against a plain list of all clusters of `\X` over the whole text."""

from itertools import product

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.text import graphemes
from babelspan.types import Span

# Letters, line ends, combining marks, joiners, flags, emoji with modifiers, Hangul jamo and
# syllables, Devanagari, Malayalam, Thai, Khmer, prepended signs, controls, a lone surrogate.
TRICKY = [
    *"ab 1.\n\r\t\0",
    *"\u0301\u0308\u200d\u200b\ufe0f\ufeff\u00ad",
    *"🇩🇫🇰👩👨🏽❤🏳🌈",
    *"ᄀ하ᅵᆨᆫ가각",
    *"कषरि\u094d\u093c\u0902",
    *"ക്ര\u0d4eกำิ้ក\u17d2",
    *"\u0600\u06dd\u0890\U000110bd",
    *"桥𠜎𐍈ب\u064e",
    "\ud800",
]
tricky = st.sampled_from(TRICKY)
few = st.lists(tricky, min_size=2, max_size=4)  # few kinds together make long clusters likely
texts = st.one_of(
    few.flatmap(lambda kinds: st.lists(st.sampled_from(kinds), min_size=1, max_size=9)).map(
        "".join
    ),
    st.lists(tricky, min_size=1, max_size=14).map("".join),
    st.text(st.characters(), min_size=1, max_size=14),
)


@st.composite
def texts_with_spans(draw):
    text = draw(texts)
    start = draw(st.integers(0, len(text) - 1))
    return text, Span(start, draw(st.integers(start + 1, len(text))))


def clusters(text):
    """All clusters of the text as (start, end), from its first character on."""
    return [found.span() for found in regex.finditer(r"\X", text)]


def naive_snap(text, span):
    touched = [(a, b) for a, b in clusters(text) if a < span.end and b > span.start]
    return Span(touched[0][0], touched[-1][1])


@settings(max_examples=100)
@given(texts_with_spans())
def test_snap_is_the_smallest_run_of_whole_clusters_that_covers_the_span(case):
    text, span = case
    assert graphemes.snap(text, span) == naive_snap(text, span)


@settings(max_examples=50)
@given(texts_with_spans())
def test_snap_changes_nothing_when_done_twice(case):
    text, span = case
    once = graphemes.snap(text, span)
    assert graphemes.snap(text, once) == once


@pytest.mark.parametrize(
    "kinds",
    [
        "किा",
        "क\u094dष",
        "a\u0301\u0600",
        "각",
        "가ᅡᆨ",
        "각ᆨa",
        "🇩🇫a",
        "👩\u200d\ufe0f",
        "\r\na",
        "กำa",
        "ക\u0d4e\u0d4d",
    ],
)
def test_snap_at_every_place_of_all_short_texts_of_three_kinds(kinds):
    for letters in product(kinds, repeat=5):
        text = "".join(letters)
        whole = {i: place for place in clusters(text) for i in range(*place)}
        for i in range(len(text)):
            assert graphemes.snap(text, Span(i, i + 1)) == Span(*whole[i]), ascii(text)


@pytest.mark.parametrize(
    ("text", "span", "whole"),
    [
        ("cafe\u0301 noir", (0, 4), "cafe\u0301"),
        ("cafe\u0301 noir", (4, 5), "e\u0301"),
        ("a\r\nb", (0, 2), "a\r\n"),
        ("a\n\u0301b", (2, 3), "\u0301"),  # nothing joins a line end
        ("👨\u200d👩\u200d👧", (2, 3), "👨\u200d👩\u200d👧"),
        ("🇩🇪🇫🇷", (2, 3), "🇫🇷"),  # flags pair up from the first letter on
        ("🇩🇪🇫🇷", (1, 3), "🇩🇪🇫🇷"),
        ("👍🏽.", (1, 2), "👍🏽"),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", (4, 5), "\u1100\u1173\u11af"),
        ("क्षत्रिय", (2, 3), "क्ष"),  # a conjunct is one cluster
        ("कि", (0, 1), "कि"),
        ("น้ำ", (0, 1), "น้ำ"),
        ("x\u06001", (2, 3), "\u06001"),  # the Arabic number sign is prepended to a number
        ("𠜎𐍈", (1, 2), "𐍈"),
        ("plain", (1, 3), "la"),
    ],
)
def test_snap_of_known_texts(text, span, whole):
    snapped = graphemes.snap(text, Span(*span))
    assert snapped.of(text) == whole
    assert snapped.start <= span[0] and span[1] <= snapped.end


@pytest.mark.parametrize(
    "unit",
    [
        "한국 사람 ",
        "가나다",
        "中文没有空格",
        "ภาษาไทย",
        "क्षत्रिय ",
        "العربية ",
        "👩\u200d🚀",
        "e\u0301",
        "🇩🇪",
    ],
)
def test_snap_far_into_a_long_text_is_the_same_as_near_its_start(unit):
    text = unit * 60
    for start in range(40 * len(unit), 42 * len(unit)):
        assert graphemes.snap(text, Span(start, start + 1)) == naive_snap(
            text, Span(start, start + 1)
        )


@settings(max_examples=200)
@given(texts_with_spans())
def test_snap_by_the_clusters_of_the_whole_text_is_the_same_as_by_those_nearby(case):
    text, span = case
    starts = [start for start, _ in clusters(text)]
    assert graphemes._starts(text) == (*starts, len(text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graphemes, "_NEAR", 2)
        assert graphemes.snap(text, span) == naive_snap(text, span)


@pytest.mark.parametrize("odd", ["", "🇫"])
@pytest.mark.parametrize("unit", ["🇩🇪", "\u0301", "👩\u200d", "क\u094d", "ᄀ", "🇩🇪\u0301🇫"])
def test_a_long_row_without_a_sure_boundary_is_cut_once_for_all_its_places(unit, odd):
    text = "x" + unit * 40_000 + odd + "y"  # place by place this took minutes for flags
    graphemes._starts.cache_clear()
    for start in range(1000, len(text) - 5, len(text) // 200):
        span = Span(start, start + 5)
        snapped = graphemes.snap(text, span)
        assert snapped.start <= span.start < span.end <= snapped.end
    assert graphemes._starts.cache_info().misses <= 1
    assert graphemes.snap(text, Span(len(text) - 1, len(text))).of(text) == "y"


@pytest.mark.parametrize("text", ["abc", "한국"])
def test_snap_refuses_a_span_outside_the_text(text):
    with pytest.raises(ValueError, match=rf"position must be in \[0, {len(text)}\), got 4"):
        graphemes.snap(text, Span(0, 5))


@settings(max_examples=60)
@given(texts_with_spans())
def test_strip_takes_white_space_off_both_ends_and_nothing_else(case):
    text, span = case
    stripped = graphemes.strip(text, span)
    if stripped is None:
        assert not span.of(text).strip()
    else:
        assert span.start <= stripped.start < stripped.end <= span.end
        assert stripped.of(text) == span.of(text).strip()


def test_strip_knows_the_white_space_of_unicode():
    text = "x\u3000\u00a0桥 \u2028\r\ny"
    assert graphemes.strip(text, Span(1, len(text) - 1)) == Span(3, 4)
    assert graphemes.strip(text, Span(4, len(text) - 1)) is None
