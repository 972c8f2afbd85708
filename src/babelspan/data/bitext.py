"""Sentence pairs from files of two columns, one pair a line.

A file is UTF-8, gzip'd or not, and named `<source>.<a>-<b>.tsv[.gz]`, where a and b are language
codes; each line has a sentence of a, a tab, and its translation into b.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from babelspan.data.files import read_text
from babelspan.text.languages import CODE
from babelspan.types import DataError, SentencePair

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
        DataError: if a line does not have two columns with text in both, with its number.
    """
    for number, line in enumerate(read_text(path).removeprefix("\ufeff").split("\n"), 1):
        columns = [column.strip() for column in line.split("\t")]
        if columns == [""]:
            continue
        if len(columns) != 2 or not all(columns):
            raise DataError(
                f"{path}: line {number}: expected a sentence, a tab and its translation, "
                f"found {line[:80]!r}"
            )
        yield SentencePair(*columns)


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
