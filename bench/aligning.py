"""Word alignment: error rates and speed of our aligners and eflomal, on the same words.

Each gold set is aligned together with up to 5,000 sentence pairs of bitext in its languages,
without using its links; `awesome` needs no bitext. Links of eflomal are symmetrised in two ways:
intersection, and grow-diag-final-and (Koehn et al. 2005), as is usual.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from measured import DATA, report, with_packages

with_packages("eflomal==2.0.0")

import eflomal  # noqa: E402

from babelspan.aligners import Options, load_aligner  # noqa: E402
from babelspan.data.bitext import load_bitext, named  # noqa: E402
from babelspan.data.gold_links import load_gold  # noqa: E402
from babelspan.scoring.alignment import link_figures  # noqa: E402
from babelspan.text.segmented import of_words  # noqa: E402
from babelspan.text.words import lexical_words  # noqa: E402
from babelspan.types import Alignment, SegmentedPair  # noqa: E402

SETS = [
    *("gold.en-es", "gold.en-cs", "gold.zh-en", "gold.en-fr", "gold.en-hi", "gold.ro-en"),
    *("xl-wa-test.en-ru", "gold.ja-en", "gold.en-pt", "gold.en-sv"),
]
SOURCES = ["ntrex", "tico19", "pud", "tatoeba", "opensourceguide", "mscourse-iot"]
PEER = "eflomal"
NEIGHBOURS = [(-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)]

Links = set[tuple[int, int]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--aligners", nargs="+", default=["ibm1", PEER])
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--gold", type=int, default=100, help="gold sentence pairs of a set")
    parser.add_argument("--bitext", type=int, default=5_000, help="sentence pairs beside them")
    wanted = parser.parse_args()
    rows = []
    for name in wanted.sets:
        for row in rows_of(name, wanted):
            print(*row.values(), flush=True)
            rows.append(row)
    print_means(rows)
    facts = {"seed": None, "gold": wanted.gold, "bitext": wanted.bitext}
    report("aligning", rows, libraries=[PEER, "numpy", "torch"], **facts)


def rows_of(name, wanted):
    _, first, second = named(Path(f"{name}.tsv.gz"))
    other = first if second == "en" else second
    path = DATA / "alignments" / f"{name}.tsv.gz"
    gold = list(islice(load_gold(path, source="en", target=other), wanted.gold))
    pairs = [g.pair for g in gold]
    beside = list(islice(bitext(other), wanted.bitext))
    for spec in wanted.aligners:
        began = spent_so_far()
        if spec == PEER:
            variants, aligned = by_eflomal([*pairs, *beside], len(pairs))
        else:
            aligner = load_aligner(spec, Options(bitext=lambda: chain(pairs, beside)))
            began = spent_so_far()
            few = pairs if spec.startswith("awesome") else [*pairs, *beside]
            found = aligner.align(few)
            variants = {shortened(spec): found[: len(pairs)]}
            aligned = sum(len(a.links) for a in found)
        spent = spent_so_far() - began
        for variant, found in variants.items():
            figures = link_figures(
                (a, g.sure, g.possible) for a, g in zip(found, gold, strict=True)
            )
            yield {
                "set": name,
                "sentences": len(gold),
                "bitext": len(beside),
                "aligner": variant,
                "AER": round(figures.aer, 1),
                "precision": round(figures.precision or 0, 1),
                "recall": round(figures.recall, 1),
                "links a second": float(aligned / spent),
            }


def spent_so_far():
    """CPU seconds of this process and of its finished children, such as eflomal."""
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + child.ru_utime + child.ru_stime


def print_means(rows):
    for aligner in dict.fromkeys(row["aligner"] for row in rows):
        own = [row for row in rows if row["aligner"] == aligner]
        mean = sum(row["AER"] for row in own) / len(own)
        speed = sum(row["links a second"] for row in own) / len(own)
        print(f"{aligner}: mean AER {mean:.1f} over {len(own)} sets, {speed:,.0f} links a second")


def shortened(spec):
    name, colon, reader = spec.partition(":")
    return f"{name}:{Path(reader).name}" if colon else name


def bitext(language) -> Iterator[SegmentedPair]:
    """Pairs of English and a language, with words and punctuation as in the gold sets."""
    for source in SOURCES:
        path = DATA / "parallel" / f"{source}.en-{language}.tsv.gz"
        for pair in load_bitext(path) if path.exists() else ():
            sides = words_and_marks(pair.source, "en"), words_and_marks(pair.target, language)
            if all(0 < len(side) <= 100 for side in sides):
                yield of_words(*sides, source_language="en", target_language=language)


def words_and_marks(text, language):
    """Words, and every other non-blank character as a token of its own."""
    found, at = [], 0
    for word in lexical_words(text, language):
        found += [*"".join(text[at : word.start].split()), word.of(text)]
        at = word.end
    return [*found, *"".join(text[at:].split())]


def by_eflomal(pairs, few):
    """Links of the first pairs with both symmetrisations, and the total number with the first.

    eflomal lower-cases words itself.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/forward", f"{folder}/reverse"]
        sides = [[" ".join(pair.words[n]) + "\n" for pair in pairs] for n in (0, 1)]
        eflomal.Aligner().align(*sides, *files)
        forward, reverse = (
            [read(line) for line in Path(f).read_text().splitlines()] for f in files
        )
    both = [f & r for f, r in zip(forward, reverse, strict=True)]
    grown = [grow(f, r) for f, r in zip(forward[:few], reverse[:few], strict=True)]
    found = {f"{PEER}, intersection": both[:few], f"{PEER}, grow-diag-final-and": grown}
    named = {name: [Alignment(frozenset(x)) for x in links] for name, links in found.items()}
    return named, sum(map(len, both))


def read(line) -> Links:
    return {(int(i), int(j)) for i, j in (item.split("-") for item in line.split())}


def grow(forward: Links, reverse: Links) -> Links:
    """Grow-diag-final-and: add neighbours of links, then links of words without links."""
    union, links = forward | reverse, forward & reverse
    grew = True
    while grew:
        grew = False
        for i, j in sorted(links):
            for a, b in NEIGHBOURS:
                near = i + a, j + b
                if near in union - links and is_free(near, links, any):
                    links = links | {near}
                    grew = True
    for direction in (forward, reverse):
        for link in sorted(direction):
            if is_free(link, links, all):
                links = links | {link}
    return links


def is_free(link, links, how) -> bool:
    return how(
        (
            all(link[0] != i for i, _ in links),
            all(link[1] != j for _, j in links),
        )
    )


if __name__ == "__main__":
    main()
