"""A question in another language: all translations of a word are one group."""

import gzip

import pytest

from babelspan.retrieval.question import MOST, Dictionaries, Translated, own_groups
from babelspan.seams import Group
from babelspan.text.terms import terms
from babelspan.translators.copy import translator
from babelspan.types import ConfigError


@pytest.fixture
def folder(tmp_path):
    pairs = {
        "en-de.tsv": "bridge\tBrücke\nbridge\tÜberführung\nopen\töffnen\nrail station\tBahnhof\n",
        "mine.es-en.tsv.gz": "puente\tbridge\nestación\trail station\n",
        "muse.en-de.tsv": "bridge\tSteg\n" + "".join(f"many\tWort{n}\n" for n in range(99)),
    }
    for name, content in pairs.items():
        raw = content.encode()
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return tmp_path


def alternatives(groups):
    return [{" ".join(a) for a in g.alternatives} for g in groups]


def test_all_translations_of_a_word_are_a_group(folder):
    groups = Dictionaries([folder]).groups("The bridges opened", source="en", target="de")
    assert len(groups) == 3
    assert alternatives(groups)[1] == {"bridg", "bruck", "uberf", "steg"}
    assert alternatives(groups)[2] == {"opene", "offne"}


def test_runs_of_words_go_before_single_ones(folder):
    (group,) = Dictionaries([folder]).groups("Rail Station?", source="en", target="de")
    assert set(group.alternatives) == {("rail", "stati"), ("bahnh",)}


def test_english_is_a_way_between_two_languages(folder):
    (one,) = Dictionaries([folder]).groups("puente", source="es", target="de")
    assert ("bruck",) in one.alternatives
    (other,) = Dictionaries([folder]).groups("Steg", source="de", target="es")
    assert ("puent",) in other.alternatives


def test_a_word_without_translation_stands_for_itself_and_its_sound(folder):
    (group,) = Dictionaries([folder]).groups("Merkel", source="en", target="de")
    assert group.alternatives == (("merke",), ("~mrkr",))
    (many,) = Dictionaries([folder]).groups("many", source="en", target="de")
    assert len(many.alternatives) <= MOST


WEIGHTED = {
    "links.en-ru.tsv": [
        "bridge\tпереправа\t0.6\t6",
        "bridge\tпереправы\t0.2\t2",
        "bridges\tпереправ\t0.9\t1",
        "bridge\tмост\t0.1\t1",
        "bridges\tнога\t0.1\t0.1",
    ],
    "links.en-es.tsv": ["bridge\tpuente\t0.9\t9", "ferry\tpuente\t0.1\t1"],
    "en-ru.tsv": ["bridge\tбридж"],
    "more.en-ru.tsv": ["ferry\tпаром\t0.5"],
}


@pytest.fixture
def weighted(tmp_path):
    for name, lines in WEIGHTED.items():
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def shares(group):
    return {" ".join(a): s for a, s in zip(group.alternatives, group.shares, strict=True)}


@pytest.mark.parametrize("word", ["bridge", "Bridges", "bridged"])
def test_links_of_all_forms_of_a_word_are_counted_together(weighted, word):
    """Nine go to forms of переправа and one to мост; the square root of the ratio counts."""
    (group,) = Dictionaries([weighted]).groups(word, source="en", target="ru")
    found = shares(group)
    assert found["переп"] == 1
    assert found["мост"] == pytest.approx((1 / 9) ** 0.5)
    assert "нога" not in found  # too unlikely
    assert found.get("бридж", 0.3) == 0.3  # has no weight, and others have one


def test_probabilities_go_through_english(weighted):
    (group,) = Dictionaries([weighted]).groups("puente", source="es", target="ru")
    found = shares(group)
    ways = {"переп": 0.9 * 9 / 10.1, "мост": 0.9 * 1 / 10.1, "паром": 0.1}
    for word, probability in ways.items():
        assert found[word] == pytest.approx((probability / ways["переп"]) ** 0.5)
    assert found["puent"] == 1  # the word itself


def test_texts_without_spaces_are_cut(folder):
    groups = Dictionaries([folder]).groups("東京の橋", source="ja", target="de")
    assert {t for g in groups for a in g.alternatives for t in a} <= {
        *terms("東京の橋"),
        "東京",
        "の",
        "橋",
    }


def test_a_translator_gives_the_words_of_its_translation():
    groups = Translated(translator("")).groups("The bridge", source="en", target="de")
    assert groups == own_groups("The bridge")


def test_own_words_count_as_often_as_they_stand():
    assert own_groups("a b a") == [Group((("a",),), 2), Group((("b",),), 1)]


def test_a_missing_dictionary_is_told(tmp_path):
    with pytest.raises(ConfigError, match="expected a dictionary or a folder of dictionaries"):
        Dictionaries([tmp_path / "nowhere.en-de.tsv"])
