"""Decoding against Python loops over every span of every window."""

import math
from itertools import pairwise

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.reading.decode import Candidates, candidates, predictions, total_log_mass
from babelspan.reading.tokens import Tokens
from babelspan.reading.windows import Frame, Window
from babelspan.types import DataError, Example, Span

FRAME = Frame([0], [2, 2], [2], [0], 0, [0, 0], 0, [0])
QUESTION = np.array([7, 8, 9], dtype=np.int32)
AT = 6  # prefix, question, middle

PIECES = [
    "bridge",
    "桥",
    " ",
    "\n",
    "e\u0301",
    "👨\u200d👩",
    "🇩🇪",
    "क्ष",
    "ab",
    "\r\n",
    "다",
    ".",
    "ก",
]


def example_of(context):
    return Example(
        id="q1",
        question="Who?",
        context=context,
        answers=None,
        question_language="en",
        context_language="und",
    )


def windows_of(context, offsets, cuts):
    """Windows of `example_of(context)`: `cuts` has first and last token of each."""
    tokens = Tokens(
        np.arange(len(offsets), dtype=np.int32),
        np.array(offsets, dtype=np.int32).reshape(-1, 2),
    )
    example = example_of(context)
    return [
        Window(
            example,
            FRAME,
            QUESTION,
            Tokens(tokens.ids[first : last + 1], tokens.offsets[first : last + 1]),
            first,
        )
        for first, last in cuts
    ]


def words_of(context):
    """Offsets of the words between single spaces."""
    return [found.span() for found in regex.finditer(r"\S+", context)]


def logits_for(windows, rng, spread=3.0):
    """Random logits, also where no answer may be: question, frame and padding."""
    shape = (len(windows), max(w.length for w in windows) + 2)
    return tuple((rng.standard_normal(shape) * spread).astype(np.float32) for _ in range(2))


@st.composite
def cases(draw):
    """A context of a few tokens, its windows, and logits."""
    context = "".join(draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8)))
    characters = len(context)
    offsets, at = [], 0
    while at < characters:  # tokens of one or two characters, some of the bytes of a character
        end = min(characters, at + draw(st.integers(1, 2)))
        offsets += [(at, end)] * draw(st.sampled_from([1, 1, 1, 3]))
        at = end
    tokens = len(offsets)
    room = draw(st.integers(1, tokens))
    step = room - draw(st.integers(0, room // 2))
    firsts = [f for f in range(0, tokens, step) if f == 0 or f - step + room < tokens]
    cuts = [(first, min(first + room, tokens) - 1) for first in firsts]
    windows = windows_of(context, offsets, cuts)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return windows, *logits_for(windows, rng, draw(st.sampled_from([0.5, 3.0, 30.0])))


def naive_tidy(text, start, end, *, whole_words=False):
    """The span without white space at its ends, widened to whole clusters, and to whole words."""
    kept = [i for i in range(start, end) if not text[i].isspace()]
    if not kept:
        return None
    start, end = kept[0], kept[-1] + 1
    if whole_words:
        while start and all(map(is_inside, text[start - 1 : start + 1])):
            start -= 1
        while end < len(text) and all(map(is_inside, text[end - 1 : end + 1])):
            end += 1
    clusters = [found.span() for found in regex.finditer(r"\X", text)]
    touched = [(a, b) for a, b in clusters if a < end and b > start]
    return touched[0][0], touched[-1][1]


def is_inside(character):
    """Whether it may stand inside a word, among the characters of `PIECES`."""
    return character in "bridgeabe\u0301\u200dक\u094dष"


def naive_spans(windows, start_logits, last_logits, max_answer_tokens):
    """(logit, start, end) of every span of every window, in characters."""
    for row, window in enumerate(windows):
        for first in range(window.size):
            for last in range(first, min(first + max_answer_tokens, window.size)):
                yield (
                    float(start_logits[row, AT + first]) + float(last_logits[row, AT + last]),
                    int(window.offsets[first, 0]),
                    int(window.offsets[last, 1]),
                )


def naive_answers(
    windows,
    start_logits,
    last_logits,
    *,
    top_k,
    max_answer_tokens=30,
    allows_no_answer=False,
    allows_overlap=True,
    whole_words=False,
):
    """(span, logit, score) of the best answers, and the logit of "no answer"."""
    context = windows[0].example.context
    spans = list(naive_spans(windows, start_logits, last_logits, max_answer_tokens))
    null = min(float(s[0]) + float(e[0]) for s, e in zip(start_logits, last_logits, strict=True))
    everything = [logit for logit, _, _ in spans] + [null] * allows_no_answer
    peak = max(everything)
    total = math.fsum(math.exp(logit - peak) for logit in everything)

    best = {}
    for logit, start, end in spans:
        place = naive_tidy(context, start, end, whole_words=whole_words)
        if place is not None:
            best[place] = max(best.get(place, -math.inf), logit)
    answers = []
    for place, logit in sorted(best.items(), key=lambda item: (-item[1], item[0])):
        shared = any(a < place[1] and place[0] < b for (a, b), _ in answers)
        if len(answers) < top_k and (allows_overlap or not shared):
            answers.append((place, logit))
    if allows_no_answer:
        answers = sorted([(None, null), *answers], key=lambda item: -item[1])[:top_k]
    return [(place, logit, math.exp(logit - peak) / total) for place, logit in answers], null


@settings(max_examples=100, deadline=None)
@given(
    case=cases(),
    top_k=st.integers(1, 6),
    max_answer_tokens=st.integers(1, 12),
    allows_no_answer=st.booleans(),
    whole_words=st.booleans(),
)
def test_answers_are_those_of_a_search_through_all_spans(
    case, top_k, max_answer_tokens, allows_no_answer, whole_words
):
    windows, start_logits, last_logits = case
    example = windows[0].example
    found = candidates(
        windows,
        start_logits,
        last_logits,
        top_k=top_k,
        max_answer_tokens=max_answer_tokens,
        whole_words=whole_words,
    )
    got = predictions(
        example,
        found,
        top_k=top_k,
        allows_no_answer=allows_no_answer,
        whole_words=whole_words,
    )
    expected, null = naive_answers(
        windows,
        start_logits,
        last_logits,
        top_k=top_k,
        max_answer_tokens=max_answer_tokens,
        allows_no_answer=allows_no_answer,
        whole_words=whole_words,
    )
    if not expected:
        assert [(p.span, p.text, p.score) for p in got] == [(None, "", 0.0)]
        return
    assert [p.span and (p.span.start, p.span.end) for p in got] == [span for span, _, _ in expected]
    for prediction, (_, logit, score) in zip(got, expected, strict=True):
        assert prediction.logit == pytest.approx(logit, abs=1e-9)
        assert prediction.score == pytest.approx(score, abs=1e-9)
        assert prediction.no_answer_logit == pytest.approx(null, abs=1e-9)
        assert prediction.id == example.id
        span = prediction.span
        text = "" if span is None else example.context[span.start : span.end]
        assert prediction.text == text == text.strip()


@settings(max_examples=60, deadline=None)
@given(case=cases(), top_k=st.integers(1, 6))
def test_answers_without_overlap_are_the_best_that_share_nothing_with_a_better_one(case, top_k):
    (window, *_), start_logits, last_logits = case
    windows, start_logits, last_logits = [window], start_logits[:1], last_logits[:1]
    found = candidates(windows, start_logits, last_logits, top_k=top_k, allows_overlap=False)
    got = predictions(window.example, found, top_k=top_k, allows_overlap=False)
    expected, _ = naive_answers(
        windows, start_logits, last_logits, top_k=top_k, allows_overlap=False
    )
    places = [(p.span.start, p.span.end) for p in got if p.span is not None]
    assert places == [span for span, _, _ in expected]


@settings(max_examples=60, deadline=None)
@given(case=cases(), max_answer_tokens=st.integers(1, 12))
def test_mass_and_no_answer_of_each_window(case, max_answer_tokens):
    windows, start_logits, last_logits = case
    found = candidates(windows, start_logits, last_logits, max_answer_tokens=max_answer_tokens)
    assert len(found) == len(windows)
    for row, (window, of_window) in enumerate(zip(windows, found, strict=True)):
        alone = [window], start_logits[row : row + 1], last_logits[row : row + 1]
        logits = sorted((s[0] for s in naive_spans(*alone, max_answer_tokens)), reverse=True)
        mass = logits[0] + math.log(math.fsum(math.exp(x - logits[0]) for x in logits))
        assert of_window.log_mass == pytest.approx(mass, abs=1e-9)
        assert of_window.logits.tolist() == logits[: len(of_window.logits)]
        assert of_window.no_answer_logit == float(start_logits[row, 0]) + float(last_logits[row, 0])
        offsets = window.offsets
        assert offsets[:, 0].min() <= of_window.spans[:, 0].min()
        assert of_window.spans[:, 1].max() <= offsets[:, 1].max()


def test_a_start_after_its_last_is_never_an_answer():
    """The best start stands after the best last: the best pair in order is (1, 1) with 5 + 1."""
    context = "zero one two three"
    windows = windows_of(context, words_of(context), [(0, 3)])
    start_logits = np.full((1, windows[0].length), -9.0, np.float32)
    last_logits = start_logits.copy()
    start_logits[0, [AT + 1, AT + 3]] = 5, 9
    last_logits[0, [AT, AT + 1]] = 9, 1
    (best,) = predictions(windows[0].example, candidates(windows, start_logits, last_logits))
    assert (best.text, best.logit) == ("one", 6.0)


def test_question_frame_and_padding_are_never_an_answer():
    context = "zero one"
    windows = windows_of(context, words_of(context), [(0, 1)])
    start_logits = np.full((1, windows[0].length + 4), 50.0, np.float32)
    last_logits = start_logits.copy()
    start_logits[0, AT : AT + 2] = last_logits[0, AT : AT + 2] = [1.0, 0.0]
    got = predictions(
        windows[0].example, candidates(windows, start_logits, last_logits, top_k=9), top_k=9
    )
    assert [(p.text, p.logit) for p in got] == [("zero", 2.0), ("zero one", 1.0), ("one", 0.0)]
    assert sum(p.score for p in got) == pytest.approx(1.0, abs=1e-12)


def test_a_span_seen_in_two_windows_counts_once_with_its_better_logit():
    context = "zero one two"
    windows = windows_of(context, words_of(context), [(0, 1), (1, 2)])
    start_logits = np.zeros((2, AT + 3), np.float32)
    last_logits = start_logits.copy()
    start_logits[0, AT + 1], start_logits[1, AT] = 4.0, 6.0
    found = candidates(windows, start_logits, last_logits, top_k=20)
    got = predictions(windows[0].example, found, top_k=20)
    texts = [p.text for p in got]
    assert sorted(texts) == ["one", "one two", "two", "zero", "zero one"]
    assert got[texts.index("one")].logit == 6.0
    assert got[texts.index("one")].score == pytest.approx(
        math.exp(6) / (2 * math.exp(6) + math.exp(4) + 3), abs=1e-9
    )


def test_no_answer_competes_with_the_smallest_logit_of_the_windows():
    context = "zero one two"
    windows = windows_of(context, words_of(context), [(0, 1), (2, 2)])
    start_logits = np.zeros((2, AT + 3), np.float32)
    last_logits = start_logits.copy()
    start_logits[:, 0] = 3.0, 1.0
    start_logits[0, AT] = 2.0
    found = candidates(windows, start_logits, last_logits, top_k=3)
    example = windows[0].example
    assert predictions(example, found, allows_no_answer=True)[0].text == "zero"
    got = predictions(example, found, top_k=3, allows_no_answer=True)
    assert [(p.text, p.logit) for p in got] == [("zero", 2.0), ("zero one", 2.0), ("", 1.0)]
    assert {p.no_answer_logit for p in got} == {1.0}
    total = 2 * math.exp(2) + 2 + math.exp(1)
    assert got[2].span is None
    assert got[2].score == pytest.approx(math.exp(1) / total, abs=1e-9)
    assert all(p.span for p in predictions(example, found, top_k=3))


def test_many_tokens_of_one_emoji_leave_room_for_other_answers():
    """A byte-level tokenizer gives 25 tokens for a family of four: 325 spans, one answer."""
    family = "👨\u200d👩\u200d👧\u200d👦"
    context = f"{family} saw a bridge"
    of_family = [(i, i + 1) for i, c in enumerate(family) for _ in c.encode()]
    offsets = of_family + [o for o in words_of(context) if o[0] > len(family)]
    windows = windows_of(context, offsets, [(0, len(offsets) - 1)])
    start_logits = np.zeros((1, windows[0].length), np.float32)
    last_logits = start_logits.copy()
    start_logits[0, AT : AT + 25] = last_logits[0, AT : AT + 25] = 8.0
    got = predictions(
        windows[0].example, candidates(windows, start_logits, last_logits, top_k=5), top_k=5
    )
    assert got[0].text == family
    assert len({p.span for p in got}) == 5


def test_one_peak_leaves_room_for_answers_that_do_not_overlap_it():
    context = " ".join(f"word{i}" for i in range(40))
    windows = windows_of(context, words_of(context), [(0, 39)])
    start_logits, last_logits = logits_for(windows, np.random.default_rng(5), spread=1.0)
    start_logits[0, AT + 20] += 20
    last_logits[0, AT + 21] += 20
    found = candidates(windows, start_logits, last_logits, top_k=5, allows_overlap=False)
    got = predictions(windows[0].example, found, top_k=5, allows_overlap=False)
    assert got[0].text == "word20 word21"
    assert len(got) == 5
    taken = sorted((p.span.start, p.span.end) for p in got)
    assert all(one[1] <= other[0] for one, other in pairwise(taken))


def test_white_space_alone_is_no_answer():
    windows = windows_of(" \n \u3000", [(i, i + 1) for i in range(4)], [(0, 3)])
    found = candidates(windows, *logits_for(windows, np.random.default_rng(0)))
    (only,) = predictions(windows[0].example, found)
    assert (only.span, only.text, only.score) == (None, "", 0.0)


def test_tokens_without_characters_are_no_answer():
    windows = windows_of("a b", [(0, 1), (2, 2), (2, 3)], [(0, 2)])
    start_logits = np.zeros((1, windows[0].length), np.float32)
    start_logits[0, AT + 1] = 5.0
    found = candidates(windows, start_logits, start_logits, top_k=9)
    got = predictions(windows[0].example, found, top_k=9)
    assert [(p.text, p.logit) for p in got] == [("a", 5.0), ("b", 5.0), ("a b", 0.0)]


def test_a_mark_that_stands_on_a_space_keeps_it():
    """A cluster is never cut, even where it begins with a space."""
    windows = windows_of("a \u0301b", [(0, 1), (2, 4)], [(1, 1)])
    found = candidates(windows, *logits_for(windows, np.random.default_rng(0)))
    (best,) = predictions(windows[0].example, found)
    assert (best.span, best.text) == (Span(1, 4), " \u0301b")


def test_no_windows_is_no_answer():
    for allows_no_answer in (False, True):
        (only,) = predictions(example_of(""), [], top_k=3, allows_no_answer=allows_no_answer)
        assert (only.span, only.text, only.score) == (None, "", 0.0)


def test_scores_are_shares_of_the_mass_that_is_given():
    context = "zero one"
    windows = windows_of(context, words_of(context), [(0, 1)])
    found = candidates(windows, *logits_for(windows, np.random.default_rng(2)), top_k=3)
    own = predictions(windows[0].example, found, top_k=3)
    mass = total_log_mass(found * 2, allows_no_answer=False)
    shared = predictions(windows[0].example, found, top_k=3, log_mass=mass)
    assert [p.score for p in shared] == pytest.approx([p.score / 2 for p in own], abs=1e-12)


def test_total_mass_counts_no_answer_once_and_only_if_allowed():
    nothing = np.zeros((0, 2), np.int64), np.zeros(0)
    found = [Candidates(*nothing, 1.0, 5.0), Candidates(*nothing, 2.0, 3.0)]
    spans = math.exp(1) + math.exp(2)
    assert total_log_mass(found, allows_no_answer=False) == pytest.approx(math.log(spans))
    assert total_log_mass(found, allows_no_answer=True) == pytest.approx(
        math.log(spans + math.exp(3))
    )


def test_log_odds_against_no_answer_shift_a_window_and_leave_its_shares():
    context = "zero one two"
    windows = windows_of(context, words_of(context), [(0, 1), (1, 2)])
    found = candidates(windows, *logits_for(windows, np.random.default_rng(5)), top_k=3)
    for raw in found:
        odds = raw.against_no_answer()
        assert odds.no_answer_logit == 0
        assert odds.spans.tolist() == raw.spans.tolist()
        assert odds.logits == pytest.approx(raw.logits - raw.no_answer_logit)
        assert odds.logits - odds.log_mass == pytest.approx(raw.logits - raw.log_mass)


def test_large_logits_do_not_overflow():
    context = "zero one"
    windows = windows_of(context, words_of(context), [(0, 1)])
    start_logits = np.full((1, windows[0].length), 3e4, np.float32)
    (best,) = predictions(
        windows[0].example, candidates(windows, start_logits, start_logits), allows_no_answer=True
    )
    assert best.score == pytest.approx(1 / 4, abs=1e-9)
    assert best.span in (None, Span(0, 4))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("which", [0, 1])
def test_a_reader_that_gives_no_finite_numbers_is_an_error(bad, which):
    windows = windows_of("zero one two", words_of("zero one two"), [(0, 2)])
    for token in (0, windows[0].context_at, windows[0].context_at + 2):
        logits = logits_for(windows, np.random.default_rng(3))
        logits[which][0, token] = bad
        with pytest.raises(DataError, match=rf"gave a logit of {bad}, expected finite numbers; "):
            candidates(windows, *logits)


def test_padding_may_be_infinite():
    windows = windows_of("zero one two", words_of("zero one two"), [(0, 2)])
    logits = logits_for(windows, np.random.default_rng(3))
    for of_kind in logits:
        of_kind[:, windows[0].length :] = -math.inf
    assert len(candidates(windows, *logits)) == 1
