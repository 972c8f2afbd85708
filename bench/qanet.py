"""CPU time of QANet updates, with and without the adversary, and of reading word vectors.

    python bench/qanet.py [--rounds 5] [--lines 50000]

Vectors have a width of 300; of the words in the file, first 1 % and then 10 % are needed. This part
runs first, so that the peak memory of the process grows by what reading takes. Updates use windows
of the toy world, windows of random words with the lengths of SQuAD, and, if BABELSPAN_DATA is set,
Chinese windows of DRCD. The first update of each kind is not counted.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from measured import DATA, peak_memory

from babelspan.data.folder import describe
from babelspan.data.word_vectors import read_vectors
from babelspan.methods import fine_tune, qanet_adversarial
from babelspan.networks.qanet_new import Start, make
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.types import Answer, Example

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from worded_readers import miniature_qanet
from world import World

TOY = {"width": 48, "blocks": 2, "word_width": 48, "spelling": 0}
SMALL = ("width=64", "blocks=3", "word_width=100", "least=2")
CHINESE = DATA / "qa" / "drcd" / "dev.zh.json.gz"
PAPER = {"width": 96, "blocks": 7, "word_width": 300, "spelling": 16, "letter_width": 64}
SIDES = {"sides": ("L0", "L3"), "dependent": "encoder"}


def main():
    """Measure, and print one line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=50_000)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.lines:
        vectors(given.lines)
    world = World(0)
    toy = [*world.examples(200), *world.examples(200, "L3", "L3")]
    words = world.vocabulary()
    reader = miniature_qanet(words, dropout=0.1, survival=0.9, max_length=128, **TOY, **SIDES)
    one = show(
        "toy size, fine_tune, 32 windows",
        fine_tune,
        {},
        reader,
        toy,
        rounds=given.rounds,
        batch_size=32,
    )
    for name, how in [
        ("k = 1, 32 filters", {"steps": 1, "filters": 32}),
        ("k = 1, 96 filters", {"steps": 1}),
        ("k = 5, 96 filters", {"steps": 5}),
    ]:
        title = f"toy size, qanet_adversarial, {name}"
        sizes = {"rounds": given.rounds, "batch_size": 32, "beside": one}
        show(title, qanet_adversarial, how, reader, toy, **sizes)
    long = [random_example(number, words) for number in range(48)]
    reader = miniature_qanet(words, dropout=0.1, survival=0.9, max_length=384, **PAPER)
    show(
        "paper's size, fine_tune, 24 windows",
        fine_tune,
        {},
        reader,
        long,
        rounds=given.rounds,
        batch_size=24,
    )
    if CHINESE.exists():
        reader, _ = make(Start(texts=(CHINESE,), settings=SMALL, seed=1))
        some = describe(CHINESE).load()[::50]
        title = "small, fine_tune, 24 windows of DRCD"
        show(title, fine_tune, {}, reader, some, rounds=given.rounds, batch_size=24)


def show(title, method, how, reader, examples, *, rounds, batch_size, beside=None):
    """Print and return milliseconds per update."""
    seconds = []

    def monitor():
        seconds.append(time.process_time())
        return {}

    config = RunConfig(
        updates=rounds + 1, batch_size=batch_size, threads=1, evaluate_every=1, max_length=384
    )
    run = Run(config=config, monitor=monitor)
    method.train(reader, Corpora(labelled=examples), method.Config(**how), run)
    tokens = np.mean([w.length for w in reader.windows(examples)]) * batch_size
    took = np.median(np.diff(seconds))
    more = "" if beside is None else f", {took / beside:.2f} times fine_tune"
    print(
        f"{title}: {1000 * took:.0f} ms an update, {tokens / took:,.0f} tokens/s{more}", flush=True
    )
    return took


def random_example(number, words):
    """A question of 12 words about a context of about 140 words, lengths as in SQuAD."""
    rng = np.random.default_rng(number)
    text = " ".join(rng.choice(words, int(rng.integers(100, 180))))
    first = text.split()[40]
    start = text.index(first)
    return Example(
        id=str(number),
        question=" ".join(rng.choice(words, 12)),
        context=text,
        answers=(Answer(first, start),),
        question_language="L0",
        context_language="L0",
    )


def vectors(lines):
    """Print how many lines of a vector file are read per second, and the memory it takes."""
    numbers = " ".join(f"{x:.4f}" for x in np.random.default_rng(0).normal(size=300))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.vec"
        with path.open("w") as file:
            file.write(f"{lines} 300\n")
            file.writelines(f"word{n} {numbers}\n" for n in range(lines))
        for name, wanted in [
            ("1 % wanted", {f"word{n}" for n in range(0, lines, 100)}),
            ("10 % wanted", {f"word{n}" for n in range(0, lines, 10)}),
        ]:
            before, began = peak_memory(), time.process_time()
            kept = list(read_vectors(path, wanted=wanted))
            took, grown = time.process_time() - began, peak_memory() - before
            rate = f"{took:.2f} s, {lines / took:,.0f} lines/s, {grown:,.0f} MiB"
            print(f"vectors, {name}: {len(kept):,} of {lines:,} in {rate}", flush=True)
            del kept


if __name__ == "__main__":
    main()
