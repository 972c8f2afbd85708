"""Some questions of a data set, by ids in a file."""

from dataclasses import replace

import pytest

from babelspan.data.squad import save_squad
from babelspan.jobs.evaluate import identity_of
from babelspan.jobs.only import digest_of, ids_of, with_ids
from babelspan.types import DataError
from world import World

EXAMPLES = World(0).examples(5)


def test_ids_are_lines_or_those_of_a_data_set_or_of_its_origins(tmp_path):
    (tmp_path / "ids.txt").write_text("0-1\n\n 0-3 \n")
    assert ids_of(tmp_path / "ids.txt") == {"0-1", "0-3"}
    save_squad(tmp_path / "some.en.json", EXAMPLES[:2])
    assert ids_of(tmp_path / "some.en.json") == {"0-0", "0-1"}
    translated = [replace(e, id=f"{e.id}-en", origin=e.id, strategy="T(Q+C)") for e in EXAMPLES[3:]]
    save_squad(tmp_path / "kept.en.json", translated)
    assert ids_of(tmp_path / "kept.en.json") == {"0-3", "0-4"}


def test_the_questions_of_the_ids_are_kept_in_order():
    cells = {("L0", "L0"): EXAMPLES, ("L1", "L0"): EXAMPLES[2:]}
    found = with_ids(cells, frozenset({"0-4", "0-2", "other"}))
    assert {pair: [e.id for e in some] for pair, some in found.items()} == {
        ("L0", "L0"): ["0-2", "0-4"],
        ("L1", "L0"): ["0-2", "0-4"],
    }
    with pytest.raises(DataError, match=r"none of the 1 ids belongs to a question in 'L1' with"):
        with_ids(cells, frozenset({"0-0"}))


def test_a_file_without_ids_is_told(tmp_path):
    (tmp_path / "ids.txt").write_text("\n")
    with pytest.raises(DataError, match=r"ids.txt: expected ids of questions, found none"):
        ids_of(tmp_path / "ids.txt")


def test_answers_that_are_kept_know_which_questions_were_asked():
    one, other = digest_of({"a", "b"}), digest_of(["b", "a"])
    assert one == other != digest_of({"a"})
    assert identity_of("reader", [], only=one) != identity_of("reader", [])
