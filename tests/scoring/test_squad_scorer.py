"""The SQuAD 1.1 rule: by pencil, and against a second program written from its description."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.scoring.scorers import squad

# P and R are the words of the prediction and of the gold that are shared; F1 = 2PR / (P + R).
BY_PENCIL = [
    # prediction, gold, exact match, F1
    ("Paris", "Paris", 1, 1),
    ("Paris", "London", 0, 0),
    ("The Cat", "cat", 1, 1),  # an article of English goes
    ("cat sat", "the cat sat down", 0, 4 / 5),  # P 2/2, R 2/3
    ("sat cat", "cat sat", 0, 1),  # order is in the exact match only
    ("U.S.A.", "usa", 1, 1),  # full stops go without a space
    ("a-b", "ab", 1, 1),
    ("an_a", "ana", 1, 1),  # the underscore goes before articles are looked for
    ("a.m.", "am", 1, 1),
    ("a. m", "m", 1, 1),
    ("then", "n", 0, 0),  # "the" is an article only as a whole word
    ("to be or not to be", "to be", 0, 1 / 2),  # P 2/6, R 2/2
    ("be be be", "be", 0, 1 / 2),  # one "be" is shared: P 1/3, R 1/1
    ("be be", "be be be", 0, 4 / 5),  # P 2/2, R 2/3
    ("MÜLLER", "Müller", 1, 1),
    ("Mu\u0308ller", "Müller", 0, 0),  # forms of one letter are not made equal
    ("\u00a0New\n York\t", "new york", 1, 1),
    ("der Rhein", "Rhein", 0, 2 / 3),  # German articles stay: P 1/2, R 1/1
    ("东京!", "东京", 1, 1),
    ("东京。", "东京", 0, 0),  # the fault: only ASCII punctuation goes
    ("东京 大学", "东京", 0, 2 / 3),  # P 1/2, R 1/1
    ("东京都", "东京", 0, 0),  # one word, and another
    ("“cat”", "cat", 0, 0),
    ("مالك", "م ك", 0, 0),
    ("서울의", "서울", 0, 0),
    ("the", "an.", 1, 0),  # both normalise to nothing
    ("", "", 1, 0),
    ("", "Paris", 0, 0),
    ("Paris", "the", 0, 0),
]


@pytest.mark.parametrize(("prediction", "gold", "exact_match", "f1"), BY_PENCIL)
def test_figures_by_pencil(prediction, gold, exact_match, f1):
    assert squad.exact_match(prediction, gold, "en") == exact_match
    assert squad.f1(prediction, gold, "en") == pytest.approx(f1, abs=1e-12)


def test_the_language_has_no_effect():
    for language in ("de", "zh", "und", ""):
        assert squad.exact_match("the 东京.", "东京", language) == 1
        assert squad.f1("the der 东京.", "东京", language) == pytest.approx(2 / 3)


def second_words(text):
    """Words left of a text: lower case, ASCII punctuation dropped, then articles, then spaces."""
    kept = [c for c in text.lower() if not (c.isascii() and c.isprintable() and is_sign(c))]
    words, run = [], ""
    for c in [*kept, " "]:  # runs of letters, digits and the rest, to find whole-word articles
        if c.isalnum():
            run += c
            continue
        words.append(" " if run in {"a", "an", "the"} else run)
        words.append(c)
        run = ""
    return "".join(words).split()


def is_sign(c):
    return not c.isalnum() and c != " "


def second_f1(predicted, gold):
    """Twice the words in common over all words: the same as 2PR / (P + R), in whole numbers."""
    left, shared = list(gold), 0
    for word in predicted:
        if word in left:
            left.remove(word)
            shared += 1
    return Fraction(2 * shared, len(predicted) + len(gold)) if shared else Fraction(0)


WORDS = [
    "a",
    "an",
    "the",
    "The",
    "A",
    "cat",
    "Katze",
    "ß",
    "İ",
    "東京",
    "مِيرا",
    "𠮷",
    "🗼",
    "क्षि",
    "½",
]
BETWEEN = [" ", "  ", "\u00a0", "\u2003", "\n", "\x1f", "。", ".", "-", "_", "'", "$", "\u0301"]
PIECES = st.sampled_from([*WORDS, *BETWEEN])
TEXT = st.lists(PIECES | st.characters(), max_size=8).map("".join)


@settings(max_examples=100, deadline=None)
@given(TEXT, TEXT)
def test_a_second_program_gives_the_same(prediction, gold):
    predicted_words, gold_words = second_words(prediction), second_words(gold)

    assert squad.normalise(prediction).split() == predicted_words
    assert squad.exact_match(prediction, gold, "en") == (predicted_words == gold_words)
    expected = float(second_f1(predicted_words, gold_words))
    assert squad.f1(prediction, gold, "en") == pytest.approx(expected, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join), st.lists(PIECES, max_size=8).map("".join))
def test_f1_does_not_depend_on_which_is_the_gold(prediction, gold):
    assert squad.f1(prediction, gold, "en") == pytest.approx(squad.f1(gold, prediction, "en"))
    assert 0 <= squad.f1(prediction, gold, "en") <= 1


def test_overlap_counts_a_word_as_often_as_both_have_it():
    assert squad.overlap_f1(["x", "x", "y"], ["x", "x", "x", "z"]) == pytest.approx(4 / 7)
    assert squad.overlap_f1([], []) == 0
    assert squad.overlap_f1(["x"], []) == 0
