"""Questions over the wrong text."""

import pytest

from babelspan.augment.negatives import negatives
from babelspan.types import Answer, ConfigError, Example
from world import World

EXAMPLES = World(0).examples(40)


def test_as_many_as_asked_each_from_a_question_of_its_own():
    made = negatives(EXAMPLES, 0.5, seed=1)
    assert len(made) == 20
    assert len({e.origin for e in made}) == 20
    assert {e.origin for e in made} <= {e.id for e in EXAMPLES}
    assert {e.id for e in made}.isdisjoint(e.id for e in EXAMPLES)


def test_the_question_stays_and_no_answer_is_in_the_new_context():
    by_id = {e.id: e for e in EXAMPLES}
    contexts = {e.context for e in EXAMPLES}
    for made in negatives(EXAMPLES, 1.0, seed=2):
        origin = by_id[made.origin]
        assert made.question == origin.question
        assert made.answers == ()
        assert made.context in contexts - {origin.context}
        assert all(a.text.casefold() not in made.context.casefold() for a in origin.answers)


def test_a_translation_by_babelspan_of_the_own_context_is_not_taken():
    """Its id is another one, and its origin the question's example."""
    world = World(0, shared_names=0.0)
    both = [*world.examples(3), *world.translations(3, "L1", "L1")]
    origin_of = {e.context: e.origin or e.id for e in both}
    id_of = {e.id: e.origin or e.id for e in both}
    made = negatives(both, 1.0, seed=3)
    assert made
    assert all(origin_of[e.context] != id_of[e.origin] for e in made)


def test_a_translation_of_the_own_context_is_not_taken():
    """The answer's text is not in it, but its translation is."""
    world = World(0, shared_names=0.0)
    both = [*world.examples(3), *world.examples(3, context_language="L1")]
    by_id = {e.context: e.id for e in both}
    made = negatives(both, 1.0, seed=3)
    assert made
    assert all(by_id[e.context] != e.origin for e in made)


def test_the_seed_decides():
    assert negatives(EXAMPLES, 0.5, seed=1) == negatives(EXAMPLES, 0.5, seed=1)
    assert negatives(EXAMPLES, 0.5, seed=1) != negatives(EXAMPLES, 0.5, seed=2)


def test_none_where_none_are_asked_for_or_every_context_may_answer():
    assert negatives(EXAMPLES, 0.0, seed=1) == []
    languages = {"question_language": "en", "context_language": "en"}
    same = [
        Example(
            id=str(i),
            question="Who?",
            context=f"BOB {i}",
            answers=(Answer("Bob", None),),
            **languages,
        )
        for i in range(4)
    ]
    assert negatives(same, 1.0, seed=1) == []


def test_a_share_that_is_no_fraction_is_refused():
    with pytest.raises(ConfigError, match=r"a fraction in \[0, 1\], got 1.5"):
        negatives(EXAMPLES, 1.5, seed=1)
