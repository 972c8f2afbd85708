"""Sentence pairs from files with two columns, one pair per line.

A file is UTF-8, gzipped or not, and named `<source>.<a>-<b>.tsv[.gz]`, where a and b are language
codes; each line has a sentence in a, a tab, and its translation into b. A third column may have
word links in the Pharaoh format (`babelspan align` writes such files); they count words as found
by `text.words.words`.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from babelspan.data.files import lines
from babelspan.data.pharaoh import read_links
from babelspan.text.languages import CODE
from babelspan.text.words import words
from babelspan.types import UNDETERMINED, DataError, SentencePair

NAME = re.compile(rf"(?P<source>.+)\.(?P<a>{CODE})-(?P<b>{CODE})\.tsv(?:\.gz)?")


def named(path: Path) -> tuple[str, str, str] | None:
    """Return source name, first and second language of a bitext file name; None for other files.

    >>> named(Path("ntrex.en-zh-Hant.tsv.gz"))
    ('ntrex', 'en', 'zh-Hant')
    """
    found = NAME.fullmatch(path.name)
    return (found["source"], found["a"], found["b"]) if found else None


def load_bitext(path: Path) -> Iterator[SentencePair]:
    """Yield the pairs of a file, in order; empty lines are skipped.

    White space inside a sentence is kept; white space around it is not.

    Raises:
        DataError: if a line does not have the format; the message gives its number.
    """
    return (pair for _, pair in numbered_bitext(path) if pair is not None)


def numbered_bitext(path: Path) -> Iterator[tuple[int, SentencePair | None]]:
    """Yield every line number of a file, from 1, with its pair, or None for an empty line.

    Raises:
        DataError: as `load_bitext`.
    """
    for number, line in enumerate(lines(path), 1):
        columns = [column.strip() for column in line.split("\t")]
        if columns == [""]:
            yield number, None
            continue
        if len(columns) not in (2, 3) or not all(columns[:2]):
            raise DataError(
                f"{path}: line {number}: expected a sentence, a tab and its translation, "
                f"found {line[:80]!r}"
            )
        pair = SentencePair(columns[0], columns[1])
        if len(columns) == 3:
            sizes = len(words(pair.source, UNDETERMINED)), len(words(pair.target, UNDETERMINED))
            found = read_links(columns[2], sizes, f"{path}: line {number}")
            pair = replace(pair, links=found.links)
        yield number, pair


def distinct(pairs: Iterable[SentencePair]) -> Iterator[SentencePair]:
    """Yield each pair once, in order of first appearance."""
    return iter(dict.fromkeys(pairs))


def held_back(share: float) -> Callable[[SentencePair], bool]:
    """Return a rule that holds back a share of sentence pairs, by a hash of the source sentence.

    All translations of a sentence are on the same side, in every file and language.

    Args:
        share: share of the sentences, in [0, 1].

    Returns:
        A function that returns whether a pair is held back.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in [0, 1], got {share}")
    limit = int(share * 2**64)

    def is_held_back(pair: SentencePair) -> bool:
        digest = hashlib.sha256(" ".join(pair.source.lower().split()).encode()).digest()
        return int.from_bytes(digest[:8], "big") < limit

    return is_held_back
