"""Interpolate the weights of a fine-tuned checkpoint and its starting point.

After Wortsman et al. (2022), arXiv:2109.01903: this recovers abilities of the starting point, and
little of the training is lost.

    python experiments/multilingual_reader/between.py --learnt FOLDER --start FOLDER --back 0.3 \
        --out FOLDER
"""

import argparse
import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file

WEIGHTS = "model.safetensors"


def main(learnt: Path, start: Path, back: float, out: Path) -> None:
    """Write (1 - back) * learnt + back * start, weight by weight."""
    first, second = (load_file(folder / WEIGHTS) for folder in (learnt, start))
    shutil.copytree(learnt, out, dirs_exist_ok=True)
    mixed = {n: ((1 - back) * w + back * second[n]).contiguous() for n, w in first.items()}
    save_file(mixed, out / WEIGHTS, metadata={"format": "pt"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("learnt", "start", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--back", type=float, default=0.3)
    given = parser.parse_args()
    main(given.learnt, given.start, given.back, given.out)
