"""DRCD scores, as its makers describe their script in issue 6 of DRCKnowledgeTeam/DRCD.

Shao et al. (2018), arXiv:1806.00920: the script of SQuAD 1.1, with eight signs of
Chinese more among the punctuation, and F1 over characters. No script was published. The faults of
what is described: English articles go, so do no other signs of Chinese, and a space between two
words is a character of F1.
"""

import re
import string
from functools import lru_cache

from babelspan.scoring.scorers.squad import overlap_f1

NAME = "drcd"
RULES = "words:characters+spaces|articles:en|punctuation:ascii+drcd"

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "《》？，。、；：")


@lru_cache(maxsize=128)  # the strings of a question come several times in a row
def normalise(text: str) -> str:
    """Lower case, no punctuation of ASCII or of the rule, no English articles, single spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction: str, answer: str, language: str) -> float:
    """1 where both normalise to the same string, else 0; `language` has no effect."""
    return float(normalise(prediction) == normalise(answer))


def f1(prediction: str, answer: str, language: str) -> float:
    """F1 over characters, spaces among them, in [0, 1]; `language` has no effect."""
    return overlap_f1(normalise(prediction), normalise(answer))
