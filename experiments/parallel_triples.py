"""Real triples for `reproduce xltt`: SQuAD in English, Spanish and Italian, and tests from XQuAD.

For experiments/parallel-triples.toml; see docs/results/xltt.md.

    python experiments/parallel_triples.py --data DATA --out OUT

DATA is the folder of data sets that `BABELSPAN_DATA` names. OUT gets

    train.en.json.gz         English SQuAD without the paragraphs of XQuAD
    translated/train.*       its published translations into Spanish and Italian, with the same ids
    test/test.*              XQuAD in English and Spanish; in Italian, the questions of SQuAD-it
                             that are in XQuAD, which are about a third of it
    strange/test.*           the same questions about other paragraphs: with them beside it, a
                             reader has nothing to gain
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from real_questions import placed

from babelspan.data.squad import save_squad
from babelspan.types import Example

TRAIN = {
    "es": "squad-es/train-without-xquad.es.json.gz",
    "it": "squad-it/test-first-half.it.json.gz",
}


def strangers(examples: Sequence[Example]) -> list[Example]:
    """Each question with the paragraph that is half the list of paragraphs away."""
    contexts = list(dict.fromkeys(e.context for e in examples))
    number = {context: at for at, context in enumerate(contexts)}
    half = len(contexts) // 2
    return [
        replace(e, context=contexts[(number[e.context] + half) % len(contexts)], answers=None)
        for e in examples
    ]


def main(data: Path, out: Path) -> None:
    """Write the files."""
    for folder in ("translated", "test", "strange"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    qa = data / "qa"
    english = placed(qa / "squad" / "train-without-xquad.en.json.gz", "en")
    save_squad(out / "train.en.json.gz", english)
    ids = {e.id for e in english}
    tests = {
        language: placed(qa / "xquad" / f"test.{language}.json.gz", language)
        for language in ("en", "es")
    }
    asked = {e.id for e in tests["en"]}
    tests["it"] = [e for e in placed(qa / TRAIN["it"], "it") if e.id in asked]
    for language, file in TRAIN.items():
        kept = [e for e in placed(qa / file, language) if e.id in ids]
        save_squad(out / "translated" / f"train.{language}.json.gz", kept)
        print(f"{language}: {len(kept)} of {len(english)} questions to learn from")
    for language, examples in tests.items():
        save_squad(out / "test" / f"test.{language}.json.gz", examples)
        save_squad(out / "strange" / f"test.{language}.json.gz", strangers(examples))
        print(f"{language}: {len(examples)} questions to measure with")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    main(given.data, given.out)
