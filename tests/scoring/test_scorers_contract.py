"""What every scorer of strings keeps: bounds, symmetry, what F1 = 1 means, its help texts."""

import importlib
import pkgutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelspan.cli import evaluate, score
from babelspan.scoring import scorers, tydi_primary
from babelspan.scoring.figures import figures
from babelspan.scoring.scorers import load_scorer
from babelspan.scoring.scorers.squad import overlap_f1
from babelspan.types import Answer, ConfigError, Example

ALL = {
    module.NAME: module
    for name in pkgutil.iter_modules(scorers.__path__)
    if (module := importlib.import_module(f"babelspan.scoring.scorers.{name.name}"))
} | {tydi_primary.NAME: tydi_primary}
STRINGS = [ALL[name] for name in sorted(ALL) if name != "tydi-primary"]
SCORERS = pytest.mark.parametrize("scorer", STRINGS, ids=lambda s: s.NAME)
PIECES = ["the", "Cat", "ß", "1932", "東", "京", "。", "「", "ไทย", "서울", "ال", "n't", "...", "-"]
TEXT = st.lists(st.sampled_from([*PIECES, " ", " "]), max_size=6).map("".join)


def example(identity, *golds):
    return Example(
        id=identity,
        question="?",
        context="",
        answers=tuple(Answer(gold, None) for gold in golds),
        question_language="en",
        context_language="en",
    )


def bag(scorer, text):
    """What F1 counts, in order."""
    if scorer.NAME in {"unicode", "cmrc"}:
        return list(scorer.units(text))
    if scorer.NAME == "mlqa":
        return scorer.normalise(text, "en").split()
    if scorer.NAME == "korquad":
        return list(scorer.normalise(text).replace(" ", ""))
    if scorer.NAME == "drcd":
        return list(scorer.normalise(text))
    return ALL["squad"].normalise(text).split()


def test_all_scorers_are_found():
    assert sorted(ALL) == [
        "cmrc", "drcd", "korquad", "mlqa", "squad", "squad2", "tydi-primary", "tydiqa", "unicode",
    ]  # fmt: skip


@SCORERS
def test_a_scorer_is_loaded_by_its_name_which_is_that_of_its_file(scorer):
    assert load_scorer(scorer.NAME) is scorer
    assert Path(scorer.__file__).stem == scorer.NAME.replace("-", "_")
    assert scorer.RULES and "|" not in scorer.NAME


def test_a_scorer_that_is_not_known_or_not_of_strings_is_refused():
    with pytest.raises(ConfigError, match=r"^unknown scorer 'korqad'; did you mean 'korquad'\?$"):
        load_scorer("korqad")
    with pytest.raises(ConfigError, match=r"'tydi-primary' scores places in documents"):
        load_scorer("tydi-primary")


@pytest.mark.parametrize("annotation", [score.ScorerName, evaluate.ScorerName])
def test_the_help_names_every_scorer(annotation):
    text = annotation.__metadata__[0].help
    known = set(ALL) if annotation is score.ScorerName else set(ALL) - {"tydi-primary"}
    assert set(text.removesuffix(" (ours).").replace(" or ", ", ").split(", ")) == known


@SCORERS
@settings(max_examples=60)
@given(one=TEXT, other=TEXT)
def test_scores_are_symmetric_and_in_bounds(scorer, one, other):
    f1 = scorer.f1(one, other, "en")
    assert f1 == pytest.approx(scorer.f1(other, one, "en"), abs=1e-15)
    assert scorer.exact_match(one, other, "en") == scorer.exact_match(other, one, "en")
    assert 0 <= f1 <= 1 and scorer.exact_match(one, other, "en") in (0, 1)
    assert scorer.exact_match(one, one, "en") == 1
    if bag(scorer, one):
        assert scorer.f1(one, one, "en") == 1


@SCORERS
@settings(max_examples=60)
@given(one=TEXT, rng=st.randoms(use_true_random=False), other=TEXT)
def test_f1_is_1_for_equal_bags_and_no_others(scorer, one, rng, other):
    units, others = bag(scorer, one), bag(scorer, other)
    ordered = list if scorer.NAME == "cmrc" else sorted  # CMRC looks for a run, not for a bag
    if units or others:
        assert (scorer.f1(one, other, "en") == 1) == (ordered(units) == ordered(others))
    shuffled = rng.sample(units, len(units))
    assert overlap_f1(shuffled, units) == (1 if units else 0)


@SCORERS
def test_a_perfect_system_gets_1_and_another_less(scorer):
    examples = [example("q1", "red cat", "dog"), example("q2", "東京"), example("q3", "1932")]
    right = figures(examples, {"q1": "dog", "q2": "東京", "q3": "1932"}, scorer)
    assert (right.exact_match, right.f1, right.counted, right.missing) == (1, 1, 3, 0)

    wrong = figures(examples, {"q1": "red cat", "q2": "南", "q3": "wet"}, scorer)
    assert wrong.exact_matches.tolist() == wrong.f1s.tolist() == [1, 0, 0]
