"""Word links in the Pharaoh format: `i-j` for each link, one line per sentence pair.

Words are counted from 0. `ipj` is a link of which the annotator was not sure. A file of pairs has
the words of source and translation separated by ` ||| ` on each line, as fast_align, eflomal and
awesome-align read them. A folder of word links has, for each language, `pairs.<language>.txt` and
`links.<language>.txt`, the output of an aligner, line by line.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from babelspan.data.files import checksum, lines, read_text, replacing
from babelspan.types import Alignment, DataError, SegmentedPair, SentencePair

SEPARATOR = " ||| "
_LINK = re.compile(r"(\d+)([-p])(\d+)")


class Links(NamedTuple):
    """The links of a line: all of them, and those of which the annotator was sure."""

    links: Alignment
    sure: Alignment


class PharaohAligner:
    """An `Aligner` that looks links up in a folder; see the module for its files.

    Raises:
        DataError: if a file is missing, a line does not have the format, or the lengths differ.
    """

    def __init__(self, folder: Path, language: str) -> None:
        pairs, links = (folder / f"{name}.{language}.txt" for name in ("pairs", "links"))
        of_pairs, of_links = (read_text(path).splitlines() for path in (pairs, links))
        if len(of_pairs) != len(of_links):
            raise DataError(
                f"{links}: expected {len(of_pairs)} lines as in {pairs.name}, found {len(of_links)}"
            )
        self._files = pairs, links
        self._links = {
            pair: read_links(line, _sizes(pair), f"{links}, line {number}").links
            for number, (pair, line) in enumerate(zip(of_pairs, of_links, strict=True), 1)
        }

    @property
    def identity(self) -> str:
        """Checksums of the content of both files."""
        return ",".join(["pharaoh", *map(checksum, self._files)])

    def align(self, pairs: Sequence[SegmentedPair]) -> list[Alignment]:
        """Return the links of each pair.

        Raises:
            DataError: if the folder lacks a pair.
        """
        found = []
        for pair in pairs:
            line = SEPARATOR.join(" ".join(side) for side in pair.words)
            if line not in self._links:
                raise DataError(
                    f"{self._files[0]}: expected the pair {line!r:.200}, found none; write the "
                    "file and its links again"
                )
            found.append(self._links[line])
        return found


def save_pairs(path: Path, pairs: Iterable[SentencePair]) -> int:
    """Write distinct sentence pairs for an aligner to read; return their number."""
    of_pairs = dict.fromkeys(f"{pair.source}{SEPARATOR}{pair.target}" for pair in pairs)
    with replacing(path) as beside:
        beside.write_text("".join(f"{line}\n" for line in of_pairs), encoding="utf-8")
    return len(of_pairs)


def numbered_pairs(path: Path) -> Iterator[tuple[int, SentencePair | None]]:
    """Yield every line number of a file of pairs, from 1, with its pair; None for an empty line.

    Raises:
        DataError: if a line does not have words on both sides of ` ||| `.
    """
    for number, line in enumerate(lines(path), 1):
        sides = [side.strip() for side in line.split(SEPARATOR)]
        if sides == [""]:
            yield number, None
        elif len(sides) == 2 and all(sides):
            yield number, SentencePair(sides[0], sides[1])
        else:
            raise DataError(
                f"{path}: line {number}: expected the words of a sentence, ' ||| ' and those of "
                f"its translation, found {line[:80]!r}"
            )


def read_links(text: str, sizes: tuple[int, int], where: str) -> Links:
    """Return the links in a line.

    Args:
        text: the line, such as `0-0 1-2 2p1`.
        sizes: number of words in source and target.
        where: file and line, for error messages.

    Raises:
        DataError: if an item is not a link, or refers to a word that does not exist.
    """
    every, sure = set(), set()
    for item in text.split():
        match = _LINK.fullmatch(item)
        if match is None:
            raise DataError(f"{where}: expected links like 0-0 1-2, found {item!r:.80}")
        link = int(match[1]), int(match[3])
        if link[0] >= sizes[0] or link[1] >= sizes[1]:
            raise DataError(
                f"{where}: the link {item} is beyond the {sizes[0]} and {sizes[1]} words of its "
                "pair; words are counted from 0"
            )
        every.add(link)
        if match[2] == "-":
            sure.add(link)
    return Links(Alignment(frozenset(every)), Alignment(frozenset(sure)))


def links_line(alignment: Alignment) -> str:
    """Return links as a line, ordered by word."""
    return " ".join(f"{i}-{j}" for i, j in sorted(alignment.links))


def _sizes(line: str) -> tuple[int, int]:
    source, _, target = line.partition(SEPARATOR)
    return len(source.split()), len(target.split())
