"""A dictionary with probabilities from word links."""

import numpy as np

from babelspan.alignment.dictionary import Limits, translations
from babelspan.alignment.ibm1 import estimate


def test_words_get_their_translations_and_articles_may_vanish():
    pairs = [("the bridge", "мост"), ("the river", "река"), ("bridge", "мост"), ("the", "она")]
    words = [sorted({w for pair in pairs for w in pair[side].split()}) for side in (0, 1)]
    rows = [
        [np.array([words[side].index(w) for w in pair[side].split()], np.int32) for pair in pairs]
        for side in (0, 1)
    ]
    tables = estimate(*[r * 20 for r in rows], source_size=len(words[0]), target_size=len(words[1]))
    found = translations(tables, *words, source_total=120, limits=Limits(vanishing=50, linked=0.6))
    assert next(iter(found["bridge"])) == "мост"
    assert next(iter(found["river"])) == "река"
    assert "" in found["the"]
    assert "" not in found["bridge"]


def test_rare_forms_of_a_frequent_word_are_kept_for_the_way_back():
    forms = [f"form{number}" for number in range(30)]
    rows = [[np.array([side], np.int32) for side in sides] for sides in ([0] * 30, range(30))]
    tables = estimate(*[r * 4 for r in rows], source_size=1, target_size=30)
    assert (tables.forward < Limits().probability).all()
    found = translations(tables, ["which"], forms, source_total=120)
    assert found["which"].keys() == set(forms)


def test_a_word_keeps_its_most_frequent_translations_only():
    pairs = [("a", "x")] * 9 + [("a", "y")] * 6 + [("a", "z")] * 3 + [("b", "z")] * 9
    words = ["a", "b"], ["x", "y", "z"]
    rows = [
        [np.array([words[side].index(pair[side])], np.int32) for pair in pairs] for side in (0, 1)
    ]
    tables = estimate(*rows, source_size=2, target_size=3)
    found = translations(tables, *words, source_total=27, limits=Limits(count=0.1, most=1))
    assert {word: list(options) for word, options in found.items()} == {"a": ["x", "y"], "b": ["z"]}
