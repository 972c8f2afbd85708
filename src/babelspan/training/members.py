"""Examples with their translations, from which a reader of parallel texts learns."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from babelspan.networks.parallel_texts import ParallelBatch
from babelspan.networks.reader import Reader
from babelspan.training.examples import Row, labelled
from babelspan.training.run import Run
from babelspan.training.stream import Stream
from babelspan.types import DataError, Example

_NUMBER = re.compile(r"\d+")


@dataclass(slots=True, kw_only=True)
class Joined:
    """Examples in one language with their translations as `others`, and what came of the rest.

    Attributes:
        examples: those in the own language, in their order.
        languages: of the translations, in order.
        present: language -> how many examples have a translation into it.
        other_numbers: translations left out because their question has other numbers.
        mixed: examples left out because question and context are in two languages.
        alone: translations left out because no example in the own language belongs to them.
    """

    examples: list[Example] = field(default_factory=list)
    languages: tuple[str, ...] = ()
    present: Counter[str] = field(default_factory=Counter)
    other_numbers: int = 0
    mixed: int = 0
    alone: int = 0

    def summary(self) -> list[str]:
        """What there is and what is missing, a line each, for people."""
        total = len(self.examples)
        lines = [
            f"{language}: {self.present[language]} of {total} texts have their translation"
            for language in self.languages
        ]
        left_out = {
            "translations whose question has other numbers": self.other_numbers,
            "examples with question and context in two languages": self.mixed,
            "translations of no text that is there": self.alone,
        }
        return lines + [f"skipped {count} {what}" for what, count in left_out.items() if count]


def joined(
    examples: Iterable[Example],
    *,
    own: str | None = None,
    languages: Sequence[str] | None = None,
    same_numbers: bool = False,
) -> Joined:
    """Each example in the own language with its translations.

    What belongs together has one id, as parallel files do, or names that id as its `origin`, as
    translations by T(Q+C) do.

    Args:
        examples: of all languages, in any order.
        own: language of the texts that are read for answers; None for that of the first example.
        languages: of the translations, in order; None for all there are, by their codes.
        same_numbers: whether a translation whose question has other numbers than the own one is
            left out. Ids of published translations are not always right.

    Raises:
        DataError: if no example is in the own language, or one has two translations into a
            language.
    """
    found = Joined()
    groups: defaultdict[str, dict[str, Example]] = defaultdict(dict)
    for example in examples:
        if example.question_language != example.context_language:
            found.mixed += 1
            continue
        own = own or example.context_language
        group = groups[example.origin or example.id]
        if example.context_language in group:
            raise DataError(
                f"expected one example {example.origin or example.id!r} in "
                f"{example.context_language!r}, found two, {example.id!r} the second; leave one "
                "of the files out"
            )
        group[example.context_language] = example
    seen = {language for group in groups.values() for language in group} - {own}
    found.languages = tuple(sorted(seen) if languages is None else languages)
    for group in groups.values():
        _add(found, group, own, same_numbers=same_numbers)
    if not found.examples:
        raise DataError(
            f"expected examples with question and context in {own!r}, found none; name the "
            "language of the texts to answer from with the setting `own`"
        )
    return found


def _add(
    found: Joined, group: Mapping[str, Example], own: str | None, *, same_numbers: bool
) -> None:
    """Put the translations of a group beside its own example."""
    others = {language: group[language] for language in found.languages if language in group}
    if own is None or own not in group:
        found.alone += len(group)
        return
    mine = group[own]
    if same_numbers:
        fit = {key: o for key, o in others.items() if _numbers(o) == _numbers(mine)}
        found.other_numbers += len(others) - len(fit)
        others = fit
    found.present.update(others.keys())
    found.examples.append(replace(mine, others=tuple(others.values())))


def _numbers(example: Example) -> list[str]:
    return sorted(_NUMBER.findall(example.question))


def parallel(reader: Reader, examples: Iterable[Example], run: Run) -> Stream[Row, ParallelBatch]:
    """Windows to learn spans from, with those of translations beside them; as `labelled`.

    A window counts as one for the size of a batch, whatever stands beside it.

    Args:
        reader: of parallel texts.
        examples: with their translations as `others`.
        run: says where windows are kept until they are read.

    Raises:
        DataError: if nothing can be learnt from.
    """
    return cast(Stream[Row, ParallelBatch], labelled(reader, examples, run))
