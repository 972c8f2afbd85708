"""Scoring compared with the official scripts of SQuAD 1.1 and MLQA: questions per second.

The peer is the method of `evaluate-v1.1.py` and `mlqa_evaluation_v1.py`, reimplemented here:
normalise, split into words, count shared words, take the maximum over the gold answers. The
benchmark fails if the two sides get different scores. "scoring" is the work in memory; "whole"
starts from the two files, as the scripts do. Predictions are derived from the gold answers at
random, with a seed.

    python bench/scoring.py [--rounds 9]
"""

import argparse
import gzip
import json
import math
import random
import re
import string
import sys
import unicodedata
from collections import Counter
from functools import partial
from pathlib import Path

from measured import DATA, OUT, processor, ratio, report, rounds

from babelspan.data.files import write_json
from babelspan.data.predictions import load_predictions
from babelspan.data.squad import load_squad
from babelspan.scoring.figures import figures
from babelspan.scoring.scorers import mlqa, squad

SEED = 1
SIZES = (1_190, 118_000)
ARTICLES = {
    "en": r"\b(a|an|the)\b",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
}


class Official:
    """The method of the official scripts, with their terms; `language` is None for SQuAD's."""

    def __init__(self, language):
        self.articles = ARTICLES[language or "en"]
        if language is None:
            self.punctuation = set(string.punctuation)
        else:
            every = map(chr, range(sys.maxunicode + 1))
            self.punctuation = {c for c in every if unicodedata.category(c).startswith("P")}
            self.punctuation |= set(string.punctuation)

    def normalised(self, text):
        text = "".join(c for c in text.lower() if c not in self.punctuation)
        return " ".join(re.sub(self.articles, " ", text).split())

    def exact_match(self, prediction, gold):
        return self.normalised(prediction) == self.normalised(gold)

    def f1(self, prediction, gold):
        predicted, expected = self.normalised(prediction).split(), self.normalised(gold).split()
        shared = sum((Counter(predicted) & Counter(expected)).values())
        if shared == 0:
            return 0
        precision, recall = shared / len(predicted), shared / len(expected)
        return 2 * precision * recall / (precision + recall)

    def evaluate(self, articles, predictions):
        exact = f1 = total = 0
        for article in articles:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    total += 1
                    if question["id"] not in predictions:
                        continue
                    golds = [answer["text"] for answer in question["answers"]]
                    prediction = predictions[question["id"]]
                    exact += max(self.exact_match(prediction, gold) for gold in golds)
                    f1 += max(self.f1(prediction, gold) for gold in golds)
        return exact / total, f1 / total

    def whole(self, gold, predictions):
        with open(gold, encoding="utf-8") as file:
            articles = json.load(file)["data"]
        with open(predictions, encoding="utf-8") as file:
            return self.evaluate(articles, json.load(file))


def ours(examples, predictions, scorer):
    found = figures(examples, predictions, scorer)
    return found.exact_match, found.f1


def ours_whole(gold, predictions, scorer, language):
    examples = load_squad(gold, question_language=language, context_language=language)
    return ours(examples, load_predictions(predictions), scorer)


def made_up(gold: str, rng: random.Random) -> str:
    """A prediction: right, cut, with an extra word, with an article and punctuation, or wrong."""
    words = gold.split()
    return rng.choice(
        [gold, f"The {gold}.", " ".join(words[: rng.randint(1, len(words))]), f"near {gold}", "no"]
    )


def prepared(source: Path, size: int) -> tuple[Path, Path]:
    """A SQuAD file of `size` questions, with predictions, in build/bench."""
    document = json.loads(gzip.decompress(source.read_bytes()))
    paragraphs = [p for article in document["data"] for p in article["paragraphs"]]
    rng = random.Random(SEED)
    articles, predictions, total = [], {}, 0
    while total < size:
        taken = []
        for paragraph in paragraphs:
            asked = paragraph["qas"][: size - total]
            qas = [{**q, "id": f"{total + i}"} for i, q in enumerate(asked)]
            predictions |= {q["id"]: made_up(q["answers"][0]["text"], rng) for q in qas}
            taken.append({"context": paragraph["context"], "qas": qas})
            total += len(qas)
        articles.append({"title": "", "paragraphs": taken})
    name = f"{source.name.removesuffix('.json.gz')}.{size}"
    gold, predicted = OUT / "data" / f"{name}.json", OUT / "data" / f"{name}.predictions.json"
    write_json(gold, {"version": "1.1", "data": articles})
    write_json(predicted, predictions)
    return gold, predicted


def compared(name, scorer, language, source, *, size, count):
    """Two rows: scoring in memory, and from files to figures."""
    gold, predicted = prepared(source, size)
    official = Official(None if scorer is squad else language)
    articles = json.loads(gold.read_text("utf-8"))["data"]
    examples = load_squad(gold, question_language=language, context_language=language)
    predictions = load_predictions(predicted)
    parts = {
        "scoring": {
            "official": partial(official.evaluate, articles, predictions),
            "ours": partial(ours, examples, predictions, scorer),
        },
        "whole": {
            "official": partial(official.whole, gold, predicted),
            "ours": partial(ours_whole, gold, predicted, scorer, language),
        },
    }
    for part, contenders in parts.items():
        one, other = (call() for call in contenders.values())
        assert all(map(partial(math.isclose, rel_tol=1e-9), one, other)), (name, one, other)
        is_small = size == min(SIZES)
        taken = rounds(contenders, count if is_small else 2, warm=is_small)
        best = {who: min(times) for who, times in taken.items()}
        yield {
            "scorer": name,
            "part": part,
            "questions": size,
            "official, questions/s": size / best["official"],
            "ours, questions/s": size / best["ours"],
            "ours, s": best["ours"],
            "times as fast": ratio(taken["official"], taken["ours"]),
            "by processor time": ratio(processor(taken["official"]), processor(taken["ours"])),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    count = parser.parse_args().rounds
    xquad = DATA / "qa" / "xquad"
    cases = [
        ("squad, XQuAD en", squad, "en", xquad / "test.en.json.gz"),
        ("squad, SQuAD dev", squad, "en", DATA / "qa" / "squad" / "dev.en.json.gz"),
        ("mlqa, XQuAD de", mlqa, "de", xquad / "test.de.json.gz"),
    ]
    rows = [
        row
        for name, scorer, language, source in cases
        for size in SIZES
        for row in compared(name, scorer, language, source, size=size, count=count)
    ]
    report("scoring", rows, libraries=["numpy"], seed=SEED, rounds=count)


if __name__ == "__main__":
    main()
