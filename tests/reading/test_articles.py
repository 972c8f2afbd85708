"""Windows over articles: which passages they show, what they teach, and what is made of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.reading.articles import (
    NOTHING,
    ArticleLogits,
    Kind,
    article_windows,
    choose,
)
from babelspan.types import Article, ArticleAnswer, DataError, Limits, Span
from miniature import miniature_reader

WORDS = [f"w{i}" for i in range(40)]
FEATURIZER = miniature_reader([*WORDS, "?"]).featurizer
SMALL = Limits(max_length=37, overlap=8)
"""Room for 32 tokens beside a question of one word and its mark."""


def article(*passages, answers=(), between=" w39 "):
    """An article of passages given as numbers of words, with something between them."""
    text, places = "", []
    for passage in passages:
        text += between if text else ""
        start = len(text)
        text += " ".join(WORDS[i % 39] for i in passage)
        places.append(Span(start, len(text)) if len(text) > start else None)
    return Article(
        id=1, language="thai", question="w0 ?", text=text, passages=tuple(places), answers=answers
    )


def windows(found, limits=SMALL):
    return list(article_windows(FEATURIZER, found, limits))


def answer(found, passage, words=None, yes_no=None):
    """An annotation: a passage, and in it words from the first up to, not including, the second."""
    span = None
    if words is not None:
        place = found.passages[passage]
        tokens = place.of(found.text).split(" ")
        start = place.start + len(" ".join([*tokens[: words[0]], ""]))
        span = Span(start, start + len(" ".join(tokens[words[0] : words[1]])))
    return ArticleAnswer(passage=passage, span=span, yes_no=yes_no)


def with_answers(found, *answers):
    return replace(found, answers=answers)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=8))
def test_windows_show_the_words_of_their_passages(sizes):
    found = article(*[range(size) for size in sizes])
    if not found.text.strip():
        return
    seen = [set() for _ in sizes]
    for one in windows(found):
        offsets = one.window.offsets
        inside = np.zeros(len(offsets), bool)
        for index, first, end in one.passages.tolist():
            place = found.passages[index]
            assert first < end
            inside[first:end] = True
            for start, stop in offsets[first:end].tolist():
                assert place.start <= start < stop <= place.end
                seen[index].add(start)
        others = [found.text[s:e] for s, e in offsets[~inside].tolist()]
        assert set(others) <= {"w39"}
        slots = one.slots()
        assert len(slots) == one.length
        assert (slots > 0).sum() == inside.sum()
    assert [len(starts) for starts in seen] == sizes


def test_the_window_with_the_whole_minimal_answer_teaches_it():
    found = article(range(20), range(30), range(5))
    found = with_answers(found, answer(found, 1, (1, 3)))
    labels = [one.label for one in windows(found)]
    assert [label.kind for label in labels] == [Kind.SPAN, *[Kind.NULL] * (len(labels) - 1)]
    first = windows(found)[0]
    start, last = first.label.tokens
    at = first.window.context_at
    said = found.text[first.window.offsets[start - at, 0] : first.window.offsets[last - at, 1]]
    assert said == found.answers[0].span.of(found.text)
    assert first.passages[first.label.passage - 1, 0] == 1


@pytest.mark.parametrize(
    ("yes_no", "kind"), [("yes", Kind.YES), ("no", Kind.NO), (None, Kind.PASSAGE)]
)
@pytest.mark.parametrize(("words", "is_enough"), [(10, True), (12, False)])
def test_half_of_a_passage_is_enough_for_its_kind(yes_no, kind, words, is_enough):
    found = article(range(25), range(words))
    found = with_answers(found, answer(found, 1, yes_no=yes_no))
    first, second = windows(found)
    assert first.passages[1].tolist() == [1, 26, 32]  # 6 words with 17 characters, of 29 or 37
    assert second.label == (kind, len(second.passages), (0, 0))
    assert first.label.kind == (kind if is_enough else Kind.NULL)


def test_a_window_inside_a_long_passage_shows_it():
    found = article(range(100))
    found = with_answers(found, answer(found, 0, yes_no="no"))
    assert {one.label for one in windows(found)} == {(Kind.NO, 1, (0, 0))}


def test_an_annotation_with_a_minimal_answer_is_learnt_before_a_passage_alone():
    found = article(range(5), range(5))
    nobody = ArticleAnswer(passage=None, span=None, yes_no=None)
    found = with_answers(found, nobody, answer(found, 0), answer(found, 1, (1, 2)))
    (one,) = windows(found)
    assert one.label[:2] == (Kind.SPAN, 2)


def test_bare_windows_are_the_same_without_the_text():
    found = article(range(20), range(30))
    found = with_answers(found, answer(found, 1, (3, 5)))
    for one in windows(found):
        bare = one.bare()
        assert bare.window.example.context == ""
        assert bare.label == one.label
        assert (bare.window.ids() == one.window.ids()).all()


def logits(one, *, passages, kind, span=None):
    """Logits of a window that says a passage (by its number in it), a kind, and a span."""
    start, last = (np.zeros(one.length, np.float32) for _ in range(2))
    if span is not None:
        start[one.window.context_at + span[0]] = 5
        last[one.window.context_at + span[1]] = 5
    kinds = np.zeros(5, np.float32)
    kinds[kind] = 4
    return ArticleLogits(start, last, np.array([0, *passages], np.float32), kinds)


def test_the_best_passage_of_all_windows_is_chosen_with_a_span_inside_it():
    found = article(range(20), range(8), range(20))
    first, second = windows(found)[:2]
    assert first.passages[:, 0].tolist() == [0, 1, 2]
    read = [
        (first, logits(first, passages=[1, 3, 2], kind=Kind.SPAN, span=(2, 3))),
        (second, logits(second, passages=[-1] * len(second.passages), kind=Kind.YES)),
    ]
    chosen = choose(iter(read))
    assert (chosen.passage, chosen.yes_no, chosen.passage_score) == (1, None, 3.0)
    place = found.passages[1]
    assert place.start <= chosen.span.start
    assert chosen.span.end <= place.end  # though the best span of the window is elsewhere
    assert chosen.minimal_score == pytest.approx(3 + 4 - np.log(2))


def test_the_minimal_answer_is_that_of_the_best_window_of_the_passage():
    found = article(range(70))
    first, second, third, *_ = windows(found)
    read = [
        (first, logits(first, passages=[2], kind=Kind.NULL)),
        (second, logits(second, passages=[2.5], kind=Kind.NO)),
        (third, logits(third, passages=[3], kind=Kind.PASSAGE)),
    ]
    chosen = choose(read)
    assert chosen[:3] == (0, None, "no")
    assert chosen.passage_score == 3
    assert chosen.minimal_score == pytest.approx(2.5 + 4 - np.log(2))


def test_nothing_to_choose_from():
    assert choose([]) == NOTHING
    assert windows(article()) == []
    one = windows(article(range(3)))[0]
    lone = replace(one, passages=np.zeros((0, 3), np.int32))
    assert choose([(lone, logits(one, passages=[], kind=Kind.SPAN))]) == NOTHING


def test_broken_weights_are_told():
    one = windows(article(range(3)))[0]
    read = [(one, logits(one, passages=[np.nan], kind=Kind.SPAN))]
    with pytest.raises(DataError, match="passage logit that is not a finite number"):
        choose(read)
