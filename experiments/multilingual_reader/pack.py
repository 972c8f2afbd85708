"""Pack sentence pairs with their links, and dictionaries for code-switching, for training.

    python experiments/multilingual_reader/pack.py --data DATA --english FOLDER --out FOLDER

Reads `<out>/tokenizer.json`, `<out>/pieces` and `<out>/words`; writes `<out>/pairs.npz` and
`<out>/dictionaries.json`.
"""

import argparse
import json
import random
from pathlib import Path

import corpora
import interrogatives
import links
import numpy as np
from tokenizers import Tokenizer

from babelspan.alignment.dictionary import translations
from babelspan.alignment.ibm1 import Tables
from babelspan.types import SentencePair

SEED = 1
MOST_PAIRS = 9_000
"""Maximum number of pairs per language."""
MOST_TOKENS = 96
LEAST_TOKENS = 5
CERTAIN = 0.3
"""Minimum product of both posteriors of a link."""
SHARES = {
    "tatoeba": 0.10,
    "tatoeba-anki": 0.25,
    "mscourse-edgeai": 0.10,
    "mscourse-iot": 0.10,
    "mscourse-security": 0.04,
    "pythondocs": 0.08,
    "reactdocs": 0.08,
}
"""Maximum fraction of a language's pairs from a source; other sources are not limited."""


def chosen(data: Path, language: str, rng: random.Random) -> list[SentencePair]:
    """Pairs of one language, in the order of their sources, so neighbours share a topic."""
    found: list[SentencePair] = []
    for source, listed in corpora.bitext(data, language):
        most = min(round(SHARES.get(source, 1.0) * MOST_PAIRS), len(listed))
        found += [listed[i] for i in sorted(rng.sample(range(len(listed)), most))]
    kept = sorted(rng.sample(range(len(found)), min(MOST_PAIRS, len(found))))
    return [found[i] for i in kept]


def links_of(tables: Tables, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Confident links (source token, target token) of a pair, (K, 2)."""
    forward, backward = tables.posteriors(source, target)
    return np.argwhere(forward * backward >= CERTAIN)


class Packed:
    """Rows of different lengths in one array."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The concatenated rows, and the start of each."""
        starts = np.cumsum([0, *map(len, self.rows)])
        return {name: np.concatenate(self.rows), f"{name}_at": starts}


def pack_pairs(data: Path, english: Path, out: Path) -> dict[str, np.ndarray]:
    """Ids of the English side by the old tokenizer, of the other side by the new one, and links."""
    old = Tokenizer.from_file(str(english / "tokenizer.json"))
    old.no_truncation()
    old.no_padding()
    new = Tokenizer.from_file(str(out / "tokenizer.json"))
    rng = random.Random(SEED)
    sides = {name: Packed() for name in ("source", "target", "links")}
    owners: list[int] = []
    for number, language in enumerate(corpora.LANGUAGES):
        if not (out / "pieces" / f"{language}.npz").exists():
            continue
        tables = links.load(out / "pieces" / f"{language}.npz")
        pairs = chosen(data, language, rng)
        left = old.encode_batch([p.source for p in pairs], add_special_tokens=False)
        right = new.encode_batch([p.target for p in pairs], add_special_tokens=False)
        for a, b in zip(left, right, strict=True):
            if not min(len(a.ids), len(b.ids)) >= LEAST_TOKENS:
                continue
            source = np.array(a.ids[:MOST_TOKENS], np.int32)
            target = np.array(b.ids[:MOST_TOKENS], np.int32)
            linked = links_of(tables, source, target)
            if len(linked) * 4 < len(target):
                continue
            sides["source"].rows.append(source)
            sides["target"].rows.append(target)
            sides["links"].rows.append(linked.astype(np.int32))
            owners.append(number)
        print(language, len(pairs), owners.count(number), flush=True)
    arrays = {k: v for name, packed in sides.items() for k, v in packed.arrays(name).items()}
    return arrays | {"language": np.array(owners, np.int32)}


def dictionaries(data: Path, out: Path) -> dict[str, dict[str, dict[str, float]]]:
    """For each language, English words with translations and weights."""
    words = links.Words(Tokenizer.from_file(str(out / "tokenizer.json")))
    found = {}
    for language in corpora.LANGUAGES:
        path = out / "words" / f"{language}.npz"
        if not path.exists():
            continue
        with np.load(path) as arrays:
            source, target = arrays["source_words"].tolist(), arrays["target_words"].tolist()
            total = int(arrays["source_total"])
        tables = links.load(path)
        table = translations(tables, source, target, source_total=total)
        table |= interrogatives.asked(
            links.word_pairs(data, language),
            words,
            tables,
            known=tuple({word: number for number, word in enumerate(s)} for s in (source, target)),
        )
        for english, foreign in corpora.dictionary(data, language):
            word = english.lower()
            if " " not in word and " " not in foreign and word not in table:
                table[word] = {foreign.lower(): 1.0}
        found[language] = table
        print(language, len(table), "words", flush=True)
    return found


def main(data: Path, english: Path, out: Path) -> None:
    """Write both files."""
    np.savez(out / "pairs.npz", **pack_pairs(data, english, out))
    text = json.dumps(dictionaries(data, out), ensure_ascii=False)
    (out / "dictionaries.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "english", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    main(given.data, given.english, given.out)
