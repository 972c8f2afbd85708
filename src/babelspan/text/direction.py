"""Which way a text is written."""

import unicodedata
from typing import Literal

_STRONG: dict[str, Literal["ltr", "rtl"]] = {"L": "ltr", "R": "rtl", "AL": "rtl"}


def direction(*texts: str) -> Literal["ltr", "rtl"]:
    """The direction of the first letter that has one (UAX #9, rules P2 and P3), or "ltr"."""
    for text in texts:
        for character in text:
            found = _STRONG.get(unicodedata.bidirectional(character))
            if found:
                return found
    return "ltr"
