"""Diversity of questions: self-BLEU and distinct n-grams."""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

Tokens = Sequence[Hashable]
Run = tuple[Hashable, ...]

_ORDERS = (1, 2, 3, 4)
_NONE = 0.1
"""Number of matches assumed for an order without matches (Chen and Cherry 2014, method 1)."""


def distinct(questions: Sequence[Tokens], length: int) -> float | None:
    """Return the share of distinct n-grams of `length` tokens (Li et al. 2016, Section 5.2).

    None if no question is that long.
    """
    runs = Counter(run for question in questions for run in _runs(question, length))
    return len(runs) / runs.total() if runs else None


def self_bleu(questions: Sequence[Tokens]) -> float | None:
    """Return the mean BLEU-4 of each question against all others (Zhu et al. 2018).

    Lower is more diverse. An empty question counts as 0. None for fewer than two questions.
    """
    if len(questions) < 2:
        return None
    counts = [{n: Counter(_runs(question, n)) for n in _ORDERS} for question in questions]
    most = _most(counts)
    lengths = Counter(len(question) for question in questions)
    scores = []
    for number, question in enumerate(questions):
        if not question:
            scores.append(0.0)
            continue
        lengths[len(question)] -= 1
        scores.append(_bleu(number, len(question), counts[number], most, lengths))
        lengths[len(question)] += 1
    return sum(scores) / len(scores)


def _bleu(
    number: int,
    length: int,
    counts: dict[int, Counter[Run]],
    most: dict[Run, list[tuple[int, int]]],
    others: Counter[int],
) -> float:
    """Return BLEU-4 of one question; `others` has the counts of the others' lengths."""
    logs = 0.0
    for n in _ORDERS:
        found = 0
        for run, count in counts[n].items():
            elsewhere = next((times for times, whose in most[run] if whose != number), 0)
            found += min(count, elsewhere)
        if n == 1 and not found:
            return 0.0
        logs += math.log((found or _NONE) / max(1, counts[n].total()))
    nearest = min(
        (other for other, count in others.items() if count > 0),
        key=lambda other: (abs(other - length), other),
    )
    brevity = min(1.0, math.exp(1 - nearest / length))
    return brevity * math.exp(logs / len(_ORDERS))


def _most(counts: Sequence[dict[int, Counter[Run]]]) -> dict[Run, list[tuple[int, int]]]:
    """Return the two highest counts of each n-gram in a question, with the questions' numbers."""
    most: defaultdict[Run, list[tuple[int, int]]] = defaultdict(list)
    for number, of_question in enumerate(counts):
        for of_order in of_question.values():
            for run, count in of_order.items():
                most[run] = sorted([*most[run], (count, number)], reverse=True)[:2]
    return dict(most)


def _runs(question: Tokens, length: int) -> list[Run]:
    return [tuple(question[at : at + length]) for at in range(len(question) - length + 1)]
