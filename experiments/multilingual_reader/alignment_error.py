"""Alignment error rate of the statistical links on gold alignments.

    python experiments/multilingual_reader/alignment_error.py --data DATA --out FOLDER

Sentences of the gold set are aligned together with the bitext of their languages, without a look
at their links, as unsupervised aligners are measured. A link is one that both directions prefer.
Nothing of this enters the reader.
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
from babelspan.data.files import read_text

GOLD = ["en-cs", "en-es", "en-fr", "en-hi", "en-pt", "en-sv", "ja-en", "ro-en", "zh-en"]
MOST_LINKS = 4_000_000

Gold = tuple[list[str], list[str], set[tuple[int, int]], set[tuple[int, int]]]


def load_gold(path: Path, *, turned: bool) -> list[Gold]:
    """Words of both sides in small letters, English first, with sure and possible links."""
    found = []
    for line in read_text(path).splitlines():
        first, second, links = line.split("\t")
        sides = [first.lower().split(), second.lower().split()]
        sure, possible = set(), set()
        for link in links.split():
            mark = "p" if "p" in link else "-"
            i, j = map(int, link.split(mark))
            place = (j, i) if turned else (i, j)
            possible.add(place)
            if mark == "-":
                sure.add(place)
        if turned:
            sides.reverse()
        found.append((sides[0], sides[1], sure, possible))
    return found


def mutual(tables: Tables, source: np.ndarray, target: np.ndarray) -> set[tuple[int, int]]:
    """Links that are the best of both their words."""
    forward, backward = tables.posteriors(source, target)
    by_target, by_source = forward.argmax(axis=0), backward.argmax(axis=1)
    return {(int(i), j) for j, i in enumerate(by_target) if by_source[i] == j}


def error_rate(found: list[set[tuple[int, int]]], gold: list[Gold]) -> dict[str, float]:
    """Och and Ney (2003): AER = 1 - (|A & S| + |A & P|) / (|A| + |S|); all in percent."""
    of_sure = sum(len(a & g[2]) for a, g in zip(found, gold, strict=True))
    of_possible = sum(len(a & g[3]) for a, g in zip(found, gold, strict=True))
    links, sure = sum(map(len, found)), sum(len(g[2]) for g in gold)
    return {
        "aer": round(100 * (1 - (of_sure + of_possible) / (links + sure)), 1),
        "precision": round(100 * of_possible / links, 1),
        "recall": round(100 * of_sure / sure, 1),
    }


def main(data: Path, out: Path) -> None:
    """Print and write the figures of each language."""
    cut = Words(Tokenizer.from_file(str(out / "tokenizer.json")))
    table = {}
    for pair in GOLD:
        turned = pair.endswith("-en")
        language = pair.split("-")[0 if turned else 1]
        gold = load_gold(data / "alignments" / f"gold.{pair}.tsv.gz", turned=turned)
        rows = [(g[0], g[1]) for g in gold]
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
        table[pair] = error_rate(found, gold) | {
            "sentences": few,
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
