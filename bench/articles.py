"""Time and memory of passage selection, by the length of the article.

    python bench/articles.py --reader READER [--characters 100000 1000000 10000000]

An article is made from one English text, split into passages of 600 characters. Each length is
measured in a separate process: windows, seconds, windows per second, and peak resident memory above
that of the loaded reader. Only `--most` windows are read by the network; with all windows, the time
grows in proportion, and the memory stays the same.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from itertools import islice

from babelspan.jobs.predict_articles import PassageReaderSpec
from babelspan.jobs.samples import SAMPLES
from babelspan.reading.articles import choose
from babelspan.types import Article, Span

PASSAGE = 600


def article(characters):
    """An article of that many characters."""
    from babelspan.data.squad import load_squad

    contexts = {e.context: None for e in load_squad(SAMPLES / "test.en.json")}
    once = "\n".join(contexts)
    text = (once * (characters // len(once) + 1))[:characters]
    starts = range(0, len(text), PASSAGE)
    passages = tuple(Span(start, min(start + PASSAGE - 1, len(text))) for start in starts)
    return Article(id=1, language="english", question="Who?", text=text, passages=passages)


def peak():
    """Peak resident memory in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(reader, characters, most):
    """Measure one length."""
    engine = PassageReaderSpec(reader=reader).load()
    engine.choose(article(5000))
    before, asked = peak(), article(characters)
    started = time.perf_counter()
    windows = sum(1 for _ in engine.windows(asked))
    cut = time.perf_counter() - started
    started = time.perf_counter()
    choose(islice(engine.read(engine.windows(asked)), most))
    seconds = time.perf_counter() - started
    return {
        "characters": characters,
        "windows": windows,
        "seconds to cut": round(cut, 2),
        "windows a second": round(min(most, windows) / seconds, 1),
        "MiB above the reader": round(peak() - before),
    }


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reader", required=True)
    parser.add_argument("--characters", type=int, nargs="+", default=[10**5, 10**6, 10**7])
    parser.add_argument("--most", type=int, default=50)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(measure(given.reader, given.characters[0], given.most)))
        return
    for characters in given.characters:
        settings = ["--most", str(given.most), "--characters", str(characters)]
        command = [sys.executable, __file__, "--reader", given.reader, "--alone", *settings]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
