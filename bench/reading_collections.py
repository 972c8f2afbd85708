"""F1 of answers from a collection, compared with the right text alone, by weight of passage ranks.

The texts of the set, at most --texts of them, are the passages of a collection. Each question is
asked about each of the 20 passages found, and about its own text. The best answer is that with the
highest odds times rank^-D, for several D, and with the weights of `ask --in`: D = RANK_DECAY and
how much of the question a passage contains. Scorer: `unicode`. Ranges are 95 % intervals: bootstrap
over questions, 2,000 samples.

    python bench/reading_collections.py [--set xquad/test.de] [--sample 50]
        [--questions squad/dev.en --translator lexicon:en-es.tsv.gz]  # of the same ids
"""

import argparse
import random
import tempfile
from pathlib import Path

import numpy as np
from measured import DATA, report

import babelspan
from babelspan.data.squad import load_squad
from babelspan.engines.tantivy import TantivyIndex
from babelspan.jobs.search import PASSAGES, alternatives_of
from babelspan.retrieval.fusion import RANK_DECAY
from babelspan.retrieval.passages import Passage
from babelspan.retrieval.searching import Search
from babelspan.retrieval.stored import entry_of
from babelspan.scoring.scorers import unicode

SEED = 1
DECAYS = (0, 0.5, 1, RANK_DECAY, 2, 4, 100)


def loaded(name):
    """The questions of a set."""
    return list(load_squad(DATA / "qa" / f"{name}.json.gz", keep_misplaced=True))


def answered(reader, question, text, example, language):
    """Log-odds of the best answer in a text, and its F1."""
    found = reader.ask(question, [text])
    if not found:
        return -np.inf, 0.0
    given = found[0].prediction
    return given.logit, max(unicode.f1(given.text, a.text, language) for a in example.answers)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", default="xquad/test.de")
    parser.add_argument("--questions", help="a set with the questions in another language")
    parser.add_argument("--translator", default="none")
    parser.add_argument("--texts", type=int, default=1500)
    parser.add_argument("--sample", type=int, default=50)
    wanted = parser.parse_args()
    language = wanted.set.rsplit(".", 1)[1]
    asked = {e.id: e.question for e in loaded(wanted.questions or wanted.set)}
    examples = loaded(wanted.set)
    rng = random.Random(SEED)
    texts = list(dict.fromkeys(e.context for e in examples))
    texts = rng.sample(texts, min(wanted.texts, len(texts)))
    known = set(texts)
    examples = [e for e in examples if e.answers and e.context in known and e.id in asked]
    examples = rng.sample(examples, min(wanted.sample, len(examples)))
    reader = babelspan.load_answerer("default")
    over, gold = [], []
    with tempfile.TemporaryDirectory() as folder:
        store = TantivyIndex(Path(folder), writes=True)
        for number, text in enumerate(texts):
            store.replace(str(number), {}, [entry_of(Passage(number, text, language, "", ()))])
        store.commit()
        search = Search(store, alternatives_of(wanted.translator))
        of_questions = (wanted.questions or wanted.set).rsplit(".", 1)[1]
        for example in examples:
            question = asked[example.id]
            read = [
                (*answered(reader, question, found.passage.text, example, language), found.weight)
                for found in search.passages(question, PASSAGES, language=of_questions)
            ]
            odds, f1, weights = np.array(read or [(0.0, 0.0, 1.0)]).T
            by_rank = [odds - decay * np.log(np.arange(len(f1)) + 1) for decay in DECAYS]
            over.append([f1[np.argmax(by)] for by in [*by_rank, odds + np.log(weights)]])
            gold.append(answered(reader, question, example.context, example, language)[1])
        store.close()
    of_decays, alone = np.array(over), np.array(gold)
    draws = np.random.default_rng(SEED).integers(0, len(alone), (2000, len(alone)))
    rows = []
    for decay, f1 in zip((*DECAYS, "as built"), of_decays.T, strict=True):
        low, high = np.quantile(f1[draws].mean(1) / alone[draws].mean(1), [0.025, 0.975])
        ratio = f"{f1.mean() / alone.mean():.3f} ({low:.2f}-{high:.2f})"
        rows.append({"decay": decay, "F1": 100 * f1.mean(), "of the right text": ratio})
    of = f"{len(alone)} questions ({of_questions}) over {len(texts)} texts"
    print(f"{wanted.set}: {of}; with the right text alone F1 {100 * alone.mean():.1f}")
    report("reading-collections", rows, libraries=["onnxruntime", "tantivy"], seed=SEED)


if __name__ == "__main__":
    main()
