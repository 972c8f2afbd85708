"""KorQuAD 1.0 scores, equal to the official script `evaluate-v1.0.py`, faults included.

Lim, Kim, Lee (2019), arXiv:1909.07005: quotes and brackets become spaces, other ASCII punctuation
is removed, and F1 is over characters, because Korean words carry particles. The faults: only some
brackets and quotes are known, so that "「독도」" is not "독도"; and if both sides normalise to
nothing, F1 is 0 although exact match is 1.
"""

import string
from functools import lru_cache

from babelspan.scoring.scorers.squad import overlap_f1

NAME = "korquad"
RULES = "words:characters|articles:none|punctuation:ascii+korquad"

_SIGNS = str.maketrans("'\"《》<>〈〉()‘’", " " * 12)
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@lru_cache(maxsize=128)  # the strings of a question occur several times in a row
def normalise(text: str) -> str:
    """Lower-case, replace quotes and brackets by spaces, remove ASCII punctuation."""
    return " ".join(text.translate(_SIGNS).lower().translate(_PUNCTUATION).split())


def exact_match(prediction: str, answer: str, language: str) -> float:
    """Return 1 if both normalise to the same string, else 0; `language` is ignored."""
    return float(normalise(prediction) == normalise(answer))


def f1(prediction: str, answer: str, language: str) -> float:
    """Return F1 over characters without spaces, in [0, 1]; `language` is ignored."""
    return overlap_f1(normalise(prediction).replace(" ", ""), normalise(answer).replace(" ", ""))
