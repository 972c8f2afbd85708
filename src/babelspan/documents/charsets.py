"""The encoding of a web page, and the bytes of its characters."""

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
"""Encodings that browsers use in place of the ones that pages declare."""
_LABELS = {"x-sjis": "cp932", "windows-31j": "cp932"}
"""Names of encodings on web pages that Python does not know."""


def decoded(raw: bytes, name: str) -> tuple[str, str]:
    """Return the text of a page, including its byte-order mark, and its encoding.

    A byte-order mark takes precedence over the declared encoding. UTF-8 is tried if nothing is
    declared, and before a declared encoding, because text that decodes as UTF-8 is almost always
    UTF-8.

    Raises:
        DataError: if none of these can decode the page.
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
    """Convert parts whose places count characters of the source into parts that count its bytes.

    Args:
        parts: parts with a step of 1 or None.
        source: the decoded file.
        encoding: encoding of the file.
        raw: bytes of the file.
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
    """Return the codec that a label names; None if there is none, or it is not a text encoding."""
    try:
        name = codecs.lookup(_LABELS.get(label.lower(), label)).name
        b" ".decode(name)  # "zip" and others are codecs, but not for text
    except (LookupError, UnicodeDecodeError):
        return None
    return _WIDER.get(name, name)


def _starts(raw: bytes, encoding: str) -> list[int]:
    """Return the byte at which each character starts, followed by the number of bytes."""
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
    """Split a part into pieces in which all characters have the same number of bytes."""
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
