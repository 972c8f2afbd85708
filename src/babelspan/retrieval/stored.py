"""Passages as stored in an index; text that the file has byte for byte stays in the file."""

import json
import zlib
from base64 import b85decode, b85encode
from pathlib import Path

from babelspan.data.parts import UTF8, Part
from babelspan.retrieval.passages import Passage
from babelspan.seams import Entry, Hit
from babelspan.text.sounds import likely_sounds
from babelspan.text.terms import terms

RULES = "2"
"""Increase this with every change of what `entry_of` stores."""


def entry_of(passage: Passage, raw: bytes = b"") -> Entry:
    """Return a passage in the form in which an index stores it.

    Args:
        passage: the passage.
        raw: bytes of its file on disk. If they contain the text, only a checksum is stored.
    """
    found = [*terms_of(passage), *sounds_of(passage)]
    return Entry(found, passage.language, _packed(passage, raw))


def terms_of(passage: Passage) -> list[str]:
    """Return the index terms of a passage and its heading, without sound keys."""
    return terms(_above(passage))


def sounds_of(passage: Passage) -> list[str]:
    """Return the sound keys of a passage and its heading."""
    return likely_sounds(_above(passage))


def _above(passage: Passage) -> str:
    return f"{passage.heading}\n{passage.text}" if passage.heading else passage.text


def _packed(passage: Passage, raw: bytes) -> str:
    """Pack a passage; most are one piece of their file and take only four numbers."""
    start, end = _place(passage.parts)
    piece = raw[start:end]
    is_there = bool(piece) and piece == passage.text.encode("utf-8", "surrogatepass")
    checksum = zlib.crc32(piece)
    if is_there and passage.parts == (Part(0, len(passage.text), start, end, UTF8),):
        short = b85encode(checksum.to_bytes(4)).decode()  # has no comma
        return f"{passage.start},{start},{end - start},{short},{passage.language},{passage.heading}"
    text = checksum if is_there else passage.text
    packed = [part.packed() for part in passage.parts]
    content = [passage.start, text, passage.language, passage.heading, packed]
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def start_of(hit: Hit) -> int:
    """Return where the passage starts in the text of its file, without parsing the rest."""
    start, _, _ = hit.content.removeprefix("[").partition(",")
    return int(start)


def passage_of(hit: Hit) -> Passage | None:
    """Return the stored passage; None if its text should be in the file but is not any more."""
    if not hit.content.startswith("["):
        return _in_one_piece(hit)
    start, text, language, heading, packed = json.loads(hit.content)
    parts = tuple(map(Part.unpacked, packed))
    if isinstance(text, int):
        text = _text(hit.file, *_place(parts), text)
    return None if text is None else Passage(start, text, language, heading, parts)


def _in_one_piece(hit: Hit) -> Passage | None:
    start, first, size, short, language, heading = hit.content.split(",", 5)
    last = int(first) + int(size)
    text = _text(hit.file, int(first), last, int.from_bytes(b85decode(short)))
    if text is None:
        return None
    part = Part(0, len(text), int(first), last, UTF8)
    return Passage(int(start), text, language, heading, (part,))


def _place(parts: tuple[Part, ...]) -> tuple[int, int]:
    """Return the start and end byte (exclusive) of the part that is in the file itself."""
    if not parts or parts[0].page is not None or parts[0].member:
        return 0, 0
    return parts[0].source_start, parts[-1].source_end


def _text(file: str, start: int, end: int, checksum: int) -> str | None:
    """Return the text between two bytes of a file, if it is unchanged."""
    piece = _piece(Path(file), start, end)
    return piece.decode() if zlib.crc32(piece) == checksum else None


def _piece(file: Path, start: int, end: int) -> bytes:
    try:
        if not file.is_file():  # opening a pipe would block for ever
            return b""
        with file.open("rb") as opened:
            opened.seek(start)
            return opened.read(end - start)
    except OSError:
        return b""
