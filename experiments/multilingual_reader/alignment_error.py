"""Alignment error rate of the statistical links on gold alignments.

    python experiments/multilingual_reader/alignment_error.py --data DATA --out FOLDER

Sentences of the gold set are aligned together with the bitext of their languages, without using
their links, which is the usual evaluation of unsupervised aligners. A link is one that is best in
both directions. The reader uses nothing of this.
"""

import argparse
import json
import time
from pathlib import Path

import corpora
import numpy as np
from links import MOST_TOKENS, Words
from tokenizers import Tokenizer

from babelspan.alignment.ibm1 import Tables, estimate
from babelspan.data.gold_links import load_gold
from babelspan.scoring.alignment import link_figures
from babelspan.types import Alignment

GOLD = ["en-cs", "en-es", "en-fr", "en-hi", "en-pt", "en-sv", "ja-en", "ro-en", "zh-en"]
MOST_LINKS = 4_000_000


def mutual(tables: Tables, source: np.ndarray, target: np.ndarray) -> Alignment:
    """Links that are the best for both words."""
    forward, backward = tables.posteriors(source, target)
    by_target, by_source = forward.argmax(axis=0), backward.argmax(axis=1)
    return Alignment(frozenset((int(i), j) for j, i in enumerate(by_target) if by_source[i] == j))


def main(data: Path, out: Path) -> None:
    """Print and write the results for each language."""
    cut = Words(Tokenizer.from_file(str(out / "tokenizer.json")))
    table = {}
    for pair in GOLD:
        (language,) = {*pair.split("-")} - {"en"}
        path = data / "alignments" / f"gold.{pair}.tsv.gz"
        gold = list(load_gold(path, source="en", target=language))
        rows = [tuple([word.lower() for word in side] for side in g.pair.words) for g in gold]
        links = 0
        for _, listed in corpora.bitext(data, language):
            for p in listed:
                both = cut(p.source), cut(p.target)
                if all(0 < len(side) <= MOST_TOKENS for side in both) and links < MOST_LINKS:
                    rows.append(both)
                    links += len(both[0]) * len(both[1])
        begun = time.process_time()
        numbers: tuple[dict[str, int], dict[str, int]] = ({}, {})
        sides = [
            [np.array([known.setdefault(w, len(known)) for w in row[k]], np.int32) for row in rows]
            for k, known in enumerate(numbers)
        ]
        tables = estimate(*sides, source_size=len(numbers[0]), target_size=len(numbers[1]))
        few = len(gold)
        found = [mutual(tables, s, t) for s, t in zip(sides[0][:few], sides[1][:few], strict=True)]
        seconds = time.process_time() - begun
        figures = link_figures(
            (links, g.sure, g.possible) for links, g in zip(found, gold, strict=True)
        )
        table[pair] = figures._asdict() | {
            "bitext": len(rows) - few,
            "seconds": round(seconds, 1),
        }
        print(pair, table[pair], flush=True)
    (out / "alignment_error.json").write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    main(given.data, given.out)
