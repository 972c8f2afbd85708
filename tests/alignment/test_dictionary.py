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
