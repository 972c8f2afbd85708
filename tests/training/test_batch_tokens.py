"""The limit of tokens in an update holds for everything that a stream collates."""

from dataclasses import replace

import pytest

from babelspan.networks.parallel_texts import Attention, ParallelReader
from babelspan.training.bitext import linked_pairs, sentence_pairs
from babelspan.training.members import joined, parallel
from babelspan.training.passages import passages
from babelspan.training.run import Run, RunConfig
from babelspan.training.stream import Order
from babelspan.training.teaching import taught_pairs
from babelspan.types import Alignment, Passage, SentencePair
from miniature import miniature_reader
from world import World

WORLD = World(0)
OWN = WORLD.examples(30)
PAIRS = [
    SentencePair(a.context, b.context, "en", "L1", Alignment(frozenset({(0, 0)})))
    for a, b in zip(OWN, WORLD.translations(30, "L1", "L1"), strict=True)
]
RUN = Run(config=RunConfig(threads=1))


def reader():
    return miniature_reader(WORLD.vocabulary())


def of_passages():
    stream = passages(reader().encoder, [Passage(e.context, "en") for e in OWN], RUN)
    return stream, lambda batch: [batch.input_ids]


def of_pairs():
    stream = sentence_pairs(reader().encoder, PAIRS, RUN)
    return stream, lambda batch: [batch.source.input_ids, batch.target.input_ids]


def of_linked_pairs():
    stream = linked_pairs(reader().encoder, PAIRS, RUN)
    return stream, lambda b: [b.bitext.source.input_ids, b.bitext.target.input_ids]


def of_taught_pairs():
    stream = taught_pairs(reader().encoder, reader().encoder, PAIRS, RUN, language="en")
    return stream, lambda b: [b.source.input_ids, b.target.input_ids, b.taught.input_ids]


def of_parallel_texts():
    long = [replace(e, context=" ".join([e.context] * 2)) for e in WORLD.examples(30, "L2", "L2")]
    beside = joined([*OWN, *WORLD.translations(30, "L1", "L1"), *long]).examples
    attending = ParallelReader(reader(), Attention(languages=("L1", "L2")))
    return parallel(attending, beside, RUN), lambda batch: [batch.texts.input_ids]


@pytest.mark.parametrize(
    "kind", [of_passages, of_pairs, of_linked_pairs, of_taught_pairs, of_parallel_texts]
)
def test_an_update_has_no_more_tokens_than_the_limit(kind):
    stream, read = kind()
    most = 3 * stream.texts * int(stream.lengths.max())
    updates = stream.in_order(Order(seed=1, batch_size=30, batch_tokens=most, epochs=1))
    sizes = [
        sum(ids.numel() for ids in read(share.batch))
        for update in updates.starting_at(0)
        for share in update
    ]
    assert sum(sizes) > most
    assert all(most / 2 < size <= most for size in sizes[:-1])
