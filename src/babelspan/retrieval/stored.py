"""A passage as an index keeps it: its text stays in the file where that has it byte for byte."""

import json
import zlib
from pathlib import Path

from babelspan.data.parts import Part
from babelspan.retrieval.passages import Passage
from babelspan.seams import Entry, Hit
from babelspan.text.sounds import sounds
from babelspan.text.terms import terms

RULES = "1"
"""Changes with every change of what `entry_of` keeps."""


def entry_of(passage: Passage, raw: bytes = b"") -> Entry:
    """A passage as an index keeps it.

    Args:
        passage: the passage.
        raw: its file, as it is on the disk. Where it has the text, only a checksum is kept.
    """
    above = f"{passage.heading}\n{passage.text}" if passage.heading else passage.text
    start, end = _place(passage.parts)
    piece = raw[start:end]
    is_there = bool(piece) and piece == passage.text.encode("utf-8", "surrogatepass")
    text = zlib.crc32(piece) if is_there else passage.text
    packed = [part.packed() for part in passage.parts]
    content = [passage.start, text, passage.language, passage.heading, packed]
    return Entry(
        [*terms(above), *sounds(above)],
        passage.language,
        json.dumps(content, ensure_ascii=False, separators=(",", ":")),
    )


def start_of(hit: Hit) -> int:
    """Where its passage starts in the text of the file, without reading the rest."""
    start, _, _ = hit.content[1:].partition(",")
    return int(start)


def passage_of(hit: Hit) -> Passage | None:
    """What `entry_of` has kept; None if the text should be in the file and is not any more."""
    start, text, language, heading, packed = json.loads(hit.content)
    parts = tuple(map(Part.unpacked, packed))
    if isinstance(text, int):
        piece = _piece(Path(hit.file), *_place(parts))
        if zlib.crc32(piece) != text:
            return None
        text = piece.decode()
    return Passage(start, text, language, heading, parts)


def _place(parts: tuple[Part, ...]) -> tuple[int, int]:
    """First byte and last, exclusive, of what stands in the file itself."""
    if not parts or parts[0].page is not None or parts[0].member:
        return 0, 0
    return parts[0].source_start, parts[-1].source_end


def _piece(file: Path, start: int, end: int) -> bytes:
    try:
        if not file.is_file():  # opening a pipe would wait for ever
            return b""
        with file.open("rb") as opened:
            opened.seek(start)
            return opened.read(end - start)
    except OSError:
        return b""
