"""The store of a collection: what it finds, and how alternatives of one word count."""

import math

import pytest

from babelspan.engines.tantivy import TantivyIndex
from babelspan.seams import Entry, Group


@pytest.fixture
def ranked(tmp_path):
    """Texts in a store, and a search in it: names with scores, best first."""

    def search(texts, groups, language=None):
        store = TantivyIndex(tmp_path / "store", writes=True)
        for name, (of, text) in texts.items():
            store.replace(name, {}, [Entry(text.split(), of, "[0]")])
        store.commit()
        hits = store.search(groups, language=language, count=99)
        store.close()
        return {hit.file: hit.score for hit in hits}

    return search


FILLER = {f"filler {n}": ("en", f"f{n} x x x") for n in range(20)}


def test_alternatives_count_as_one_word(ranked):
    """Pirkola: many translations of one word do not outweigh one of another."""
    texts = {**FILLER, "both": ("en", "a b1 x x"), "one": ("en", "b1 b2 b3 x")}
    groups = [Group((("a",),)), Group((("b1",), ("b2",), ("b3",)))]
    found = ranked(texts, groups)
    assert found["both"] > found["one"]
    loose = [Group((term,)) for group in groups for term in group.alternatives]
    found = ranked(texts, loose)
    assert found["both"] < found["one"]


def test_an_alternative_is_as_rare_as_its_group(ranked):
    """A rare translation weighs no more than a usual one: 5 passages have one of the two."""
    usual = {f"usual {n}": ("en", "b1 x x x") for n in range(4)}
    texts = {**FILLER, **usual, "rare": ("en", "b2 x x x")}
    found = ranked(texts, [Group((("b1",), ("b2",)))])
    assert found["rare"] == pytest.approx(found["usual 0"], rel=1e-5)
    alone = ranked(texts, [Group((("b2",),))])
    of_all, of_one = (math.log(1 + (25 - n + 0.5) / (n + 0.5)) for n in (5, 1))
    assert found["rare"] / alone["rare"] == pytest.approx(of_all / of_one, rel=1e-5)


def test_an_alternative_counts_by_its_share(ranked):
    """And what passages hold an unlikely one makes the word only a little less rare."""
    texts = {**FILLER, "likely": ("en", "b1 x x x")}
    texts |= {f"unlikely {n}": ("en", "b2 x x x") for n in range(4)}
    found = ranked(texts, [Group((("b1",), ("b2",)), shares=(1.0, 0.25))])
    assert found["unlikely 0"] / found["likely"] == pytest.approx(0.25, rel=1e-5)
    alone = ranked(texts, [Group((("b1",),))])
    of_all, of_one = (math.log(1 + (25 - n + 0.5) / (n + 0.5)) for n in (2, 1))
    assert found["likely"] / alone["likely"] == pytest.approx(of_all / of_one, rel=1e-5)


def test_words_that_all_passages_of_a_language_have_count_for_little(ranked):
    """However rare they are in the other languages of a collection."""
    german = {f"de {n}": ("de", f"der bau{n}") for n in range(3)}
    texts = {**FILLER, **german}
    found = ranked(texts, [Group((("der",),)), Group((("bau1",),))], "de")
    assert set(found) == set(german)
    assert found["de 1"] > 5 * found["de 0"]


def test_words_of_removed_passages_do_no_harm(tmp_path):
    """The store goes on counting what was removed, so that a word seems to be in more than all."""
    store = TantivyIndex(tmp_path / "store", writes=True)
    for n in range(9):
        store.replace(str(n), {}, [Entry(["x", f"y{n}"], "en", "[0]")])
    store.commit()
    for n in range(7):
        store.remove(str(n))
    store.commit()
    hits = store.search([Group((("x",),)), Group((("y8",),))], language="en", count=9)
    store.close()
    assert [hit.file for hit in hits] == ["8", "7"]
    assert all(hit.score > 0 for hit in hits)


def test_a_translation_of_two_words_takes_both(ranked):
    texts = {**FILLER, "both": ("en", "rail way x"), "half": ("en", "rail x x")}
    assert set(ranked(texts, [Group((("rail", "way"),))])) == {"both"}


def test_sounds_find_and_are_no_words(ranked):
    texts = {**FILLER, "merkel": ("ru", "мерке ~mrkr ~mrkr"), "word": ("ru", "mrkr")}
    assert set(ranked(texts, [Group((("merke",), ("~mrkr",)))])) == {"merkel"}
    assert ranked(texts, [Group((("~other",),))]) == {}


def test_words_are_counted_and_pairs_of_characters_are_not(ranked):
    texts = {"twice": ("en", "w w 東京 東京 大阪"), "once": ("en", "w x 東京 京都"), **FILLER}
    found = ranked(texts, [Group((("w",),))])
    assert found["twice"] > 1.2 * found["once"]
    found = ranked(texts, [Group((("東京",),))])
    assert found["twice"] == pytest.approx(found["once"])


def test_a_search_in_a_language_that_is_not_there_finds_nothing(ranked):
    assert ranked(FILLER, [Group((("x",),))], "th") == {}
    assert ranked(FILLER, []) == {}
