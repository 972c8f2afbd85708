"""Development set for cross-language search: passages of NTREX, queries from translations.

A piece is four neighbouring sentences of NTREX in one of the eight languages of XQuAD. The query is
nine words of one of its sentences in another language (14 syllables in Vietnamese), at a position
chosen by a hash; all 500 pieces are searched. Dictionaries must be made without NTREX:

    python experiments/multilingual_reader/links.py --kind words --without ntrex …
    python experiments/multilingual_reader/lexicons.py …
    python bench/pieces_across_languages.py --lexicons FOLDER+FOLDER [--questions 10]
"""

import argparse
import hashlib
import itertools
import tempfile
from pathlib import Path

import numpy as np
from measured import DATA, report

from babelspan.data.bitext import load_bitext
from babelspan.engines.tantivy import TantivyIndex
from babelspan.jobs.search import alternatives_of
from babelspan.retrieval.passages import Passage
from babelspan.retrieval.searching import Search
from babelspan.retrieval.stored import entry_of
from babelspan.scoring.retrieval import FIGURES, of_questions
from babelspan.text.words import lexical_words

LANGUAGES = ("ar", "de", "en", "es", "hi", "ru", "vi", "zh")
EACH = 4
"""Sentences per piece."""
WORDS, SYLLABLES = 9, 14
SHORTEST = 13
"""Minimum number of words of an English sentence used as a query."""


def sentences():
    """The lines of NTREX by language, in the same order."""
    found = {}
    for language in LANGUAGES:
        if language != "en":
            pairs = list(load_bitext(DATA / "parallel" / f"ntrex.en-{language}.tsv.gz"))
            assert found.setdefault("en", [p.source for p in pairs]) == [p.source for p in pairs]
            found[language] = [p.target for p in pairs]
    return found


def hashed(number):
    return int(hashlib.sha256(str(number).encode()).hexdigest(), 16)


def question(text, language, number):
    """Consecutive words of a sentence."""
    places = lexical_words(text, language)
    count = SYLLABLES if language == "vi" else WORDS
    first = hashed(number) % max(1, len(places) - count + 1)
    return text[places[first].start : places[first : first + count][-1].end]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lexicons", required=True)
    parser.add_argument("--questions", type=int, default=10, help="of each pair of languages")
    wanted = parser.parse_args()
    of = sentences()
    long = [n for n, text in enumerate(of["en"]) if len(lexical_words(text, "en")) >= SHORTEST]
    asked = sorted(long, key=hashed)[: wanted.questions]
    alternatives = alternatives_of(f"lexicon:{wanted.lexicons}")
    ranks = {}
    with tempfile.TemporaryDirectory() as name:
        for target in LANGUAGES:
            store = TantivyIndex(Path(name) / target, writes=True)
            for first in range(0, len(of[target]), EACH):
                text = " ".join(of[target][first : first + EACH])
                entry = entry_of(Passage(0, text, target, "", ()))
                store.replace(str(first // EACH), {}, [entry])
            store.commit()
            search = Search(store, alternatives)
            for source in (s for s in LANGUAGES if s != target):
                for n in asked:
                    text = question(of[source][n], source, n)
                    files = [h.file for h in search.passages(text, 100, language=source)]
                    rank = files.index(str(n // EACH)) + 1 if str(n // EACH) in files else 0
                    ranks.setdefault((source, target), []).append(rank)
            store.close()
    pairs = itertools.permutations(LANGUAGES, 2)
    means = np.mean([of_questions(np.array(ranks[p])).mean(axis=1) for p in pairs], axis=0)
    row = dict(zip(FIGURES, 100 * means, strict=True))
    row = {"pairs": len(ranks), "questions": len(asked), **row}
    report("pieces-across-languages", [row], libraries=["tantivy"], lexicons=wanted.lexicons)


if __name__ == "__main__":
    main()
