r"""The stream format of Apertium: encode text with tags for its programs, and decode their output.

Non-text is encoded in one of two ways. Blanks, `[3]`, keep their order while words move around
them; here they stand for white space other than a single space, and for characters that cannot be
sent. Word-bound blanks, `[[2]]word[[/]]`, move with their word; here they name the piece of the
source that the word is from, so that tags can be put around the translation of the words that they
enclosed. Reserved characters are escaped with a backslash.
<https://wiki.apertium.org/wiki/Apertium_stream_format>
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, takewhile

_END = ".[]"
"""Marks the end of a sentence, as the programs' own text readers do."""
_RESERVED = re.compile(r"[\[\]{}^$/\\@<>]")
_UNSENDABLE = r"\s{2,}|[^\S ]|[\0-\x1f\x7f-\x9f\ud800-\udfff~]"
_TOKEN = re.compile(
    r"\\(?P<escaped>.)|\.?\[(?P<end>)\]|\[\[(?P<bound>[^\]]*)\]\]|\[(?P<blank>\d+)\]|[^\\\[.]+|.",
    re.DOTALL,
)

Elements = tuple[int, ...]
"""The elements around a piece of text, outermost first, by their number in the text."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of output with the elements of its source words; None if unknown."""

    text: str
    elements: Elements | None


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text in the stream format, with the data needed to decode its translation.

    Attributes:
        stream: the encoded text.
        blanks: the text that each blank stands for.
        pieces: the elements around each piece of the text; empty without tags.
        names: the name of each element.
        ends: white space before and after the text.
    """

    stream: str
    blanks: tuple[str, ...]
    pieces: tuple[Elements, ...]
    names: tuple[str, ...]
    ends: tuple[str, str]


def encode(text: str, tags: Sequence[str] = ()) -> Encoded:
    """Encode a text, in which `<b>…</b>` is markup if "b" is among the tags.

    An unpaired tag is text. An element without words is kept as it is.
    """
    core = text.strip()
    start = text.find(core)
    blanks: list[str] = []

    def hide(found: re.Match[str]) -> str:
        blanks.append(found[0])
        return "\0"

    shown = re.sub(f"{_wordless(tags)}{_UNSENDABLE}", hide, core)
    names, pieces = _elements(shown, tags)
    escaped = [_RESERVED.sub(r"\\\g<0>", piece) for piece, _ in pieces]
    if names:
        escaped = [f"[[{i}]]{piece}[[/]]" for i, piece in enumerate(escaped)]
    numbers = iter(range(len(blanks)))

    def number(_: re.Match[str]) -> str:
        at = next(numbers)
        return (_END if blanks[at].count("\n") > 1 else "") + f"[{at}]"

    stream = re.sub("\0", number, "".join(escaped)) + _END
    inside = tuple(elements for _, elements in pieces) if names else ()
    ends = (text[:start], text[start + len(core) :])
    return Encoded(stream, tuple(blanks), inside, names, ends)


def decode(stream: str, encoded: Encoded) -> str:
    """Decode a translated stream to text with tags.

    If the translation of an element is in several places, each of them gets the tags.
    """
    pieces = _known(list(_pieces(re.sub(" {2,}", " ", stream), encoded)))
    written = []
    inside: Elements = ()
    for piece in [*pieces, Piece("", ())]:
        elements = piece.elements or ()
        kept = len(_shared(inside, elements))
        written += [f"</{encoded.names[e]}>" for e in reversed(inside[kept:])]
        written += [f"<{encoded.names[e]}>" for e in elements[kept:]]
        written.append(piece.text)
        inside = elements
    before, after = encoded.ends
    return before + "".join(written).strip(" ") + after


def _wordless(tags: Sequence[str]) -> str:
    """A pattern for elements without words, to put before other patterns."""
    names = "|".join(map(re.escape, tags))
    return rf"<({names})>(?:[\W_]|</?(?:{names})>)*?</\1>|" if tags else ""


def _elements(text: str, tags: Sequence[str]) -> tuple[tuple[str, ...], list[tuple[str, Elements]]]:
    """The names of the elements of a text, and its pieces with their elements."""
    names: list[str] = []
    pieces = []
    inside: Elements = ()
    done = 0
    for tag in _paired(text, tags):
        pieces.append((text[done : tag.start()], inside))
        done = tag.end()
        if tag["closing"]:
            inside = inside[:-1]
        else:
            names.append(tag["name"])
            inside = (*inside, len(names) - 1)
    pieces.append((text[done:], inside))
    return tuple(names), [(piece, elements) for piece, elements in pieces if piece]


def _paired(text: str, tags: Sequence[str]) -> list[re.Match[str]]:
    """The paired tags of a text, in order."""
    if not tags:
        return []
    opened: list[re.Match[str]] = []
    pairs: list[tuple[re.Match[str], re.Match[str]]] = []
    pattern = rf"<(?P<closing>/?)(?P<name>{'|'.join(map(re.escape, tags))})>"
    for tag in re.finditer(pattern, text):
        if not tag["closing"]:
            opened.append(tag)
        elif any(o["name"] == tag["name"] for o in opened):
            while opened[-1]["name"] != tag["name"]:
                opened.pop()
            pairs.append((opened.pop(), tag))
    return sorted(chain.from_iterable(pairs), key=lambda tag: tag.start())


def _pieces(stream: str, encoded: Encoded) -> Iterator[Piece]:
    bound: Elements | None = None if encoded.names else ()
    for token in _TOKEN.finditer(stream):
        if token["bound"] is not None:
            bound = _bound(token["bound"], encoded)
        elif token["blank"] is not None and int(token["blank"]) < len(encoded.blanks):
            yield Piece(encoded.blanks[int(token["blank"])], None)
        elif token["end"] is None:
            yield Piece(token["escaped"] or token[0], bound)


def _bound(numbers: str, encoded: Encoded) -> Elements | None:
    """The elements of words from one or several pieces of the source."""
    found = [encoded.pieces[int(n)] for n in re.findall(r"\d+", numbers)]
    return max(found, key=len) if found else None


def _known(pieces: list[Piece]) -> list[Piece]:
    """Give pieces of unknown source the elements that both neighbours share."""
    before: list[Elements] = [()]
    for piece in pieces:
        before.append(before[-1] if piece.elements is None else piece.elements)
    after: list[Elements] = [()]
    for piece in reversed(pieces):
        after.append(after[-1] if piece.elements is None else piece.elements)
    return [
        piece if piece.elements is not None else Piece(piece.text, _shared(left, right))
        for piece, left, right in zip(pieces, before, reversed(after[:-1]), strict=False)
    ]


def _shared(left: Elements, right: Elements) -> Elements:
    return tuple(a for a, _ in takewhile(lambda ab: ab[0] == ab[1], zip(left, right, strict=False)))
