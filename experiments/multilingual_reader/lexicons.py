"""Weighted dictionaries from word links, for `--translator lexicon:FOLDER`.

    python experiments/multilingual_reader/lexicons.py --out FOLDER --to LEXICONS

Reads `<out>/words` written by `links.py`, and writes `<LEXICONS>/links.en-<language>.tsv.gz`: an
English word, its translation, the share of the word's links, and their expected number. The links
are not counted on XQuAD (`corpora.py`).
"""

import argparse
import gzip
from pathlib import Path

import numpy as np

from babelspan.data.files import replacing

COUNT = 0.3
"""Minimum expected number of links."""
SHARE = 0.03
"""Minimum share of the links of either word."""


def entries(path: Path) -> list[tuple[str, str, float, float]]:
    """Words, translations, shares and link counts, the most frequent first."""
    with np.load(path) as arrays:
        english, foreign = arrays["source_words"].tolist(), arrays["target_words"].tolist()
        source, target = np.divmod(arrays["keys"], int(arrays["target_size"]))
        counts = arrays["counts"].astype(np.float64)
    of_source = np.bincount(source, counts, len(english))[source]
    of_target = np.bincount(target, counts, len(foreign))[target]
    is_likely = (counts >= SHARE * of_source) | (counts >= SHARE * of_target)
    kept = np.flatnonzero((counts >= COUNT) & is_likely)
    kept = kept[np.lexsort((target[kept], source[kept], -counts[kept]))]
    return [
        (english[source[n]], foreign[target[n]], counts[n] / of_source[n], counts[n]) for n in kept
    ]


def main(out: Path, to: Path) -> None:
    """Write a dictionary for each language with links."""
    to.mkdir(parents=True, exist_ok=True)
    for path in sorted((out / "words").glob("*.npz")):
        found = entries(path)
        lines = (f"{word}\t{other}\t{share:.4f}\t{n:.2f}\n" for word, other, share, n in found)
        with replacing(to / f"links.en-{path.stem}.tsv.gz") as beside:
            beside.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))
        print(path.stem, len(found), "entries", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("out", "to"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    main(given.out, given.to)
