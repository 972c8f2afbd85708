"""How much each of several training sets counts, by how alike its questions are to a target's.

Wu et al. (2021), arXiv:2107.05002, Eq. 18 and 19.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from babelspan.text.words import words
from babelspan.types import Example


class TaskWeight(NamedTuple):
    """What the examples of a training set weigh.

    Attributes:
        likeness: cosine of the set's questions and the target's, in [0, 1] (Eq. 18).
        share: softmax of the likenesses; over all sets they add up to 1 (Eq. 19).
        weight: of an example: the share, scaled to 1 in the mean over all examples.
    """

    likeness: float
    share: float
    weight: float


def task_weights(
    sets: Mapping[str, Sequence[Example]], target: Iterable[Example]
) -> dict[str, TaskWeight]:
    """The weight of each training set, by its name.

    All questions of a set are one document, and so are the target's: words in lower case, counts
    times ln((1 + D) / (1 + d)) + 1 for a word in d of D documents. The paper does not say which
    inverse document frequency it takes. Sets of equal likeness weigh exactly 1.

    Args:
        sets: not empty, of examples in one language.
        target: examples like those that the reader is for; only their questions are read.
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
    """How often each word occurs in the questions."""
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
