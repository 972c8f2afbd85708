"""Gold word alignments: sentence pairs with words linked by an annotator.

A file is UTF-8, gzipped or not, named `<source>.<a>-<b>.tsv[.gz]`, with three columns: the words of
a sentence in a, those of its translation into b, separated by spaces, and links in the Pharaoh
format, `i-j` for a sure link and `ipj` for a possible one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babelspan.data.bitext import named
from babelspan.data.files import lines
from babelspan.data.pharaoh import read_links
from babelspan.text.segmented import of_words
from babelspan.types import Alignment, ConfigError, DataError, SegmentedPair


@dataclass(frozen=True, slots=True)
class GoldPair:
    """A sentence pair with gold links; `possible` includes the sure links."""

    pair: SegmentedPair
    sure: Alignment
    possible: Alignment


def load_gold(path: Path, *, source: str, target: str) -> Iterator[GoldPair]:
    """Yield the pairs of a file, in order, swapped if its name has the languages the other way.

    Args:
        path: the file.
        source: language code wanted for the source side.
        target: language code wanted for the target side.

    Raises:
        ConfigError: if the name has other languages.
        DataError: if a line does not have the format, with its number; if the file is empty.
    """
    _, first, second = named(path) or ("", "", "")
    if (first, second) not in ((source, target), (target, source)):
        raise ConfigError(
            f"{path}: expected gold links between {source!r} and {target!r}, with a name "
            f"such as gold.{source}-{target}.tsv.gz"
        )
    number = 0
    for number, line in enumerate(lines(path), 1):
        columns = line.split("\t")
        sides = [column.split() for column in columns[:2]]
        if len(columns) != 3 or not all(sides):
            raise DataError(
                f"{path}: line {number}: expected words, a tab, words, a tab and links, found "
                f"{line[:80]!r}"
            )
        found = read_links(columns[2], (len(sides[0]), len(sides[1])), f"{path}: line {number}")
        gold = GoldPair(
            of_words(*sides, source_language=first, target_language=second), found.sure, found.links
        )
        yield gold if first == source else _turned(gold)
    if not number:
        raise DataError(f"{path}: expected sentence pairs with gold links, found an empty file")


def _turned(gold: GoldPair) -> GoldPair:
    def other(alignment: Alignment) -> Alignment:
        return Alignment(frozenset((j, i) for i, j in alignment.links))

    pair = gold.pair.pair
    turned = type(pair)(pair.target, pair.source, pair.target_language, pair.source_language)
    return GoldPair(
        SegmentedPair(turned, gold.pair.target_words, gold.pair.source_words),
        other(gold.sure),
        other(gold.possible),
    )
