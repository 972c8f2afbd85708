"""XML of office documents and books, with the byte at which each piece of text starts.

A document with a DOCTYPE is refused before anything in it is read: without one there are no
entities to blow up, and nothing elsewhere to fetch.
"""

from collections.abc import Mapping
from xml.parsers import expat

from babelspan.types import DataError

DEEPEST = 256
"""Elements inside of each other, at most."""


class Events:
    """What a reader of XML is told; a subclass overrides what it needs.

    Names have their namespace before them: `uri name`.
    """

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element starts."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str, at: int) -> None:
        """Text, and the byte at which it starts."""


def parse(raw: bytes, events: Events, where: str) -> None:
    """Go through a document.

    Args:
        raw: the document.
        events: told what is in it.
        where: named in errors.

    Raises:
        DataError: if it is no XML, has a DOCTYPE, or is nested too deeply.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = False
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise DataError(f"{where}: expected at most {DEEPEST} nested elements, found more")
        events.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        events.end(name)

    def doctype(*_: object) -> None:
        raise DataError(f"{where}: expected XML without a DOCTYPE, found one; do not trust it")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: events.text(text, parser.CurrentByteIndex)
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise DataError(f"{where}: the XML is broken: {error}") from None
    except LookupError as error:
        raise DataError(f"{where}: the XML cannot be read: {error}") from None
