"""Our own scores for any language, based on Unicode only; no official script has these rules.

For languages without an official scorer, such as Thai, Japanese, Khmer, Lao and Burmese, and for
one rule across many languages. Case and compatibility forms (NFKC) are ignored; punctuation,
symbols and invisible format characters are removed. Words are separated by white space; in scripts
written without it, each character with its marks is a word. Articles are kept in every language. A
question without an answer has the gold answer "". Its faults: "½" is "12", and "-5" is "5".
"""

import re
import unicodedata
from functools import lru_cache

from babelspan.scoring.scorers.squad import overlap_f1

NAME = "unicode"
RULES = (
    "words:space+characters|articles:none|case:nfkc-fold"
    f"|punctuation:unicode{unicodedata.unidata_version}"
)

_UNSPACED = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Tibetan, Burmese
    "\u1780-\u17ff"  # Khmer
    "\u1950-\u19df\u1a20-\u1aaf\uaa80-\uaadf"  # Tai Le, New Tai Lue, Tai Tham, Tai Viet
    "\u1b00-\u1b7f\ua980-\ua9df"  # Balinese, Javanese
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff"  # Chinese
    "\uf900-\ufaff\U00016fe3\U00020000-\U0003ffff"  # and more of it
    "\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff\U0001aff0-\U0001b16f"  # kana, Bopomofo
    "]"
)


def golds(answers: set[str]) -> set[str]:
    """Return all answers; the empty one if there are none."""
    return answers or {""}


@lru_cache(maxsize=128)  # the strings of a question occur several times in a row
def units(text: str) -> tuple[str, ...]:
    """Return the words; in scripts written without spaces, the characters."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    found: list[str] = []
    last = "space"  # what the last character belongs to
    for character in folded:
        category = unicodedata.category(character)
        if category[0] in "PS" or category == "Cf":
            continue
        kind = "character" if _UNSPACED.match(character) else "word"
        if character.isspace():
            last = "space"
        elif last != "space" and (category[0] == "M" or kind == last == "word"):
            found[-1] += character
        else:
            found.append(character)
            last = kind
    # Removing a sign may have joined a letter and a mark: "a:" and an acute accent.
    return tuple(unicodedata.normalize("NFC", unit) for unit in found)


def exact_match(prediction: str, answer: str, language: str) -> float:
    """Return 1 if both have the same units in the same order, else 0; `language` is ignored."""
    return float(units(prediction) == units(answer))


def f1(prediction: str, answer: str, language: str) -> float:
    """Return F1 over units, in [0, 1]; if a side has no units, 1 if both have none, else 0."""
    predicted, gold = units(prediction), units(answer)
    if not predicted or not gold:
        return float(predicted == gold)
    return overlap_f1(predicted, gold)
