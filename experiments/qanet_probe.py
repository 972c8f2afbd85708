"""What the vectors below the GAN still reveal: a new discriminator on QANets of the toy world.

    python experiments/qanet_probe.py DATA RUNS [--rows raw,dependent,gan-zh,gan-en]

DATA is the folder of `qanet_world.py`, and RUNS is the folder `runs` of `babelspan reproduce
lee2019 --scale toy --data DATA --out …`, with a folder for each row and seed. For each row, prints
how often a new discriminator names the language of a question from the mean of its vectors (the
output of Psi; 50 % is chance), and how often a question's translation is its nearest neighbour;
means over seeds. The questions are the test questions in both languages. Contexts are not probed,
though the GAN hides their side, too.

The row `random-sides` tells nothing here: a question and its translation have one id, and so the
same side.
"""

import argparse
import sys
from pathlib import Path
from statistics import mean

import torch

from babelspan.data.folder import describe
from babelspan.networks.probe import probe
from babelspan.readers import load_checkpoint


def main() -> None:
    """Probe each run, and print a line for each row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--rows", default="raw,dependent,gan-zh,gan-en")
    given = parser.parse_args()
    torch.set_num_threads(1)
    parallel = {
        language: describe(given.data / "test" / f"test.{language}.json.gz").load()
        for language in ("qaa", "qad")
    }
    for row in given.rows.split(","):
        runs = sorted((given.runs / row).glob("seed-*"))
        if not runs:
            sys.exit(f"{given.runs / row}: expected folders of seeds, such as seed-1, found none")
        revealed = [probe(load_checkpoint(str(run)), parallel).mean for run in runs]
        accuracy = ", ".join(f"{100 * one.accuracy:.1f}" for one in revealed)
        nearest = 100 * mean(one.retrieval for one in revealed)
        print(
            f"{row}: {100 * mean(one.accuracy for one in revealed):.1f} % named ({accuracy}), "
            f"translation nearest in {nearest:.1f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
