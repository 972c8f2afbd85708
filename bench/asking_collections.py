"""F1 of `ask --in` on a collection in many languages, compared with F1 on the right text alone.

All texts of shared/data/qa with questions in their own language form one collection, one file each.
Questions of test and development sets are asked about it, and about their own text only. Scorer:
`unicode`. "found": a passage of the question's own text is among those that are read. "as built":
the best answer is that with the highest odds times the weight of its passage, as in `ask --in`. For
comparison: the odds alone, the odds times rank^-1.5, and the answer of the first passage. Ranges
are 95 % intervals: bootstrap over questions, 2,000 samples.

    python bench/asking_collections.py --work FOLDER [--sample 25] [--texts N] [--development]
        [--translator lexicon:...]

Texts and collection are kept in FOLDER and reused.
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
from babelspan.jobs.collections import open_collection
from babelspan.jobs.index import index
from babelspan.jobs.search import PASSAGES, joined, searched
from babelspan.retrieval.fusion import RANK_DECAY
from babelspan.scoring.scorers import unicode

SEED = 1
ASKED = [
    *(f"xquad/test.{language}" for language in ("ar", "de", "en", "es", "hi", "ru", "vi", "zh")),
    "amqa/test.am", "drcd/dev.zh", "heq/test.he", "iapp/test.th", "jsquad/valid.ja",
    "korquad/dev.ko", "norquad/test.no", "poquad/dev-part.pl", "pquad/test.fa", "thquad/test.tr",
]  # fmt: skip

DEVELOPMENT = [
    "cmrc2018/dev.zh", "facqa/valid.id", "heq/valid.he", "iapp/valid.th", "jaquad/dev.ja",
    "norquad/valid.no", "pquad/valid.fa", "squad/train-without-xquad.en",
    "squad-es/train-without-xquad.es", "squad-sv/train-without-xquad.sv",
]  # fmt: skip
WAYS = ("odds alone", "by rank", "as built", "first passage")


def examples_of(path):
    """The questions of a file whose name has a single language."""
    language = path.name.split(".")[1]
    return load_squad(
        path, question_language=language, context_language=language, keep_misplaced=True
    )


def place_of(texts, text, language):
    """The path of a text in a language."""
    name = hashlib.sha256(text.encode()).hexdigest()[:24]
    return texts / language / f"{name}.txt"


def written(texts, most):
    """Write texts with questions in their own language: those asked about, then others by hash."""
    paths = [
        p for p in sorted((DATA / "qa").glob("*/*.json.gz")) if "-" not in p.name.split(".")[1]
    ]
    contexts, asked = {}, set()
    for path in paths:
        name = f"{path.parent.name}/{path.name}".removesuffix(".json.gz")
        for example in examples_of(path):
            place = place_of(texts, example.context, example.context_language)
            contexts[place] = example.context
            if name in {*ASKED, *DEVELOPMENT}:
                asked.add(place)
    order = sorted(contexts, key=lambda place: (place not in asked, place.name))
    for place in order if most is None else order[: max(most, len(asked))]:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(contexts[place].encode())


def answered(reader, example, text):
    """Log-odds of the best answer in a text, and its F1."""
    found = reader.ask(example.question, [text])
    if not found:
        return -np.inf, 0.0
    given = found[0].prediction
    language = example.context_language
    return given.logit, max(unicode.f1(given.text, a.text, language) for a in example.answers)


def asked(reader, search, example, texts):
    """F1 with the right text, whether a passage of it was read, and F1 over all by each method."""
    read = joined(search.passages(example.question, PASSAGES))
    place = str(place_of(texts, example.context, example.context_language))
    odds, f1 = np.array([answered(reader, example, d.text) for d in read] or [(0.0, 0.0)]).T
    ranks = np.log(np.arange(len(f1)) + 1)
    weights = np.log([d.weight for d in read] or [1.0])
    best = (odds, odds - RANK_DECAY * ranks, odds + weights, -ranks)
    over = [f1[np.argmax(by)] for by in best]
    found = any(document.name == place for document in read)
    return answered(reader, example, example.context)[1], found, *over


def summed(rows):
    """A row of the table: found, F1 with the right text, and F1 over all, also as a fraction."""
    alone, found, *over = np.array([row[1:] for row in rows], float).T
    draws = np.random.default_rng(SEED).integers(0, len(alone), (2000, len(alone)))
    table = {"questions": len(rows), "found": 100 * found.mean(), "right text": 100 * alone.mean()}
    for way, f1 in zip(WAYS, over, strict=True):
        below = np.maximum(alone[draws].mean(1), 1e-9)
        low, high = np.quantile(f1[draws].mean(1) / below, [0.025, 0.975])
        ratio = f1.mean() / max(alone.mean(), 1e-9)
        table[way] = f"{100 * f1.mean():.1f} = {ratio:.3f} ({low:.2f}-{high:.2f})"
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--sample", type=int, default=25)
    parser.add_argument(
        "--texts", type=int, help="maximum number of texts, but all that are asked about"
    )
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--translator", default="none")
    wanted = parser.parse_args()
    texts, out = (wanted.work / name for name in ("texts", "index"))
    if not out.exists():
        written(texts, wanted.texts)
        index([texts], out)
    search = searched(out, wanted.translator)
    reader = babelspan.load_answerer("default")
    rows, began = [], time.monotonic()
    for name in DEVELOPMENT if wanted.development else ASKED:
        examples = [e for e in examples_of(DATA / "qa" / f"{name}.json.gz") if e.answers]
        examples = random.Random(SEED).sample(examples, min(wanted.sample, len(examples)))
        rows += [(name, *asked(reader, search, example, texts)) for example in examples]
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    table = [
        {"set": name, **summed(list(of))} for name, of in groupby(rows, key=lambda row: row[0])
    ]
    passages = sum(open_collection(out).languages().values())
    report(
        "asking-collections", [*table, {"set": "all", **summed(rows)}],
        libraries=["onnxruntime", "tantivy"], seed=SEED, passages=passages,
        translator=wanted.translator, texts=wanted.texts,
    )  # fmt: skip


if __name__ == "__main__":
    main()
