"""Translations are put beside the texts that they are of, and what is missing is counted."""

from dataclasses import replace

import pytest

from babelspan.training.members import joined
from babelspan.types import DataError
from world import World

WORLD = World(0)
OWN = WORLD.examples(4)


def parallel(language, count=4):
    """The same ids in another language, as published translations have them."""
    return WORLD.examples(count, language, language)


def test_translations_by_origin_and_parallel_files_of_one_id_are_joined():
    found = joined([*OWN, *parallel("L2", 3), *WORLD.translations(2, "L1", "L1")])
    assert found.languages == ("L1", "L2")
    assert [replace(e, others=()) for e in found.examples] == OWN
    languages = [[o.context_language for o in e.others] for e in found.examples]
    assert languages == [["L1", "L2"], ["L1", "L2"], ["L2"], []]
    assert all((o.origin or o.id) == e.id for e in found.examples for o in e.others)
    assert found.summary() == [
        "L1: 2 of 4 texts have their translation",
        "L2: 3 of 4 texts have their translation",
    ]


def test_the_own_language_and_the_order_of_the_others_can_be_said():
    found = joined([*OWN, *parallel("L1"), *parallel("L2")], own="L1", languages=["L2", "L0"])
    assert {e.context_language for e in found.examples} == {"L1"}
    assert [o.context_language for o in found.examples[0].others] == ["L2", "L0"]
    with pytest.raises(DataError, match="expected examples with question and context in 'L3'"):
        joined(OWN, own="L3")


def test_what_cannot_be_joined_is_counted():
    stray = [replace(e, id=f"x{e.id}") for e in parallel("L1", 2)]
    found = joined([*OWN, *stray, *WORLD.translations(3, "L1")])
    assert (found.alone, found.mixed, found.present.total()) == (2, 3, 0)
    assert found.summary()[1:] == [
        "skipped 3 examples with question and context in two languages",
        "skipped 2 translations of no text that is there",
    ]


def test_other_numbers_in_a_question_give_a_wrong_id_away():
    own = replace(OWN[0], question="In 1066 , 12 ships ?")
    right, wrong = (
        replace(own, question=q, question_language=c, context_language=c)
        for c, q in (("L1", "12 en 1066 ?"), ("L2", "1066 ?"))
    )
    found = joined([own, right, wrong], same_numbers=True)
    assert [o.context_language for o in found.examples[0].others] == ["L1"]
    assert "skipped 1 translations whose question has other numbers" in found.summary()
    assert len(joined([own, right, wrong]).examples[0].others) == 2


def test_two_translations_into_one_language_are_refused():
    with pytest.raises(DataError, match=r"expected one example '0-0' in 'L1', found two, '0-0-L1"):
        joined([*OWN, *parallel("L1"), *WORLD.translations(2, "L1", "L1")])
