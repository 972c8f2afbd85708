"""Examples with their translations, to train readers of parallel texts."""

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from babelspan.networks.parallel_texts import ParallelBatch
from babelspan.networks.reader import Reader
from babelspan.reading.parallel import ParallelWindow
from babelspan.training.examples import Row, labelled
from babelspan.training.run import Run
from babelspan.training.stream import Stream
from babelspan.types import DataError, Example

_NUMBER = re.compile(r"\d+")


@dataclass(slots=True, kw_only=True)
class Joined:
    """Examples in one language with their translations as `others`, and counts of skipped ones.

    Attributes:
        examples: the examples in the own language, in their order.
        languages: languages of the translations, in order.
        present: language -> number of examples with a translation into it.
        other_numbers: translations skipped because their question contains other numbers.
        mixed: examples skipped because question and context are in two languages.
        alone: translations skipped because there is no original in the own language.
    """

    examples: list[Example] = field(default_factory=list)
    languages: tuple[str, ...] = ()
    present: Counter[str] = field(default_factory=Counter)
    other_numbers: int = 0
    mixed: int = 0
    alone: int = 0

    def summary(self) -> list[str]:
        """A readable summary, one line for each language and each reason for skipping."""
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
    """Join each example in the own language with its translations.

    Examples belong together if they have the same id, as in parallel files, or name that id as
    their `origin`, as T(Q+C) translations do.

    Args:
        examples: examples in all languages, in any order.
        own: language of the texts to answer from; None for that of the first example.
        languages: languages of the translations, in order; None for all, sorted by code.
        same_numbers: whether to skip a translation whose question contains other numbers than the
            original. Ids in published translations are not always right.

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
    """Add the translations of a group to its example in the own language."""
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
    """A stream of windows with those of their translations, for training on spans; as `labelled`.

    A window counts as one for the batch size, however many translations it has.

    Args:
        reader: a reader of parallel texts.
        examples: examples with their translations as `others`.
        run: provides the folder to store windows in.

    Raises:
        DataError: if no example can be used.
    """
    stream = cast(Stream[Row, ParallelBatch], labelled(reader, examples, run))
    lengths = array("q")
    texts = 1
    for row in stream.items:
        (window,) = cast(tuple[ParallelWindow], row)
        lengths.append(window.longest)
        texts = max(texts, 1 + len(window.present))
    return replace(stream, lengths=np.array(lengths, dtype=np.int64), texts=texts)
