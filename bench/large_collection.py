"""Large collections: our store compared with SQLite FTS5, bm25s and txtai, on the same terms.

Passages are real ones of shared/data/qa in several languages, repeated with a quarter of their
words changed, so that the term dictionary grows as it would with new texts. They are analysed
beforehand, and their texts are not stored: only the engines are timed, in CPU seconds.

    python bench/large_collection.py [--passages 200000] [--questions 200] [--least 20000]
        [--lexicons FOLDER+FOLDER]

bm25s keeps all tokens in memory, so it gets only `--least` passages, and so do the engines that it
is compared with. bm25s and txtai are skipped if they are not installed (`pip install bm25s`; with
the extras of this project, `pip install --no-deps txtai` is enough). `--least 0` skips the other
engines. Dictionaries are those of shared/data unless `--lexicons` names others.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

from indexing import DATA, SEED, SETS, fts5, peak_memory, read, report, size_of, spread, timed

from babelspan.documents.plain import text as plain
from babelspan.engines.tantivy import TantivyIndex
from babelspan.jobs.search import alternatives_of
from babelspan.retrieval.passages import passages_of
from babelspan.retrieval.question import own_groups
from babelspan.retrieval.stored import entry_of
from babelspan.text.language_of import language_of
from babelspan.text.terms import terms

BASE = 2000
"""Number of real texts, which are repeated."""
FILE = 50
"""Passages per file."""


def made(entries, count):
    """Real entries, followed by copies with changed words."""
    rng = random.Random(SEED)
    for number in range(count):
        entry, again = entries[number % len(entries)], number // len(entries)
        content = (
            f'[{number},0,"{entry.language}","",[[0,900,{number * 900},{number * 900 + 900},0]]]'
        )
        words = entry.terms
        if again:
            words = [f"{t}{again}" if rng.random() < 0.25 else t for t in words]
        yield entry._replace(terms=words, content=content)


def in_store(entries, count, place, questions):
    """Fill the store; returns it with its row."""
    store = TantivyIndex(place, writes=True)
    worked = time.process_time()
    waiting = []
    for number, entry in enumerate(made(entries, count), 1):
        waiting.append(entry)
        if number % FILE == 0 or number == count:
            store.replace(f"/files/{number}.txt", {"size": number}, waiting)
            waiting = []
    store.commit()
    worked = time.process_time() - worked
    p50, p95 = timed(lambda q: store.search(own_groups(q), language=None, count=20), questions)
    return store, {
        "engine": "tantivy", "passages": count, "passages/s": count / worked,
        "MB": size_of(place) / 1e6, "p50 ms": p50, "p95 ms": p95, "peak MiB": peak_memory(),
    }  # fmt: skip


def with_dictionaries(store, questions, lexicons):
    """A row for searches by all translations of each word, in every language of the store."""
    dictionaries = alternatives_of(f"lexicon:{lexicons}")
    asked = [(q, language_of(q, list(SETS))) for q in questions]
    found, times = [], []
    for is_timed in (False, True):  # dictionaries are loaded the first time
        for question, source in asked:
            began = time.process_time()
            for target in sorted({*store.languages()} - {source, "und"}):
                groups = dictionaries.groups(question, source=source, target=target)
                found.append(len(store.search(groups, language=target, count=40)))
            if is_timed:
                times.append(time.process_time() - began)
    p50, p95 = spread(times)
    return {
        "question": "dictionaries", "languages": len(store.languages()), "asked": len(asked),
        "p50 ms": p50, "p95 ms": p95,
    }  # fmt: skip


def in_bm25s(entries, questions, place):
    """A row for bm25s with the same terms, loaded from its file."""
    import bm25s

    worked = time.process_time()
    vocabulary: dict[str, int] = {}
    ids = [[vocabulary.setdefault(t, len(vocabulary)) for t in e.terms] for e in entries]
    engine = bm25s.BM25()
    engine.index((ids, vocabulary), show_progress=False)
    engine.save(place)
    worked = time.process_time() - worked

    def asks(question):
        known = [vocabulary[t] for t in terms(question) if t in vocabulary]
        if known:
            engine.retrieve([known], k=20, show_progress=False)

    p50, p95 = timed(asks, questions)
    return {
        "engine": "bm25s", "passages": len(entries), "passages/s": len(entries) / worked,
        "MB": size_of(place) / 1e6, "p50 ms": p50, "p95 ms": p95, "peak MiB": peak_memory(),
    }  # fmt: skip


def in_txtai(entries, questions, place):
    """A row for txtai's sparse index (BM25 on SQLite) with the same terms."""
    from txtai.scoring import ScoringFactory

    place.mkdir()
    worked = time.process_time()
    engine = ScoringFactory.create({"method": "bm25", "terms": True})
    engine.index((number, list(entry.terms), None) for number, entry in enumerate(entries))
    engine.save(str(place / "scoring"))
    worked = time.process_time() - worked
    p50, p95 = timed(lambda q: engine.search(terms(q), 20), questions)
    return {
        "engine": "txtai", "passages": len(entries), "passages/s": len(entries) / worked,
        "MB": size_of(place) / 1e6, "p50 ms": p50, "p95 ms": p95, "peak MiB": peak_memory(),
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, default=200_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--least", type=int, default=20_000)
    parser.add_argument("--lexicons", default=f"{DATA}/lexicons")
    wanted = parser.parse_args()
    contexts, questions = read()
    asked = questions[: wanted.questions]
    documents = [plain("p", c.encode()) for c in contexts[:BASE]]
    entries = [entry_of(p) for d in documents for p in passages_of(d)]
    facts = {"seed": SEED, "analysed": len(entries)}
    with tempfile.TemporaryDirectory() as name:
        store, row = in_store(entries, wanted.passages, Path(name) / "many", asked)
        report("large-collection", [row], libraries=["tantivy"], **facts)
        row = with_dictionaries(store, asked[: wanted.questions // 5], wanted.lexicons)
        report("large-collection-asked", [row], libraries=["tantivy"], **facts)
        store.close()
        if not wanted.least:
            return
        few = list(made(entries, wanted.least))
        store, row = in_store(entries, wanted.least, Path(name) / "few", asked)
        store.close()
        rows = [row, fts5(few, asked, Path(name) / "fts5.db")]
        for engine, row_of in {"bm25s": in_bm25s, "txtai": in_txtai}.items():
            try:
                rows.append(row_of(few, asked, Path(name) / engine))
            except ModuleNotFoundError:
                print(f"{engine} is not installed")
        keys = ("engine", "passages/s", "MB", "p50 ms", "p95 ms")
        rows = [{key: of_engine[key] for key in keys} for of_engine in rows]
        report("large-collection-engines", rows, libraries=["tantivy"], passages=len(few), **facts)


if __name__ == "__main__":
    main()
