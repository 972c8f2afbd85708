"""XML of office documents and books, with the byte at which each piece of text starts.

A document with a DOCTYPE is refused before anything in it is read: without a DOCTYPE, entities
cannot expand, and nothing external can be fetched.
"""

from collections.abc import Mapping
from xml.parsers import expat

from babelspan.types import DataError

DEEPEST = 256
"""Maximum nesting depth of elements."""


class Events:
    """Receives the events of an XML document; a subclass overrides what it needs.

    Names include their namespace: `uri name`.
    """

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element starts."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str, at: int) -> None:
        """Text, and the byte at which it starts."""


def parse(raw: bytes, events: Events, where: str) -> None:
    """Parse a document.

    Args:
        raw: the document.
        events: receives its events.
        where: name used in error messages.

    Raises:
        DataError: if it is not XML, has a DOCTYPE, or is nested too deeply.
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
