"""Alignment in many languages with unequal bitext: how should a language's share depend on size?

    python experiments/multilingual_reader/balance.py --data DATA --start FOLDER --out FOLDER \
        [--one-in 40] [--updates 200] [--exponents 1,0.5,0]

START is a checkpoint, for example the reader in the package as `again.py` writes it.

The bitext is every 40th pair of each language of DATA (without NTREX), so it keeps the proportions:
thousands of pairs in some languages, some dozens in others. Each row trains the same reader by
`word_alignment` with another exponent of size (`method.balance.exponent`) at equal updates. Then it
is measured how often translations of NTREX are the nearest sentence, by the mean vector of layer 4,
for the languages with the most and the fewest pairs. Finished rows are not trained again. The
trained readers are for this table only: the licences of some bitext do not allow distributing them.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from babelspan.data.bitext import distinct, load_bitext, named
from babelspan.data.files import read_json, read_text, write_json, write_whole
from retrieval import vectors

MEASURED = "ntrex"
MOST, LAYER = 200, 4
GROUP = 10
"""Number of languages with the most, and with the fewest pairs."""


def babelspan(*arguments: object) -> None:
    """Run a command of the package."""
    subprocess.run([sys.executable, "-m", "babelspan", *map(str, arguments)], check=True)


def files_of(data: Path) -> Mapping[str, list[Path]]:
    """Files of sentence pairs of English and each language."""
    found: dict[str, list[Path]] = {}
    for path in sorted((data / "parallel").glob("*.tsv.gz")):
        name = named(path)
        if name and name[1] == "en":
            found.setdefault(name[2], []).append(path)
    return found


def is_measured(path: Path) -> bool:
    """Whether a file is for measuring."""
    return path.name.startswith(MEASURED)


def prepare(given: argparse.Namespace) -> dict[str, int]:
    """Write the linked bitext; returns the number of pairs in each language."""
    chosen = given.out / "one-in.json"
    if chosen.exists() and read_json(chosen) != given.one_in:
        raise SystemExit(f"{given.out}: made with another --one-in; choose another --out")
    write_json(chosen, given.one_in)
    sizes = {}
    for language, paths in files_of(given.data).items():
        pairs = distinct(p for path in paths if not is_measured(path) for p in load_bitext(path))
        lines = [f"{p.source}\t{p.target}\n" for p in list(pairs)[:: given.one_in]]
        linked = given.out / "linked" / f"some.en-{language}.tsv.gz"
        if lines and not linked.exists():
            bitext = given.out / "bitext" / linked.name
            write_whole(bitext, "".join(lines))
            linked.parent.mkdir(exist_ok=True)
            babelspan("align", bitext, "--out", linked)
        if lines:
            sizes[language] = len(read_text(linked).splitlines())
    return sizes


def train(given: argparse.Namespace, exponent: str) -> Path:
    """Train a row; returns its checkpoint."""
    out: Path = given.out / f"exponent-{exponent}"
    settings = [
        f"method.balance.exponent={exponent}", "method.reader.lr=1e-4", "precision=bf16",
        f"updates={given.updates}", "threads=1", "seed=1", "save_every=50",
    ]  # fmt: skip
    babelspan(
        "train", "word_alignment", "--recipe", "faisal2021/word_alignment",
        "--reader", given.start, "--bitext", given.out / "linked", "--out", out,
        *(part for setting in settings for part in ("--set", setting)),
    )  # fmt: skip
    return out


def measured(reader: Path, data: Path, saved: Path) -> dict[str, list[float]]:
    """Percentages of translations found to and from English, for each language of NTREX."""
    if saved.exists():
        found: dict[str, list[float]] = read_json(saved)
        return found
    model = AutoModelForQuestionAnswering.from_pretrained(reader).eval()
    tokenizer = AutoTokenizer.from_pretrained(reader)
    table = {}
    for language, paths in files_of(data).items():
        pairs = [p for path in paths if is_measured(path) for p in load_bitext(path)][:MOST]
        if len(pairs) == MOST:
            sides = [[getattr(p, side) for p in pairs] for side in ("source", "target")]
            english, foreign = (vectors(model, tokenizer, side, LAYER) for side in sides)
            nearest = foreign @ english.T
            right = torch.arange(MOST)
            table[language] = [
                100 * (nearest.argmax(dim) == right).float().mean().item() for dim in (1, 0)
            ]
    write_json(saved, table)
    return table


def mean(table: Mapping[str, Sequence[float]], languages: Sequence[str]) -> str:
    """Means to and from English."""
    found = [table[language] for language in languages]
    return ", ".join(f"{sum(column) / len(found):.1f}" for column in zip(*found, strict=True))


def main(given: argparse.Namespace) -> None:
    """Train the rows, and print the table."""
    torch.set_num_threads(1)
    sizes = prepare(given)
    print(sum(sizes.values()), "pairs:", dict(sorted(sizes.items(), key=lambda item: -item[1])))
    readers = {"no training": given.start, **{e: train(given, e) for e in given.exponents}}
    tables = {
        name: measured(reader, given.data, given.out / f"{MEASURED}-{name}.json")
        for name, reader in readers.items()
    }
    both = [language for language in next(iter(tables.values())) if language in sizes]
    both.sort(key=lambda language: -sizes[language])
    few, many = both[-GROUP:], both[:GROUP]
    print(f"most: {', '.join(many)}; fewest: {', '.join(few)}")
    print("| exponent | all | most pairs | fewest pairs |\n|---|---|---|---|")
    for exponent, table in tables.items():
        cells = (mean(table, languages) for languages in (both, many, few))
        print(f"| {exponent} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for folder in ("data", "start", "out"):
        parser.add_argument(f"--{folder}", type=Path, required=True)
    parser.add_argument("--one-in", type=int, default=40)
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--exponents", type=lambda said: said.split(","), default=["1", "0.5", "0"])
    main(parser.parse_args())
