"""Time and peak memory of preparing a training job, and of 20 updates, by number of examples.

    python bench/planning.py [--sizes 20000 200000 1200000] [--updates 20] [--keep FOLDER]

The data are SQuAD questions (BABELSPAN_DATA) repeated under new ids. Each size runs in a separate
process, `babelspan train fine_tune` on a new two-layer reader with the vocabulary of the default
reader, so that reading, featurising and planning take most of the time. Memory is the peak of the
process; files are written to `--keep`, or to a temporary folder.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measured import DATA, peak_memory, report

SQUAD = DATA / "qa" / "squad" / "train-without-xquad.en.json.gz"
SETTINGS = ("batch_size=16", "threads=1", "log_every=0", "save_every=0")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--sizes", type=int, nargs="+", default=[20_000, 200_000])
    options.add_argument("--updates", type=int, default=20)
    options.add_argument("--keep", type=Path)
    options.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    wanted = options.parse_args()
    if wanted.child:
        return child(*wanted.child, wanted.updates)
    with tempfile.TemporaryDirectory() as temporary:
        folder = wanted.keep or Path(temporary)
        rows = [measured(folder, size, wanted.updates) for size in wanted.sizes]
    report("planning", rows, libraries=("torch", "tokenizers"), updates=wanted.updates)
    return None


def measured(folder, size, updates):
    """Measure one size, in a separate process."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"train-{size}.en.json"
    if not data.exists():
        write(data, size)
    reader = folder / "reader"
    if not reader.exists():
        make_reader(reader)
    command = [sys.executable, __file__, "--updates", str(updates), "--child", reader, data]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return {
        "examples": size,
        "megabytes": data.stat().st_size / 1e6,
        **json.loads(done.stdout.splitlines()[-1]),
    }


def write(path, size):
    """Write SQuAD's questions repeatedly, under new ids."""
    articles = json.loads(gzip.decompress(SQUAD.read_bytes()))["data"]
    written = 0
    with path.open("w", encoding="utf-8") as file:
        file.write('{"data": [')
        while written < size:
            for article in articles:
                for paragraph in article["paragraphs"]:
                    taken = paragraph["qas"][: size - written]
                    qas = [{**qa, "id": f"{written + i}"} for i, qa in enumerate(taken)]
                    written += len(qas)
                    part = {"title": "", "paragraphs": [{**paragraph, "qas": qas}]}
                    if qas:
                        file.write(("" if written == len(qas) else ",") + json.dumps(part))
        file.write("]}")


def make_reader(folder):
    """A small reader with random weights; its tokenizer is that of the default reader."""
    import torch
    from transformers import BertConfig, BertForQuestionAnswering, PreTrainedTokenizerFast

    from babelspan.readers import DEFAULT_FOLDER

    torch.manual_seed(1)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(DEFAULT_FOLDER / "tokenizer.json"),
        model_max_length=512,
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")},
    )
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
    )
    BertForQuestionAnswering(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def child(reader, data, updates):
    """Train, and print the start and end of the first update, and peak memory."""
    from babelspan.jobs import train as train_job
    from babelspan.jobs.corpora import Paths
    from babelspan.training import fit

    begun = time.monotonic()
    first = []
    take = fit._take_updates

    def noted(*arguments):
        first.append(time.monotonic())
        take(*arguments)

    fit._take_updates = noted
    settings = [f"updates={updates}", *SETTINGS]
    with tempfile.TemporaryDirectory(dir=Path(data).parent) as out:
        plan = train_job.plan(
            method="fine_tune", reader=reader, data=Paths(labelled=(data,)), settings=settings
        )
        train_job.carry_out(plan, Path(out) / "run")
    told = {
        "planning": first[0] - begun,
        "updates": time.monotonic() - first[0],
        "processor": sum(os.times()[:2]),
        "memory": peak_memory(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
