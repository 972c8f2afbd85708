"""Cost of an update of each method compared with fine-tuning: time by part, and memory.

All methods train all-MiniLM-L6-v2 with a new span head on the same windows, with the same number
per update: questions of SQuAD and their T(Q) into German by a dictionary, in pairs if the method
needs pairs. They take turns in one process, each time from the initial weights; peak memory is
measured in separate processes. Parts are timed in the same rounds: reading (forward), gradients
(backward), clipping and AdamW (steps), and the predictions and training of the discriminator.

    python bench/methods.py [--rounds 3] [--updates 3]
"""

import argparse
import json
import time
from contextlib import ExitStack, contextmanager
from itertools import islice
from statistics import median
from unittest.mock import patch

import torch
from fine_tuning import BATCH, LEARNING_RATE, PRECISIONS, SEED, SQUAD, new_reader
from measured import DATA, child, peak_memory, ratio, report, seconds

from babelspan.augment.strategies import translated
from babelspan.augment.translate import Direction
from babelspan.data.squad import load_squad
from babelspan.methods import fine_tune, language_adversarial, language_arbitration
from babelspan.networks.discriminators import LanguageDiscriminator
from babelspan.networks.pretrained import PretrainedReader
from babelspan.networks.reader import gold_tokens
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.update import Optim, Updater
from babelspan.translators.lexicon import translator

LEXICON = DATA / "lexicons" / "en-de.tsv.gz"
PLAIN = "fine-tuning"
OPTIM = Optim(lr=LEARNING_RATE)
METHODS = {
    PLAIN: (fine_tune, {}),
    "AT": (language_adversarial, {}),
    "PSA": (language_arbitration, {"similarity": 0.0}),
    "PSA+QS": (language_arbitration, {}),
    "PSA+QS, joint": (language_arbitration, {"steps": "joint"}),
}
PARTS = ("forward", "backward", "steps", "discriminator", "rest")
_READ_AT_A_TIME = 3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=3)
    parser.add_argument("--alone", nargs=2, metavar=("METHOD", "PRECISION"), help="used by itself")
    wanted = parser.parse_args()
    examples = pairs_for(new_reader(), wanted.updates)
    if wanted.alone:
        before = peak_memory()
        train(*wanted.alone, examples)
        print(json.dumps({"before": before, "peak": peak_memory()}))
        return
    rows, raw = [], {}
    for precision in PRECISIONS:
        raw[precision] = measured(precision, examples, wanted)
        rows += rows_of(precision, raw[precision], wanted.updates)
    facts = {"seed": SEED, "threads": torch.get_num_threads(), "updates": wanted.updates}
    report("methods", rows, libraries=["torch", "transformers"], **facts, batch=BATCH, raw=raw)


def measured(precision, examples, wanted):
    """Memory of each method, in separate processes; then times in each round after a warm-up."""
    limits = ("--updates", wanted.updates)
    found = {m: child(__file__, *limits, "--alone", m, precision) for m in METHODS}
    times = {m: [] for m in METHODS}
    for number in range(-1, wanted.rounds):
        for method in METHODS if number % 2 == 0 else reversed(METHODS):
            one = train(method, precision, examples)
            if number >= 0:
                times[method].append(one)
    return {m: {**found[m], "rounds": times[m]} for m in METHODS}


def rows_of(precision, found, updates):
    def each(method, key):
        return [one[key] for one in found[method]["rounds"]]

    for method, one in found.items():
        per_update = {part: median(each(method, part)) / updates for part in PARTS}
        yield {
            "precision": precision,
            "method": method,
            "CPU ms an example": 1000 * sum(per_update.values()) / BATCH,
            "by processor time": ratio(each(method, "processor"), each(PLAIN, "processor")),
            "by the clock": ratio(each(method, "seconds"), each(PLAIN, "seconds")),
            "peak MiB": one["peak"],
            "memory": one["peak"] / found[PLAIN]["peak"],
            **{f"{part}, s": spent for part, spent in per_update.items()},
            "tokens": one["rounds"][0]["tokens"],
        }


def train(method, precision, examples):
    """CPU time of an epoch over the examples, in total and by part."""
    module, settings = METHODS[method]
    run = Run(config=RunConfig(seed=SEED, batch_size=BATCH, epochs=1, precision=precision))
    config = module.Config(reader=OPTIM, **settings)
    reader, corpora = new_reader(), Corpora(labelled=examples)
    with timers() as spent:
        taken = seconds(lambda: module.train(reader, corpora, config, run))
    spent["rest"] = taken.processor - sum(spent[part] for part in PARTS)
    return {**spent, "seconds": taken, "processor": taken.processor}


@contextmanager
def timers():
    """Within the block, collect CPU seconds by part, and tokens read with padding.

    Nested calls count for the outer part.
    """
    spent = dict.fromkeys((*PARTS, "tokens"), 0)
    timed = (
        (PretrainedReader, "forward", lambda *_: "forward"),
        (torch.Tensor, "backward", lambda *_: "backward"),
        (Updater, "_update", lambda *_: "steps"),
        (Updater, "__call__", lambda self, *_: None if self.name == "reader" else self.name),
        (LanguageDiscriminator, "forward", lambda *_: "discriminator"),
    )
    within = []

    def timing(original, part_of):
        def call(*arguments, **settings):
            part = part_of(*arguments)
            if part is None or within:
                return original(*arguments, **settings)
            if part == "forward":
                spent["tokens"] += arguments[1].input_ids.numel()
            within.append(part)
            began = time.process_time()
            try:
                return original(*arguments, **settings)
            finally:
                spent[within.pop()] += time.process_time() - began

        return call

    with ExitStack() as stack:
        for owner, name, part_of in timed:
            call = timing(getattr(owner, name), part_of)
            stack.enter_context(patch.object(owner, name, call))
        yield spent


def pairs_for(reader, updates):
    """Pairs of a question and its translation, each with a single window with the answer."""
    found = []
    wanted = updates * BATCH // 2
    examples = load_squad(SQUAD, question_language="en", context_language="en")
    candidates = examples[: _READ_AT_A_TIME * wanted]
    direction = Direction(translator(str(LEXICON)), "en", "de")
    made = translated(candidates, direction, ["T(Q)"]).examples["T(Q)"]
    own = {example.id: example for example in candidates}
    fitting = ((own[e.origin], e) for e in made if fits(reader, own[e.origin], e))
    for pair in islice(fitting, wanted):
        found += pair
    return found


def fits(reader, *examples):
    windows = [list(reader.windows([example])) for example in examples]
    return all(len(of_one) == 1 and gold_tokens(of_one[0]) for of_one in windows)


if __name__ == "__main__":
    main()
