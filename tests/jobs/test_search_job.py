"""Passages that were found, as texts to read."""

import random
from pathlib import Path

import pytest

from babelspan.jobs.index import index
from babelspan.jobs.search import alternatives_of, ask_collection, joined, searched
from babelspan.readers import load_answerer
from babelspan.retrieval.coverage import coverages
from babelspan.retrieval.fusion import coverage_weight, rank_weight
from babelspan.retrieval.passages import Passage
from babelspan.retrieval.question import own_groups
from babelspan.retrieval.searching import Retrieved, Search
from babelspan.seams import Group, Hit
from babelspan.text.sounds import sounds
from babelspan.types import ConfigError

TEXT = "".join(chr(97 + n % 26) for n in range(400))


def retrieved(start, end, file="a.txt", weight=1.0):
    return Retrieved(file, Passage(start, TEXT[start:end], "en", None, ()), weight)


def test_passages_that_overlap_are_one_in_any_order():
    places = [(0, 100), (180, 300), (80, 200), (350, 380)]
    for seed in range(20):
        random.Random(seed).shuffle(places)
        found = joined([retrieved(*place) for place in places] + [retrieved(0, 50, "b.txt")])
        spans = {(d.name, d.start, d.start + len(d.text)) for d in found}
        assert spans == {("a.txt", 0, 300), ("a.txt", 350, 380), ("b.txt", 0, 50)}
        assert all(d.text == TEXT[d.start : d.start + len(d.text)] for d in found)


def test_the_joined_passage_takes_the_first_place():
    found = joined([retrieved(0, 100, weight=0.5), retrieved(300, 350), retrieved(90, 200)])
    assert [(d.start, len(d.text)) for d in found] == [(0, 200), (300, 50)]
    assert [d.weight for d in joined([retrieved(0, 9, weight=0.5), retrieved(5, 20)])] == [1.0]
    assert [d.weight for d in found] == [1.0, 1.0]


class Listed:
    """An index that finds the same passages for any question: in all languages, and in German."""

    def languages(self):
        return {"en": 3, "de": 3}

    def search(self, groups, *, language, count):
        texts = {
            "a": "old bridge",
            "b": "old Brücke",
            "c": "alte Brücke",
            "d": "mill",
            "e": "Tiffany",
        }
        found = {None: "abd", "de": "cbe"}[language]
        return [Hit(name, f'[0,"{texts[name]}","en","",[]]', 1.0) for name in found]


class Fixed:
    """Alternatives of three words, the last by sound, which do not depend on the question."""

    GROUPS = (
        Group((("old",), ("alte",))),
        Group((("bridge",), ("bruck",))),
        Group(tuple((key,) for key in sounds("Тиффани"))),
    )

    def groups(self, question, *, source, target):
        return list(self.GROUPS)


def test_passages_weigh_by_what_they_cover_in_the_list_where_they_cover_most():
    question = "old bridge"
    found = Search(Listed(), Fixed()).passages(question, 9, language="en")
    ranks = {r.file: n for n, r in enumerate(found, 1)}
    in_own = coverages(own_groups(question), [{"old", "bridg"}, {"old"}, {"mill"}])
    own = dict(zip("abd", in_own, strict=True))
    german = coverages(
        Fixed.GROUPS, [{"alte", "bruck"}, {"old", "bruck"}, {"tiffa", *sounds("Tiffany")}]
    )
    other = dict(zip("cbe", german, strict=True))
    assert own["a"] == 1 and 0 < own["b"] < other["b"] < 1 and other["e"] > 0
    expected = {**own, **other}
    assert {r.file: r.weight for r in found} == pytest.approx(
        {name: coverage_weight(c, 1.0) * rank_weight(ranks[name]) for name, c in expected.items()}
    )


def test_dictionaries_that_say_no_languages_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"lexicon:: expected dictionaries after the colon"):
        alternatives_of("lexicon:")
    (tmp_path / "b.txt").write_text("bridge\tBrücke\n", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"b\.txt: expected a dictionary name with both languages"
    ):
        alternatives_of(f"lexicon:{tmp_path / 'b.txt'}")


def test_answers_are_weighed_by_how_well_their_passages_were_found(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, year in (("a", 1894), ("b", 1901), ("c", 1933)):
        text = f"The {name} bridge was opened in {year}. It carries trains."
        (folder / f"{name}.txt").write_text(text)
    index([folder], tmp_path / "bridges")
    search, answerer = searched(tmp_path / "bridges"), load_answerer()
    question = "When was the b bridge opened?"
    (asked,) = ask_collection(answerer, [question], search, top_k=3)
    texts = joined(search.passages(question, 20))
    weights = [text.weight for text in texts]
    assert weights[0] == 1 and 2**-1.5 > weights[1] > weights[2] > 0
    weighed = answerer.ask(question, [t.text for t in texts], top_k=3, weights=weights)
    assert [p for _, p in asked.answers] == [f.prediction for f in weighed]
    assert [d.name for d, _ in asked.answers] == [texts[f.context].name for f in weighed]
    assert asked.answers[0][0].name.endswith("b.txt")


def test_dictionaries_of_the_package_find_passages_in_another_language(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    texts = {
        "bridge": "Die alte Brücke über den Fluss wurde vor vielen Jahren gebaut und steht noch.",
        "bread": "Der Bäcker verkauft jeden Morgen frisches Brot, und die Kunden warten lange.",
        "school": "In der Schule lernen die Kinder lesen, schreiben und rechnen bei ihren Lehrern.",
    }
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    index([folder], tmp_path / "docs.index")
    question = "Who built the old bridge over the river?"

    def best(translator):
        found = searched(tmp_path / "docs.index", translator).passages(question, 1, language="en")
        return [Path(one.file).stem for one in found]

    assert best(None) == best("lexicon:default") == ["bridge"]
    assert best("none") == []
    (tmp_path / "en-de.tsv").write_text("bridge\tBrot\t1\t99\n", encoding="utf-8")
    assert best(f"lexicon:{tmp_path / 'en-de.tsv'}") == ["bread"]
