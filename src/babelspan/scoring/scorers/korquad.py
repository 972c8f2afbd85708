"""KorQuAD 1.0 scores, equal to the official script `evaluate-v1.0.py`, faults included.

Lim, Kim, Lee (2019), arXiv:1909.07005: quotes and brackets part words, other ASCII punctuation
goes, and F1 is over characters, as Korean words carry their particles. The faults: of brackets and
quotes only some are known, so that "「독도」" is not "독도"; and where both sides normalise to
nothing F1 is 0 although the exact match is 1.
"""

import string
from functools import lru_cache

from babelspan.scoring.scorers.squad import overlap_f1

NAME = "korquad"
RULES = "words:characters|articles:none|punctuation:ascii+korquad"

_SIGNS = str.maketrans("'\"《》<>〈〉()‘’", " " * 12)
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@lru_cache(maxsize=128)  # the strings of a question come several times in a row
def normalise(text: str) -> str:
    """Lower case, quotes and brackets as spaces, no ASCII punctuation, single spaces."""
    return " ".join(text.translate(_SIGNS).lower().translate(_PUNCTUATION).split())


def exact_match(prediction: str, answer: str, language: str) -> float:
    """1 where both normalise to the same string, else 0; `language` has no effect."""
    return float(normalise(prediction) == normalise(answer))


def f1(prediction: str, answer: str, language: str) -> float:
    """F1 over characters without the spaces, in [0, 1]; `language` has no effect."""
    return overlap_f1(normalise(prediction).replace(" ", ""), normalise(answer).replace(" ", ""))
