"""Write the reader's folder `dictionaries`, with which it glosses questions.

    python experiments/multilingual_reader/glossary.py --data DATA --out FOLDER --to READER

Reads `<out>/dictionaries.json` written by `pack.py`. Writes `<READER>/dictionaries/`:
`en-<language>.tsv.gz` with English words, translations, their share of the links, and the number of
links; an empty translation counts how often the word had no link. `ngrams.tsv.gz` has the most
frequent n-grams of each language with their relative frequencies in sentence pairs and plain text.
"""

import argparse
import gzip
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain, islice
from pathlib import Path

import corpora
from asking import load_dictionaries

from babelspan.data.files import replacing
from babelspan.reading.glosses import Links, inverted
from babelspan.text.ngrams import ngrams, words_of

OFTEN = 50
"""Minimum frequency of an English word in the training texts of the reader."""
NEAR = 0.34
"""Minimum links of a translation, as a fraction of those of the word's best translation."""
LEAST = 2.0
"""Minimum links of a translation that is not the best one of its word."""
LINES = 15_000
"""Maximum number of lines per language whose n-grams are counted."""
OTHERS = ("hu", "nl")
"""Languages that are identified but have no dictionary."""
FREQUENT = 800
"""Number of n-grams per language on the list."""


def kept(links: Links) -> list[tuple[str, str, float]]:
    """Entries useful for glosses: close to the best of either word."""
    best = {word: max(options.values()) for word, options in links.items()}
    best_back = {word: max(options.values()) for word, options in inverted(links).items()}
    return sorted(
        (word, other, n)
        for word, options in links.items()
        for other, n in options.items()
        if n >= NEAR * best[word] or (other and n >= best_back[other])
        if n >= LEAST or n == best[word]
    )


def english(data: Path) -> Counter[str]:
    """Counts of English words in plain text, questions, contexts and sentence pairs."""
    questions = (e for e in corpora.questions(data, dev=False) if e.context_language == "en")
    sentences = {
        pair.source
        for language in corpora.LANGUAGES
        for _, pairs in corpora.bitext(data, language)
        for pair in pairs
    }
    texts = chain.from_iterable((e.question, e.context) for e in questions)
    return counted(chain(corpora.plain_texts(data, "en"), texts, sentences))


def counted(lines: Iterable[str]) -> Counter[str]:
    """Counts of the words in some lines."""
    found: Counter[str] = Counter()
    for line in lines:
        found.update(words_of(line))
    return found


def frequent(lines: Iterable[str]) -> list[tuple[str, float]]:
    """The most frequent n-grams, with their relative frequencies among those of their length."""
    found: Counter[str] = Counter()
    for word, n in counted(islice(lines, LINES)).items():
        for ngram in ngrams(word):
            found[ngram] += n
    totals: Counter[int] = Counter()
    for ngram, n in found.items():
        totals[len(ngram)] += n
    return [(ngram, n / totals[len(ngram)]) for ngram, n in found.most_common(FREQUENT)]


def lines_of(data: Path, language: str, texts: Mapping[str, list[str]]) -> Iterable[str]:
    """Sentences of bitext, then plain text and contexts, in one language."""
    is_english = language == "en"
    pairs = chain.from_iterable(
        p for _, p in corpora.bitext(data, "de" if is_english else language)
    )
    return chain(
        (p.source if is_english else p.target for p in pairs),
        corpora.plain_texts(data, language),
        texts.get(language, []),
    )


def write(path: Path, lines: Iterable[str]) -> None:
    """Write a gzip file with reproducible bytes."""
    with replacing(path) as beside:
        beside.write_bytes(gzip.compress("".join(lines).encode(), 9, mtime=0))


def main(data: Path, out: Path, to: Path) -> None:
    """Write all files."""
    folder = to / "dictionaries"
    folder.mkdir(parents=True, exist_ok=True)
    dictionaries = load_dictionaries(out / "dictionaries.json")
    often = {word for word, n in english(data).items() if n >= OFTEN}
    for language, every in sorted(dictionaries.items()):
        links = {word: options for word, options in every.items() if often.issuperset(word.split())}
        entries = kept(links)
        path = folder / f"en-{language}.tsv.gz"
        totals = {word: sum(options.values()) for word, options in links.items()}
        write(path, (f"{w}\t{o}\t{n / totals[w]:.1f}\t{_short(n)}\n" for w, o, n in entries))
        print(language, len(entries), "entries", path.stat().st_size // 1024, "KiB", flush=True)
    texts: dict[str, list[str]] = {}
    for example in corpora.questions(data, dev=False):
        texts.setdefault(example.context_language, []).append(example.context)
    rows = [
        f"{language}\t{ngram}\t{share:.2g}\n"
        for language in sorted({*corpora.LANGUAGES, *OTHERS})
        for ngram, share in frequent(lines_of(data, language, texts))
    ]
    write(folder / "ngrams.tsv.gz", rows)
    print(sum(f.stat().st_size for f in folder.iterdir()) / 1e6, "MB")


def _short(links: float) -> str:
    return f"{links:.0f}" if links >= 10 else f"{links:.1f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "out", "to"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    main(given.data, given.out, given.to)
