"""Negative examples: questions about the wrong text, to train a reader to predict "no answer".

A reader trained only on texts that contain the answer cannot tell which of several texts does.
Pairing questions with other contexts is the simplest remedy (Clark and Gardner 2018,
arXiv:1710.10723, Section 3.2); the unanswerable questions of Rajpurkar et al. (2018),
arXiv:1806.03822, are harder negatives.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from babelspan.types import ConfigError, Example

_TRIES = 10


def negatives(examples: Sequence[Example], share: float, *, seed: int) -> list[Example]:
    """Make examples without an answer: questions of `examples` paired with contexts of others.

    A context is rejected if it contains the text of one of the question's answers, or belongs to an
    example with the same id or origin, such as a translation of the question's own context.
    A question is skipped after ten rejected contexts in a row.

    Args:
        examples: examples with answers; unanswerable ones are not paired.
        share: number of negatives to make, as a fraction of the examples, in [0, 1].
        seed: seed of the choice of questions and contexts.

    Returns:
        New examples with `answers=()`, `origin` the id of the question's example, and the id
        `<origin>-elsewhere`.

    Raises:
        ConfigError: if the share is not a fraction.
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"negatives must be a fraction in [0, 1], got {share}")
    rng = random.Random(seed)
    answered = [e for e in examples if e.answers]
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for example in examples:
        ids[example.context].add(example.origin or example.id)
    chosen = sorted(rng.sample(range(len(answered)), round(share * len(answered))))
    found = []
    for example in (answered[i] for i in chosen):
        tries = (rng.choice(answered) for _ in range(_TRIES))
        own = ids[example.context]
        other = next(
            (o for o in tries if own.isdisjoint(ids[o.context]) and not _holds(o.context, example)),
            None,
        )
        if other is not None:
            found.append(
                replace(
                    example,
                    id=f"{example.id}-elsewhere",
                    context=other.context,
                    context_language=other.context_language,
                    title=other.title,
                    answers=(),
                    origin=example.id,
                )
            )
    return found


def _holds(context: str, example: Example) -> bool:
    searched = context.casefold()
    return any(a.text.casefold() in searched for a in example.answers or ())
