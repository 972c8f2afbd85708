"""Weight training sets by the similarity of their questions to those of a target task.

Wu et al. (2021), arXiv:2107.05002, Eq. 18 and 19.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from babelspan.text.words import words
from babelspan.types import Example


class TaskWeight(NamedTuple):
    """The weight of the examples of a training set.

    Attributes:
        likeness: cosine similarity of the set's questions and the target's, in [0, 1] (Eq. 18).
        share: softmax of the similarities over all sets (Eq. 19).
        weight: weight of an example: the share, scaled to a mean of 1 over all examples.
    """

    likeness: float
    share: float
    weight: float


def task_weights(
    sets: Mapping[str, Sequence[Example]], target: Iterable[Example]
) -> dict[str, TaskWeight]:
    """The weight of each training set, by its name.

    TF-IDF vectors over lower-case words; all questions of a set form one document, and so do the
    target's. IDF is ln((1 + D) / (1 + d)) + 1 for a word in d of D documents; the paper does not
    say which form it uses. Sets of equal similarity get a weight of exactly 1.

    Args:
        sets: non-empty sets of examples in one language.
        target: examples of the target task; only their questions are used.
    """
    counts = {name: _counts(examples) for name, examples in sets.items()}
    aim = _counts(target)
    documents = [*counts.values(), aim]
    found = Counter(word for document in documents for word in document)
    rarity = {w: math.log((1 + len(documents)) / (1 + d)) + 1 for w, d in found.items()}
    likeness = {name: _cosine(own, aim, rarity) for name, own in counts.items()}
    powers = {name: math.exp(alike) for name, alike in likeness.items()}
    total = sum(powers.values())
    size = sum(map(len, sets.values()))
    mean = sum(powers[name] * len(examples) for name, examples in sets.items()) / size
    if len(set(powers.values())) == 1:
        mean = next(iter(powers.values()))  # the sum above rounds
    return {
        name: TaskWeight(likeness[name], powers[name] / total, powers[name] / mean) for name in sets
    }


def _counts(examples: Iterable[Example]) -> Counter[str]:
    """Counts of the words in the questions."""
    return Counter(
        word.of(example.question).lower()
        for example in examples
        for word in words(example.question, example.question_language)
    )


def _cosine(one: Counter[str], other: Counter[str], rarity: Mapping[str, float]) -> float:
    shared = sum(n * other[word] * rarity[word] ** 2 for word, n in one.items())
    norms = math.prod(
        math.sqrt(sum((n * rarity[word]) ** 2 for word, n in counts.items()))
        for counts in (one, other)
    )
    return min(1.0, shared / norms) if norms else 0.0
