"""A dictionary from links: shares, limits, and what is forgotten."""

from babelspan.alignment.counted import Entry, LinkCounts
from babelspan.text.segmented import segmented
from babelspan.types import Alignment, SentencePair


def counted(*pairs, **settings):
    counts = LinkCounts(**settings)
    for source, target in pairs:
        pair = segmented(SentencePair(source, target))
        counts.add(pair, Alignment(frozenset((i, i) for i in range(len(pair.source_words)))))
    return counts


def test_shares_of_each_words_links_the_most_frequent_first():
    counts = counted(*[("The river", "la rivière")] * 3, ("the bridge", "le pont"), ("the", "le"))
    assert list(counts.entries()) == [
        Entry("river", "rivière", 1.0, 3),
        Entry("the", "la", 0.6, 3),
        Entry("the", "le", 0.4, 2),
    ]
    assert [e.target for e in counts.entries(count=1, most=1)] == ["rivière", "la", "pont"]
    assert [e.target for e in counts.entries(probability=0.5)] == ["rivière", "la"]


def test_what_is_seen_least_is_forgotten_where_there_is_too_much():
    rare = [(f"w{n}", f"v{n}") for n in range(9)]
    counts = counted(*[("river", "rivière")] * 3, *rare, ("the", "la"), most_held=5)
    assert list(counts.entries()) == [Entry("river", "rivière", 1.0, 3)]
