"""SQuAD 1.1 scores, equal to the official script `evaluate-v1.1.py`, faults included.

Rajpurkar et al. (2016), arXiv:1606.05250, Section 6. The faults: English articles and ASCII
punctuation are removed in every language, so that "东京。" is not "东京"; and if both sides
normalise to nothing, F1 is 0 although exact match is 1.
"""

import re
import string
from collections.abc import Sequence
from functools import lru_cache

NAME = "squad"
RULES = "words:space|articles:en|punctuation:ascii"

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@lru_cache(maxsize=128)  # the strings of a question occur several times in a row
def normalise(text: str) -> str:
    """Lower-case, remove ASCII punctuation and English articles, and normalise spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction: str, answer: str, language: str) -> float:
    """Return 1 if both normalise to the same string, else 0; `language` is ignored."""
    return float(normalise(prediction) == normalise(answer))


def f1(prediction: str, answer: str, language: str) -> float:
    """Return F1 over words, in [0, 1]; `language` is ignored."""
    return overlap_f1(normalise(prediction).split(), normalise(answer).split())


def overlap_f1(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """Return the harmonic mean of precision and recall of a bag of words; 0 without overlap."""
    if predicted and predicted == gold:
        return 1.0
    left: dict[str, int] = {}
    for word in gold:
        left[word] = left.get(word, 0) + 1
    shared = 0
    for word in predicted:
        if left.get(word):
            left[word] -= 1
            shared += 1
    if shared == 0:
        return 0.0
    precision = shared / len(predicted)
    recall = shared / len(gold)
    return 2 * precision * recall / (precision + recall)
