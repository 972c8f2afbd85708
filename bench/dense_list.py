"""Would dense retrieval help cross-language search? XQuAD, several languages.

Questions and texts are represented by the mean of the default reader's vectors after one layer.
Four searches for the same questions: dictionaries, nearest vectors, nearest vectors after
subtracting the mean of each language, and dictionaries fused with the latter by reciprocal rank.

    python bench/dense_list.py [--languages en,de,ru,zh,hi] [--sample 25] [--layer 4]
        [--lexicons FOLDER] [--reader default]

Needs PyTorch.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from measured import DATA, report
from transformers import AutoTokenizer

from babelspan.data.squad import load_squad
from babelspan.export.restored import restored
from babelspan.jobs.evaluate import sampled
from babelspan.jobs.evaluate_retrieval import _indexed
from babelspan.jobs.search import alternatives_of
from babelspan.readers import DEFAULT_FOLDER
from babelspan.retrieval.fusion import by_reciprocal_rank
from babelspan.retrieval.searching import Search

LONGEST = 384
"""Maximum number of tokens read of a text."""
DEPTH = 100


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--languages", default="en,de,ru,zh,hi")
    parser.add_argument("--sample", type=int, default=25)
    parser.add_argument("--layer", type=int, default=4)
    parser.add_argument("--lexicons", default=str(DATA / "lexicons"))
    parser.add_argument("--reader", default=str(DEFAULT_FOLDER))
    wanted = parser.parse_args()
    languages = wanted.languages.split(",")
    model = restored(Path(wanted.reader)).encoder.model.eval()
    pieces = AutoTokenizer.from_pretrained(wanted.reader)

    @torch.inference_mode()
    def vector(text):
        taken = pieces(text, return_tensors="pt", truncation=True, max_length=LONGEST)
        hidden = model(**taken, output_hidden_states=True).hidden_states[wanted.layer]
        return hidden[0, 1:-1].mean(dim=0).numpy()

    asked, texts, of_question, of_text = {}, {}, {}, {}
    for language in languages:
        path = DATA / "qa" / "xquad" / f"test.{language}.json.gz"
        whole = list(load_squad(path, keep_misplaced=True))
        asked[language] = sampled(whole, wanted.sample)
        texts[language] = list(dict.fromkeys(e.context for e in whole))
        of_text[language] = np.stack([vector(t) for t in texts[language]])
        of_question[language] = np.stack([vector(e.question) for e in asked[language]])
    alternatives = alternatives_of(f"lexicon:{wanted.lexicons}")
    ranks = {}
    for target in languages:
        with tempfile.TemporaryDirectory() as folder:
            store = _indexed(Path(folder), target, texts[target])
            search = Search(store, alternatives)
            for source in languages:
                near = nearest(of_question[source], of_text[target])
                middle = [v - v.mean(axis=0) for v in (of_question[source], of_text[target])]
                centred = nearest(*middle)
                for number, example in enumerate(asked[source]):
                    right = texts[target].index(_context(example, asked[target]))
                    found = search.passages(example.question, DEPTH, language=source)
                    words = [r.passage.start for r in found]
                    lists = {
                        "dictionaries": words,
                        "vectors": list(near[number]),
                        "vectors, centred": list(centred[number]),
                        "both": by_reciprocal_rank([words, list(centred[number])]),
                    }
                    for name, ranked in lists.items():
                        place = ranked.index(right) + 1 if right in ranked else 0
                        ranks.setdefault((name, source == target), []).append(place)
            store.close()
    rows = [
        {
            "list": name, "languages": "one" if is_same else "two", "questions": len(of_list),
            **{f"R@{k}": 100 * np.mean([0 < r <= k for r in of_list]) for k in (1, 5, 20, 100)},
        }
        for (name, is_same), of_list in sorted(ranks.items(), key=lambda item: item[0][1])
    ]  # fmt: skip
    report("dense-list", rows, libraries=["torch", "tantivy"], seed="none: by ids", **vars(wanted))


def nearest(questions, texts):
    """For each question, texts by cosine similarity, the nearest first."""
    one, other = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (questions, texts))
    return np.argsort(-(one @ other.T), axis=1, kind="stable")[:, :DEPTH]


def _context(example, others):
    """The text of the same question in another language."""
    return next(e.context for e in others if e.id == example.id)


if __name__ == "__main__":
    main()
