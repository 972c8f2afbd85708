"""Export a checkpoint to a folder of at most 40 MB: 8-bit matrices, 4-bit embeddings.

python experiments/multilingual_reader/package.py --checkpoint FOLDER --out FOLDER
"""

import argparse
from pathlib import Path

from babelspan.export.onnx import export
from babelspan.networks import pretrained

MOST_BYTES = 40_000_000


def main(checkpoint: Path, out: Path) -> None:
    """Write `model.onnx`, `tokenizer.json` and `reader.json`; print their sizes."""
    export(pretrained.load(str(checkpoint)), out, int8=True, int4_vectors=True, whole_words=True)
    sizes = {p.name: p.stat().st_size for p in sorted(out.iterdir())}
    print(sizes, sum(sizes.values()))
    if sum(sizes.values()) > MOST_BYTES:
        raise SystemExit(f"expected at most {MOST_BYTES} bytes, found {sum(sizes.values())}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("checkpoint", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    main(given.checkpoint, given.out)
