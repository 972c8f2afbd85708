"""Writing questions, compared with T5-small under `generate` of transformers.

Ours is the generator of `generating.py`: one encoder of the shape of MiniLM (6 layers, width 384)
that reads the source and writes. T5-small is an encoder and a decoder of 6 layers each, width 512;
it has random weights, and is run as the pipeline question_generation of patil-suraj runs it, with
sources padded to 512 tokens, or to the longest of a batch. Both get the token ids of the same
sources, in the same batches and order, and write 14 pieces for each, greedily, in fp32. The
pipeline reads the whole paragraph and has beams of 4; here it reads our excerpt, without beams.

    python bench/generating_peers.py [--encoder FOLDER] [--rounds 3] [--questions 64] [--threads 1]
"""

import argparse
from functools import partial

import torch
from generating import PIECES, SEED, from_cache, generator_of, sources_of
from measured import processor, ratio, report, rounds
from transformers import T5Config, T5ForConditionalGeneration
from transformers.utils import logging

LONGEST = 512
"""The length that the pipeline pads sources to."""


def t5_small():
    """A model of the shape of T5-small, with random weights."""
    torch.manual_seed(SEED)
    config = T5Config(  # the other defaults are those of T5-small
        num_layers=6, num_heads=8, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1
    )
    return T5ForConditionalGeneration(config).eval()


def by_t5(model, sources, size, *, padded):
    """The pieces of each question, written by T5."""
    found = []
    for at in range(0, len(sources), size):
        ids = [torch.from_numpy(source.ids).long() for source in sources[at : at + size]]
        columns = LONGEST if padded else max(map(len, ids))
        batch = torch.zeros(len(ids), columns, dtype=torch.long)
        mask = torch.zeros_like(batch)
        for row, own in enumerate(ids):
            batch[row, : len(own)], mask[row, : len(own)] = own, 1
        with torch.inference_mode():
            out = model.generate(
                input_ids=batch,
                attention_mask=mask,
                num_beams=1,
                do_sample=False,
                min_new_tokens=PIECES,
                max_new_tokens=PIECES,
            )
        found += out[:, 1:].tolist()
    return found


def compared(generator, model, sources, count):
    """Rows for batches of 32, and for single questions."""
    for size, some in ((32, sources), (1, sources[: max(1, len(sources) // 8)])):
        ours, padded, bare = f"ours, {size}", f"T5, padded to 512, {size}", f"T5, {size}"
        contenders = {
            ours: partial(from_cache, generator, some, size),
            bare: partial(by_t5, model, some, size, padded=False),
            padded: partial(by_t5, model, some, size, padded=True),
        }
        for call in contenders.values():
            assert all(len(pieces) == PIECES for pieces in call())
        taken = rounds(contenders, count)
        for name, times in taken.items():
            gain = ratio(times, taken[ours])
            by_processor = ratio(processor(times), processor(taken[ours]))
            yield {
                "how": name,
                "questions/s": f"{len(some) / min(times):.1f}",
                "a processor second": f"{len(some) / min(processor(times)):.1f}",
                "ours is times as fast": "" if name == ours else str(gain),
                "by processor time": "" if name == ours else str(by_processor),
            }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default="sentence-transformers/all-MiniLM-L6-v2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    wanted = parser.parse_args()
    logging.set_verbosity_error()
    torch.set_num_threads(wanted.threads)
    generator, model = generator_of(wanted.encoder), t5_small()
    sources = sources_of(generator, wanted.questions)
    rows = list(compared(generator, model, sources, wanted.rounds))
    facts = {
        "tokens of a source": sum(len(s.ids) for s in sources) / len(sources),
        "parameters": [sum(p.numel() for p in one.parameters()) for one in (generator, model)],
    }
    print(facts)
    report(
        "generating-peers",
        rows,
        libraries=["torch", "transformers"],
        seed=SEED,
        pieces=PIECES,
        threads=wanted.threads,
        **facts,
    )


if __name__ == "__main__":
    main()
