"""Speed and memory of `babelspan data wikipedia`, on a made-up dump (see `made_dump.py`).

    python bench/reading_dumps.py [--sizes 30 300] [--rounds 3] [--workers 1 2]
                                  [--ranked 500] [--keep FOLDER]

Sizes are megabytes of XML. The first table has the parts, in one process, on the smallest dump:
unpacking, reading pages, finding their links, and parsing 150 articles. The second table has the
whole job by size and number of workers; each run is a separate process. The smallest dump is read
in each of --rounds rounds, the others once. --ranked is that of the command: the number of pages
that are parsed, which is a small part of a real dump.
"""

import argparse
import bz2
import json
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

import made_dump
from measured import child, peak_memory, processor, ratio, report, rounds

from babelspan.data import wikipedia
from babelspan.text.wikitext import article_of, targets

ARTICLES = 150
CHUNK = 1 << 16


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--sizes", type=int, nargs="+", default=[30, 300])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options.add_argument("--ranked", type=int, default=500)
    options.add_argument("--keep", type=Path, help="folder for the dumps; kept")
    options.add_argument("--alone", nargs=3, help=argparse.SUPPRESS)
    wanted = options.parse_args()
    if wanted.alone:
        return job_alone(*wanted.alone, wanted.ranked)
    facts = {"libraries": ["mwparserfromhell"], "seed": made_dump.SEED}
    with tempfile.TemporaryDirectory() as temporary:
        folder = wanted.keep or Path(temporary)
        dumps = {size: made(folder, size) for size in sorted(wanted.sizes)}
        parts = parts_of(*dumps[min(dumps)], wanted.rounds)
        report("reading-dumps-parts", list(parts), **facts)
        rows = []
        for size, dump in dumps.items():
            count = wanted.rounds if size == min(dumps) else 1
            rows += jobs(*dump, wanted, count, folder)
    report("reading-dumps", rows, **facts)
    return None


def made(folder, size):
    """A dump, with its number of megabytes of XML."""
    folder.mkdir(parents=True, exist_ok=True)
    path, about = folder / f"{size}.xml.bz2", folder / f"{size}.json"
    if not about.exists():
        about.write_text(json.dumps(made_dump.write(path, size * 10**6)))
    return path, json.loads(about.read_text()) / 1e6


def parts_of(dump, megabytes, count):
    """Rows for the parts of the work, one process."""
    site = wikipedia.site_of(dump)
    articles = [page.text for page in wikipedia.pages(dump) if not page.redirect][:ARTICLES]
    taken = rounds(
        {
            "unpacking": lambda: unpacked(dump),
            "unpacking, pages": lambda: sum(1 for _ in wikipedia.pages(dump)),
            "unpacking in 2 threads, pages": lambda: sum(
                1 for _ in wikipedia.pages(dump, threads=2)
            ),
            "unpacking, pages, links": lambda: [
                targets(page.text, site.namespaces) for page in wikipedia.pages(dump)
            ],
            "parsing": lambda: [article_of(text, site.namespaces) for text in articles],
        },
        count,
    )
    gain = ratio(taken["unpacking, pages"], taken["unpacking in 2 threads, pages"])
    print(f"pages with unpacking in 2 threads: {gain} times as fast by the clock", flush=True)
    of_articles = sum(len(text.encode()) for text in articles) / 1e6
    for name, times in taken.items():
        size = of_articles if name == "parsing" else megabytes
        rates = sorted(size / one for one in processor(times))
        yield {
            "part": name,
            "MB": size,
            "MB a processor second": f"{rates[-1]:.2f} ({rates[0]:.2f} to {rates[-1]:.2f})",
            "MB/s by the clock": size / min(times),
        }


def unpacked(dump):
    with bz2.open(dump) as file:
        while file.read(CHUNK):
            pass


def jobs(dump, megabytes, wanted, count, folder):
    """Rows for the whole job, by number of workers; they take turns."""
    workers = wanted.workers
    runs = {number: [] for number in workers}
    for turn in range(count):
        for number in workers if turn % 2 == 0 else workers[::-1]:
            out = folder / f"texts-{number}"
            shutil.rmtree(out, ignore_errors=True)
            run = child(__file__, "--ranked", wanted.ranked, "--alone", dump, out, number)
            runs[number].append(run)
    for number, found in runs.items():
        best = {key: min(run[key] for run in found) for key in found[0]}
        first = [run["s"] for run in runs[workers[0]]]
        gain = ratio(first, [run["s"] for run in found])
        yield {
            "MB of XML": megabytes,
            "workers": number,
            "runs": count,
            **best,
            "times as fast, by the clock": "" if number == workers[0] else str(gain),
        }


def job_alone(dump, out, workers, ranked):
    """Carry out the job; print seconds, and peak memory of this process and of its workers."""
    from babelspan.jobs.shards import Crew
    from babelspan.jobs.wikipedia import Choice, carry_out

    started = time.perf_counter()
    made = carry_out(
        Path(dump), Path(out), choice=Choice(ranked=ranked), crew=Crew(workers=int(workers))
    )
    seconds = time.perf_counter() - started
    of_children = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {
        "pages": made["pages"],
        "s": seconds,
        "processor s": sum(os.times()[:4]),
        "of it, first process": sum(os.times()[:2]),
        "MiB": peak_memory(),
        "MiB of a worker": of_children.ru_maxrss / 1024,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
