"""Sentences with their places, cut by sentencex (Wikimedia), which has rules for many languages."""

from babelspan.types import Span


def sentences(text: str, language: str) -> list[Span]:
    """Places of the sentences of a text, in order, without the white space around them.

    What stands between two of them is white space, so that a text can be put together again.

    Args:
        text: any text.
        language: ISO 639-1 code; one without rules of its own is cut by general ones.
    """
    from sentencex import segment  # of the extra `translate`; importing a text costs nothing

    pieces = segment(language, text)
    if "".join(pieces) != text:
        pieces = [text]
    found = []
    start = 0
    for piece in pieces:
        bare = piece.strip()
        if bare:
            first = start + len(piece) - len(piece.lstrip())
            found.append(Span(first, first + len(bare)))
        start += len(piece)
    return found
