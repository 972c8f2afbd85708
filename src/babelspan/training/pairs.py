"""Questions with their translations, over one context: the batches of language arbitration."""

import sys
from collections import defaultdict
from collections.abc import Sequence

from babelspan.networks.reader import Reader
from babelspan.training.batches import Batches
from babelspan.training.loop import in_groups
from babelspan.training.run import Run
from babelspan.types import ConfigError, DataError, Example

_NAMED = 5


def question_pairs(examples: Sequence[Example]) -> list[tuple[Example, Example]]:
    """Each translated question with the question that it is a translation of, over one context.

    Two examples belong together when they go back to one origin and have one context. The own
    question is that of the origin itself: T(Q) goes with the originals, T(Q+C) with T(C).

    Raises:
        DataError: if a translation has no partner, with the ids; if there is no translation.
    """
    asked = {(e.id, e.question_language, e.question) for e in examples if e.origin is None}
    related: defaultdict[tuple[str, str], list[Example]] = defaultdict(list)
    for example in examples:
        related[example.origin or example.id, example.context].append(example)
    pairs: list[tuple[Example, Example]] = []
    alone: list[str] = []
    for (origin, _), members in related.items():
        own = next((e for e in members if (origin, e.question_language, e.question) in asked), None)
        others = [e for e in members if e.origin is not None]
        if own is None:
            alone += [e.id for e in others]
            continue
        pairs += [(own, e) for e in others if e.question_language != own.question_language]
    if alone:
        raise DataError(
            f"{len(alone)} translations have no original question over the same context among the "
            f"training data: {', '.join(alone[:_NAMED])}{', …' if len(alone) > _NAMED else ''}; "
            "add what they were made from (T(Q) goes with the originals, T(Q+C) with T(C))"
        )
    if not pairs:
        raise DataError(
            "expected questions with their translations, found no translation of a question; add "
            "T(Q) data (babelspan translate --strategy q)"
        )
    return pairs


def paired(reader: Reader, examples: Sequence[Example], run: Run) -> Batches:
    """The updates of a stage that reads questions and their translations together.

    Windows come in twos, over the same context tokens: of the question, of its translation.
    Examples without a partner are skipped; the count is printed.

    Raises:
        ConfigError: if the run makes questions over the wrong text: they have no translation.
        DataError: as `question_pairs` and `shuffled` do.
    """
    if run.config.negatives:
        raise ConfigError(
            f"expected negatives = 0, got {run.config.negatives}: questions over the wrong text "
            "are not paired with translations"
        )
    pairs = question_pairs(examples)
    unpaired = len(examples) - len({id(member) for pair in pairs for member in pair})
    if unpaired and run.leads:
        print(f"left out {unpaired} examples: no translation goes with them", file=sys.stderr)
    return in_groups(reader, pairs, run, together=2)
