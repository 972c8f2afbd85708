"""DRCD scores, as described by its authors in issue 6 of DRCKnowledgeTeam/DRCD.

Shao et al. (2018), arXiv:1806.00920: the script of SQuAD 1.1, with eight Chinese signs added to
the punctuation, and F1 over characters. No script was published. The faults of the description:
English articles are removed; other Chinese signs are not; and a space between two words counts as a
character in F1.
"""

import re
import string
from functools import lru_cache

from babelspan.scoring.scorers.squad import overlap_f1

NAME = "drcd"
RULES = "words:characters+spaces|articles:en|punctuation:ascii+drcd"

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "《》？，。、；：")


@lru_cache(maxsize=128)  # the strings of a question occur several times in a row
def normalise(text: str) -> str:
    """Lower-case, remove ASCII and DRCD punctuation and English articles, and normalise spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction: str, answer: str, language: str) -> float:
    """Return 1 if both normalise to the same string, else 0; `language` is ignored."""
    return float(normalise(prediction) == normalise(answer))


def f1(prediction: str, answer: str, language: str) -> float:
    """Return F1 over characters, including spaces, in [0, 1]; `language` is ignored."""
    return overlap_f1(normalise(prediction), normalise(answer))
