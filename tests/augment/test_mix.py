"""Weights of training sets, against a second TF-IDF."""

import math
from dataclasses import replace

import pytest

from babelspan.augment.mix import task_weights
from world import World

ANY = World(0).examples(1)[0]


def asked(*questions):
    return [replace(ANY, question=q, question_language="en") for q in questions]


SETS = {
    "near": asked("Where was Ada born?", "When did Ada die?"),
    "far": asked("Is it raining?"),
    "alien": asked("zzz", "yyy zzz", "zzz"),
}
TARGET = asked("Where was Bob born?", "Who is Ada?")


def by_hand(sets, target):
    """Likenesses by dictionaries of TF-IDF, the softmax, and weights of mean 1."""
    documents = [
        [word.strip("?").lower() for e in examples for word in e.question.split()]
        for examples in (*sets.values(), target)
    ]
    vocabulary = sorted({word for document in documents for word in document})
    idf = {
        w: math.log((1 + len(documents)) / (1 + sum(w in d for d in documents))) + 1
        for w in vocabulary
    }
    vectors = [[d.count(w) * idf[w] for w in vocabulary] for d in documents]
    *of_sets, aim = vectors
    likeness = [
        sum(a * b for a, b in zip(v, aim, strict=True)) / math.hypot(*v) / math.hypot(*aim)
        for v in of_sets
    ]
    shares = [math.exp(x) / sum(map(math.exp, likeness)) for x in likeness]
    sizes = [len(examples) for examples in sets.values()]
    mean = sum(s * n for s, n in zip(shares, sizes, strict=True)) / sum(sizes)
    return list(zip(likeness, shares, [s / mean for s in shares], strict=True))


def test_weights_are_those_of_a_second_tf_idf():
    found = task_weights(SETS, TARGET)
    assert list(found) == list(SETS)
    for ours, theirs in zip(found.values(), by_hand(SETS, TARGET), strict=True):
        assert tuple(ours) == pytest.approx(theirs, rel=1e-9)
    assert found["near"].weight > found["far"].weight > found["alien"].weight
    assert found["alien"].likeness == 0
    assert sum(w.share for w in found.values()) == pytest.approx(1)
    total = sum(found[name].weight * len(examples) for name, examples in SETS.items())
    assert total == pytest.approx(sum(map(len, SETS.values())))


def test_sets_of_equal_likeness_weigh_exactly_one():
    sets = {name: SETS["near"] for name in "abc"}
    assert [w.weight for w in task_weights(sets, TARGET).values()] == [1.0, 1.0, 1.0]
    assert [w.weight for w in task_weights(SETS, []).values()] == [1.0, 1.0, 1.0]
