"""F1 of answers over a collection beside F1 with the right text, in one language.

Every text of the language is a passage of a collection. Each question is asked over it, 20 passages
are read, and it is asked over its own text alone. Scorer: `unicode`. Ranges are 95 % intervals:
bootstrap over questions, 2,000 draws.

    python bench/reading_collections.py [--set xquad/test.de] [--more squad-es/dev.es] [--sample 50]
"""

import argparse
import random
import tempfile
from pathlib import Path

import numpy as np
from measured import DATA, report

import babelspan
from babelspan.data.documents import Document
from babelspan.data.squad import load_squad
from babelspan.engines.tantivy import TantivyIndex
from babelspan.jobs.ask import ask_all
from babelspan.jobs.search import PASSAGES, ask_collection
from babelspan.retrieval.passages import Passage
from babelspan.retrieval.searching import Search
from babelspan.retrieval.stored import entry_of
from babelspan.scoring.scorers import unicode

SEED = 1


def best(asked, example, language):
    """F1 of the first answer."""
    given = asked.answers[0][1].text if asked.answers else ""
    return max(unicode.f1(given, answer.text, language) for answer in example.answers)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", default="xquad/test.de")
    parser.add_argument("--more", nargs="*", default=[], help="sets whose texts are there, too")
    parser.add_argument("--sample", type=int, default=50)
    wanted = parser.parse_args()
    language = wanted.set.rsplit(".", 1)[1]
    sets = [
        list(load_squad(DATA / "qa" / f"{name}.json.gz", keep_misplaced=True))
        for name in (wanted.set, *wanted.more)
    ]
    examples = [e for e in sets[0] if e.answers]
    examples = random.Random(SEED).sample(examples, min(wanted.sample, len(examples)))
    texts = list(dict.fromkeys(e.context for of in sets for e in of))
    reader = babelspan.load_answerer("default")
    over, gold = [], []
    with tempfile.TemporaryDirectory() as folder:
        store = TantivyIndex(Path(folder), writes=True)
        for number, text in enumerate(texts):
            entry = entry_of(Passage(number, text, language, "", ()))
            store.replace(str(number), {}, [entry])
        store.commit()
        search = Search(store)
        for example in examples:
            question = [example.question]
            (asked,) = ask_collection(reader, question, search, language=language)
            over.append(best(asked, example, language))
            (asked,) = ask_all(reader, question, [Document("gold", example.context)])
            gold.append(best(asked, example, language))
        store.close()
    pairs = np.array([over, gold])
    draws = np.random.default_rng(SEED).integers(0, len(over), (2000, len(over)))
    ratios = pairs[0][draws].mean(axis=1) / pairs[1][draws].mean(axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    row = {
        "set": wanted.set, "texts": len(texts), "questions": len(over), "read": PASSAGES,
        "F1 over the collection": 100 * pairs[0].mean(), "F1 with the text": 100 * pairs[1].mean(),
        "ratio": f"{pairs[0].mean() / pairs[1].mean():.3f} ({low:.2f}-{high:.2f})",
    }  # fmt: skip
    report("reading-collections", [row], libraries=["onnxruntime", "tantivy"], seed=SEED)


if __name__ == "__main__":
    main()
