"""Word links in the Pharaoh format: `i-j` for each link, a line for each sentence pair.

A folder holds, for each language, `pairs.<language>.txt` with the words of source and translation
parted by ` ||| ` (what fast_align, eflomal and awesome-align read) and `links.<language>.txt`, what
the aligner made of it, line for line.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from babelspan.data.files import read_text, replacing
from babelspan.types import Alignment, DataError, SentencePair

_LINK = re.compile(r"(\d+)[-p](\d+)")


class PharaohAligner:
    """An `Aligner` that looks links up in a folder; see the module for its files.

    Raises:
        DataError: if a file is missing, a line is not of the format, or the files differ in length.
    """

    def __init__(self, folder: Path, language: str) -> None:
        pairs, links = (folder / f"{name}.{language}.txt" for name in ("pairs", "links"))
        of_pairs, of_links = (read_text(path).splitlines() for path in (pairs, links))
        if len(of_pairs) != len(of_links):
            raise DataError(
                f"{links}: expected {len(of_pairs)} lines, as {pairs.name} has, "
                f"found {len(of_links)}"
            )
        self._pairs = pairs
        self._links = {
            pair: _alignment(line, pair, f"{links}, line {number}")
            for number, (pair, line) in enumerate(zip(of_pairs, of_links, strict=True), 1)
        }

    def align(self, pairs: Sequence[SentencePair]) -> list[Alignment]:
        """The links of each pair.

        Raises:
            DataError: for a pair that the folder does not have.
        """
        found = []
        for pair in pairs:
            line = _line(pair)
            if line not in self._links:
                raise DataError(
                    f"{self._pairs}: expected the pair {line!r:.200}, found none; "
                    "make the file anew and align it again"
                )
            found.append(self._links[line])
        return found


def save_pairs(path: Path, pairs: Iterable[SentencePair]) -> int:
    """Write sentence pairs, each once, for an aligner to read; how many there were."""
    lines = dict.fromkeys(map(_line, pairs))
    with replacing(path) as beside:
        beside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def _line(pair: SentencePair) -> str:
    return f"{pair.source} ||| {pair.target}"


def _alignment(line: str, pair: str, where: str) -> Alignment:
    words = [len(side.split()) for side in pair.partition(" ||| ")[::2]]
    links = set()
    for item in line.split():
        match = _LINK.fullmatch(item)
        if match is None:
            raise DataError(f"{where}: expected links like 0-0 1-2, found {item!r}")
        link = int(match[1]), int(match[2])
        if link[0] >= words[0] or link[1] >= words[1]:
            raise DataError(
                f"{where}: the link {item} is beyond the {words[0]} and {words[1]} words of its "
                "pair; words are counted from 0"
            )
        links.add(link)
    return Alignment(frozenset(links))
