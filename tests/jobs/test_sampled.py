"""Some of the labelled examples, chosen by a hash of their ids."""

from dataclasses import replace

import pytest

from babelspan import config
from babelspan.data.folder import chosen
from babelspan.jobs.corpora import sampled
from babelspan.training.run import RunConfig
from babelspan.types import ConfigError, DataError
from world import World

WORLD = World(0)
OWN = [replace(e, id=f"own-{e.id}") for e in WORLD.examples(20, "L0", "L0")]
OTHER = WORLD.examples(10, "L1", "L1")
TRANSLATED = WORLD.translations(6, "L1", "L1", seed=9)
ALL = [*OWN, *TRANSLATED, *OTHER]
SETS = {"own": 20, "translated": 6, "other": 10}


def test_of_one_language_and_nothing_else_is_left_out():
    found, sets = sampled(ALL, SETS, "L0=7")
    kept = chosen([e.id for e in OWN], 7)
    assert [e.id for e in found] == [e.id for e in ALL if e.id in kept or e not in OWN]
    assert sets == {"own": 7, "translated": 6, "other": 10}


def test_of_every_language_but_of_translations_all():
    found, sets = sampled(ALL, SETS, "4")
    assert sets == {"own": 4, "translated": 6, "other": 4}
    assert len(found) == 14
    assert sampled(ALL, SETS, "4,L1=2")[1] == {"own": 4, "translated": 6, "other": 2}


def test_more_are_the_fewer_and_others():
    few, many = ({e.id for e in sampled(ALL, SETS, f"L0={n}")[0]} for n in (5, 9))
    assert few < many


def test_too_many_are_told():
    with pytest.raises(
        DataError, match=r"expected 11 labelled examples in 'L1' .* found 10; lower"
    ):
        sampled(ALL, SETS, "L1=11")


@pytest.mark.parametrize("said", ["zh", "zh=", "0", "zh=5;ja=3", "-3"])
def test_what_says_no_number_is_told(said):
    with pytest.raises(ConfigError, match="'sample': string should match pattern"):
        config.build(RunConfig, {"sample": said}, "--set: [run]")
