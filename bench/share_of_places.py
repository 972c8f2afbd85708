"""How many hits a search reserves for texts in the question's language, in a mixed collection.

Texts of SQuAD and of its Spanish, Indonesian and Swedish translations, without those of XQuAD, form
one collection, with each text in all four languages. For questions in one language, the table shows
how often their text in that language, and in any language, is among the first passages, and how
many of the four versions are among the 20 passages that are read, depending on the share of hits
reserved for the question's own words (`retrieval.fusion.OWN_SHARE`).

    python bench/share_of_places.py --lexicons FOLDER+FOLDER [--texts 500] [--sample 50]
"""

import argparse
import random
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from measured import DATA, report

from babelspan.data.squad import load_squad
from babelspan.engines.tantivy import TantivyIndex
from babelspan.jobs.search import PASSAGES, alternatives_of
from babelspan.retrieval import searching
from babelspan.retrieval.passages import Passage
from babelspan.retrieval.stored import entry_of

SEED = 1
SETS = {
    "en": "squad/train-without-xquad.en", "es": "squad-es/train-without-xquad.es",
    "id": "squad-id/train-without-xquad.id", "sv": "squad-sv/train-without-xquad.sv",
}  # fmt: skip
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def loaded(name):
    """The questions of a set by their ids."""
    path = DATA / "qa" / f"{name}.json.gz"
    return {e.id: e for e in load_squad(path, keep_misplaced=True)}


class Remembered(TantivyIndex):
    """A store that caches searches."""

    def __init__(self, folder):
        super().__init__(folder, writes=True)
        self._once = cache(lambda *given: super(Remembered, self).search(
            given[0], language=given[1], count=given[2]
        ))  # fmt: skip

    def search(self, groups, *, language, count):
        return self._once(tuple(groups), language, count)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lexicons", required=True)
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--sample", type=int, default=50, help="questions of each language")
    wanted = parser.parse_args()
    of = {
        language: {
            e.id: e for e in load_squad(DATA / "qa" / f"{name}.json.gz", keep_misplaced=True)
        }
        for language, name in SETS.items()
    }
    ids = sorted(set.intersection(*map(set, of.values())))
    rng = random.Random(SEED)
    texts = sorted({of["en"][i].context for i in ids})
    texts = rng.sample(texts, min(wanted.texts, len(texts)))
    numbers = {text: number for number, text in enumerate(texts)}
    ids = [i for i in ids if of["en"][i].context in numbers]
    asked = rng.sample(ids, min(wanted.sample, len(ids)))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        store = Remembered(Path(folder))
        for language in SETS:
            versions = {numbers[of["en"][i].context]: of[language][i].context for i in ids}
            for number, text in versions.items():
                passage = Passage(0, text, language, "", ())
                store.replace(f"{language}/{number}", {}, [entry_of(passage)])
        store.commit()
        search = searching.Search(store, alternatives_of(f"lexicon:{wanted.lexicons}"))
        for share in SHARES:
            searching.OWN_SHARE = share
            own, first, versions = [], [], []
            for language in SETS:
                for i in asked:
                    question = of[language][i].question
                    found = search.passages(question, PASSAGES, language=language)
                    right = f"/{numbers[of['en'][i].context]}"
                    ranks = {f.file: n for n, f in enumerate(found, 1) if f.file.endswith(right)}
                    own.append(ranks.get(language + right, np.inf))
                    first.append(min(ranks.values(), default=np.inf))
                    versions.append(len(ranks))
            row = {"share": share, "questions": len(own)}
            for name, ranks in (("own", own), ("any", first)):
                for depth in (1, 5, 20):
                    row[f"{name} R@{depth}"] = 100 * np.mean(np.array(ranks) <= depth)
            rows.append({**row, "versions in 20": np.mean(versions)})
        store.close()
    report(
        "share-of-places", rows, libraries=["tantivy"], seed=SEED, texts=len(texts),
        lexicons=wanted.lexicons,
    )  # fmt: skip


if __name__ == "__main__":
    main()
