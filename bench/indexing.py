"""Collections: speed of indexing, updating and searching, compared with SQLite FTS5.

Texts are real passages of shared/data/qa in several languages, a few per file. Four tables:

    indexing   passages per second of the analyser alone and of `babelspan index`, an unchanged
               folder compared with the first run, size of the collection compared with the text
    asking     CPU time of the first stage for a question, without and with dictionaries
    engines    the same terms in SQLite FTS5 and in the store of a collection

    python bench/indexing.py [--files 2000] [--questions 200]
"""

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from measured import DATA, peak_memory, report

from babelspan.data.squad import load_squad
from babelspan.documents.plain import text as plain
from babelspan.jobs.collections import open_collection
from babelspan.jobs.index import index
from babelspan.jobs.search import alternatives_of
from babelspan.retrieval.passages import passages_of
from babelspan.retrieval.question import own_groups
from babelspan.retrieval.searching import Search
from babelspan.retrieval.stored import entry_of
from babelspan.text.terms import terms

SEED = 1
SETS = {
    **{language: f"xquad/test.{language}" for language in ("ar", "de", "es", "hi", "ru", "vi")},
    "en": "squad/dev.en", "zh": "cmrc2018/dev.zh", "ja": "jsquad/valid.ja", "ko": "korquad/dev.ko",
    "th": "iapp/test.th", "fa": "pquad/test.fa", "tr": "thquad/test.tr", "fr": "piaf/train.fr",
}  # fmt: skip
EACH = 3
"""Passages per file."""


def read():
    """Distinct contexts, shuffled, and questions."""
    contexts, questions = [], []
    for name in SETS.values():
        examples = load_squad(DATA / "qa" / f"{name}.json.gz", keep_misplaced=True)
        contexts += dict.fromkeys(e.context for e in examples)
        questions += [e.question for e in examples]
    rng = random.Random(SEED)
    rng.shuffle(contexts)
    return contexts, rng.sample(questions, 1000)


def written(contexts, folder, files):
    """Write the files of a folder; returns their total size. Contexts are repeated if needed."""
    size = 0
    for number in range(files):
        of_file = [contexts[(EACH * number + n) % len(contexts)] for n in range(EACH)]
        raw = "\n\n".join([f"File {number}.", *of_file]).encode()
        size += len(raw)
        place = folder / f"{number % 100}"
        place.mkdir(exist_ok=True)
        (place / f"{number}.txt").write_bytes(raw)
    return size


def seconds(call):
    """Wall-clock and CPU seconds of a call, and its result."""
    began, worked = time.perf_counter(), time.process_time()
    given = call()
    return time.perf_counter() - began, time.process_time() - worked, given


def analysed(folder):
    """Analyse all passages of a folder without storing them."""
    return sum(
        len([entry_of(p) for p in passages_of(plain(file.name, file.read_bytes()))])
        for file in sorted(folder.rglob("*.txt"))
    )


def size_of(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def spread(times):
    """Median and 95th percentile, in milliseconds."""
    ordered = sorted(times)
    return 1e3 * statistics.median(ordered), 1e3 * ordered[int(0.95 * len(ordered))]


def timed(call, items):
    """Median and 95th percentile of CPU time, in milliseconds."""
    times = []
    for item in items:
        began = time.process_time()
        call(item)
        times.append(time.process_time() - began)
    return spread(times)


def fts5(entries, questions, place):
    """A row for SQLite FTS5 with the same terms."""
    base = sqlite3.connect(place)
    base.execute("CREATE VIRTUAL TABLE p USING fts5(terms, tokenize='unicode61', content='')")

    def build():
        rows = ((" ".join(e.terms),) for e in entries)
        base.executemany("INSERT INTO p(terms) VALUES (?)", rows)
        base.commit()

    _, worked, _ = seconds(build)

    def asks(question):
        query = " OR ".join(f'"{term}"' for term in dict.fromkeys(terms(question)))
        if query:
            sql = "SELECT rowid FROM p WHERE p MATCH ? ORDER BY bm25(p) LIMIT 20"
            base.execute(sql, (query,)).fetchall()

    p50, p95 = timed(asks, questions)
    return {
        "engine": "SQLite FTS5", "passages/s": len(entries) / worked,
        "MB": place.stat().st_size / 1e6, "p50 ms": p50, "p95 ms": p95,
    }  # fmt: skip


def store(entries, questions, place):
    """A row for the store of a collection with the same terms, without text and offsets."""
    from babelspan.engines.tantivy import TantivyIndex

    made = TantivyIndex(place, writes=True)

    def build():
        made.replace("all", {}, (e._replace(content="[]") for e in entries))
        made.commit()

    _, worked, _ = seconds(build)
    p50, p95 = timed(lambda q: made.search(own_groups(q), language=None, count=20), questions)
    made.close()
    return {
        "engine": "tantivy", "passages/s": len(entries) / worked,
        "MB": size_of(place) / 1e6, "p50 ms": p50, "p95 ms": p95,
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--questions", type=int, default=200)
    wanted = parser.parse_args()
    contexts, questions = read()
    asked = questions[: wanted.questions]
    facts = {"libraries": ["tantivy", "py3langid", "anyascii"], "seed": SEED}
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name) / "docs", Path(name) / "index"
        folder.mkdir()
        text = written(contexts, folder, wanted.files)
        analysed(folder / "0")  # warm-up
        _, alone, passages = seconds(lambda: analysed(folder))
        first_clock, first, _ = seconds(lambda: index([folder], out))
        again_clock, again, _ = seconds(lambda: index([folder], out))
        row = {
            "files": wanted.files, "passages": passages, "analyser passages/s": passages / alone,
            "index passages/s": passages / first, "of the analyser": alone / first,
            "unchanged / first": again / first, "size / text": size_of(out) / text,
            "peak MiB": peak_memory(),
        }  # fmt: skip
        report("indexing", [row], clock=[first_clock, again_clock], text=text, **facts)
        search = open_collection(out)
        rows = []
        for label, translator in (
            ("own words", "none"),
            ("dictionaries", f"lexicon:{DATA}/lexicons"),
        ):
            searching = Search(search, alternatives_of(translator))
            few = asked if translator == "none" else asked[: wanted.questions // 10]
            for question in few:  # so that dictionaries are loaded
                searching.passages(question, 20)
            p50, p95 = timed(lambda q, s=searching: s.passages(q, 20), few)
            rows.append({"question": label, "asked": len(few), "p50 ms": p50, "p95 ms": p95})
        report("indexing-asked", rows, **facts)
        documents = [plain("p", c.encode()) for c in contexts]
        entries = [entry_of(p) for d in documents for p in passages_of(d)]
        rows = [
            store(entries, asked, Path(name) / "tantivy"),
            fts5(entries, asked, Path(name) / "fts5.db"),
        ]
        report("indexing-engines", rows, passages=len(entries), **facts)


if __name__ == "__main__":
    main()
