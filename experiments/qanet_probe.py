"""What the vectors below the GAN still reveal: a new discriminator on QANets of the toy world.

    python experiments/qanet_probe.py RUNS [--rows raw,dependent,gan-zh,gan-en]

RUNS is the folder `runs` of `babelspan reproduce lee2019 --scale toy --out …`, with a folder for
each row and seed. For each row, prints how often a new discriminator names the language of a
question from the mean of its vectors (the output of Psi; 50 % is chance), and how often a
question's translation is its nearest neighbour; means over seeds. The questions are the test
questions of the target and their exact translations into the source. Contexts are not probed,
though the GAN hides their side, too.

RUNS must come from the world of `qanet_world.py` with its default seed. The row `random-sides`
tells nothing here: a question and its translation have one id, and so the same side.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean

import torch

from babelspan.networks.probe import Told, probe
from babelspan.readers import load_checkpoint
from babelspan.types import Example

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from qanet_world import CODES, TEST, TESTED

from world import World


def main() -> None:
    """Probe each run, and print a line for each row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("runs", type=Path)
    parser.add_argument("--rows", default="raw,dependent,gan-zh,gan-en")
    parser.add_argument("--questions", type=int, default=TESTED)
    given = parser.parse_args()
    torch.set_num_threads(1)
    world = World(0)
    parallel = {
        code: [
            replace(example, question_language=code, context_language=code)
            for example in world.examples(given.questions, language, language, seed=TEST)
        ]
        for language, code in CODES.items()
    }
    for row in given.rows.split(","):
        runs = sorted((given.runs / row).glob("seed-*"))
        if not runs:
            sys.exit(f"{given.runs / row}: expected folders of seeds, such as seed-1, found none")
        revealed = [revealed_by(run, parallel) for run in runs]
        accuracy = ", ".join(f"{100 * one.accuracy:.1f}" for one in revealed)
        nearest = 100 * mean(one.retrieval for one in revealed)
        print(
            f"{row}: {100 * mean(one.accuracy for one in revealed):.1f} % named ({accuracy}), "
            f"translation nearest in {nearest:.1f} %",
            flush=True,
        )


def revealed_by(run: Path, parallel: dict[str, list[Example]]) -> Told:
    """What the mean vector of a question's words reveals."""
    return probe(load_checkpoint(str(run)), parallel).mean


if __name__ == "__main__":
    main()
