"""Bilingual dictionaries: files, directions, and looking words up."""

import gzip

import pytest

from babelspan.data.lexicon import (
    Found,
    Lexicon,
    languages_of,
    load_entries,
    load_lexicon,
    read_pairs,
)
from babelspan.retrieval.question import Dictionaries
from babelspan.types import ConfigError, DataError


def written(path, text):
    raw = text.encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def test_a_file_is_read_in_order_and_without_odd_spaces(tmp_path):
    path = written(tmp_path / "en-de.tsv.gz", "\ufeffdog\tHund\r\n\n a  red dog \troter Hund\n")
    assert list(read_pairs(path)) == [("dog", "Hund"), ("a red dog", "roter Hund")]


@pytest.mark.parametrize(
    "line", ["dog", "dog\t", "\tHund", "dog\tHund\tTier", "dog\tHund\t1\tx", " \t "]
)
def test_a_line_without_two_columns_is_an_error(tmp_path, line):
    path = written(tmp_path / "en-de.tsv", f"cat\tKatze\n{line}\n")
    with pytest.raises(DataError, match=r"en-de\.tsv: line 2: expected a word, a tab and its"):
        list(read_pairs(path))


def test_weights_are_links_or_else_probabilities(tmp_path):
    lines = "dog\tHund\t0.75\t12\ndog\tRüde\t0.25\ndog\tKöter\ncat\tKatze\t0\t0.00\n"
    path = written(tmp_path / "en-de.tsv", lines)
    there = [("dog", "Hund", 12), ("dog", "Rüde", 0.25), ("dog", "Köter", 0), ("cat", "Katze", 0)]
    assert list(load_entries([path], source="en")) == there
    back = [(other, word, weight) for word, other, weight in there]
    assert list(load_entries([path], source="de")) == back
    listed, likely = Dictionaries([path])._load("en", "de")
    assert (listed.of("Dog"), listed.of("cat")) == (("Köter",), ("Katze",))
    assert likely.of(("dog",)) == {("hund",): 12 / 12.25}


def test_a_file_serves_both_directions(tmp_path):
    path = written(tmp_path / "mine.en-de.tsv", "dog\tHund\nhound\tHund\nbitch\tHündin\n")
    there = load_lexicon([path], source="en", target="de")
    back = load_lexicon([path], source="de", target="en")
    assert (len(there), len(back)) == (3, 2)
    assert there.find("hound") == Found("Hund", "exact")
    assert back.find("Hund") == Found("dog", "exact")


def test_the_first_translation_counts_over_files_and_folders(tmp_path):
    written(tmp_path / "b.en-de.tsv", "dog\tKöter\ncat\tKater\n")
    written(tmp_path / "a.de-en.tsv.gz", "Hund\tdog\n")
    written(tmp_path / "en-fr.tsv", "dog\tchien\n")
    written(tmp_path / "README.md", "no dictionary")
    mine = written(tmp_path / "mine.en-de.tsv", "cat\tMieze\n")
    folder = load_lexicon([tmp_path], source="en", target="de")
    assert [folder.find(w).text for w in ("dog", "cat")] == ["Hund", "Kater"]
    both = load_lexicon([mine, tmp_path], source="en", target="de")
    assert [both.find(w).text for w in ("dog", "cat")] == ["Hund", "Mieze"]


def test_languages_are_read_from_the_name(tmp_path):
    assert languages_of(tmp_path / "muse.v1.en-de.tsv.gz") == ("en", "de")
    assert languages_of(tmp_path / "eng-deu.tsv") == ("eng", "deu")
    assert languages_of(tmp_path / "en-de.txt") is None
    path = written(tmp_path / "en-de.tsv", "dog\tHund\n")
    with pytest.raises(ConfigError, match=r"en-de\.tsv: expected a dictionary between 'en' and 'f"):
        load_lexicon([path], source="en", target="fr")
    with pytest.raises(ConfigError, match="found no dictionary between 'de' and 'fr'; expected a"):
        load_lexicon([tmp_path], source="de", target="fr")
    with pytest.raises(DataError, match="there is no such file"):
        load_lexicon([tmp_path / "en-fr.tsv"], source="en", target="fr")


@pytest.fixture
def english():
    return Lexicon(
        [("dog", "Hund"), ("May", "Mai"), ("may", "darf"), ("run", "laufen"), ("IT", "EDV")], "en"
    )


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("dog", Found("Hund", "exact")),
        ("Run", Found("Laufen", "case")),
        ("RUN", Found("LAUFEN", "case")),
        ("May", Found("Mai", "exact")),
        ("may", Found("darf", "exact")),
        ("MAY", Found("DARF", "case")),
        ("Dogs", Found("Hund", "inflection")),
        ("running", Found("laufen", "inflection")),
        ("DOGS", None),
        ("It", Found("EDV", "case")),
        ("it", None),
        ("cat", None),
    ],
)
def test_a_word_is_found_as_written_then_in_any_case_then_inflected(english, word, found):
    assert english.find(word, inflected=True) == found


def test_inflected_forms_are_looked_for_only_when_asked(english):
    assert english.find("dogs") is None


def test_the_longest_entries_are_measured():
    lexicon = Lexicon([("a well-known dog", "x"), ("北京大学", "y")], "en")
    assert (lexicon.most_words, lexicon.most_characters) == (4, 16)
    assert (Lexicon([], "en").most_words, Lexicon([], "en").most_characters) == (0, 0)


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff\n"])
def test_a_dictionary_without_words_is_refused(tmp_path, text):
    path = tmp_path / "en-de.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(
        DataError, match=r"en-de\.tsv: expected words with translations, found none"
    ):
        load_lexicon([path], source="en", target="de")
