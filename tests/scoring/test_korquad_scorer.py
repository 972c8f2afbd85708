"""The KorQuAD 1.0 rule: by pencil, and against a second program written from its description."""

import string
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.scoring.scorers import korquad

# P and R are the characters of the prediction and of the gold that are shared.
BY_PENCIL = [
    # prediction, gold, exact match, F1
    ("독도", "독도", 1, 1),
    ("서울의", "서울", 0, 4 / 5),  # P 2/3, R 2/2
    ("서울 시", "서울시", 0, 1),  # spaces are in the exact match only
    ("시울서", "서울시", 0, 1),
    ("《독도》", "독도", 1, 1),
    ("〈독도〉", "독도", 1, 1),
    ("‘독도’", "독도", 1, 1),
    ("“독도”", "독도", 0, 2 / 3),  # the fault: these quotes stay, P 2/4, R 2/2
    ("「독도」", "독도", 0, 2 / 3),
    ("김(金)씨", "김 金 씨", 1, 1),  # a bracket parts
    ("김'박\"이<최>", "김 박 이 최", 1, 1),
    ("김-박", "김박", 1, 1),  # other ASCII punctuation does not
    ("3.1", "31", 1, 1),
    ("SK(주)", "sk 주", 1, 1),
    ("the 독도", "독도", 0, 4 / 7),  # no articles: P 2/5, R 2/2
    ("독독", "독", 0, 2 / 3),  # P 1/2, R 1/1
    ("(", "'", 1, 0),  # both normalise to nothing
    ("", "독도", 0, 0),
]


@pytest.mark.parametrize(("prediction", "gold", "exact_match", "f1"), BY_PENCIL)
def test_figures_by_pencil(prediction, gold, exact_match, f1):
    assert korquad.exact_match(prediction, gold, "ko") == exact_match
    assert korquad.f1(prediction, gold, "ko") == pytest.approx(f1, abs=1e-12)
    assert korquad.f1(prediction, gold, "") == korquad.f1(prediction, gold, "ko")


def second_words(text):
    kept = ""
    for c in text:
        if c in "'\"《》<>〈〉()‘’":
            kept += " "
        elif c not in string.punctuation:
            kept += c.lower()
    return kept.split()


def second_f1(predicted, gold):
    left, shared = list(gold), 0
    for c in predicted:
        if c in left:
            left.remove(c)
            shared += 1
    return Fraction(2 * shared, len(predicted) + len(gold)) if shared else Fraction(0)


PIECES = st.sampled_from(
    [*"독도서울 시'\"《》<>〈〉()‘’“”.-_「ＡaB1", "  ", "\n", "\u00a0", "\u1112"]
)
TEXT = st.lists(PIECES | st.characters(exclude_characters="İ"), max_size=10).map("".join)


@settings(max_examples=100)
@given(TEXT, TEXT)
def test_a_second_program_gives_the_same(prediction, gold):
    predicted_words, gold_words = second_words(prediction), second_words(gold)

    assert korquad.normalise(prediction) == " ".join(predicted_words)
    assert korquad.exact_match(prediction, gold, "ko") == (predicted_words == gold_words)
    expected = float(second_f1("".join(predicted_words), "".join(gold_words)))
    assert korquad.f1(prediction, gold, "ko") == pytest.approx(expected, abs=1e-12)
