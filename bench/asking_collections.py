"""F1 of `ask --in` over a collection in many languages, beside F1 with the right text alone.

All texts of shared/data/qa with questions in their own language are one collection, a file each.
Questions of test and development sets are asked over it, and over their own text only. Scorer:
`unicode`. "found": a passage of the question's own text is among those that are read. Ranges are
95 % intervals: bootstrap over questions, 2,000 draws.

    python bench/asking_collections.py --work FOLDER [--sample 25] [--translator lexicon:...]

Texts and collection stay in FOLDER, and are used again.
"""

import argparse
import hashlib
import random
import time
from itertools import groupby
from pathlib import Path

import numpy as np
from measured import DATA, report

import babelspan
from babelspan.data.squad import load_squad
from babelspan.jobs.index import index
from babelspan.jobs.search import PASSAGES, ask_collection, searched
from babelspan.scoring.scorers import unicode

SEED = 1
ASKED = [
    *(f"xquad/test.{language}" for language in ("ar", "de", "en", "es", "hi", "ru", "vi", "zh")),
    "amqa/test.am", "drcd/dev.zh", "heq/test.he", "iapp/test.th", "jsquad/valid.ja",
    "korquad/dev.ko", "norquad/test.no", "poquad/dev-part.pl", "pquad/test.fa", "thquad/test.tr",
]  # fmt: skip


def examples_of(path):
    """The questions of a file whose name says one language."""
    language = path.name.split(".")[1]
    return load_squad(
        path, question_language=language, context_language=language, keep_misplaced=True
    )


def place_of(texts, text, language):
    """Where a text of a language stands."""
    name = hashlib.sha256(text.encode()).hexdigest()[:24]
    return texts / language / f"{name}.txt"


def written(texts):
    """Write all texts with questions in their own language; their number."""
    paths = [
        p for p in sorted((DATA / "qa").glob("*/*.json.gz")) if "-" not in p.name.split(".")[1]
    ]
    places = set()
    for path in paths:
        for example in examples_of(path):
            place = place_of(texts, example.context, example.context_language)
            if place not in places:
                places.add(place)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(example.context.encode())
    return len(places)


def f1(given, example):
    """Of an answer; 0 if there is none."""
    if given is None:
        return 0.0
    return max(unicode.f1(given.text, a.text, example.context_language) for a in example.answers)


def asked(reader, search, example, texts):
    """F1 over the collection and with the right text, and whether a passage of it was read."""
    (one,) = ask_collection(reader, [example.question], search)
    over = one.answers[0][1] if one.answers else None
    alone = reader.ask(example.question, [example.context])
    read = search.passages(example.question, PASSAGES)
    place = str(place_of(texts, example.context, example.context_language))
    found = any(passage.file == place for passage in read)
    return f1(over, example), f1(alone[0].prediction if alone else None, example), found


def summed(rows):
    """A row of the table, of F1 over the collection, F1 alone, and whether found."""
    over, alone, found = np.array([row[1:] for row in rows], float).T
    draws = np.random.default_rng(SEED).integers(0, len(over), (2000, len(over)))
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = np.nanquantile(over[draws].mean(1) / alone[draws].mean(1), [0.025, 0.975])
    return {
        "questions": len(rows), "found": 100 * found.mean(), "F1": 100 * over.mean(),
        "right text": 100 * alone.mean(),
        "ratio": f"{over.mean() / alone.mean():.3f} ({low:.2f}-{high:.2f})",
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--sample", type=int, default=25)
    parser.add_argument("--translator")
    wanted = parser.parse_args()
    texts, out = (wanted.work / name for name in ("texts", "index"))
    number = written(texts)
    index([texts], out)
    search = searched(out, wanted.translator)
    reader = babelspan.load_answerer("default")
    rows, began = [], time.monotonic()
    for name in ASKED:
        examples = [e for e in examples_of(DATA / "qa" / f"{name}.json.gz") if e.answers]
        examples = random.Random(SEED).sample(examples, min(wanted.sample, len(examples)))
        rows += [(name, *asked(reader, search, example, texts)) for example in examples]
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    table = [
        {"set": name, **summed(list(of))} for name, of in groupby(rows, key=lambda row: row[0])
    ]
    report(
        "asking-collections", [*table, {"set": "all", **summed(rows)}],
        libraries=["onnxruntime", "tantivy"], seed=SEED, texts=number,
        translator=wanted.translator,
    )  # fmt: skip


if __name__ == "__main__":
    main()
