"""Question generation speed: with and without the cache, in batches and singly, and with beams.

An untrained generator writes questions of 14 pieces about answers of XQuAD; it never generates the
end. Output with and without the cache must be equal. In the last rows, questions may contain all
pieces of the vocabulary or those of one language: 10,000 of 30,000, and 30,000 of 250,000, the size
of a multilingual encoder, for which the embeddings are repeated.

    python bench/generating.py [--encoder FOLDER] [--rounds 3]
"""

import argparse
from functools import partial

import torch
from measured import DATA, processor, ratio, report, rounds

from babelspan.data.squad import load_squad
from babelspan.networks.decoding import Decode, write
from babelspan.networks.question_generator import State, begin
from babelspan.networks.unilm import unilm_mask
from babelspan.reading.sources import Form

SEED = 1
PIECES = 14
BEAMS = 5
FEWER = ((30_000, 10_000), (250_000, 30_000))
"""Sizes of a vocabulary, with the number of pieces of one language."""


def generator_of(encoder, pieces=None):
    """An untrained generator that never ends; more pieces are made by repeating embeddings."""
    generator = begin(encoder)
    if pieces is not None:
        own = generator.encoder.pieces.weight.detach()
        more = torch.nn.Embedding.from_pretrained(own.repeat(-(-pieces // len(own)), 1)[:pieces])
        generator.encoder.model.set_input_embeddings(more)
    generator.shape(Form(), ["en"], seed=SEED)
    generator.head.bias.data[generator.end] = -1e4
    generator.head.gate.bias.data[:] = -10.0
    return generator.eval()


def sources_of(generator, count):
    path = DATA / "qa" / "xquad" / "test.en.json.gz"
    examples = load_squad(path, question_language="en", context_language="en")
    chosen = examples[:: len(examples) // count][:count]
    return [generator.sources.of(example, is_asked=True) for example in chosen]


def from_cache(generator, sources, size=32, *, allowed=None, **how):
    """The pieces of each question, generated with the cache."""
    found = []
    for at in range(0, len(sources), size):
        batch = generator.collate(sources[at : at + size])
        found += write(generator, batch, Decode(longest=PIECES, **how), allowed=allowed)
    return [written.pieces for written in found]


@torch.inference_mode()
def by_whole_passes(generator, sources, size=32):
    """The same questions without the cache: the whole input is read again for each piece."""
    found = []
    for at in range(0, len(sources), size):
        batch = generator.collate(sources[at : at + size])
        lengths, columns = batch.source_lengths, batch.source_ids.shape[1]
        candidates = generator.candidates(batch)
        written = torch.zeros(len(lengths), 0, dtype=torch.long)
        for count in range(PIECES):
            hidden = generator._states(
                torch.cat([batch.source_ids, written], dim=1),
                generator._places(batch, count),
                columns,
                unilm_mask(lengths, columns, count),
            )
            last = hidden[:, -1] if count else hidden[torch.arange(len(lengths)), lengths - 1]
            keys = generator.head.keys(hidden[:, :columns])
            scores = generator.next_pieces(State(None, batch, keys, last, count, candidates))
            written = torch.cat([written, scores.argmax(dim=1, keepdim=True)], dim=1)
        found += written.tolist()
    return found


def compared(generator, sources, few, count):
    """Rows for a generator with its own vocabulary."""
    assert from_cache(generator, sources) == by_whole_passes(generator, sources)
    contenders = {
        "cache, 32": (partial(from_cache, generator, sources), len(sources)),
        "whole passes, 32": (partial(by_whole_passes, generator, sources), len(sources)),
        "cache, 1": (partial(from_cache, generator, few, 1), len(few)),
        "whole passes, 1": (partial(by_whole_passes, generator, few, 1), len(few)),
        f"beam {BEAMS}, 32": (partial(from_cache, generator, sources, beams=BEAMS), len(sources)),
    }
    slower = {
        "cache, 32": "whole passes, 32",
        "cache, 1": "whole passes, 1",
        f"beam {BEAMS}, 32": "cache, 32",
    }
    return rows_of(contenders, slower, count)


def with_fewer_pieces(encoder, pieces, some, count, number):
    """Rows for a vocabulary of `pieces` pieces, of which questions may contain all or `some`."""
    generator = generator_of(encoder, pieces)
    sources = sources_of(generator, number)
    allowed = torch.cat([torch.arange(some), torch.tensor([generator.end])]).unique()
    every, few = f"{pieces:,} pieces, 32", f"{some:,} of {pieces:,}, 32"
    contenders = {
        every: (partial(from_cache, generator, sources), number),
        few: (partial(from_cache, generator, sources, allowed=allowed), number),
    }
    return rows_of(contenders, {few: every}, count)


def rows_of(contenders, others, count):
    """Measure contenders (a call, and its number of questions); `others` says what to compare."""
    taken = rounds({name: call for name, (call, _) in contenders.items()}, count)
    for name, (_, questions) in contenders.items():
        times, other = taken[name], others.get(name)
        own = processor(times)
        yield {
            "how": name,
            "questions/s": f"{questions / min(times):.1f}",
            "a processor second": f"{questions / min(own):.1f}",
            "times as fast": str(ratio(taken[other], times)) if other else "",
            "by processor time": str(ratio(processor(taken[other]), own)) if other else "",
            "as": other or "",
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default="sentence-transformers/all-MiniLM-L6-v2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=64)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    generator = generator_of(wanted.encoder)
    sources = sources_of(generator, wanted.questions)
    few = sources[: max(1, wanted.questions // 8)]
    rows = [*compared(generator, sources, few, wanted.rounds)]
    for pieces, some in FEWER:
        rows += with_fewer_pieces(wanted.encoder, pieces, some, wanted.rounds, wanted.questions)
    report("generating", rows, libraries=["torch", "transformers"], seed=SEED, pieces=PIECES)


if __name__ == "__main__":
    main()
