"""Sentence pairs from files of two columns, one pair a line.

A file is UTF-8, gzip'd or not, and named `<source>.<a>-<b>.tsv[.gz]`, where a and b are language
codes; each line has a sentence of a, a tab, and its translation into b. A third column may
have word links in the Pharaoh format (`babelspan align` writes such files); they count words as
`text.words.words` finds them.
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
    """Source, first and second language in the name of a bitext file, or None for another file.

    >>> named(Path("ntrex.en-zh-Hant.tsv.gz"))
    ('ntrex', 'en', 'zh-Hant')
    """
    found = NAME.fullmatch(path.name)
    return (found["source"], found["a"], found["b"]) if found else None


def load_bitext(path: Path) -> Iterator[SentencePair]:
    """The pairs of a file, in order; empty lines are skipped.

    White space inside a sentence is kept; white space around it is not.

    Raises:
        DataError: if a line is not of the format, with its number.
    """
    return (pair for _, pair in numbered_bitext(path) if pair is not None)


def numbered_bitext(path: Path) -> Iterator[tuple[int, SentencePair | None]]:
    """Every line of a file, counted from 1, with its pair or, for an empty line, None.

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
    """Each pair once, in the order of its first appearance."""
    return iter(dict.fromkeys(pairs))


def held_back(share: float) -> Callable[[SentencePair], bool]:
    """A rule that holds back a share of sentence pairs, chosen by a hash of the source sentence.

    All translations of one sentence fall on the same side, in every file and every language.

    Args:
        share: of the sentences, in [0, 1].

    Returns:
        Whether a pair is held back.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in [0, 1], got {share}")
    limit = int(share * 2**64)

    def is_held_back(pair: SentencePair) -> bool:
        digest = hashlib.sha256(" ".join(pair.source.lower().split()).encode()).digest()
        return int.from_bytes(digest[:8], "big") < limit

    return is_held_back
