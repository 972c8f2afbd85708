"""Writing direction of a text."""

import unicodedata
from typing import Literal

_STRONG: dict[str, Literal["ltr", "rtl"]] = {"L": "ltr", "R": "rtl", "AL": "rtl"}


def direction(*texts: str) -> Literal["ltr", "rtl"]:
    """The direction of the first strongly directional letter (UAX #9, P2 and P3), or "ltr"."""
    for text in texts:
        for character in text:
            found = _STRONG.get(unicodedata.bidirectional(character))
            if found:
                return found
    return "ltr"
