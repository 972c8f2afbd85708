"""Write development sets to a folder for `babelspan evaluate`.

    python experiments/multilingual_reader/development.py --data DATA --out FOLDER [--most 50]

One file for each language with held-out questions, and for language pairs among the translations of
SQuAD. None of these questions is used for training.
"""

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import corpora

from babelspan.data.squad import save_squad
from babelspan.types import Answer, Example

PAIRS = [
    "en-es",
    "es-en",
    "en-it",
    "it-en",
    "en-da",
    "sv-en",
    "en-id",
    "id-en",
    "es-it",
    "it-sv",
    "da-es",
    "sv-id",
    "id-es",
]
LEFT_OUT = {"amazon-reviews", "reddit", "policyqa"}


def main(data: Path, out: Path, most: int) -> None:
    """Write the files."""
    by_language: dict[str, list[Example]] = defaultdict(list)
    parallel: dict[str, dict[str, Example]] = defaultdict(dict)
    for example in corpora.questions(data, dev=True):
        if example.context_language == "en" and example.title != "squad":
            continue
        placed = tuple(a for a in example.answers or () if a.start is not None)
        example = replace(example, answers=tuple(Answer(a.text, a.start) for a in placed))
        by_language[example.context_language].append(example)
        if example.title == "squad" or example.title in corpora.TRANSLATED:
            parallel[example.id][example.context_language] = example
    for language, examples in sorted(by_language.items()):
        if len(examples) >= most:
            save_squad(out / f"dev.{language}.json", _few(examples, most))
    for pair in PAIRS:
        first, second = pair.split("-")
        crossed = [
            replace(by[second], question=by[first].question, question_language=first)
            for by in parallel.values()
            if first in by and second in by
        ]
        save_squad(out / f"dev.{pair}.json", _few(crossed, most))
        print(pair, len(crossed))


def _few(examples: list[Example], most: int) -> list[Example]:
    chosen = sorted(examples, key=lambda e: corpora.fraction(e.id + "dev"))[:most]
    return [replace(e, title="") for e in chosen]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--most", type=int, default=50)
    given = parser.parse_args()
    main(given.data, given.out, given.most)
