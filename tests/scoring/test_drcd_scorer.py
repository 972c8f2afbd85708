"""The DRCD rule, as its makers describe it: by pencil, and against SQuAD's with more signs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.scoring.scorers import drcd, squad

# P and R are the characters of the prediction and of the gold that are shared.
BY_PENCIL = [
    # prediction, gold, exact match, F1
    ("紅樓夢", "紅樓夢", 1, 1),
    ("《紅樓夢》", "紅樓夢", 1, 1),
    ("台、北？，。；：", "台北", 1, 1),
    ("「紅樓夢」", "紅樓夢", 0, 3 / 4),  # the fault: of the signs of Chinese only eight go
    ("台北！", "台北", 0, 4 / 5),  # P 2/3, R 2/2
    ("台北!", "台北", 1, 1),
    ("北台", "台北", 0, 1),
    ("台北市", "台北", 0, 4 / 5),
    ("The 台北", "台北", 1, 1),  # English articles go
    ("New York", "newyork", 0, 14 / 15),  # P 7/8, R 7/7: a space is a character
    ("x y", "z w", 0, 1 / 3),  # the fault: two that share nothing but the space
    ("。", "", 1, 0),
    ("", "台", 0, 0),
]


@pytest.mark.parametrize(("prediction", "gold", "exact_match", "f1"), BY_PENCIL)
def test_figures_by_pencil(prediction, gold, exact_match, f1):
    assert drcd.exact_match(prediction, gold, "zh") == exact_match
    assert drcd.f1(prediction, gold, "zh") == pytest.approx(f1, abs=1e-12)


TEXT = st.lists(
    st.sampled_from([*"台北市《》？，。、；：「！xA -", "the", " a ", "\n"]), max_size=10
).map("".join)


@settings(max_examples=100)
@given(TEXT, TEXT)
def test_it_is_the_rule_of_squad_with_eight_signs_more_and_characters_for_words(one, other):
    def normalised(text):
        for sign in "《》？，。、；：":
            text = text.replace(sign, "")
        return squad.normalise(text)

    assert drcd.normalise(one) == normalised(one)
    assert drcd.exact_match(one, other, "zh") == (normalised(one) == normalised(other))
    spelt = [" ".join(f"c{ord(c)}" for c in normalised(text)) for text in (one, other)]
    assert drcd.f1(one, other, "zh") == pytest.approx(squad.f1(*spelt, "en"), abs=1e-12)
