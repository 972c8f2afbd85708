"""Links from counts: what is learnt, from how much, and what has no links."""

import random

from babelspan.aligners.ibm1 import CountingAligner
from babelspan.text.segmented import segmented
from babelspan.types import Alignment, SentencePair

ENGLISH = [
    *("river", "bridge", "town", "old", "green", "long"),
    *("lamp", "stone", "winter", "door", "garden", "road"),
]
CODE = dict(zip(ENGLISH, [word[::-1] for word in ENGLISH], strict=True))
SWAPPED = Alignment(frozenset({(0, 1), (1, 0), (2, 2), (3, 3)}))


def pair(source, target):
    return segmented(SentencePair(source, target, "en", "xx"))


def bitext(count):
    """Sentences of four words, of which the first two change places in translation."""
    rng = random.Random(0)
    chosen = [rng.sample(ENGLISH, 4) for _ in range(count)]
    return [pair(" ".join(c), " ".join(CODE[c[i]] for i in (1, 0, 2, 3))) for c in chosen]


def test_a_code_is_broken_whatever_the_letters():
    pairs = bitext(150)
    assert CountingAligner(lambda: pairs).align(pairs) == [SWAPPED] * 150
    capitals = pair("Old RIVER town, lamp.", "revir dlO NWOT pmal!")
    assert CountingAligner(lambda: pairs).align([capitals]) == [SWAPPED]


def test_no_words_no_links():
    pairs = bitext(150)
    empty = [pair("", ""), pair("old", "..."), pair("?", "dlo")]
    assert CountingAligner(lambda: [*empty, *pairs]).align(empty) == [Alignment(frozenset())] * 3
    assert CountingAligner(lambda: empty).align(empty) == [Alignment(frozenset())] * 3


def test_unknown_words_have_no_links():
    pairs = bitext(150)
    found = CountingAligner(lambda: pairs).align([pair("old unheard", "nechuto dlo")])
    assert found == [Alignment(frozenset({(0, 1)}))]


def test_of_a_large_bitext_a_part_is_learnt_from():
    """Half of it: a word that only the second pair has is not known then."""
    pairs = bitext(300)
    odd = pairs[1] = pair("old zebra", "arbez dlo")
    assert CountingAligner(lambda: pairs).align([odd]) == [Alignment(frozenset({(0, 1), (1, 0)}))]
    few = CountingAligner(lambda: pairs, most_links=300 * 16 // 2)
    assert few.align([odd]) == [Alignment(frozenset({(0, 1)}))]
    assert few.align(pairs[2:]) == [SWAPPED] * 298


def test_the_bitext_is_read_when_links_are_first_asked_for():
    read = []

    def reading():
        read.append(1)
        return bitext(20)

    aligner = CountingAligner(reading)
    assert "threshold=0.1" in aligner.identity
    assert read == []
    aligner.align(bitext(1))
    aligner.align(bitext(1))
    assert len(read) == 2  # once to count, once to learn
