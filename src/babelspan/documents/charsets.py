"""The encoding of a web page, and which bytes its characters are."""

import codecs
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import regex

from babelspan.data.parts import UTF8, Part
from babelspan.text.units import units
from babelspan.types import DataError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META = regex.compile(rb"<meta\b[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:\-]+)", regex.IGNORECASE)
_XML = regex.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:\-]+)", regex.IGNORECASE)
_HEAD = 2048
_WIDER = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
}
"""What browsers take for encodings that pages name and do not keep to."""
_LABELS = {"x-sjis": "cp932", "windows-31j": "cp932"}
"""Names of encodings on pages that Python does not know."""


def decoded(raw: bytes, name: str) -> tuple[str, str]:
    """The text of a page, with its byte-order mark, and its encoding.

    A byte-order mark goes before what the page says of itself; UTF-8 is tried where it says nothing
    and before an encoding of one byte, since what is UTF-8 is hardly ever anything else.

    Raises:
        DataError: if it is in none of these.
    """
    mark = next((encoding for bom, encoding in _BOMS if raw.startswith(bom)), None)
    said = _META.search(raw[:_HEAD]) or _XML.search(raw[:_HEAD])
    named = _known(said[1].decode("ascii", "replace")) if said else None
    tried = [mark] if mark else list(dict.fromkeys(["utf-8", *([named] if named else [])]))
    for encoding in tried:
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError as error:
            place = error.start
    raise DataError(
        f"{name}: expected a page in {' or '.join(tried)}, found the byte 0x{raw[place]:02x} at "
        f"byte {place}; convert it to UTF-8, for example with iconv"
    )


def in_bytes(parts: Sequence[Part], source: str, encoding: str, *, raw: bytes) -> tuple[Part, ...]:
    """Parts whose places count characters of the source as parts whose places count its bytes.

    Args:
        parts: with a step of 1 or None.
        source: the decoded file.
        encoding: of the file.
        raw: the file.
    """
    if encoding == "utf-8":
        ends = [place for part in parts for place in (part.source_start, part.source_end)]
        at = {place: unit.utf8 for place, unit in units(source, ends).items()}
        return tuple(
            Part(
                part.start,
                part.end,
                at[part.source_start],
                at[part.source_end],
                None if part.step is None else UTF8,
                anchor=part.anchor,
            )
            for part in parts
        )
    starts = _starts(raw, encoding)
    return tuple(piece for part in parts for piece in _by_width(part, starts))


def _known(label: str) -> str | None:
    """The codec that a label names; None if there is none, or it makes no text."""
    try:
        name = codecs.lookup(_LABELS.get(label.lower(), label)).name
        b" ".decode(name)  # "zip" and the like are codecs, but not of text
    except (LookupError, UnicodeDecodeError):
        return None
    return _WIDER.get(name, name)


def _starts(raw: bytes, encoding: str) -> list[int]:
    """The byte at which each character starts, and the number of bytes."""
    decoder = codecs.getincrementaldecoder(encoding)()
    starts, begun = [], 0
    for place in range(len(raw)):
        came = decoder.decode(raw[place : place + 1])
        if came:
            starts += [begun] * len(came)
            begun = place + 1
    starts += [begun] * len(decoder.decode(b"", True))
    return [*starts, len(raw)]


def _by_width(part: Part, starts: Sequence[int]) -> list[Part]:
    """A part in pieces whose characters all have as many bytes."""
    source = [*starts[part.source_start : part.source_end + 1]]
    if part.step is None:
        return [replace(part, source_start=source[0], source_end=source[-1])]
    found: list[Part] = []
    for number, (start, end) in enumerate(pairwise(source)):
        at, width = part.start + number, end - start
        if found and found[-1].step == width:
            found[-1] = replace(found[-1], end=at + 1, source_end=end)
        else:
            found.append(
                replace(part, start=at, end=at + 1, source_start=start, source_end=end, step=width)
            )
    return found
